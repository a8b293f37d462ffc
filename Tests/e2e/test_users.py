"""Accounts: made, changed and removed by admins."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.api import UUID_V7, assert_problem
from support.people import Person, log_in, secret, tables_with, told_in_logs
from support.times import parse

def test_a_user_comes_back_as_made_and_without_a_password(stack):
    person = Person(stack, "viewer")
    assert person.made.keys() == {"id", "email", "role", "created_at", "updated_at", "last_sign_in_at"}
    assert UUID_V7.match(person.id)
    assert (person.made["email"], person.made["role"], person.made["last_sign_in_at"]) == (person.email, "viewer", None)
    users = stack.api.ok("GET", "/users?limit=500")
    assert person.made in users["users"] and users["total"] == len(users["users"])
    before = parse(person.made["created_at"])
    person.session()
    (again,) = [user for user in stack.api.ok("GET", "/users?limit=500")["users"] if user["id"] == person.id]
    assert parse(again.pop("last_sign_in_at")) >= before
    assert again == {key: value for key, value in person.made.items() if key != "last_sign_in_at"}
    everything = stack.api.get("/users?limit=500").text
    assert person.password not in everything and "scrypt" not in everything and "hash" not in everything


def test_the_answer_says_where_the_new_user_is(stack):
    answer = stack.api.post("/users", json={
        "email": f"{uuid.uuid4().hex}@example.org", "password": secret("long enough 1"), "role": "viewer"})
    assert answer.headers["Location"] == f"/api/users/{answer.json()['id']}"
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_email_address_belongs_to_one_user_however_it_is_written(stack):
    person = Person(stack)
    for email in (person.email, person.email.upper(), f"  {person.email} "):
        answer = stack.api.post("/users", json={"email": email, "password": "long enough", "role": "viewer"})
        assert_problem(answer, 409)
    other = Person(stack)
    assert_problem(stack.api.patch(other.path, json={"email": person.email.title()}), 409)
    assert log_in(stack.api, person.email.upper(), person.password).status_code == 200


def test_two_people_who_ask_for_one_address_at_once_do_not_both_get_it(stack):
    body = {"email": f"{uuid.uuid4().hex}@example.org", "password": "long enough", "role": "viewer"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: stack.api.post("/users", json=body).status_code, range(4)))
    assert sorted(answers) == [201, 409, 409, 409]


def test_everything_wrong_with_a_user_is_said_at_once(stack):
    problem = assert_problem(stack.api.post("/users", json={"email": "nobody", "role": "king", "password": "short"}), 422)
    assert {error["pointer"] for error in problem["errors"]} == {"/email", "/role", "/password"}
    problem = assert_problem(stack.api.post("/users", json={}), 422)
    assert {error["pointer"] for error in problem["errors"]} == {"/email", "/role", "/password"}
    person = Person(stack)
    problem = assert_problem(stack.api.patch(person.path, json={"email": None, "role": None, "password": None}), 422)
    assert {error["pointer"] for error in problem["errors"]} == {"/email", "/role", "/password"}


@pytest.mark.parametrize("email", ["", "@", "a@", "@b", "a@b@c", "a b@c", "a\0@b", "a\n@b", 5, [], "x" * 250 + "@abcd"])
def test_what_is_no_email_address_is_refused(stack, email):
    answer = stack.api.post("/users", json={"email": email, "password": "long enough", "role": "viewer"})
    assert [error["pointer"] for error in assert_problem(answer, 422)["errors"]] == ["/email"]


@pytest.mark.parametrize("password, status", [
    ("1234567", 422), ("x" * 201, 422), (12345678, 422), ("12345678", 201), ("x" * 200, 201), ("  blank around  ", 201),
    ("\U0001F331" * 8, 201), ("with\0zero byte", 201)])
def test_a_password_has_8_to_200_characters_and_counts_as_it_was_sent(stack, password, status):
    email = f"{uuid.uuid4().hex}@example.org"
    answer = stack.api.post("/users", json={"email": email, "password": password, "role": "viewer"})
    assert answer.status_code == status, answer.text
    if status == 201:
        assert log_in(stack.api, email, password).status_code == 200
        assert log_in(stack.api, email, password[:-1]).status_code == 401
        assert log_in(stack.api, email, password.strip()).status_code == (200 if password == password.strip() else 401)
    else:
        assert str(password) not in answer.text


def test_one_password_of_two_users_is_not_stored_alike_and_never_as_it_is(stack):
    password = secret(f"shared {uuid.uuid4()}")
    people = [Person(stack, password=password) for _ in range(2)]
    hashes = [stack.value(f"SELECT password_hash FROM users WHERE id = '{person.id}'") for person in people]
    assert hashes[0] != hashes[1] and all(h.startswith("$scrypt$") for h in hashes)
    assert tables_with(stack, password) == []


def test_a_changed_role_counts_at_once(stack):
    person = Person(stack, "viewer")
    cookies, token = person.session(), person.token("viewer")["token"]
    assert_problem(person.api.post("/plants", cookies=cookies, json={"name": "No"}), 403)
    stack.api.ok("PATCH", person.path, json={"role": "admin"})
    assert person.api.ok("GET", "/auth/me", cookies=cookies)["role"] == "admin"
    person.api.ok("GET", "/users", cookies=cookies)
    assert_problem(person.api.as_(token).get("/users"), 403)  # The token stays what it was made for.
    stack.api.ok("PATCH", person.path, json={"role": "viewer"})
    assert_problem(person.api.get("/users", cookies=cookies), 403)


def test_an_absent_field_leaves_a_user_as_it_was(stack):
    person = Person(stack, "member")
    cookies = person.session()
    changed = stack.api.ok("PATCH", person.path, json={"email": "New-" + person.email})
    assert (changed["email"], changed["role"]) == ("new-" + person.email, "member")
    assert person.is_in(cookies), "only a new password ends sessions"
    assert person.log_in().status_code == 401
    assert log_in(stack.api, "new-" + person.email, person.password).status_code == 200


def test_a_password_an_admin_sets_ends_all_the_users_sessions_and_nobody_elses(stack):
    person, other = Person(stack), Person(stack)
    sessions, others = [person.session(), person.session()], other.session()
    new = secret("another long password")
    changed = stack.api.ok("PATCH", person.path, json={"password": new})
    assert new not in str(changed)
    assert not any(person.is_in(session) for session in sessions)
    assert other.is_in(others)
    assert person.log_in().status_code == 401
    assert person.log_in(new).status_code == 200


def test_a_removed_user_is_out_at_once_with_sessions_and_tokens(stack):
    person = Person(stack)
    cookies, token = person.session(), person.token("member")["token"]
    stack.api.ok("DELETE", person.path, 204)
    assert_problem(person.api.get("/plants", cookies=cookies), 401)
    assert_problem(person.api.as_(token).get("/plants"), 401)
    assert person.log_in().status_code == 401
    assert_problem(stack.api.delete(person.path), 404)
    assert_problem(stack.api.patch(person.path, json={"role": "viewer"}), 404)
    for table in ("sessions", "api_tokens", "sign_in_places"):
        assert stack.value(f"SELECT count(*) FROM {table} WHERE user_id = '{person.id}'") == 0


def test_the_last_admin_can_neither_be_removed_nor_demoted_not_even_by_two_at_once(fresh_stack):
    (first,) = fresh_stack.api.ok("GET", "/users")["users"]
    path = f"/users/{first['id']}"
    assert_problem(fresh_stack.api.delete(path), 409)
    assert_problem(fresh_stack.api.patch(path, json={"role": "member"}), 409)
    assert_problem(fresh_stack.api.patch(path, json={"role": "viewer", "email": "x@example.org"}), 409)
    assert fresh_stack.api.ok("GET", "/users")["users"][0]["email"] == first["email"], "a refused change changes nothing"
    assert fresh_stack.api.ok("PATCH", path, json={"role": "admin"})["role"] == "admin"

    def attempt(request):
        api, method, path, body = request
        return api.request(method, path, json=body).status_code

    # Two admins who send each other away at the same moment: one of them is too late.
    for method, body, gone in (("DELETE", None, 204), ("PATCH", {"role": "viewer"}, 200)):
        for _ in range(5):
            admins = [user for user in fresh_stack.api.ok("GET", "/users")["users"] if user["role"] == "admin"]
            assert len(admins) == 1
            second = Person(fresh_stack, "admin")
            other = fresh_stack.api.as_(second.token("admin")["token"])
            with ThreadPoolExecutor(2) as pool:
                answers = list(pool.map(attempt, [
                    (fresh_stack.api, method, second.path, body), (other, method, f"/users/{admins[0]['id']}", body)]))
            left = fresh_stack.value("SELECT count(*) FROM users WHERE role = 'admin'")
            assert left == 1, f"{left} admins are left, and the answers were {answers}"
            # The one who is too late is told that it is the last admin, or that he is no longer one, or no longer at all.
            assert answers.count(gone) == 1 and set(answers) - {gone} <= {409, 403, 401}, answers
            if answers[0] != gone:
                fresh_stack._token = other.token


def test_no_secret_used_in_these_tests_is_in_any_log(stack):
    person = Person(stack)
    cookies, token = person.session(), person.token("member")["token"]
    person.api.ok("PUT", "/auth/password", 204, cookies=cookies, json={
        "current_password": person.password, "new_password": secret("yet another password")})
    wrong = secret(f"wrong {uuid.uuid4()}")
    assert person.log_in(wrong).status_code == 401
    assert_problem(person.api.as_(wrong).get("/plants"), 401)
    person.api.as_(token).ok("GET", "/plants")
    person.api.ok("POST", "/auth/logout", 204, cookies=cookies)
    secret(stack.settings["PLANTOPS_ADMIN_PASSWORD"])
    secret(stack.api.token)
    assert person.id in stack.log("backend"), "the log says that somebody signed in"
    # And once more when all tests that use this stack are done (conftest.py).
    assert told_in_logs(stack) == []
