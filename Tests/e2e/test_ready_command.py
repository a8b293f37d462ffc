"""`plantops ready`: the health check of a container, by its exit status and one line."""

import signal

import pytest

from support.discord import Hanging
from support.stack import free_port
from support.waiting import wait_until


def said(stack, *arguments, **overrides):
    """Exit status, standard output and standard error."""
    done = stack.program("ready", *arguments, timeout=20, **overrides)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def test_a_backend_that_can_work_is_ready(stack):
    assert said(stack) == (0, "ready", "")
    assert said(stack, "--url", stack.api.url("/ready")) == (0, "ready", "")
    assert said(stack, HTTP_HOST="0.0.0.0") == (0, "ready", ""), "who listens everywhere listens here"


def test_it_needs_no_other_setting_than_the_port(stack):
    """A health check must not fail because of what the backend itself has read long ago."""
    nothing = dict.fromkeys(("DATABASE_URL", "ENCRYPTION_KEY", "ENCRYPTION_KEY_FILE", "MQTT_BACKEND_PASSWORD",
                             "MQTT_BACKEND_PASSWORD_FILE", "MQTT_CA_CERT"))
    assert said(stack, **nothing) == (0, "ready", "")
    code, _, problem = said(stack, HTTP_PORT="many")
    assert code == 78 and "HTTP_PORT" in problem and "many" not in problem


def test_nothing_that_answers_is_not_ready(stack):
    port = free_port()
    code, out, problem = said(stack, HTTP_PORT=str(port))
    assert (code, out) == (1, "") and problem == f"not ready: nothing answers at http://127.0.0.1:{port}/api/ready"


def test_something_else_that_answers_is_not_ready(stack):
    """The dashboard's page, with status 200."""
    code, _, problem = said(stack, "--url", stack.web.base)
    assert code == 1 and "is no PlantOps" in problem


def test_who_takes_too_long_is_not_ready(stack, inbox):
    hook = inbox.hook()
    hook.always(Hanging())
    code, _, problem = said(stack, "--url", hook.url)
    hook.otherwise.release()
    assert code == 1 and problem.endswith("does not answer within 3 s")


@pytest.mark.parametrize("url", ["", "nonsense", "127.0.0.1:8000/api/ready", "http://"])
def test_what_is_no_address_is_said(stack, url):
    code, _, problem = said(stack, "--url", url)
    assert code == 64 and "--url must be a whole address" in problem


@pytest.mark.parametrize("service, missing", [("postgres", "database"), ("mosquitto", "mqtt")])
def test_what_is_missing_is_named(breakable, service, missing):
    breakable.stop(service)
    try:
        wait_until(lambda: said(breakable)[0] == 1, 30, "it is not ready")
        # Once the intake has noticed, too: without its database it takes nothing in.
        wait_until(lambda: missing in said(breakable)[2], 30, f"{missing} is named")
        assert said(breakable)[2].startswith("not ready: ")
    finally:
        breakable.start(service)
    wait_until(lambda: said(breakable) == (0, "ready", ""), 60, "it is ready again")


def test_a_backend_that_is_about_to_end_says_so(stack):
    with stack.serve(MQTT_CLIENT_ID="about-to-end") as served:
        served.ready()
        asked = ["--url", served.api.url("/ready")]
        served.stop(signal.SIGTERM)
        answers = []
        while served.process.poll() is None:
            answers.append(said(stack, *asked))
        assert (1, "", "not ready: the backend is stopping") in answers
