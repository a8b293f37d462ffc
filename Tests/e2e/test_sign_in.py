"""Signing in and out, sessions, and what slows down whoever guesses."""

import hashlib
import random
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.api import CORRELATION, assert_problem
from support.times import parse
from support.people import COOKIE, Person, admin_session, log_in, secret, set_cookie, some_address, tables_with

WRONG = "certainly not this"
FREE = 10  # Wrong passwords for one account from one address before one has to wait.


@pytest.fixture(scope="module")
def anna(stack):
    return Person(stack)


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def cookies(answer):
    assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
    return {COOKIE: secret(set_cookie(answer)[0])}


def statuses(answers):
    return [answer.status_code for answer in answers]


def key(kind, counted):
    return sha256(f"{kind}\0{counted}")


def attempts(stack, kind, counted):
    return stack.value(f"SELECT coalesce(max(attempts), 0) FROM sign_in_attempts WHERE key = '\\x{key(kind, counted)}'")


def use_up(stack, email, place, attempt, kind="accountAndAddress"):
    """As FREE wrong attempts do, without taking as long. Returns the answers to the first and the last."""
    both = f"{email}\0{place}"
    first = attempt()
    assert attempts(stack, kind, both) == 1
    stack.sql(f"UPDATE sign_in_attempts SET attempts = {FREE - 1} WHERE key = '\\x{key(kind, both)}'")
    last = attempt()
    assert attempts(stack, kind, both) == FREE
    stop_the_clock(stack)
    return first, last


def stop_the_clock(stack):
    """The first pause is a second, which a slow machine needs for an attempt: let it not be over yet."""
    stack.sql("UPDATE sign_in_attempts SET last_at = now() + INTERVAL '50 seconds'")


# Sessions.

def test_signing_in_says_who_it_is_and_sets_a_cookie_no_script_and_no_other_site_gets(anna):
    answer = anna.log_in()
    value, attributes = set_cookie(answer)
    assert answer.json() == {
        "id": anna.id, "email": anna.email, "role": "member", "via": "session", "auth_mode": "required"}
    assert len(value) >= 43 and value not in answer.text
    age = [attribute for attribute in attributes if attribute.startswith("Max-Age=")]
    assert sorted(attributes) == sorted(["Path=/", "HttpOnly", "SameSite=Strict", *age])
    assert 86_400 <= int(age[0].split("=")[1]) <= 400 * 86_400
    assert answer.headers["Cache-Control"] == "no-store"
    assert anna.is_in({COOKIE: value})


@pytest.mark.parametrize("proto, secure", [("https", True), ("http", False), ("", False), ("nonsense", False)])
def test_the_cookie_is_for_https_only_when_the_client_came_by_https(anna, proto, secure):
    value, attributes = set_cookie(anna.log_in(headers={"X-Forwarded-Proto": proto}))
    assert ("Secure" in attributes) == secure
    gone, attributes = set_cookie(anna.api.post(
        "/auth/logout", cookies={COOKIE: value}, headers={"X-Forwarded-Proto": proto}))
    assert gone == "" and ("Secure" in attributes) == secure


