"""Every route and every role: who gets in, who does not, and that nobody is let in who only looks as if."""

import base64
import hashlib
import http.client
import json
import re
import uuid
from urllib.parse import urlsplit

import pytest

from support.api import assert_problem
from support.waiting import wait_until
from support.people import COOKIE, Person, admin_session

ROLES = ["viewer", "member", "admin"]
OPEN = {
    ("GET", "/health"), ("GET", "/ready"), ("GET", "/live"), ("GET", "/openapi.json"), ("POST", "/auth/login"),
    ("POST", "/auth/logout"), ("POST", "/devices/register")}
NEEDED = {
    "viewer": {
        ("GET", "/auth/me"), ("PUT", "/auth/password"), ("GET", "/tokens"), ("POST", "/tokens"), ("DELETE", "/tokens/{id}"),
        ("GET", "/devices"), ("GET", "/devices/{id}"), ("GET", "/devices/{id}/telemetry/latest"),
        ("GET", "/devices/{id}/commands"), ("GET", "/plants"), ("GET", "/plants/{id}"), ("GET", "/plants/{id}/devices"),
        ("GET", "/plants/{id}/history"), ("GET", "/plants/{id}/export.csv"), ("GET", "/system/storage"),
        ("POST", "/plants/{id}/thresholds/replay"), ("POST", "/plants/{id}/health-check"), ("GET", "/alerts"),
        ("GET", "/alerts/{id}"), ("GET", "/events"), ("GET", "/species"), ("GET", "/species/{id}"),
        ("GET", "/species/export.csv"), ("GET", "/plants/{id}/events"), ("GET", "/plants/{id}/forecast"),
        ("GET", "/plants/{id}/care-plan"), ("GET", "/plants/{id}/care-plans"), ("GET", "/plants/sparklines"),
        ("GET", "/system/connection")},
    "member": {
        ("GET", "/enrollment-tokens"), ("POST", "/enrollment-tokens"), ("DELETE", "/enrollment-tokens/{id}"),
        ("PATCH", "/devices/{id}"), ("DELETE", "/devices/{id}"), ("POST", "/devices/{id}/provision"),
        ("POST", "/devices/{id}/unassign"), ("POST", "/devices/{id}/approve"), ("POST", "/devices/{id}/reject"),
        ("POST", "/devices/{id}/rotate-credentials"), ("POST", "/devices/{id}/commands"), ("POST", "/plants"),
        ("PUT", "/plants/{id}"), ("DELETE", "/plants/{id}"), ("PUT", "/plants/{id}/position"),
        ("POST", "/plants/{id}/snooze"), ("POST", "/alerts/{id}/acknowledge"), ("GET", "/channels"), ("POST", "/channels"),
        ("GET", "/channels/{id}"), ("PUT", "/channels/{id}"), ("DELETE", "/channels/{id}"), ("POST", "/channels/{id}/test"),
        ("GET", "/settings/alerts"), ("PUT", "/settings/alerts"), ("POST", "/species"), ("PUT", "/species/{id}"),
        ("DELETE", "/species/{id}"), ("POST", "/species/import"), ("POST", "/plants/{id}/events"),
        ("DELETE", "/plants/{id}/events/{event_id}"), ("POST", "/plants/{id}/analyze"),
        ("PUT", "/plants/{id}/care-plans/{plan_id}/feedback"), ("GET", "/settings/llm"), ("PUT", "/settings/llm"),
        ("DELETE", "/settings/llm"), ("POST", "/settings/llm/test")},
    "admin": {
        ("GET", "/users"), ("POST", "/users"), ("PATCH", "/users/{id}"), ("DELETE", "/users/{id}"),
        ("GET", "/ingest/rejects"), ("GET", "/audit")},
}
ROUTES = sorted((method, path, role) for role, routes in NEEDED.items() for method, path in routes)
ONLY_IN_PERSON = {("POST", "/tokens"), ("DELETE", "/tokens/{id}"), ("PUT", "/auth/password")}
# Every body is refused, or says nothing that is known: what gets through the gate must not change anything.
HARMLESS = {"GET": {}, "DELETE": {}, "POST": {"json": {}}, "PUT": {"json": {"x": None}}, "PATCH": {"json": {}}}
LET_IN = {"GET": (200, 404), ("PUT", "/settings/alerts"): (200,), ("POST", "/species/import"): (415,),
          ("DELETE", "/settings/llm"): (204,), ("POST", "/settings/llm/test"): (409,)}
