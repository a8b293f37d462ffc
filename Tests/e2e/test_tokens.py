"""API tokens of users, and enrollment tokens of devices, as the API gives them out."""

import hashlib
import uuid

import pytest

from support.api import UUID_V7, assert_problem
from support.times import now_us, parse
from support.people import Person, admin_session, secret, tables_with

DAY = 86_400_000_000


@pytest.fixture(scope="module")
def person(stack):
    return Person(stack, "member")


@pytest.fixture(scope="module")
def session(person):
    return person.session()


def make(person, session, **fields):
    return person.api.post("/tokens", cookies=session, json={"name": "script", "role": "member", **fields})


def test_a_token_is_shown_once_and_then_only_described(person, session):
    answer = make(person, session, name="Home Assistant")
    made = answer.json()
    assert answer.status_code == 201 and answer.headers["Location"] == f"/api/tokens/{made['id']}"
    assert made.keys() == {"id", "name", "role", "created_at", "expires_at", "last_used_at", "token"}
    assert UUID_V7.match(made["id"]) and (made["name"], made["role"], made["last_used_at"]) == ("Home Assistant", "member", None)
    token = secret(made.pop("token"))
    assert len(token) >= 43
    listed = person.api.get("/tokens", cookies=session)
    assert made in listed.json()["tokens"] and listed.json()["total"] == len(listed.json()["tokens"])
    assert token not in listed.text and hashlib.sha256(token.encode()).hexdigest() not in listed.text
    assert tables_with(person.stack, token) == []


def test_every_token_is_another(person, session):
    tokens = {secret(make(person, session).json()["token"]) for _ in range(5)}
    assert len(tokens) == 5


@pytest.mark.parametrize("fields, days", [({}, 365), ({"expires_in_days": 1}, 1), ({"expires_in_days": 3650}, 3650),
                                          ({"expires_in_days": None}, None)])
def test_a_token_is_good_for_as_long_as_was_asked(person, session, fields, days):
    made = make(person, session, **fields).json()
    secret(made["token"])
    if days is None:
        assert made["expires_at"] is None
    else:
        assert parse(made["expires_at"]) - parse(made["created_at"]) == days * DAY
    assert person.api.as_(made["token"]).get("/plants").status_code == 200


def test_a_token_ends_with_its_time(person, session):
    made = make(person, session).json()
    api = person.api.as_(secret(made["token"]))
    assert api.get("/plants").status_code == 200
    person.stack.sql(f"UPDATE api_tokens SET expires_at = now() - INTERVAL '1 millisecond' WHERE id = '{made['id']}'")
    assert_problem(api.get("/plants"), 401)
    (listed,) = [token for token in person.api.ok("GET", "/tokens?limit=500", cookies=session)["tokens"]
                 if token["id"] == made["id"]]
    assert parse(listed["expires_at"]) < now_us(), "it is still shown, as over"


def test_when_a_token_was_used_last_is_kept(person, session):
    made = make(person, session).json()
    before = now_us()
    person.api.as_(secret(made["token"])).ok("GET", "/plants")

    def listed():
        tokens = person.api.ok("GET", "/tokens?limit=500", cookies=session)["tokens"]
        return next(parse(token["last_used_at"]) for token in tokens if token["id"] == made["id"])

    assert before <= listed() <= now_us()
    person.stack.sql(f"UPDATE api_tokens SET last_used_at = now() - INTERVAL '1 day' WHERE id = '{made['id']}'")
    person.api.as_(made["token"]).ok("GET", "/plants")
    assert listed() >= before


def test_a_token_never_may_more_than_its_owner_does_now(stack):
    owner = Person(stack, "admin")
    token = owner.api.as_(owner.token("admin")["token"])
    assert (token.ok("GET", "/auth/me")["role"], token.ok("GET", "/auth/me")["via"]) == ("admin", "token")
    token.ok("GET", "/users", 200)
    stack.api.ok("PATCH", owner.path, json={"role": "viewer"})
    assert token.ok("GET", "/auth/me")["role"] == "viewer"
    assert_problem(token.get("/users"), 403)
    assert_problem(token.post("/plants", json={"name": "No"}), 403)
    token.ok("GET", "/plants", 200)
    stack.api.ok("PATCH", owner.path, json={"role": "admin"})
    token.ok("GET", "/users", 200)


def test_a_token_above_ones_own_role_is_not_given(stack):
    for role, above in (("viewer", ["member", "admin"]), ("member", ["admin"])):
        owner = Person(stack, role)
        cookies = owner.session()
        for wanted in above:
            problem = assert_problem(make(owner, cookies, role=wanted), 422)
            assert [error["pointer"] for error in problem["errors"]] == ["/role"]
        assert owner.api.ok("GET", "/tokens", cookies=cookies) == {"tokens": [], "total": 0}
        assert make(owner, cookies, role=role).status_code == 201


