"""What `make up` sets up besides the services: the first account, the token for devices, and what it tells people."""

import stat

import pytest

from support.device import random_mac
from support.stack import Stack


def registered(stack, token):
    return stack.stranger.post("/devices/register", json={"mac_address": random_mac(), "enrollment_token": token})


def said(stack):
    return (stack.home / "script.log").read_text()


def test_the_token_in_env_lets_devices_in_and_no_log_shows_it(stack):
    token = stack.settings["PLANTOPS_ENROLLMENT_TOKEN"]
    assert len(token) >= 32
    assert registered(stack, token).status_code == 201
    assert registered(stack, token + "x").status_code == 403
    assert token not in said(stack) + "".join(path.read_text() for path in (stack.home / "logs").glob("*.log"))


def test_a_token_that_was_deleted_comes_back_with_the_next_up(fresh_stack):
    stack = fresh_stack
    token = stack.settings["PLANTOPS_ENROLLMENT_TOKEN"]
    (listed,) = stack.api.ok("GET", "/enrollment-tokens")["enrollment_tokens"]
    assert listed["label"] == "this machine" and listed["max_uses"] == 1000000
    stack.run("up")
    (again,) = stack.api.ok("GET", "/enrollment-tokens")["enrollment_tokens"]
    assert again["id"] == listed["id"] and again["expires_at"] >= listed["expires_at"], "a second up only keeps it alive"
    stack.api.ok("DELETE", f"/enrollment-tokens/{listed['id']}")
    assert registered(stack, token).status_code == 403
    stack.run("up")
    assert registered(stack, token).status_code == 201
    assert stack.settings["PLANTOPS_ENROLLMENT_TOKEN"] == token


def test_a_token_that_cannot_be_registered_stops_the_start_and_says_why(tmp_path):
    stack = Stack()
    program = tmp_path / "plantops"
    program.write_text('#!/bin/sh\nif [ "$1" = enrollment-token ]; then echo "no tokens today" >&2; exit 3; fi\n'
                       f'exec {stack.binary} "$@"\n')
    program.chmod(0o755)
    stack.environment["PLANTOPS_BIN"] = str(program)
    try:
        assert stack.run("up", check=False) == 1
        assert "no tokens today" in said(stack) and "plantops enrollment-token failed" in said(stack)
    finally:
        stack.destroy()


def test_the_first_password_is_announced_and_signs_in(stack):
    email, password = stack.settings["PLANTOPS_ADMIN_EMAIL"], stack.settings["PLANTOPS_ADMIN_PASSWORD"]
    assert f"first password: {password} " in said(stack) and email in said(stack)
    with stack.sign_in() as session:
        assert session.get(stack.api.url("/auth/me"), timeout=10).json()["role"] == "admin"


def test_a_first_account_of_ones_own_is_remembered():
    own = {"ADMIN_EMAIL": "rosa@plants.example", "ADMIN_PASSWORD": "sun flower 'and\" $rain"}
    stack = Stack(**own)
    try:
        stack.up()
        for name in own:
            del stack.environment[name]
        stack.run("up")
        assert stack.settings["PLANTOPS_ADMIN_EMAIL"] == own["ADMIN_EMAIL"]
        assert stack.settings["PLANTOPS_ADMIN_PASSWORD"] == own["ADMIN_PASSWORD"]
        stack.sign_in().close()
    finally:
        stack.destroy()


def test_without_sign_in_that_is_said_and_no_password_is():
    stack = Stack(AUTH_MODE="disabled")
    try:
        stack.up()
        assert "AUTH_MODE=disabled. Whoever reaches the dashboard may do everything" in said(stack)
        assert "first password" not in said(stack)
        # Also by an "up" that knows nothing of it: it asks the backend.
        del stack.environment["AUTH_MODE"]
        (stack.home / "script.log").unlink()
        stack.run("up")
        assert "AUTH_MODE=disabled" in said(stack)
    finally:
        stack.destroy()


@pytest.mark.parametrize("name", ["RATE_LIMIT_API", "RATE_LIMIT_SIGN_IN", "MQTT_REQUIRE_CLIENT_CERT", "PLANTOPS_API_TOKEN",
                                  "PLANTOPS_ENROLLMENT_TOKEN", "PLANTOPS_ADMIN_PASSWORD"])
def test_what_is_not_the_backends_does_not_reach_it(stack, name):
    assert name not in stack.backend_environment()


def test_secrets_are_their_owners_alone(stack):
    for path in [stack.home / "env", *(stack.home / "secrets").iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE((stack.home / "secrets").stat().st_mode) == 0o700