NO_JSON = {"data": "{", "headers": {"Content-Type": "application/json"}}


def somewhere(path):
    return re.sub("{[a-z_]+}", lambda _: str(uuid.uuid4()), path)


def harmless(method, path):
    """Of a stream that does not end, only how it begins is looked at."""
    return {**HARMLESS[method], "stream": path == "/events"}


def assert_let_in(answer, method, path):
    with answer:
        allowed = LET_IN.get((method, path)) or LET_IN.get(method, (404, 422))
        assert answer.status_code in allowed, f"{answer.status_code} {'' if path == '/events' else answer.text}"


def hash_of(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def people(stack):
    return {role: Person(stack, role) for role in ROLES}


@pytest.fixture(scope="module")
def sessions(people):
    return {role: person.session() for role, person in people.items()}


@pytest.fixture(scope="module")
def tokens(people):
    """Of somebody with each role, and made by an admin to be no more than that."""
    return {
        "own": {role: person.token(role)["token"] for role, person in people.items()},
        "lower": {role: people["admin"].token(role)["token"] for role in ROLES}}


def test_the_description_asks_for_the_roles_of_the_contract(stack):
    found = {}
    for path, item in stack.stranger.ok("GET", "/openapi.json")["paths"].items():
        for method, operation in item.items():
            route = (method.upper(), path.removeprefix("/api"))
            found.setdefault(operation.get("x-required-role"), set()).add(route)
            assert ("x-required-role" in operation) == ("security" in operation), route
    assert found.pop(None) == OPEN
    assert found == NEEDED


@pytest.mark.parametrize("method, path, role", ROUTES)
def test_a_stranger_is_told_to_sign_in_before_anything_else(stack, method, path, role):
    for options in (HARMLESS[method], NO_JSON):
        answer = stack.stranger.request(method, somewhere(path), **options)
        problem = assert_problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="plantops"'
        assert "errors" not in problem and "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method, path, role", [route for route in ROUTES if route[2] != "viewer"])
def test_a_lower_role_is_refused_before_anything_else(stack, sessions, tokens, method, path, role):
    for lower in ROLES[:ROLES.index(role)]:
        for options in (HARMLESS[method], NO_JSON):
            answer = stack.stranger.request(method, somewhere(path), cookies=sessions[lower], **options)
            problem = assert_problem(answer, 403)
            assert "errors" not in problem and "WWW-Authenticate" not in answer.headers
        for kind in tokens.values():
            assert_problem(stack.api.as_(kind[lower]).request(method, somewhere(path), **HARMLESS[method]), 403)


@pytest.mark.parametrize("method, path, role", ROUTES)
def test_the_role_and_those_above_it_are_let_in(stack, sessions, tokens, method, path, role):
    for enough in ROLES[ROLES.index(role):]:
        assert_let_in(stack.stranger.request(
            method, somewhere(path), cookies=sessions[enough], **harmless(method, path)), method, path)
        for kind in tokens.values():
            answer = stack.api.as_(kind[enough]).request(method, somewhere(path), **harmless(method, path))
            if (method, path) in ONLY_IN_PERSON:
                assert_problem(answer, 403)
            else:
                assert_let_in(answer, method, path)


@pytest.mark.parametrize("path", sorted(path for method, path, _ in ROUTES if method == "GET"))
def test_a_head_request_goes_through_the_same_gate(stack, sessions, path):
    assert stack.stranger.request("HEAD", somewhere(path)).status_code == 401
    assert stack.stranger.request("HEAD", somewhere(path), cookies=sessions["admin"]).status_code in (200, 404)


