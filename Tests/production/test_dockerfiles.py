"""The Dockerfiles: linted, and what they must have for the images to be small, pinned and unprivileged."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from containers import dockerfile, project
from containers.ignoring import Ignoring
from support.stack import ROOT

FILES = sorted((ROOT / project.DOCKER).glob("*Dockerfile"))
HADOLINT = Path(sys.executable).with_name("hadolint")
# DL3008 wants each package of Debian pinned: its old versions are gone a day after a security fix, and nothing builds.
UNWANTED = ["DL3008"]


def lint(file):
    options = [word for rule in UNWANTED for word in ("--ignore", rule)]
    return subprocess.run([HADOLINT, "--no-color", "--failure-threshold", "style", *options, file],
                          capture_output=True, text=True, timeout=60)


def named(files):
    return [file.name for file in files]


def test_there_is_one_for_each_image(production):
    built = {Path(service["build"]["dockerfile"]).name for service in production["services"].values() if "build" in service}
    assert built == set(named(FILES))


@pytest.mark.parametrize("file", FILES, ids=named(FILES))
def test_a_linter_finds_nothing(file):
    done = lint(file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_finds_something(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN cd / && apt-get install curl\n")
    done = lint(tmp_path / "Dockerfile")
    assert done.returncode != 0 and "DL3006" in done.stdout


@pytest.mark.parametrize("file", FILES, ids=named(FILES))
def test_the_image_is_debian_and_nobody_special(file):
    stages = dockerfile.parse(file.read_text())
    last = stages[-1]
    assert re.fullmatch(r"debian:bookworm-slim|localhost/plantops/backend:latest|(grafana|prom)/[a-z]+:v?\d+\.\d+\.\d+", last.base)
    assert last.last("USER").text == ("65534:65534" if last.base.startswith("prom/") else "1000:1000")
    assert last.last("HEALTHCHECK")
    for stage in stages:
        assert (":" in stage.base or stage.base in {each.name for each in stages})
    for stage in stages:
        for each in stage.of("RUN"):
            if "apt-get" in each.text:
                assert "--no-install-recommends" in each.text
        assert not stage.of("ADD"), "COPY says what it does"
    assert not any(re.search("password|secret|token", each.text, re.I) for each in last.of("ENV") + last.of("ARG"))


@pytest.mark.parametrize("file", FILES, ids=named(FILES))
def test_a_base_image_can_be_pinned_by_its_digest(file):
    bases = re.findall(r"^FROM (\S+)", file.read_text(), re.MULTILINE)
    own = set(re.findall(r"^FROM .* AS (\S+)", file.read_text(), re.MULTILINE | re.IGNORECASE))
    for base in set(bases) - own:
        assert base.startswith("${") or base.startswith("$"), f"{base} is not an argument"


def test_the_program_is_built_as_everywhere_else():
    """With the options of `make build`, so that what is tested is what is shipped."""
    built = re.search(r"swift build (-c release [^\"\n]*)", (ROOT / "Makefile").read_text())[1].split()
    stages = dockerfile.parse((ROOT / project.DOCKER / "backend.Dockerfile").read_text())
    command = " ".join(each.text for stage in stages for each in stage.of("RUN"))
    in_image = re.findall(r"swift build (-c release [^&|;]*?) *(?:&&|$)", command)[0].split()
    assert in_image == built and "--static-swift-stdlib" in built


def test_the_build_has_all_it_needs_and_no_secret():
    ignored = Ignoring(ROOT / ".dockerignore")
    for path in (".env.prod", ".local/env", ".git/config", "deploy/docker/secrets/encryption_key.txt", "certs/ca.key",
                 ".build/release/plantops", "frontend-dist/index.html", ".venv/bin/python"):
        assert ignored(path), f"{path} would be sent along"
    for path in ("Package.swift", "Sources/plantops/PlantOps.swift", "certs/make-certs.sh",
                 "deploy/nginx/plantops.conf.in", "deploy/mosquitto/mosquitto.conf.in", "scripts/render-template.sh",
                 "scripts/build-frontend.sh", "frontend/src/main.tsx", "deploy/backup/plantops-backup"):
        assert not ignored(path), f"{path} would be missing"


def test_what_is_ignored_is_found():
    """The reader above, by the rules of .dockerignore."""
    class Lines:
        def exists(self):
            return True

        def read_text(self):
            return "# all\n*\n!Sources\n**/*.key\n!a/b\na/*/c\n"

    ignored = Ignoring(Lines())
    assert ignored("README.md") and not ignored("Sources/x/y.swift")
    assert ignored("Sources/x/ca.key") and not ignored("a/b") and ignored("a/b/c")
