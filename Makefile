# Everything one does with PlantOps. "make" alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
LOCAL := deploy/local/plantops-local

# PLANTOPS_BIN=... runs an existing program instead of building one.
BUILD := $(if $(PLANTOPS_BIN),,build)

##@ Run it on this machine

.PHONY: run up down status logs doctor renew-certs backup restore reset simulate
run: packages $(BUILD) frontend ## start everything and stay in the foreground; Ctrl-C stops it
	@exec $(LOCAL) run

up: packages $(BUILD) frontend ## start what is not running yet, in the background
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

.PHONY: packages build frontend certs format lint test e2e browser production check smoke bench screenshots
packages: ## install the system packages that are missing
	@scripts/install-packages.sh build run frontend

# The Swift runtime is linked in: what is tested here is what runs where there is no toolchain.
build: ## build the release program (the first time: about 6 minutes on two cores)
	@echo "building plantops (the first time takes about 6 minutes on two cores)"
	@swift build -c release --static-swift-stdlib --product plantops

frontend: ## build the dashboard into frontend-dist/ (nothing to do when nothing has changed)
	@scripts/install-packages.sh frontend
	@scripts/build-frontend.sh

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
	@scripts/install-packages.sh build run frontend check
	@scripts/make-venv.sh
	@scripts/build-frontend.sh
	@$(if $(PLANTOPS_BIN),,$(MAKE) --no-print-directory build)
	@.venv/bin/python -m pytest Tests/e2e $(ARGS)

browser: ## the tests of the dashboard in Chromium, with the release program (ARGS='-k name': some of them)
	@scripts/install-packages.sh build run frontend check
	@scripts/make-venv.sh
	@scripts/build-frontend.sh
	@$(if $(PLANTOPS_BIN),,$(MAKE) --no-print-directory build)
	@.venv/bin/python -m pytest -c Tests/pytest.ini Tests/browser $(ARGS)

production: ## the tests of what is deployed, without Docker, with the release program (ARGS='-k name': some of them)
	@scripts/install-packages.sh build run frontend check production
	@scripts/make-venv.sh
	@scripts/build-frontend.sh
	@$(if $(PLANTOPS_BIN),,$(MAKE) --no-print-directory build)
	@.venv/bin/python -m pytest -c Tests/pytest.ini Tests/production $(ARGS)

screenshots: ## pictures of every page in screenshots/ (ARGS='--only overview --theme dark --screen phone')
	@scripts/install-packages.sh build run frontend check
	@scripts/make-venv.sh
	@$(if $(PLANTOPS_BIN),,$(MAKE) --no-print-directory build)
	@.venv/bin/python Tests/browser/screenshots.py $(ARGS)

check: ## everything: packages, build, lint, all tests; ends with a count
	@scripts/check.sh

smoke: ## look at a running installation from outside: URL=https://... (ARGS=--help tells more)
	@python3 scripts/smoke.py $(if $(URL),"$(URL)") $(ARGS)

bench: ## measure throughput and latency (ARGS=...)
	@scripts/install-packages.sh build run check
	@scripts/make-venv.sh
	@$(if $(PLANTOPS_BIN),,$(MAKE) --no-print-directory build)
	@.venv/bin/python Tests/bench/run.py $(ARGS)

##@ Production (Docker; docs/deployment.md)

PRODUCTION := deploy/docker/plantops-docker

.PHONY: prod-prepare prod-build prod-up prod-down prod-logs prod-restart prod-backup prod-restore
prod-prepare: ## make .env.prod and random secrets, once: PUBLIC_HOST=plants.example.org
	@scripts/prepare-production.sh

prod-build: ## build the images
	@$(PRODUCTION) build

prod-up: ## start everything in containers, in order, and wait until it is healthy
	@$(PRODUCTION) up

prod-down: ## stop all containers; the data stays
	@$(PRODUCTION) down

prod-logs: ## follow the containers' logs (FOLLOW=0: only their ends)
	@$(PRODUCTION) logs || true

prod-restart: ## start all containers anew, with the settings and secrets of now
	@$(PRODUCTION) restart

prod-backup: ## make a backup now
	@$(PRODUCTION) backup

prod-restore: ## put a backup back: FILE=... (asks; YES=1 does not); without FILE: show what there is
	@$(PRODUCTION) restore $(if $(FILE),"$(FILE)")

##@ Help

.PHONY: help
help: ## show this
	@awk 'BEGIN { FS = ":.*## " } \
	    /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	    /^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