@pytest.mark.parametrize("method, path", sorted(OPEN))
def test_what_is_open_is_open_to_strangers(stack, method, path):
    answer = stack.stranger.request(method, path, **HARMLESS[method])
    assert answer.status_code in {"GET": (200,), "POST": (204, 422)}[method], answer.text


def test_what_is_wrong_with_a_part_is_told_only_to_who_is_signed_in(stack, sessions):
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Cookie": f"{COOKIE}=nonsense"}):
        parts = stack.stranger.ok("GET", "/health", 200, headers=headers)["components"]
        assert not any("message" in part for part in parts.values())
    parts = stack.stranger.ok("GET", "/health", 200, cookies=sessions["viewer"])["components"]
    assert parts["database"]["message"] and parts["mqtt"]["message"]


def test_nothing_but_a_good_token_or_session_in_its_own_place_lets_anybody_in(stack, people):
    person = people["admin"]
    session = person.session()[COOKIE]
    token = person.token("admin")["token"]
    expired = person.token("admin")
    stack.sql(f"UPDATE api_tokens SET expires_at = now() - INTERVAL '1 second' WHERE id = '{expired['id']}'")
    enrollment = stack.api.ok("POST", "/enrollment-tokens", 201, json={"label": "no way in"})["token"]
    basic = base64.b64encode(f"{person.email}:{person.password}".encode()).decode()
    unsigned = ".".join(base64.urlsafe_b64encode(part).decode().strip("=")
                        for part in (b'{"alg":"none"}', json.dumps({"sub": person.id, "role": "admin"}).encode(), b""))
    for wrong in (
            "Bearer", "Bearer ", "Bearer null", "Bearer undefined", f"Bearer {uuid.uuid4()}", f"Bearer {unsigned}",
            f"Bearer {expired['token']}", f"Bearer {enrollment}", f"Bearer {session}", f"Bearer {person.id}",
            f"Bearer {token[:-1]}", f"Bearer {token}x", f"Bearer {token.swapcase()}", f"Bearer {token},{token}",
            f"Bearer {token.removeprefix('pot_')}", f"Bearer '{token}'", "Bearer ' OR '1'='1", f"Basic {basic}",
            f"Token {token}", token, f"Basic {token}", "Bearer " + "x" * 5000, f"Bearer {hash_of(token)}"):
        answer = stack.stranger.get("/users", headers={"Authorization": wrong})
        assert answer.status_code == 401, f"{answer.status_code} for {wrong.split()[0]} …"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    for wrong in (
            "", "nonsense", token, enrollment, session[:-1], session + "x", session.swapcase(), f'"{session}"',
            hash_of(session), person.id, "x" * 5000):
        assert_problem(stack.stranger.get("/users", headers={"Cookie": f"{COOKIE}={wrong}"}), 401)
    for name in (COOKIE.upper(), "session", "x" + COOKIE, COOKIE + "x", "__Host-" + COOKIE):
        assert_problem(stack.stranger.get("/users", headers={"Cookie": f"{name}={session}"}), 401)
    for place in (f"/users?token={token}", f"/users?access_token={token}", f"/users?{COOKIE}={session}"):
        assert_problem(stack.stranger.get(place), 401)
    for header in ("X-Api-Key", "X-Auth-Token", "X-Forwarded-User", "X-Remote-User", "Proxy-Authorization"):
        assert_problem(stack.stranger.get("/users", headers={header: token}), 401)
    # In their own places they do.
    stack.stranger.ok("GET", "/users", 200, headers={"Authorization": f"bearer {token}"})
    stack.stranger.ok("GET", "/users", 200, headers={"Cookie": f"theme=dark; {COOKIE}={session}; a=b"})



def test_a_token_counts_before_a_session_even_when_it_is_wrong(stack, sessions, tokens):
    wrong = {"Authorization": "Bearer nonsense"}
    assert_problem(stack.stranger.get("/users", headers=wrong, cookies=sessions["admin"]), 401)
    me = stack.api.as_(tokens["own"]["viewer"]).ok("GET", "/auth/me", cookies=sessions["admin"])
    assert (me["role"], me["via"]) == ("viewer", "token")


