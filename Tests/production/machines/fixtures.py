"""A plugin of pytest (pytest_plugins), so that all files of tests share one machine: starting one takes a while."""

import pytest

from . import Machine, reason_against


@pytest.fixture(scope="session")
def machine(tmp_path_factory):
    reason = reason_against()
    if reason:
        pytest.skip(reason)
    box = Machine(tmp_path_factory.mktemp("machine"))
    yield box
    box.stop()