def test_a_cookie_through_nginx_over_http_is_usable_over_http(stack, anna):
    api = stack.web.as_(None)
    answer = api.post("/auth/login", json={"email": anna.email, "password": anna.password},
                      headers={"X-Forwarded-Proto": "https"})  # Of a client, nginx must not believe that.
    value, attributes = set_cookie(answer)
    assert "Secure" not in attributes and {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(attributes)
    assert api.ok("GET", "/auth/me", cookies={COOKIE: secret(value)})["email"] == anna.email


def test_a_wrong_email_and_a_wrong_password_get_the_same_answer_to_the_byte(anna):
    known = {CORRELATION: "same"}
    answers = [
        anna.log_in(WRONG, headers=known),
        log_in(anna.api, f"{uuid.uuid4().hex}@example.org", anna.password, headers=known),
        log_in(anna.api, "no email at all", anna.password, headers=known),
        log_in(anna.api, anna.email, anna.password[:-1], headers=known)]
    for answer in answers:
        assert_problem(answer, 401)
        assert "Set-Cookie" not in answer.headers
    assert len({answer.content for answer in answers}) == 1
    different = {"date"}
    assert len({tuple(sorted((k.lower(), v) for k, v in answer.headers.items() if k.lower() not in different))
                for answer in answers}) == 1
    assert anna.email not in answers[0].text


def test_all_that_is_wrong_with_an_attempt_is_said(anna):
    for body, pointers in (({}, {"/email", "/password"}), ({"email": 5, "password": None}, {"/email", "/password"}),
                           ({"email": anna.email, "password": ""}, {"/password"}),
                           ({"email": anna.email, "password": "x" * 2000}, {"/password"})):
        problem = assert_problem(anna.api.post("/auth/login", json=body), 422)
        assert {error["pointer"] for error in problem["errors"]} == pointers
    assert_problem(anna.api.post("/auth/login", data="{"), 400)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert_problem(anna.api.post("/auth/login", data="email=a&password=b", headers=form), 415)


def test_a_cookie_planted_before_signing_in_is_no_session_afterwards(anna):
    planted = {COOKIE: "planted-" + uuid.uuid4().hex * 2}
    signed_in = cookies(anna.log_in(cookies=planted))
    assert signed_in != planted
    assert not anna.is_in(planted) and anna.is_in(signed_in)


def test_every_sign_in_makes_a_new_session_and_ends_the_one_sent_along(anna):
    first = cookies(anna.log_in())
    second = cookies(anna.log_in(cookies=first))
    assert first != second
    assert not anna.is_in(first) and anna.is_in(second)
    third = cookies(anna.log_in())
    assert anna.is_in(second) and anna.is_in(third), "another browser's session is left alone"
    assert anna.log_in(WRONG, cookies=third).status_code == 401
    assert anna.is_in(third), "a failed attempt ends nothing"


def test_signing_out_ends_the_session_on_the_server(anna):
    mine, other = cookies(anna.log_in()), cookies(anna.log_in())
    answer = anna.api.post("/auth/logout", cookies=mine)
    assert (answer.status_code, answer.content) == (204, b"")
    value, attributes = set_cookie(answer)
    assert value == "" and "Max-Age=0" in attributes and "Path=/" in attributes
    assert not anna.is_in(mine) and anna.is_in(other)
    for again in (mine, {}, {COOKIE: "nonsense"}):
        assert anna.api.post("/auth/logout", cookies=again).status_code == 204


def test_no_session_or_token_can_be_read_out_of_the_database(stack):
    person = Person(stack)
    enrollment = secret(stack.api.ok("POST", "/enrollment-tokens", 201, json={"label": "kept hashed"})["token"])
    kept = {"sessions": person.session()[COOKIE], "api_tokens": person.token("member")["token"],
            "enrollment_tokens": enrollment}
    for table, token in kept.items():
        assert stack.value(f"SELECT count(*) FROM {table} WHERE token_hash = '\\x{sha256(token)}'") == 1
        assert tables_with(stack, token) == []
        assert tables_with(stack, token.removeprefix("pot_")) == []
    assert tables_with(stack, person.password) == []
    assert tables_with(stack, person.email) != [], "the search finds what is there"


def test_a_session_ends_when_its_time_is_over(stack, anna):
    session = cookies(anna.log_in())
    row = f"token_hash = '\\x{sha256(session[COOKIE])}'"
    days = "extract(epoch FROM expires_at - now()) / 86400"
    assert 13 < stack.value(f"SELECT {days} FROM sessions WHERE {row}") <= 14
    # Using it prolongs it …
    stack.sql(f"UPDATE sessions SET last_used_at = now() - INTERVAL '1 hour', expires_at = now() + INTERVAL '1 hour' WHERE {row}")
    assert anna.is_in(session)
    assert 13 < stack.value(f"SELECT {days} FROM sessions WHERE {row}") <= 14
    # … but not for ever.
    stack.sql(f"UPDATE sessions SET last_used_at = now() - INTERVAL '1 hour', created_at = now() - INTERVAL '85 days' WHERE {row}")
    assert anna.is_in(session)
    assert 4 < stack.value(f"SELECT {days} FROM sessions WHERE {row}") <= 5
    stack.sql(f"UPDATE sessions SET expires_at = now() - INTERVAL '1 second' WHERE {row}")
    assert not anna.is_in(session) and not anna.is_in(session)


def test_a_session_survives_a_restart_of_the_backend(fresh_stack):
    session = admin_session(fresh_stack)
    fresh_stack.restart("backend")
    fresh_stack.ready()
    assert fresh_stack.stranger.get("/auth/me", cookies=session).status_code == 200


# One's own password.

def test_a_changed_password_ends_the_other_sessions_but_not_this_one(stack):
    person = Person(stack)
    here, elsewhere = person.session(), person.session()
    token = person.token("member")["token"]
    new = secret(f"new {uuid.uuid4()}")
    answer = person.api.put("/auth/password", cookies=here, json={
        "current_password": person.password, "new_password": new})
    assert (answer.status_code, answer.content) == (204, b"")
    assert person.is_in(here) and not person.is_in(elsewhere)
    assert person.log_in().status_code == 401
    assert person.log_in(new).status_code == 200
    assert person.api.as_(token).get("/plants").status_code == 200, "scripts have tokens of their own"


def test_a_password_is_changed_only_by_who_knows_it(stack):
    person = Person(stack)
    here, elsewhere = person.session(), person.session()

    def change(**body):
        return person.api.put("/auth/password", cookies=here, json={
            "current_password": person.password, "new_password": "long enough", **body})

    problem = assert_problem(change(current_password=WRONG), 422)
    assert [error["pointer"] for error in problem["errors"]] == ["/current_password"]
    assert WRONG not in str(problem)
    for wrong in ("short", "x" * 201, None, 5):
        problem = assert_problem(change(new_password=wrong), 422)
        assert [error["pointer"] for error in problem["errors"]] == ["/new_password"]
    assert_problem(person.api.as_(person.token("member")["token"]).put("/auth/password", json={
        "current_password": person.password, "new_password": "long enough"}), 403)
    assert person.is_in(here) and person.is_in(elsewhere)
    assert person.log_in().status_code == 200


def test_who_found_an_open_browser_cannot_guess_the_password_there(stack):
    person = Person(stack)
    here = person.session()
    body = {"current_password": WRONG, "new_password": "long enough"}

    def change(**changed):
        # From a new address each time: the browser is what counts.
        return person.api.put(
            "/auth/password", cookies=here, json={**body, **changed}, headers={"X-Forwarded-For": some_address()})

    assert statuses(use_up(stack, person.email, sha256(here[COOKIE]), change, "knownPlace")) == [422, 422]
    answer = change(current_password=person.password)
    assert_problem(answer, 429)
    assert int(answer.headers["Retry-After"]) >= 1
    assert person.log_in().status_code == 200, "nothing was changed"


# The throttle.



def test_after_ten_wrong_passwords_an_address_has_to_wait(stack):
    person, attacker = Person(stack), some_address()
    assert statuses([person.log_in(WRONG, attacker) for _ in range(FREE - 1)]) == [401] * (FREE - 1)
    stop_the_clock(stack)
    assert person.log_in(WRONG, attacker).status_code == 401
    stop_the_clock(stack)
    answer = person.log_in(WRONG, attacker)
    assert_problem(answer, 429)
    assert int(answer.headers["Retry-After"]) >= 1
    right = person.log_in(address=attacker)
    assert_problem(right, 429)
    assert "Set-Cookie" not in right.headers
    assert person.log_in().status_code == 200, "whoever signs in elsewhere is not held up"
    assert statuses([log_in(person.api, Person(stack).email, WRONG, attacker)]) == [401], "nor is another account"


def test_the_wait_gets_longer_and_ends(stack):
    person, attacker = Person(stack), some_address()
    both = f"{person.email}\0{attacker}"
    assert person.log_in(WRONG, attacker).status_code == 401
    assert attempts(stack, "accountAndAddress", both) == 1
    waits = []
    for count in (FREE, FREE + 4, FREE + 7, FREE + 30):
        stack.sql(f"UPDATE sign_in_attempts SET attempts = {count}, last_at = now() + INTERVAL '50 seconds' "
                   f"WHERE key = '\\x{key('accountAndAddress', both)}'")
        answer = person.log_in(WRONG, attacker)
        assert_problem(answer, 429)
        waits.append(int(answer.headers["Retry-After"]))
        assert attempts(stack, "accountAndAddress", both) == count, "an attempt that has to wait does not prolong the wait"
    assert waits == [1, 16, 128, 900]
    stack.sql(f"UPDATE sign_in_attempts SET last_at = now() - INTERVAL '901 seconds' "
               f"WHERE key = '\\x{key('accountAndAddress', both)}'")
    assert person.log_in(address=attacker).status_code == 200


def test_signing_in_forgives_what_went_wrong_before(stack):
    person, address = Person(stack), some_address()
    for _ in range(2):
        assert statuses([person.log_in(WRONG, address) for _ in range(4)]) == [401] * 4
        assert person.log_in(address=address).status_code == 200
    assert attempts(stack, "accountAndAddress", f"{person.email}\0{address}") == 0


def at_once(attempts):
    together = threading.Barrier(len(attempts))

    def make(attempt):
        together.wait()
        return attempt().status_code

    with ThreadPoolExecutor(len(attempts)) as pool:
        return sorted(pool.map(make, attempts))


def test_many_attempts_at_once_get_no_more_guesses_than_one_after_the_other(stack):
    person, attacker = Person(stack), some_address()
    both = f"{person.email}\0{attacker}"
    assert person.log_in(WRONG, attacker).status_code == 401
    # The last pause is just over, and the next is a quarter of an hour.
    stack.sql(f"UPDATE sign_in_attempts SET attempts = 20, last_at = now() - INTERVAL '15 minutes' "
               f"WHERE key = '\\x{key('accountAndAddress', both)}'")
    assert at_once([lambda: person.log_in(WRONG, attacker)] * 20) == [401] + [429] * 19
    assert attempts(stack, "accountAndAddress", both) == 21
    # Nor if they are for different people.
    people = [f"{uuid.uuid4().hex}@example.org" for _ in range(20)]
    other = some_address()
    assert log_in(stack.api, person.email, WRONG, other).status_code == 401
    stack.sql(f"UPDATE sign_in_attempts SET attempts = 25 WHERE key = '\\x{key('address', other)}'")
    answers = at_once([lambda email=email: log_in(stack.api, email, WRONG, other) for email in people])
    assert answers == [401] * 5 + [429] * 15
    assert attempts(stack, "address", other) == 30


def test_one_address_cannot_try_one_password_on_everybody(stack):
    attacker = some_address()
    assert log_in(stack.api, f"{uuid.uuid4().hex}@example.org", WRONG, attacker).status_code == 401
    assert attempts(stack, "address", attacker) == 1
    stack.sql(f"UPDATE sign_in_attempts SET attempts = 29 WHERE key = '\\x{key('address', attacker)}'")
    person = Person(stack)
    assert log_in(stack.api, f"{uuid.uuid4().hex}@example.org", WRONG, attacker).status_code == 401
    for email in (f"{uuid.uuid4().hex}@example.org", person.email):
        answer = log_in(stack.api, email, person.password, attacker)
        assert_problem(answer, 429)
        assert 600 < int(answer.headers["Retry-After"]) <= 900
    assert person.log_in().status_code == 200


def test_many_addresses_cannot_lock_the_owner_out_of_home(stack):
    person = Person(stack)
    home, elsewhere = person.address, some_address()
    assert person.log_in().status_code == 200
    assert person.log_in(WRONG, elsewhere).status_code == 401
    assert attempts(stack, "account", person.email) == 1
    stack.sql(f"UPDATE sign_in_attempts SET attempts = 100 WHERE key = '\\x{key('account', person.email)}'")
    for _ in range(3):
        answer = person.log_in(WRONG, some_address())
        assert_problem(answer, 429)
        assert int(answer.headers["Retry-After"]) > 900
    assert person.log_in(address=some_address()).status_code == 429, "not even with the right password, from anywhere"
    assert person.log_in(address=home).status_code == 200
    assert person.log_in(WRONG, home).status_code == 401
    assert person.log_in(address=home).status_code == 200
    stack.sql(f"UPDATE sign_in_attempts SET first_at = now() - INTERVAL '1 hour' "
               f"WHERE key = '\\x{key('account', person.email)}'")
    assert person.log_in(WRONG, some_address()).status_code == 401


def test_the_owner_at_home_gives_those_elsewhere_no_further_guess(stack):
    person = Person(stack)
    assert person.log_in().status_code == 200
    assert person.log_in(WRONG, some_address()).status_code == 401
    stack.sql(f"UPDATE sign_in_attempts SET attempts = 100 WHERE key = '\\x{key('account', person.email)}'")
    assert person.log_in(WRONG, some_address()).status_code == 429
    assert person.log_in().status_code == 200
    assert person.log_in(WRONG, some_address()).status_code == 429


def test_an_account_that_does_not_exist_is_throttled_like_one_that_does(stack):
    email, attacker = f"{uuid.uuid4().hex}@example.org", some_address()
    person = Person(stack)
    answers = []
    for email in (email, person.email):
        def attempt():
            return log_in(stack.api, email, WRONG, attacker, headers={CORRELATION: "c"})

        answers.append([*use_up(stack, email, attacker, attempt), attempt()])
        assert statuses(answers[-1]) == [401, 401, 429]
    assert [answer.content for answer in answers[0]] == [answer.content for answer in answers[1]]


@pytest.mark.parametrize("spell", [
    lambda attacker: f"{some_address()}, {attacker}", lambda attacker: f"{some_address()},{some_address()},{attacker}",
    lambda attacker: f"::ffff:{attacker}"], ids=["two", "three", "in IPv6 clothes"])
def test_only_the_last_address_of_x_forwarded_for_counts(stack, spell):
    person, attacker = Person(stack), some_address()
    answers = use_up(stack, person.email, attacker, lambda: person.log_in(WRONG, spell(attacker)))
    assert statuses(answers) == [401, 401]
    assert person.log_in(WRONG, attacker).status_code == 429


def test_a_household_with_2_to_the_64_addresses_counts_as_one(stack):
    person, network = Person(stack), f"2001:db8:{random.randrange(1, 65536):x}:{random.randrange(1, 65536):x}"
    answers = use_up(stack, person.email, f"{network}::/64",
                     lambda: person.log_in(WRONG, f"{network}::{random.randrange(1, 65536):x}"))
    assert statuses(answers) == [401, 401]
    assert person.log_in(WRONG, f"{network}:ffff::9").status_code == 429
    assert person.log_in(WRONG, "2001:db8:ffff::9").status_code == 401


def test_x_forwarded_for_is_not_believed_from_just_anybody(stack):
    person = Person(stack)
    try:
        with stack.serve(TRUSTED_PROXIES="203.0.113.1", MQTT_CLIENT_ID="far-from-home") as served:
            served.ready()
            answers = use_up(stack, person.email, "127.0.0.1",
                             lambda: log_in(served.api, person.email, WRONG, some_address()))
            assert statuses(answers) == [401, 401]
            assert log_in(served.api, person.email, WRONG, some_address()).status_code == 429
            value = log_in(served.api, stack.settings["PLANTOPS_ADMIN_EMAIL"], stack.settings["PLANTOPS_ADMIN_PASSWORD"],
                           headers={"X-Forwarded-Proto": "https"})
            assert "Secure" not in set_cookie(value)[1]
    finally:
        stack.sql("DELETE FROM sign_in_attempts")  # They were counted as ours.


def test_nginx_says_from_where_somebody_comes_whatever_he_says(stack):
    person = Person(stack)
    try:
        answers = use_up(stack, person.email, "127.0.0.1",
                         lambda: log_in(stack.web, person.email, WRONG, some_address()))
        assert statuses(answers) == [401, 401]
        answer = log_in(stack.web, person.email, WRONG, some_address())
        assert_problem(answer, 429)
        assert int(answer.headers["Retry-After"]) >= 1
    finally:
        stack.sql("DELETE FROM sign_in_attempts")


def test_a_flood_of_attempts_holds_up_nobody_who_is_in(stack):
    person = Person(stack)
    session = person.session()
    with ThreadPoolExecutor(40) as pool:
        flood = [pool.submit(log_in, stack.api, f"{uuid.uuid4().hex}@example.org", WRONG) for _ in range(40)]
        meanwhile = 0
        while not all(attempt.done() for attempt in flood):
            assert person.api.get("/plants", cookies=session).status_code == 200
            meanwhile += 1
    answers = [attempt.result() for attempt in flood]
    assert set(statuses(answers)) <= {401, 503} and 401 in statuses(answers)
    for answer in answers:
        problem = assert_problem(answer, answer.status_code)
        assert answer.status_code == 401 or int(answer.headers["Retry-After"]) >= 1 and "sign-in" in problem["detail"]
    assert meanwhile > 1


def test_when_somebody_signed_in_last_is_kept(stack):
    person = Person(stack)
    assert person.log_in(WRONG).status_code == 401
    assert stack.value(f"SELECT last_sign_in_at FROM users WHERE id = '{person.id}'") is None
    person.session()
    assert parse(stack.value(f"SELECT last_sign_in_at FROM users WHERE id = '{person.id}'")) >= parse(person.made["created_at"])