@pytest.mark.parametrize("through", ["backend", "nginx"])
@pytest.mark.parametrize("path", [
    "/api//users", "//api/users", "/api/users/", "/api/users//", "/api/users?", "/api/./users", "/api/x/../users",
    "/api/health/../users", "/api/%75sers", "/api%2fusers", "/api/users%00", "/api/users;x", "/API/users", "/api/Users",
    "/api/openapi.json/../users", "/api/health%2f..%2fusers", "/api/users#/health", "/api/users/health",
    "http://elsewhere.example/api/users", "/api/users%20", "/api/users/.", "/api/auth/login/../../users"])
def test_no_spelling_of_a_path_goes_round_the_gate(stack, through, path):
    to = urlsplit((stack.stranger if through == "backend" else stack.web).base)
    for headers in ({}, {"X-Original-URL": "/api/health"}, {"X-Rewrite-URL": "/api/health"},
                    {"X-Http-Method-Override": "OPTIONS"}):
        connection = http.client.HTTPConnection(to.hostname, to.port, timeout=10)
        connection.putrequest("GET", path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace")
        connection.close()
        # nginx may show the dashboard's page, which is no secret.
        assert answer.status != 200 or "text/html" in answer.headers["Content-Type"], body
        assert '"users"' not in body and stack.settings["PLANTOPS_ADMIN_EMAIL"] not in body


def test_without_sign_in_everybody_is_an_admin_and_the_log_says_so_loudly(stack):
    with stack.serve(AUTH_MODE="disabled", MQTT_CLIENT_ID="open-house") as served:
        served.ready()
        api = served.api.as_(None)
        nobody = {"id": None, "email": None, "role": "admin", "via": "disabled", "auth_mode": "disabled"}
        assert api.ok("GET", "/auth/me") == nobody
        assert api.as_("nonsense").ok("GET", "/auth/me") == nobody
        for path in ("/plants", "/devices", "/users", "/audit", "/ingest/rejects", "/enrollment-tokens"):
            api.ok("GET", path, 200)
        plant = api.plant("Everybody's")
        (entry,) = api.ok("GET", f"/audit?subject_id={plant['id']}")["entries"]
        assert (entry["actor"]["kind"], entry["actor"]["id"], entry["address"]) == ("anonymous", None, "127.0.0.1")
        api.ok("DELETE", f"/plants/{plant['id']}", 204)
        assert "message" in api.ok("GET", "/health")["components"]["database"]
        # There is nobody a token or a password could belong to.
        for method, path, body in (
                ("GET", "/tokens", None), ("POST", "/tokens", {"name": "x", "role": "viewer"}),
                ("DELETE", f"/tokens/{uuid.uuid4()}", None),
                ("PUT", "/auth/password", {"current_password": "x" * 8, "new_password": "y" * 8})):
            assert_problem(api.request(method, path, json=body), 409)
        # Signing in works and changes nothing; a page of another site still may do nothing.
        answer = api.post("/auth/login", json={"email": "anybody@example.org", "password": "anything"})
        assert (answer.status_code, answer.json()) == (200, nobody)
        assert "Set-Cookie" not in answer.headers
        for site in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"},
                     {"Origin": "http://evil.example", "Authorization": "Basic eDp5"}):
            assert_problem(api.post("/plants", json={"name": "Evil"}, headers=site), 403)

        def warning():
            records = [json.loads(line) for line in served.output().splitlines()]
            return [record for record in records if record["level"] == "warning" and "AUTH_MODE" in record["message"]]

        wait_until(warning, 5, "the warning is in the log")
    assert_problem(stack.stranger.get("/plants"), 401)


def test_with_sign_in_nothing_is_said_of_an_open_house(stack, people):
    assert "AUTH_MODE" not in stack.log("backend")
    me = stack.stranger.ok("GET", "/auth/me", cookies=people["member"].session())
    assert me == {"id": people["member"].id, "email": people["member"].email, "role": "member", "via": "session",
                  "auth_mode": "required"}
    assert stack.stranger.ok("GET", "/auth/me", cookies=admin_session(stack))["role"] == "admin"
