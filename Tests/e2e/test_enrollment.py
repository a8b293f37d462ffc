"""Who is given an identity: enrollment tokens, their counting, and what a stranger gets (ENROLLMENT_MODE=token)."""

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.api import assert_problem
from support.device import REFUSED, Connection, Device, random_mac, reading
from support.waiting import wait_until


def make_token(stack, **fields):
    return stack.api.ok("POST", "/enrollment-tokens", 201, json={"label": "a test", **fields})


def ask(stack, mac=None, token=None, **fields):
    """As a device: without signing in."""
    body = {"mac_address": mac or random_mac(), **fields}
    if token:
        body["enrollment_token"] = token
    return stack.stranger.post("/devices/register", json=body)


def uses(stack, token):
    tokens = stack.api.ok("GET", "/enrollment-tokens?limit=500")["enrollment_tokens"]
    return next(listed["uses"] for listed in tokens if listed["id"] == token["id"])


def lets_in(stack, registration):
    """Takes the place of a session the device has open."""
    name, password = registration["mqtt_username"], registration["mqtt_password"]
    with Connection(stack.mqtt_port, stack.ca, name, password, client_id=name) as probe:
        return probe.connect() < REFUSED


def ask_again(stack, mac, token):
    """As a device does that is told 503."""
    def other_than_503():
        answer = ask(stack, mac, token)
        return answer.status_code != 503 and [answer]

    return wait_until(other_than_503, 30, "the broker is told of devices again")[0]


def without_broker(stack):
    stack.stop("mosquitto")
    wait_until(lambda: stack.api.get("/ready").status_code == 503, 15, "/api/ready says 503")


# Tokens that are no good.


def bad_token(stack, kind):
    if kind == "none":
        return None
    if kind == "unknown":
        return "no-such-token-0123456789abcdef0123456789abcdef"
    token = make_token(stack)
    if kind == "expired":
        stack.sql(f"UPDATE enrollment_tokens SET expires_at = now() - INTERVAL '1 second' WHERE id = '{token['id']}'")
    elif kind == "used-up":
        assert ask(stack, token=token["token"]).status_code == 201
    elif kind == "deleted":
        stack.api.ok("DELETE", f"/enrollment-tokens/{token['id']}", 204)
    return token["token"]


@pytest.mark.parametrize("kind, said", [("none", "is needed"), ("unknown", "not known"), ("expired", "expired"),
                                        ("used-up", "has been used"), ("deleted", "deleted")])
def test_a_device_without_a_good_token_gets_nothing_and_is_told_why(stack, kind, said):
    mac = random_mac()
    answer = ask(stack, mac, bad_token(stack, kind))
    assert said in assert_problem(answer, 403)["detail"]
    assert "mqtt" not in answer.text and "CERTIFICATE" not in answer.text
    assert stack.value(f"SELECT count(*) FROM devices WHERE mac_address = '{mac}'") == 0


def test_an_api_token_of_an_admin_is_no_enrollment_token(stack):
    body = {"mac_address": random_mac()}
    assert_problem(stack.api.post("/devices/register", json=body), 403)
    assert_problem(stack.stranger.post("/devices/register", json={**body, "enrollment_token": stack.api.token}), 403)


@pytest.mark.parametrize("token", ["", "x" * 201, 7, ["x"], "with\u0000nul"])
def test_what_cannot_be_a_token_is_refused(stack, token):
    answer = stack.stranger.post("/devices/register", json={"mac_address": random_mac(), "enrollment_token": token})
    assert answer.status_code in (403, 422) and "mqtt" not in answer.text
    assert_problem(answer, answer.status_code)


