"""The description is true: requests made from it, good and bad, are answered as it says."""

import json
import subprocess
import sys
from pathlib import Path

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def test_the_description_names_every_route_of_this_version(stack):
    document = stack.api.ok("GET", "/openapi.json")
    assert document["openapi"].startswith("3.1")
    operations = {(method.upper(), path.removeprefix("/api")) for path, item in document["paths"].items() for method in item}
    assert operations == {
        ("GET", "/health"), ("GET", "/ready"), ("GET", "/live"), ("GET", "/openapi.json"),
        ("POST", "/devices/register"), ("GET", "/devices"), ("GET", "/devices/{id}"), ("PATCH", "/devices/{id}"),
        ("DELETE", "/devices/{id}"), ("POST", "/devices/{id}/provision"), ("POST", "/devices/{id}/unassign"),
        ("GET", "/devices/{id}/telemetry/latest"), ("GET", "/plants"), ("POST", "/plants"), ("GET", "/plants/{id}"),
        ("PUT", "/plants/{id}"), ("DELETE", "/plants/{id}"), ("PUT", "/plants/{id}/position"),
        ("GET", "/plants/{id}/devices"), ("GET", "/plants/{id}/history"), ("GET", "/ingest/rejects")}


def test_the_program_prints_the_description_it_serves(stack):

    printed = stack.program("openapi", environment={"PATH": "/usr/bin"})
    assert json.loads(printed.stdout) == stack.api.ok("GET", "/openapi.json")


def test_requests_made_from_the_description_are_answered_as_it_says(stack):
    tool = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [str(tool), "run", stack.api.url("/openapi.json"), "--checks", CHECKS, "--max-examples", "20", "--seed", "1",
         "--phases", "examples,coverage,fuzzing", "--no-color"],
        capture_output=True, text=True, timeout=300, cwd=stack.home)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
