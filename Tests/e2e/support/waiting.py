"""Waiting for something to happen, never for time to pass."""

import time


def wait_until(condition, timeout=30.0, what="", every=0.05):
    """Calls `condition` until it is truthy and returns what it gave; the last exception or value is in the failure."""
    deadline = time.monotonic() + timeout
    while True:
        last = None
        try:
            last = condition()
            if last:
                return last
        except (AssertionError, OSError, RuntimeError, LookupError, ValueError) as error:
            last = error
        if time.monotonic() >= deadline:
            name = what or getattr(condition, "__doc__", None) or getattr(condition, "__name__", "the condition")
            raise AssertionError(f"not within {timeout:g} s: {name} (last: {last!r})")
        time.sleep(every)


def always(condition, seconds, every=0.1, what=""):
    """Fails as soon as `condition` is not truthy within the given time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        assert value, f"no longer true: {what or condition} ({value!r})"
        time.sleep(every)
