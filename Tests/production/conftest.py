"""What is deployed, proved without a container engine: see containers/. Everything is made of the files as they are."""

import os
import shutil
import signal
from contextlib import contextmanager
from pathlib import Path

import pytest

from containers import compose, project
from containers.front import Front
from containers.image import Builder
from containers.installation import Installation, database_image
from containers.network import own_network
from support.stack import ROOT, binary, dashboard

PUBLIC_HOST = "plants.example.test"
# Images stay there for the next time; each is named by what it is made of.
CACHE = Path(os.environ.get("PLANTOPS_IMAGE_CACHE") or "/var/tmp/plantops-images")
BASE = "compose.yml"
PROFILES = ("monitoring", "backup", "restore")
DEVELOPMENT, PRODUCTION = (BASE, "compose.dev.yml"), (BASE, "compose.prod.yml")


def pytest_configure(config):
    # A test run that is told to stop must still stop what it has started.
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A copy of what is cloned, after scripts/prepare-production.sh."""
    folder = project.checkout(tmp_path_factory.mktemp("prepared"))
    project.prepare(folder, PUBLIC_HOST=PUBLIC_HOST)
    return folder


def resolved(folder, files, profiles=()):
    return compose.config(folder / project.DOCKER, *files, profiles=profiles, environment_file=folder / ".env.prod")


@pytest.fixture(scope="session")
def production(prepared):
    """The configuration of production with everything on."""
    return resolved(prepared, PRODUCTION, PROFILES)


@pytest.fixture(scope="session")
def images(production):
    """By service: those made here, and the database's."""
    if os.geteuid() != 0:
        pytest.skip("images are only made as root")
    remove_old(CACHE)
    builder = Builder(ROOT, CACHE, {"plantops": binary(), "frontend-dist": dashboard()})
    made, found = {}, {}
    for service in production["services"].values():
        if "build" in service:
            file = Path(service["build"]["context"], service["build"]["dockerfile"]).resolve()
            name = str(project.DOCKER / file.name)
            if builder.can(name):
                made[service["image"]] = builder.image(name)
    for name, service in production["services"].items():
        if service["image"] in made:
            found[name] = made[service["image"]]
        elif name == "database":
            found[name] = database_image(service)
    return found


def remove_old(cache, most=8):
    """All but those used last."""
    folders = sorted(cache.glob("*-*"), key=lambda path: path.stat().st_mtime) if cache.is_dir() else []
    for folder in folders[:-most]:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def installed(configuration, images):
    """Boxes for what has an image here, none of them started, in a network of their own. Monitoring has other tests."""
    services = {name: service for name, service in configuration["services"].items() if name in images}
    with Installation({**configuration, "services": services}, images) as installation, \
            own_network(installation.addresses.values()):
        yield installation


@contextmanager
def reached(installation, folder):
    """From outside. HTTPS is checked against the installation's own CA (`ca`, once that is written)."""
    front = Front(installation, folder)
    before = os.environ.get("REQUESTS_CA_BUNDLE")
    os.environ["REQUESTS_CA_BUNDLE"] = front.ca
    try:
        yield front
    finally:
        os.environ.pop("REQUESTS_CA_BUNDLE")
        if before is not None:
            os.environ["REQUESTS_CA_BUNDLE"] = before


@pytest.fixture(scope="module")
def installation(production, images):
    with installed(production, images) as installation:
        yield installation


@pytest.fixture(scope="module")
def front(installation, prepared):
    with reached(installation, prepared) as front:
        yield front


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    used = getattr(item, "funcargs", {}).get("front")
    if report.failed and isinstance(used, Front):
        report.sections.append(("logs of the containers", used.installation.logs()))