@pytest.mark.parametrize("kind", ["none", "unknown", "expired", "used-up"])
def test_whoever_has_the_address_of_a_device_but_no_token_gets_nothing_and_disturbs_nothing(stack, kind):
    with Device(stack, name="Shelf", reporting_interval_seconds=300) as device:
        before = stack.api.ok("GET", f"/devices/{device.id}")
        answer = ask(stack, device.mac, bad_token(stack, kind), firmware_version="6.6.6", name="Mine",
                     reporting_interval_seconds=86_400, sensor_types=["lies"])
        assert_problem(answer, 403)
        assert device.id not in answer.text, "not even the id"
        assert stack.api.ok("GET", f"/devices/{device.id}") == before
        device.barrier()
        assert device.connection.disconnects == []
    assert lets_in(stack, device.registration)


# Counting.


@pytest.mark.parametrize("most", [1, 3])
def test_a_token_lets_in_as_many_devices_as_it_says(stack, most):
    token = make_token(stack, max_uses=most)
    for number in range(1, most + 1):
        assert ask(stack, token=token["token"]).status_code == 201
        assert uses(stack, token) == number
    assert_problem(ask(stack, token=token["token"]), 403)
    assert uses(stack, token) == most


@pytest.mark.parametrize("most", [1, 4])
def test_of_ten_devices_that_come_at_once_with_one_token_just_as_many_get_in_as_it_says(stack, most):
    token = make_token(stack, max_uses=most)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: ask(stack, token=token["token"]), range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] * most + [403] * (10 - most)
    assert uses(stack, token) == most
    assert all(lets_in(stack, answer.json()) for answer in answers if answer.status_code == 201)


def test_of_ten_requests_of_one_device_at_once_with_a_single_use_token_one_password_works(stack):
    token, mac = make_token(stack), random_mac()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: ask(stack, mac, token["token"]), range(10)))
    assert {answer.status_code for answer in answers} <= {201, 403}
    given = [answer.json() for answer in answers if answer.status_code == 201]
    assert len({one["device_id"] for one in given}) == 1
    assert sum(lets_in(stack, one) for one in given) == 1
    assert uses(stack, token) == 1
    assert_problem(ask(stack, token=token["token"]), 403)


def test_a_device_that_lost_the_answer_may_ask_again_with_its_single_use_token_until_it_is_heard_of(stack):
    token, mac = make_token(stack), random_mac()
    lost = ask(stack, mac, token["token"]).json()
    again = ask(stack, mac, token["token"])
    assert again.status_code == 201 and again.json()["device_id"] == lost["device_id"]
    assert not lets_in(stack, lost) and uses(stack, token) == 1
    device = Device.__new__(Device)
    device.stack, device.registration, device.mac = stack, again.json(), mac
    with device:
        device.barrier()
        assert_problem(ask(stack, mac, token["token"]), 403)
        device.barrier()
        assert device.connection.disconnects == []
    assert uses(stack, token) == 1


def test_a_request_that_is_refused_for_another_reason_uses_nothing(stack):
    token = make_token(stack)
    assert_problem(ask(stack, "nonsense", token["token"]), 422)
    assert uses(stack, token) == 0
    assert ask(stack, token=token["token"]).status_code == 201


