"""One stack for the tests that only look, one of its own for each test that breaks something."""

import signal
import time

import pytest
from xdist.workermanage import NodeManager

from support import alerts, backups, care, people
from support.device import Device
from support.discord import Inbox
from support.events import Events
from support.llm import PROVIDERS, Models
from support.stack import Stack, free_port


def pytest_configure(config):
    # A test run that is told to stop must still stop what it has started.
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    # And so must its workers, whom it would give 10 seconds.
    NodeManager.EXIT_TIMEOUT = 25


# What takes more than a minute, most of it waiting. Begun first, so that no worker of pytest-xdist is still at one of
# these when the others have nothing left to do.
LONGEST = [f"test_{name}" for name in (
    "metrics", "plant_events", "advisor_alone", "delivery_alone", "export", "database_outage", "restore", "backup_round_trip",
    "reconciler", "openapi", "expiry", "enrollment", "health_check", "backend_crash", "keys")]


def pytest_collection_modifyitems(items):
    rank = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


def running(**variables):
    stack = Stack(**variables)
    try:
        yield stack.up()
    finally:
        stack.destroy()


@pytest.fixture(scope="session")
def stack():
    """Shared by many tests: leave it running, and look only at plants and devices of your own."""
    stack = Stack()
    try:
        yield stack.up()
        assert people.told_in_logs(stack) == [], "of what the tests of this run keep secret"
    finally:
        stack.destroy()


@pytest.fixture
def fresh_stack():
    """For one test alone, which may kill and break what it likes."""
    yield from running()


@pytest.fixture(scope="session")
def inbox():
    """Where channels of tests lead to."""
    with Inbox() as inbox:
        yield inbox


def alerting_stack(inbox):
    # On the second port nobody listens, unless a test does.
    spare = free_port()
    for stack in running(CHANNEL_ALLOWED_HOSTS=f"{inbox.host}, 127.0.0.1:{spare}"):
        stack.spare_port, stack.pots = spare, []
        yield stack


@pytest.fixture(scope="session")
def shared_alerting_stack(inbox):
    """Two streams of its events, straight and through nginx, are open from its beginning (test_events.py)."""
    for stack in alerting_stack(inbox):
        stack.streams_since = time.monotonic()
        with Events(stack.api) as direct, Events(stack.web) as proxied:
            stack.streams = [direct, proxied]
            yield stack


@pytest.fixture(scope="session")
def shared_breakable_stack(inbox):
    yield from alerting_stack(inbox)


@pytest.fixture
def alerting(shared_alerting_stack):
    """May send to the inbox. Alerts fire at the first reading; there is no channel, and none stays behind."""
    alerts.clean(shared_alerting_stack)
    yield shared_alerting_stack
    alerts.clean(shared_alerting_stack)


@pytest.fixture
def breakable(shared_breakable_stack):
    """Like `alerting`, for tests that stop and kill: what they leave lying is started again."""
    stack = shared_breakable_stack

    def mend():
        for name in ("postgres", "mosquitto", "backend"):
            if not stack.alive(name):
                stack.start(name)
        stack.ready()
        alerts.clean(stack)

    mend()
    yield stack
    mend()


@pytest.fixture(scope="session")
def models():
    """Where language models of tests are asked."""
    with Models() as models:
        yield models


@pytest.fixture
def homely_stack():
    """A fresh stack in which only the `model_of` each provider here can be asked, whatever key it is given."""
    with Models() as models:
        model_of = {provider: models.model(provider, at_root=True) for provider in PROVIDERS}
        for stack in running(ANTHROPIC_BASE_URL=models.url, OPENAI_BASE_URL=models.url):
            stack.model_of = model_of
            yield stack


@pytest.fixture(scope="session")
def shared_advised_stack():
    # A proxy that is not there: nobody may ask for it.
    for stack in running(HTTP_PROXY="http://127.0.0.1:1", HTTPS_PROXY="http://127.0.0.1:1"):
        stack.pots = []
        yield stack


@pytest.fixture
def advised(shared_advised_stack):
    """For tests of the settings of language models, of which a stack has one. None stay behind."""
    stack = shared_advised_stack

    def mend():
        if not stack.alive("backend"):
            stack.start("backend")
            stack.ready()
        care.clean(stack)

    mend()
    yield stack
    assert stack.alive("backend"), "it was there before"
    mend()


@pytest.fixture(scope="module")
def shared_saved(inbox):
    stack = Stack(CHANNEL_ALLOWED_HOSTS=inbox.host)
    try:
        yield backups.Saved(stack.up(), inbox)
    finally:
        stack.destroy()


@pytest.fixture
def saved(shared_saved):
    """Everything runs, before and after."""
    shared_saved.stack.ready()
    yield shared_saved
    shared_saved.stack.ready()


@pytest.fixture
def untouched(saved):
    """For tests after which everything in service is as before, and no service was even started anew."""
    stack = saved.stack
    before = backups.in_service(stack), backups.processes(stack), backups.backups(stack)
    yield saved
    assert (backups.in_service(stack), backups.processes(stack), backups.backups(stack)) == before
    assert backups.leftovers(stack) == set()


@pytest.fixture
def plant(stack):
    return stack.api.plant()


@pytest.fixture
def device(stack):
    """A connected device in no plant."""
    with Device(stack) as device:
        yield device


@pytest.fixture
def planted(stack, plant):
    """A connected device in a plant; `planted.plant` is the plant's id."""
    with Device(stack, plant["id"]) as device:
        device.plant = plant["id"]
        yield device


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for name in ("fresh_stack", "homely_stack", "alerting", "breakable", "advised", "stack"):
            used = getattr(item, "funcargs", {}).get(name)
            if used:
                report.sections.append((f"logs of {name}", used.log_tails()))
