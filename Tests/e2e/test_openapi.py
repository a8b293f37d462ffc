"""The description is true: requests made from it, good and bad, are answered as it says."""

import json
import os
import subprocess
import sys
from pathlib import Path

from test_roles import NEEDED, OPEN
from support.people import some_address

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def test_the_description_names_every_route_of_this_version(stack):
    document = stack.stranger.ok("GET", "/openapi.json")
    assert document["openapi"].startswith("3.1")
    operations = {(method.upper(), path.removeprefix("/api")) for path, item in document["paths"].items() for method in item}
    assert operations == OPEN.union(*NEEDED.values())


def test_the_description_says_how_one_is_recognized(stack):
    document = stack.stranger.ok("GET", "/openapi.json")
    assert document["components"]["securitySchemes"] == {
        "session": {"type": "apiKey", "in": "cookie", "name": "plantops_session"},
        "token": {"type": "http", "scheme": "bearer"}}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if "x-required-role" in operation:
                assert operation["security"] == [{"session": []}, {"token": []}]
                assert {"401", "403"} <= operation["responses"].keys(), f"{method} {path}"


def test_the_program_prints_the_description_it_serves(stack):
    printed = stack.program("openapi", environment={"PATH": "/usr/bin"})
    assert json.loads(printed.stdout) == stack.api.ok("GET", "/openapi.json")


def schemathesis(stack, *options):
    """Makes requests from the description, from an address of their own: attempts to sign in are counted by it."""
    tool = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [str(tool), "run", stack.api.url("/openapi.json"), "--checks", CHECKS, "--max-examples", "20", "--seed", "1",
         "--phases", "examples,coverage,fuzzing", "--no-color", "-H", f"X-Forwarded-For: {some_address()}", *options],
        capture_output=True, text=True, timeout=570, cwd=stack.home,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent), "SCHEMATHESIS_HOOKS": "support.media_types"})
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_requests_of_an_admin_made_from_the_description_are_answered_as_it_says(homely_stack):
    admin = ["-H", f"Authorization: Bearer {homely_stack.api.token}"]
    # It uses ids it was shown, and would end its own token or user before the rest was tried.
    suicide = r"(DELETE|PATCH) /api/(tokens|users)/\{id\}"
    # And a stream of events does not end. It sets keys for Anthropic and OpenAI, which are asked at home here.
    schemathesis(homely_stack, *admin, "--exclude-name-regex", rf"{suicide}|GET /api/events")
    assert homely_stack.api.ok("GET", "/plants")["total"] > 0, "it was let in"
    schemathesis(homely_stack, *admin, "--include-name-regex", suicide)


def test_requests_of_a_stranger_made_from_the_description_are_answered_as_it_says(stack):
    lists = ("/plants", "/devices", "/users", "/enrollment-tokens")
    before = [stack.api.ok("GET", path)["total"] for path in lists]
    schemathesis(stack)
    assert [stack.api.ok("GET", path)["total"] for path in lists] == before, "it was not"
