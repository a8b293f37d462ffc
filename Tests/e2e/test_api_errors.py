"""What the API answers to requests that are wrong: RFC 9457, all of it at once, and nothing of the inside."""

import pytest

from support.api import CORRELATION, UUID_V7, assert_problem

# Always the same, as it is in names of tests.
NOBODY = "9a43a465-31e3-4eed-9859-bf3e5282c4b8"


def test_a_body_that_is_not_json_is_400(stack):
    answer = stack.api.post("/plants", data="{name: Fern", headers={"Content-Type": "application/json"})
    assert_problem(answer, 400)


def test_a_body_of_another_type_is_415(stack):
    answer = stack.api.post("/plants", data="name=Fern", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert_problem(answer, 415)


def test_a_body_over_1_mib_is_413(stack):
    body = '{"name": "' + "a" * (2 << 20) + '"}'
    assert_problem(stack.api.post("/plants", data=body, headers={"Content-Type": "application/json"}), 413)


@pytest.mark.parametrize("path", ["/plants/" + NOBODY, "/plants/nonsense", "/devices/" + NOBODY, "/nothing", "/"])
def test_what_is_not_there_is_404(stack, path):
    assert_problem(stack.api.get(path), 404)


@pytest.mark.parametrize("method, path", [
    ("PUT", "/plants/{}"), ("DELETE", "/plants/{}"), ("PUT", "/plants/{}/position"), ("GET", "/plants/{}/history"),
    ("GET", "/plants/{}/devices"), ("PATCH", "/devices/{}"), ("DELETE", "/devices/{}"),
    ("POST", "/devices/{}/unassign"), ("GET", "/devices/{}/telemetry/latest"),
])
def test_every_route_with_an_id_says_404_for_an_unknown_one(stack, method, path):
    body = {"x": 1, "y": 1} if path.endswith("position") else {}
    assert_problem(stack.api.request(method, path.format(NOBODY), json=body if method in ("PUT", "PATCH") else None), 404)


def test_a_method_the_path_does_not_take_is_405_and_says_which_it_takes(stack):
    answer = stack.api.delete("/plants")
    assert_problem(answer, 405)
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) == {"GET", "POST"}


def test_all_fields_that_are_wrong_are_named_at_once_with_pointers(stack):
    answer = stack.api.post("/plants", json={
        "name": " ", "species": 5, "room": "x" * 101, "position": {"x": "left"},
        "thresholds": {"temperature": {"min": 999}, "humidity": {"min": 70, "max": 40}, "moisture": {"min": 1}, "a/b": {}},
    })
    problem = assert_problem(answer, 422)
    assert {error["pointer"] for error in problem["errors"]} == {
        "/name", "/species", "/room", "/position/x", "/position/y", "/thresholds/temperature/min",
        "/thresholds/humidity/min", "/thresholds/moisture", "/thresholds/a~1b"}
    assert all(error["detail"] for error in problem["errors"])


@pytest.mark.parametrize("name", ["a\0b", "a\nb", "\x1b[31m", "", "   ", None, 5, [], "x" * 101])
def test_a_name_that_is_no_line_of_text_is_refused(stack, name):
    assert assert_problem(stack.api.post("/plants", json={"name": name}), 422)["errors"][0]["pointer"] == "/name"


@pytest.mark.parametrize("body", [[], "text", 5, None])
def test_a_body_that_is_no_object_is_422(stack, body):
    assert_problem(stack.api.post("/plants", json=body) if body is not None
                   else stack.api.post("/plants", data="null", headers={"Content-Type": "application/json"}), 422)


@pytest.mark.parametrize("query", [
    "limit=0", "limit=501", "limit=x", "limit=-1", "offset=-1", "offset=99999999999999999999", "limit=1.5"])
def test_a_page_that_cannot_be_is_422(stack, query):
    problem = assert_problem(stack.api.get(f"/plants?{query}"), 422)
    assert problem["errors"][0]["pointer"] == "?" + query.split("=")[0]


@pytest.mark.parametrize("query", [
    "hours=0", "hours=-5", "hours=NaN", "hours=1e9", "from=yesterday", "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
    "resolution=2h", "metrics=", "metrics=Bad-Name", "metrics=moisture", "hours=5&from=2026-01-01T00:00:00Z"])
def test_a_span_that_cannot_be_is_422(stack, plant, query):
    assert_problem(stack.api.get(f"/plants/{plant['id']}/history?{query}"), 422)


def test_a_sane_correlation_id_is_kept_and_found_in_the_log(stack):
    answer = stack.api.get("/plants", headers={CORRELATION: "my-request.42"})
    assert answer.headers[CORRELATION] == "my-request.42"
    lines = [line for line in stack.log("backend").splitlines() if '"my-request.42"' in line]
    assert lines, "the log has no line of this request"


@pytest.mark.parametrize("bad", ["with space", 'quo"te', "x" * 200, "{}"])
def test_any_other_correlation_id_is_replaced(stack, bad):
    answer = stack.api.get("/plants", headers={CORRELATION: bad})
    assert UUID_V7.match(answer.headers[CORRELATION])


def test_a_problem_carries_the_correlation_id_of_its_request(stack):
    answer = stack.api.get("/nothing", headers={CORRELATION: "abc"})
    assert assert_problem(answer, 404)["correlation_id"] == "abc"
