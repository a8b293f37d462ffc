"""Who changed what, when and from where: one line for every change, none for anything else, and no secret in it."""

import json
import uuid

import pytest

from support.api import CORRELATION, UUID_V7, assert_problem
from support.device import Device, random_mac
from support.times import now_us, parse
from support.people import SECRETS, Person, admin_session, log_in, secret, some_address, tables_with

ADDRESS = "192.0.2.17"
FROM = {"X-Forwarded-For": ADDRESS}


@pytest.fixture(scope="module")
def anna(stack):
    return Person(stack, "admin")


@pytest.fixture(scope="module")
def session(anna):
    return anna.session()


def entries(stack, answer):
    """What the log says of one request, oldest first."""
    log = stack.api.ok("GET", "/audit?limit=500")["entries"]
    return [entry for entry in reversed(log) if entry["correlation_id"] == answer.headers[CORRELATION]]


def entry(stack, answer, *statuses):
    """The one line of a request that succeeded."""
    assert answer.status_code in (statuses or (200, 201, 202, 204)), f"{answer.status_code} {answer.text}"
    lines = entries(stack, answer)
    assert len(lines) == 1, f"{len(lines)} lines with the correlation id of {answer.request.method} {answer.request.path_url}"
    (found,) = lines
    assert found.keys() == {"id", "at", "actor", "action", "subject", "details", "address", "correlation_id"}
    assert UUID_V7.match(found["id"]) and abs(parse(found["at"]) - now_us()) < 60_000_000
    assert found["actor"].keys() == {"kind", "id", "name"}
    assert found["subject"] is None or found["subject"].keys() == {"kind", "id", "name"}
    return found


def subject(found):
    return found["action"], found["subject"]["kind"], found["subject"]["id"], found["subject"]["name"]


@pytest.fixture
def act(stack, anna, session):
    """Makes a request as Anna, and returns the line the log has of it and what was answered."""
    def act(method, path, body=None):
        answer = stack.stranger.request(method, path, json=body, cookies=session, headers=FROM)
        found = entry(stack, answer)
        assert found["actor"] == {"kind": "user", "id": anna.id, "name": anna.email}
        assert found["address"] == ADDRESS
        return found, answer.json() if answer.content else None

    return act


def test_what_is_done_to_users(act):
    password = secret("quite long enough")
    email = f"{uuid.uuid4().hex}@example.org"
    found, user = act("POST", "/users", {"email": email, "password": password, "role": "viewer"})
    assert subject(found) == ("user.create", "user", user["id"], email) and found["details"] == {"role": "viewer"}
    path = f"/users/{user['id']}"
    found, _ = act("PATCH", path, {"role": "member", "email": "x" + email})
    assert subject(found) == ("user.update", "user", user["id"], "x" + email)
    assert found["details"] == {"role": "member", "email": "x" + email}
    found, _ = act("PATCH", path, {"password": secret("another long password")})
    assert subject(found) == ("user.set_password", "user", user["id"], "x" + email) and found["details"] == {}
    found, _ = act("DELETE", path)
    assert subject(found) == ("user.delete", "user", user["id"], "x" + email)