def test_while_the_broker_is_away_a_single_use_token_is_not_used_up_and_the_next_attempt_works(fresh_stack):
    token, mac = make_token(fresh_stack), random_mac()
    without_broker(fresh_stack)
    for _ in range(2):
        answer = ask(fresh_stack, mac, token["token"])
        assert_problem(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0 and "mqtt_password" not in answer.text
    assert fresh_stack.api.ok("GET", "/devices") == {"devices": [], "total": 0}
    fresh_stack.start("mosquitto")
    again = ask_again(fresh_stack, mac, token["token"])
    assert again.status_code == 201 and lets_in(fresh_stack, again.json())
    assert uses(fresh_stack, token) == 1
    assert_problem(ask(fresh_stack, token=token["token"]), 403)


def test_a_token_that_was_tried_while_the_broker_was_away_lets_another_device_in_instead(fresh_stack):
    token = make_token(fresh_stack)
    without_broker(fresh_stack)
    assert_problem(ask(fresh_stack, token=token["token"]), 503)
    assert uses(fresh_stack, token) == 0
    fresh_stack.start("mosquitto")
    assert ask_again(fresh_stack, random_mac(), token["token"]).status_code == 201
    assert uses(fresh_stack, token) == 1


def test_a_known_device_that_registers_while_the_broker_is_away_stays_as_it_was(fresh_stack):
    device, token = Device(fresh_stack, name="Shelf"), make_token(fresh_stack)
    before = fresh_stack.api.ok("GET", f"/devices/{device.id}")
    without_broker(fresh_stack)
    assert_problem(ask(fresh_stack, device.mac, token["token"], firmware_version="2.0.0",
                       reporting_interval_seconds=3600), 503)
    assert fresh_stack.api.ok("GET", f"/devices/{device.id}") == before
    fresh_stack.start("mosquitto")
    fresh_stack.ready()
    with device:
        device.publish(reading())
        device.stored(1)
    assert uses(fresh_stack, token) == 0


@contextmanager
def silent_broker(stack):
    """It is there, but answers nothing."""
    os.kill(stack.pid("mosquitto"), signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(stack.pid("mosquitto"), signal.SIGCONT)


def test_while_the_broker_answers_nothing_a_single_use_token_is_not_used_up(fresh_stack):
    token, mac = make_token(fresh_stack), random_mac()
    with silent_broker(fresh_stack):
        assert_problem(ask(fresh_stack, mac, token["token"]), 503)
        assert uses(fresh_stack, token) == 0
    again = ask_again(fresh_stack, mac, token["token"])
    assert again.status_code == 201 and lets_in(fresh_stack, again.json()) and uses(fresh_stack, token) == 1


def test_a_device_that_lost_the_answer_and_asks_again_in_vain_may_ask_once_more(fresh_stack):
    token, mac = make_token(fresh_stack), random_mac()
    lost = ask(fresh_stack, mac, token["token"]).json()
    with silent_broker(fresh_stack):
        assert_problem(ask(fresh_stack, mac, token["token"]), 503)
    again = ask_again(fresh_stack, mac, token["token"])
    assert again.status_code == 201, again.text
    assert again.json()["device_id"] == lost["device_id"] and lets_in(fresh_stack, again.json())
    assert uses(fresh_stack, token) == 1


# A known device.


def test_a_known_device_with_a_token_keeps_id_name_plant_and_history_and_gets_a_new_password(stack, planted):
    planted.publish(reading(soil_moisture=47))
    planted.stored(1)
    stack.api.ok("PATCH", f"/devices/{planted.id}", json={"name": "Balcony"})
    old, session, token = planted.registration, planted.connection, make_token(stack)
    assert_problem(ask(stack, planted.mac), 403)
    assert session.disconnects == []
    new = ask(stack, planted.mac, token["token"], firmware_version="2.0.0", name="Another name").json()
    assert new["device_id"] == old["device_id"] and new["mqtt_password"] != old["mqtt_password"]
    wait_until(lambda: session.disconnects, 10, "the old session ends")
    session.client.loop_stop()
    assert not lets_in(stack, old) and lets_in(stack, new) and uses(stack, token) == 1
    shown = stack.api.ok("GET", f"/devices/{planted.id}")
    assert (shown["name"], shown["plant_id"], shown["firmware_version"]) == ("Balcony", planted.plant, "2.0.0")
    assert stack.api.ok("GET", f"/devices/{planted.id}/telemetry/latest")["soil_moisture"] == 47
    history = stack.api.ok("GET", f"/plants/{planted.plant}/history?hours=1&metrics=soil_moisture")
    assert history["series"]["soil_moisture"]["avg"] == [47]


def test_a_token_that_is_deleted_leaves_the_devices_it_let_in_alone(stack):
    token = make_token(stack)
    registration = ask(stack, token=token["token"]).json()
    stack.api.ok("DELETE", f"/enrollment-tokens/{token['id']}", 204)
    assert lets_in(stack, registration)


@pytest.mark.parametrize("mode", ["token", "approval", "open"])
def test_a_device_a_member_has_disabled_is_refused_in_every_mode(stack, mode):
    device, token = Device(stack), make_token(stack)
    stack.api.ok("PATCH", f"/devices/{device.id}", json={"enabled": False})
    with stack.serve(ENROLLMENT_MODE=mode, MQTT_CLIENT_ID=f"disabled-{mode}") as served:
        served.ready()
        answer = served.api.as_(None).post(
            "/devices/register", json={"mac_address": device.mac, "enrollment_token": token["token"]})
    assert "disabled" in assert_problem(answer, 403)["detail"]
    assert not lets_in(stack, device.registration) and uses(stack, token) == 0
    assert stack.api.ok("GET", f"/devices/{device.id}")["status"] == "disabled"


# What is kept of it, and what is told.


def tables_that_hold(stack, text):
    """Tables with a row in whose text it is."""
    tables = stack.rows("SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'")
    return [table["name"] for table in tables
            if stack.value(f"SELECT count(*) FROM {table['name']} t WHERE t::text LIKE '%{text}%'")]


def test_a_token_is_shown_once_and_is_nowhere_in_the_database_or_a_log(stack):
    token = make_token(stack, label="shown once", max_uses=2)
    secret = token["token"]
    assert len(secret) >= 32
    body = {"mac_address": random_mac(), "enrollment_token": secret}
    password = stack.web.as_(None).ok("POST", "/devices/register", 201, json=body)["mqtt_password"]
    assert ask(stack, token=secret).status_code == 201
    assert_problem(ask(stack, token=secret), 403)
    listed = stack.api.get("/enrollment-tokens?limit=500")
    assert "shown once" in listed.text and secret not in listed.text
    assert all("token" not in entry for entry in listed.json()["enrollment_tokens"])
    assert tables_that_hold(stack, "shown once"), "it looks where it should"
    for text in (secret, password):
        assert tables_that_hold(stack, text) == []
        assert tables_that_hold(stack, text.encode().hex()) == [], "nor as bytes"
        for log in ("backend", "mosquitto", "nginx", "nginx-access", "postgres"):
            assert text not in stack.log(log), log
    assert secret not in stack.api.get("/audit?limit=500").text


def test_the_answer_names_broker_and_ca_as_they_are_seen_from_outside(stack):
    environment = {"PUBLIC_MQTT_HOST": "plants.example.org", "PUBLIC_MQTT_PORT": "18883"}
    with stack.serve(MQTT_CLIENT_ID="seen-from-outside", **environment) as served:
        served.ready()
        answer = served.api.as_(None).ok("POST", "/devices/register", 201, json={
            "mac_address": random_mac(), "enrollment_token": stack.enrollment_token})
    assert (answer["mqtt_host"], answer["mqtt_port"]) == ("plants.example.org", 18883)
    assert answer["ca_certificate"].strip() == Path(stack.ca).read_text().strip()
    assert answer.keys() == {"device_id", "mqtt_username", "mqtt_password", "mqtt_client_id", "mqtt_host", "mqtt_port",
                             "ca_certificate"}


def test_a_private_key_that_lies_in_the_file_of_the_ca_is_not_handed_out(stack, tmp_path):
    key = subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
                         check=True, capture_output=True, text=True).stdout
    both = tmp_path / "ca-and-key.pem"
    both.write_text(f"{key}\nremarks\n{Path(stack.ca).read_text()}\n{key}")
    with stack.serve(MQTT_CLIENT_ID="key-beside-ca", MQTT_CA_CERT=str(both)) as served:
        served.ready()
        answer = served.api.as_(None).post("/devices/register", json={
            "mac_address": random_mac(), "enrollment_token": stack.enrollment_token})
    assert answer.status_code == 201 and "PRIVATE KEY" not in answer.text
    assert key.splitlines()[1] not in answer.text.replace("\\n", "\n")
    assert answer.json()["ca_certificate"].strip() == Path(stack.ca).read_text().strip()
