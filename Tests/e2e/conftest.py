"""One stack for the tests that only look, one of its own for each test that breaks something."""

import signal

import pytest

from support.device import Device
from support.stack import Stack


def pytest_configure(config):
    # A test run that is told to stop must still stop what it has started.
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))


def running(**variables):
    stack = Stack(**variables)
    try:
        yield stack.up()
    finally:
        stack.destroy()


@pytest.fixture(scope="session")
def stack():
    """Shared by many tests: leave it running, and look only at plants and devices of your own."""
    yield from running()


@pytest.fixture
def fresh_stack():
    """For one test alone, which may kill and break what it likes."""
    yield from running()


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
        for name in ("fresh_stack", "stack"):
            used = getattr(item, "funcargs", {}).get(name)
            if used:
                report.sections.append((f"logs of {name}", used.log_tails()))