def test_who_signs_in_and_out_and_who_tries(stack):
    person = Person(stack)
    wrong = secret(f"wrong {uuid.uuid4()}")
    found = entry(stack, person.log_in(wrong), 401)
    assert subject(found) == ("auth.sign_in_failed", "user", person.id, person.email)
    assert found["actor"] == {"kind": "anonymous", "id": None, "name": None} and found["address"] == person.address
    # Not the address that was tried: people type passwords into the wrong field.
    typed = secret(f"{uuid.uuid4().hex}@example.org")
    found = entry(stack, log_in(stack.api, typed, wrong, ADDRESS), 401)
    assert (found["action"], found["subject"], found["details"]) == ("auth.sign_in_failed", None, {})
    answer = person.log_in()
    found = entry(stack, answer)
    assert subject(found) == ("auth.sign_in", "user", person.id, person.email)
    assert found["actor"] == {"kind": "user", "id": person.id, "name": person.email}
    assert found["address"] == person.address
    cookies = answer.cookies.get_dict()
    answer = stack.stranger.put("/auth/password", cookies=cookies, headers=FROM, json={
        "current_password": person.password, "new_password": secret("a new long password")})
    assert subject(entry(stack, answer)) == ("user.set_password", "user", person.id, person.email)
    answer = stack.stranger.post("/auth/logout", cookies=cookies, headers=FROM)
    found = entry(stack, answer)
    assert subject(found) == ("auth.sign_out", "user", person.id, person.email)
    assert found["actor"] == {"kind": "user", "id": person.id, "name": person.email} and found["address"] == ADDRESS
    assert entries(stack, stack.stranger.post("/auth/logout", cookies=cookies)) == []


def test_what_is_done_to_tokens(stack, act):
    found, token = act("POST", "/tokens", {"name": "script", "role": "viewer"})
    secret(token["token"])
    assert subject(found) == ("token.create", "token", token["id"], "script") and found["details"]["role"] == "viewer"
    found, _ = act("DELETE", f"/tokens/{token['id']}")
    assert subject(found) == ("token.delete", "token", token["id"], "script")
    found, token = act("POST", "/enrollment-tokens", {"label": "balcony", "max_uses": 3})
    secret(token["token"])
    assert subject(found) == ("enrollment_token.create", "enrollment_token", token["id"], "balcony")
    assert found["details"] == {"max_uses": "3", "expires_at": token["expires_at"]}
    found, _ = act("DELETE", f"/enrollment-tokens/{token['id']}")
    assert subject(found) == ("enrollment_token.delete", "enrollment_token", token["id"], "balcony")


def test_what_is_done_to_plants(act):
    found, plant = act("POST", "/plants", {"name": "Fern"})
    assert subject(found) == ("plant.create", "plant", plant["id"], "Fern")
    path = f"/plants/{plant['id']}"
    found, _ = act("PUT", path, {"name": "Big fern", "thresholds": {"temperature": {"min": 5}}})
    assert subject(found) == ("plant.update", "plant", plant["id"], "Big fern")
    found, _ = act("PUT", path + "/position", {"x": 1, "y": 2})
    assert subject(found) == ("plant.update", "plant", plant["id"], "Big fern")
    found, _ = act("DELETE", path)
    assert subject(found) == ("plant.delete", "plant", plant["id"], "Big fern")


def test_what_is_done_to_devices(stack, act, plant):
    mac = random_mac()
    body = {"mac_address": mac, "enrollment_token": secret(stack.enrollment_token), "name": "Sill"}
    answer = stack.stranger.post("/devices/register", json=body, headers=FROM)
    found, device = entry(stack, answer), answer.json()
    secret(device["mqtt_password"])
    identity = ("device", device["device_id"], "Sill")
    assert subject(found) == ("device.register", *identity) and found["details"]["known_before"] == "false"
    assert found["actor"] == {"kind": "device", "id": device["device_id"], "name": mac} and found["address"] == ADDRESS
    answer = stack.stranger.post("/devices/register", json=body)
    found = entry(stack, answer)
    secret(answer.json()["mqtt_password"])
    assert subject(found) == ("device.register", *identity) and found["details"]["known_before"] == "true"
    path = f"/devices/{device['device_id']}"
    found, _ = act("POST", path + "/provision", {"plant_id": plant["id"]})
    assert subject(found) == ("device.provision", *identity) and plant["id"] in json.dumps(found["details"])
    found, _ = act("POST", path + "/unassign")
    assert subject(found) == ("device.unassign", *identity)
    found, _ = act("POST", path + "/commands", {"command": "identify"})
    assert subject(found) == ("device.command", *identity) and found["details"]["command"] == "identify"
    found, credentials = act("POST", path + "/rotate-credentials")
    secret(credentials["mqtt_password"])
    assert subject(found) == ("device.rotate_credentials", *identity)
    found, _ = act("PATCH", path, {"name": "Shelf", "enabled": False})
    assert subject(found) == ("device.update", "device", device["device_id"], "Shelf")
    assert "enabled" in found["details"]
    found, _ = act("DELETE", path)
    assert subject(found) == ("device.delete", "device", device["device_id"], "Shelf")
    of_device = stack.api.ok("GET", f"/audit?subject_id={device['device_id']}&limit=500")
    assert of_device["total"] == len(of_device["entries"]) == 8, "its history outlives it"