def test_a_token_makes_no_tokens_and_changes_no_password_but_can_end_itself(stack):
    owner = Person(stack, "admin")
    made = owner.token("admin")
    api = owner.api.as_(made["token"])
    assert_problem(api.post("/tokens", json={"name": "child", "role": "viewer"}), 403)
    assert_problem(api.put("/auth/password", json={
        "current_password": owner.password, "new_password": "another password"}), 403)
    assert owner.log_in().status_code == 200
    assert [token["id"] for token in api.ok("GET", "/tokens")["tokens"]] == [made["id"]]
    api.ok("DELETE", f"/tokens/{made['id']}", 204)
    assert_problem(api.get("/plants"), 401)


def test_nobody_sees_or_ends_tokens_of_others_not_even_an_admin(stack, person, session):
    made = make(person, session).json()
    secret(made["token"])
    other = Person(stack, "member")
    for cookies in (other.session(), admin_session(stack)):
        tokens = stack.stranger.ok("GET", "/tokens?limit=500", cookies=cookies)["tokens"]
        assert made["id"] not in [token["id"] for token in tokens]
        assert_problem(stack.stranger.delete(f"/tokens/{made['id']}", cookies=cookies), 404)
    # A token ends itself and no other, not even one of its own owner.
    assert_problem(stack.api.delete(f"/tokens/{made['id']}"), 403)
    lesser = secret(make(person, session).json()["token"])
    assert_problem(person.api.as_(lesser).delete(f"/tokens/{made['id']}"), 403)
    assert person.api.as_(made["token"]).get("/plants").status_code == 200
    person.api.as_(made["token"]).ok("DELETE", f"/tokens/{made['id']}", 204)
    assert_problem(person.api.as_(made["token"]).get("/plants"), 401)


def test_a_deleted_token_is_dead_and_gone(person, session):
    made = make(person, session).json()
    person.api.ok("DELETE", f"/tokens/{made['id']}", 204, cookies=session)
    assert_problem(person.api.as_(secret(made["token"])).get("/plants"), 401)
    assert_problem(person.api.delete(f"/tokens/{made['id']}", cookies=session), 404)
    assert made["id"] not in person.api.get("/tokens?limit=500", cookies=session).text


def test_everything_wrong_with_a_token_is_said_at_once(person, session):
    problem = assert_problem(person.api.post("/tokens", cookies=session, json={
        "name": " ", "role": "king", "expires_in_days": 0}), 422)
    assert {error["pointer"] for error in problem["errors"]} == {"/name", "/role", "/expires_in_days"}
    for days in (3651, -1, 1.5, "7", True):
        problem = assert_problem(make(person, session, expires_in_days=days), 422)
        assert [error["pointer"] for error in problem["errors"]] == ["/expires_in_days"]
    problem = assert_problem(person.api.post("/tokens", cookies=session, json={}), 422)
    assert {error["pointer"] for error in problem["errors"]} == {"/name", "/role"}


# Tokens that let devices in: what they do is in test_registration.py.

def test_an_enrollment_token_is_shown_once_and_then_only_described(stack, person, session):
    answer = person.api.post("/enrollment-tokens", cookies=session, json={"label": "balcony"})
    made = answer.json()
    assert answer.status_code == 201 and answer.headers["Location"] == f"/api/enrollment-tokens/{made['id']}"
    token = secret(made.pop("token"))
    assert len(token) >= 32
    assert made.keys() == {"id", "label", "max_uses", "uses", "expires_at", "created_at"}
    assert (made["label"], made["max_uses"], made["uses"]) == ("balcony", 1, 0)
    assert parse(made["expires_at"]) - parse(made["created_at"]) == DAY
    listed = stack.api.get("/enrollment-tokens?limit=500")
    assert made in listed.json()["enrollment_tokens"] and listed.json()["total"] >= 1
    assert token not in listed.text and hashlib.sha256(token.encode()).hexdigest() not in listed.text
    assert tables_with(stack, token) == []
    stack.api.ok("DELETE", f"/enrollment-tokens/{made['id']}", 204)
    assert made["id"] not in stack.api.get("/enrollment-tokens?limit=500").text
    assert_problem(stack.api.delete(f"/enrollment-tokens/{made['id']}"), 404)


def test_everything_wrong_with_an_enrollment_token_is_said_at_once(stack):
    problem = assert_problem(stack.api.post("/enrollment-tokens", json={
        "label": "", "max_uses": 0, "expires_in_hours": 87_601}), 422)
    assert {error["pointer"] for error in problem["errors"]} == {"/label", "/max_uses", "/expires_in_hours"}
    problem = assert_problem(stack.api.post("/enrollment-tokens", json={
        "max_uses": 1_000_001, "expires_in_hours": 0}), 422)
    assert {error["pointer"] for error in problem["errors"]} == {"/label", "/max_uses", "/expires_in_hours"}
    widest = stack.api.ok("POST", "/enrollment-tokens", 201, json={
        "label": "x" * 100, "max_uses": 1_000_000, "expires_in_hours": 87_600})
    secret(widest["token"])
    assert parse(widest["expires_at"]) - parse(widest["created_at"]) == 87_600 * 3_600_000_000
    assert_problem(stack.api.delete(f"/enrollment-tokens/{uuid.uuid4()}"), 404)
