# Everything one does with PlantOps. "make" alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
LOCAL := deploy/local/plantops-local

# PLANTOPS_BIN=... runs an existing program instead of building one.
BUILD := $(if $(PLANTOPS_BIN),,build)

##@ Run it on this machine

.PHONY: run up down status logs doctor renew-certs backup restore reset simulate
run: packages $(BUILD) ## start everything and stay in the foreground; Ctrl-C stops it
	@exec $(LOCAL) run

up: packages $(BUILD) ## start what is not running yet, in the background
	@$(LOCAL) up

down: ## stop everything; the data stays
	@$(LOCAL) down

status: ## show what runs
	@$(LOCAL) status || true

logs: ## follow the logs (FOLLOW=0: only their ends)
	@$(LOCAL) logs || true

doctor: ## check settings, certificates, database, broker and clock, and say what to do
	@$(LOCAL) exec doctor

renew-certs: ## give Mosquitto a new server certificate now; the CA and all connections stay
	@$(LOCAL) renew-certs

backup: packages $(BUILD) ## make a backup in .local/backups, while everything runs; old ones are deleted
	@$(LOCAL) backup

restore: packages $(BUILD) ## put a backup back: FILE=... (asks; YES=1 does not); without FILE: show what there is
	@$(LOCAL) restore $(if $(FILE),"$(FILE)")

reset: ## delete the local data, secrets and certificates (asks; YES=1 does not)
	@$(LOCAL) reset

simulate: ## start simulated devices in a running setup
	@$(LOCAL) start simulator

##@ Build and test

.PHONY: packages build certs format lint test e2e check bench
packages: ## install the system packages that are missing
	@scripts/install-packages.sh build run

build: ## build the release program (the first time: about 6 minutes on two cores)
	@echo "building plantops (the first time takes about 6 minutes on two cores)"
	@swift build -c release --product plantops

certs: ## make or renew the CA and server certificate in certs/
	@certs/make-certs.sh
	@if $(LOCAL) status >/dev/null; then echo "The local setup has its own certificates: make renew-certs"; fi

format: ## format the Swift sources in place
	swift format --in-place --recursive --parallel Sources Tests Package.swift

lint: ## look for style and obvious mistakes in Swift, shell and Python
	@scripts/lint.sh

test: ## the Swift tests, with a PostgreSQL and a Mosquitto of their own (FILTER=name: some of them)
	@scripts/install-packages.sh build run
	@scripts/test.sh

e2e: ## the end-to-end tests of the release program (ARGS='-k name': some of them)
	@scripts/install-packages.sh build run check
	@scripts/make-venv.sh
	@$(if $(PLANTOPS_BIN),,$(MAKE) --no-print-directory build)
	@.venv/bin/python -m pytest Tests/e2e $(ARGS)

check: ## everything: packages, build, lint, all tests; ends with a count
	@scripts/check.sh

bench: ## measure throughput and latency (ARGS=...)
	@scripts/install-packages.sh build run check
	@scripts/make-venv.sh
	@$(if $(PLANTOPS_BIN),,$(MAKE) --no-print-directory build)
	@.venv/bin/python Tests/bench/run.py $(ARGS)

##@ Help

.PHONY: help
help: ## show this
	@awk 'BEGIN { FS = ":.*## " } \
	    /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	    /^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