def test_a_device_that_waits_for_approval_and_who_gives_it(stack, anna, session):
    with stack.serve(ENROLLMENT_MODE="approval", MQTT_CLIENT_ID="approver") as served:
        served.ready()
        api = served.api.as_(None)
        mac = random_mac()

        def register(actor="device"):
            answer = api.post("/devices/register", json={"mac_address": mac}, headers=FROM)
            found, device = entry(stack, answer, 201), answer.json()
            secret(device["mqtt_password"])
            assert (found["action"], found["subject"]["id"]) == ("device.register", device["device_id"])
            # Whoever only asks for a device's place is not the device yet.
            assert found["actor"] == ({"kind": "device", "id": device["device_id"], "name": mac} if actor == "device"
                                      else {"kind": "anonymous", "id": None, "name": None})
            assert found["address"] == ADDRESS
            return device["device_id"]

        device = register()
        path = f"/devices/{device}"
        found = entry(stack, api.post(path + "/approve", cookies=session, headers=FROM))
        assert (found["action"], found["subject"]["id"], found["actor"]["id"]) == ("device.approve", device, anna.id)
        # One that is let in already, and wants new credentials, has to wait, too.
        assert register("anonymous") == device
        found = entry(stack, api.post(path + "/approve", cookies=session, headers=FROM))
        assert (found["action"], found["subject"]["id"], found["actor"]["id"]) == ("device.approve", device, anna.id)


def test_what_a_script_does_is_said_with_the_name_of_its_token_and_owner(stack):
    person = Person(stack)
    token = person.token("member", name="Home Assistant")
    answer = person.api.as_(token["token"]).post("/plants", json={"name": "Fern"}, headers=FROM)
    found = entry(stack, answer)
    assert found["actor"] == {"kind": "token", "id": token["id"], "name": f"Home Assistant of {person.email}"}
    assert found["address"] == ADDRESS


def test_what_was_refused_or_only_read_leaves_no_line(stack, plant, session):
    viewer = Person(stack, "viewer").session()
    total = stack.api.ok("GET", "/audit")["total"]
    for cookies, method, path, body, status in (
            ({}, "POST", "/plants", {"name": "No"}, 401), (viewer, "POST", "/plants", {"name": "No"}, 403),
            (session, "POST", "/plants", {}, 422), (session, "DELETE", f"/plants/{uuid.uuid4()}", None, 404),
            (session, "POST", "/users", {"email": "a@b", "password": "short", "role": "viewer"}, 422),
            (session, "DELETE", f"/users/{uuid.uuid4()}", None, 404),
            (session, "POST", f"/devices/{uuid.uuid4()}/commands", {"command": "identify"}, 404),
            (session, "GET", "/plants", None, 200), (session, "GET", "/audit", None, 200),
            ({}, "POST", "/devices/register", {"mac_address": random_mac(), "enrollment_token": "wrong"}, 403)):
        answer = stack.stranger.request(method, path, json=body, cookies=cookies)
        assert answer.status_code == status, answer.text
        assert entries(stack, answer) == []
    assert stack.api.ok("GET", "/audit")["total"] == total


def test_the_log_can_be_filtered_and_paged_newest_first(stack, act):
    _, plant = act("POST", "/plants", {"name": "One"})
    for name in ("Two", "Three", "Four"):
        act("PUT", f"/plants/{plant['id']}", {"name": name})
    of_plant = f"/audit?subject_id={plant['id']}"
    page = stack.api.ok("GET", of_plant)
    assert page["total"] == 4
    assert [found["subject"]["name"] for found in page["entries"]] == ["Four", "Three", "Two", "One"]
    assert [found["at"] for found in page["entries"]] == sorted((found["at"] for found in page["entries"]), reverse=True)
    updates = stack.api.ok("GET", of_plant + "&action=plant.update")
    assert updates["total"] == 3 and updates["entries"] == page["entries"][:3]
    second = stack.api.ok("GET", of_plant + "&limit=2&offset=1")
    assert second["total"] == 4 and second["entries"] == page["entries"][1:3]
    created = stack.api.ok("GET", "/audit?action=plant.create&limit=500")["entries"]
    assert plant["id"] in [found["subject"]["id"] for found in created]
    assert {found["action"] for found in created} == {"plant.create"}
    for query in (f"subject_id={uuid.uuid4()}", "action=nothing.at_all", "action=' OR '1'='1"):
        assert stack.api.ok("GET", f"/audit?{query}") == {"entries": [], "total": 0}
    for query in ("subject_id=nonsense", "action=", "limit=0", "action=" + "x" * 65):
        assert_problem(stack.api.get(f"/audit?{query}"), 422)


def test_nobody_can_change_the_log(stack, session):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert stack.stranger.request(method, "/audit", cookies=session, json={}).status_code == 405
        assert stack.stranger.request(method, f"/audit/{uuid.uuid4()}", cookies=session, json={}).status_code == 404


def test_a_correlation_id_or_name_that_looks_like_something_else_stays_what_it_is(stack, session):
    name = "'; DROP TABLE audit_log; -- \U0001F331 {\"a\": \"b\"}"
    answer = stack.stranger.post("/plants", json={"name": name}, cookies=session, headers={
        CORRELATION: "a" * 128, "X-Forwarded-For": "'; DROP TABLE users; --"})
    found = entry(stack, answer)
    assert (found["subject"]["name"], found["correlation_id"], found["address"]) == (name, "a" * 128, "127.0.0.1")


def test_the_first_admin_and_commands_are_in_the_log(stack, tmp_path):
    first = stack.api.ok("GET", "/users?limit=1")["users"][0]
    (made,) = [found for found in stack.api.ok("GET", f"/audit?subject_id={first['id']}&limit=500")["entries"]
               if found["action"] == "user.create"]
    assert made["actor"]["kind"] == "system" and made["address"] is None and made["correlation_id"] is None
    email = f"{uuid.uuid4().hex}@example.org"
    file = tmp_path / "password"
    file.write_text(secret("given on the command line") + "\n")
    assert stack.program("user", "create", email, "--password-file", str(file)).returncode == 0
    user = next(user for user in stack.api.ok("GET", "/users?limit=500")["users"] if user["email"] == email)
    (made,) = stack.api.ok("GET", f"/audit?subject_id={user['id']}")["entries"]
    assert made["action"] == "user.create" and made["actor"]["kind"] == "command_line" and made["actor"]["name"]
    assert made["address"] is None and made["correlation_id"] is None


def test_no_secret_used_in_these_tests_is_in_the_log(stack):
    Device(stack).close()
    admin_session(stack)
    secret(stack.api.token)
    secret(stack.settings["PLANTOPS_ADMIN_PASSWORD"])
    wrong = secret(f"{uuid.uuid4()}")
    log_in(stack.api, wrong, wrong, some_address())
    pages = stack.api.ok("GET", "/audit")["total"] // 500 + 1
    text = "".join(stack.api.get(f"/audit?limit=500&offset={500 * page}").text for page in range(pages))
    assert len(SECRETS) > 10 and "auth.sign_in" in text
    assert [kept for kept in SECRETS if kept in text] == []
    assert tables_with(stack, wrong) == []
