"""Enrollment by a member's word (ENROLLMENT_MODE=approval), and without any (open)."""

import pytest

from support.api import assert_problem
from support.device import REFUSED, Connection, Device, random_mac, reading
from support.stack import Stack
from support.waiting import wait_until


@pytest.fixture(scope="module")
def asking(stack):
    """The shared stack, asked through a further backend that lets nobody in by itself."""
    with stack.serve(ENROLLMENT_MODE="approval", MQTT_CLIENT_ID="approval") as served:
        served.ready()
        yield Behind(stack, served)


class Behind:
    """The same stack, asked through another backend."""

    def __init__(self, stack, served):
        self.stack, self.api, self.stranger = stack, served.api, served.api.as_(None)

    enrollment_token = None

    def __getattr__(self, name):
        return getattr(self.stack, name)


@pytest.fixture
def fresh_stack():
    """Of its own, and lets nobody in by itself."""
    stack = Stack(ENROLLMENT_MODE="approval")
    try:
        yield stack.up()
    finally:
        stack.destroy()


def approve(device):
    return device.stack.api.ok("POST", f"/devices/{device.id}/approve", 200)


def shown(device):
    return device.stack.api.ok("GET", f"/devices/{device.id}")


def lets_in(stack, registration):
    """Takes the place of a session the device has open."""
    name, password = registration["mqtt_username"], registration["mqtt_password"]
    with Connection(stack.mqtt_port, stack.ca, name, password, client_id=name) as probe:
        return probe.connect() < REFUSED


def approved(stack, **fields):
    """Connected."""
    device = Device(stack, **fields)
    approve(device)
    return device.connect()


# A new device.


def test_a_new_device_gets_credentials_that_the_broker_refuses_until_a_member_approves_it(asking):
    device = Device(asking, name="Shelf")
    assert device.registration.keys() >= {"device_id", "mqtt_username", "mqtt_password", "mqtt_host", "ca_certificate"}
    before = shown(device)
    assert (before["approved"], before["enabled"], before["status"]) == (False, True, "provisioning")
    assert device.id in [d["id"] for d in asking.api.ok("GET", "/devices?limit=500")["devices"]], "a member can see it"
    assert before["requested_from"] == "127.0.0.1" and before["requested_at"], "and from where it asked"
    assert not lets_in(asking, device.registration)
    after = approve(device)
    assert after == before | {"approved": True, "requested_from": None, "requested_at": None} == shown(device)
    with device:
        device.publish(reading())
        device.stored(1)
    assert approve(device)["approved"] is True, "saying it again changes nothing"
    assert lets_in(asking, device.registration)


def test_a_device_that_waits_and_registers_again_gets_in_with_its_newest_password_only(asking):
    device = Device(asking)
    old = device.registration
    new = device.register()
    assert new["device_id"] == old["device_id"] and new["mqtt_password"] != old["mqtt_password"]
    assert not lets_in(asking, old) and not lets_in(asking, new) and not shown(device)["approved"]
    approve(device)
    assert not lets_in(asking, old) and lets_in(asking, new)


def test_a_device_that_waits_hears_and_is_told_nothing(asking):
    device = Device(asking)
    assert_problem(asking.api.post(f"/devices/{device.id}/commands", json={"command": "identify"}), 409)
    assert asking.api.ok("GET", f"/devices/{device.id}/commands") == {"commands": [], "total": 0}
    approve(device)
    assert asking.api.post(f"/devices/{device.id}/commands", json={"command": "identify"}).status_code == 202


def test_rotating_disabling_and_enabling_do_not_let_a_device_in_that_waits(asking):
    device = Device(asking)
    answer = asking.api.post(f"/devices/{device.id}/rotate-credentials")
    assert answer.status_code in (200, 409)
    given = [device.registration] + ([answer.json()] if answer.status_code == 200 else [])
    for enabled in (False, True):
        asking.api.ok("PATCH", f"/devices/{device.id}", json={"enabled": enabled})
        assert not any(lets_in(asking, one) for one in given)
    assert shown(device)["approved"] is False
    approve(device)
    assert lets_in(asking, given[-1])


def test_approving_a_device_that_is_disabled_does_not_let_it_in(asking):
    device = Device(asking)
    asking.api.ok("PATCH", f"/devices/{device.id}", json={"enabled": False})
    assert approve(device)["status"] == "disabled"
    assert not lets_in(asking, device.registration)
    asking.api.ok("PATCH", f"/devices/{device.id}", json={"enabled": True})
    assert lets_in(asking, device.registration)


def test_a_device_that_waits_can_be_removed(asking):
    device = Device(asking)
    asking.api.ok("DELETE", f"/devices/{device.id}", 204)
    assert_problem(asking.api.post(f"/devices/{device.id}/approve"), 404)
    assert not lets_in(asking, device.registration)


def test_a_device_cannot_approve_itself(asking):
    device = Device(asking)
    assert_problem(asking.stranger.post(f"/devices/{device.id}/approve"), 401)
    assert_problem(asking.api.as_(asking.make_token("viewer")).post(f"/devices/{device.id}/approve"), 403)
    for field in ("approved", "enabled"):
        asking.stranger.post("/devices/register", json={"mac_address": device.mac, field: True})
    assert shown(device)["approved"] is False and not lets_in(asking, device.registration)


# A known device.


def test_a_known_device_keeps_its_session_until_its_new_credentials_are_approved(asking):
    device = approved(asking, name="Shelf")
    session, old = device.connection, device.registration
    device.barrier()
    new = device.register()
    assert new["device_id"] == old["device_id"] and new["mqtt_password"] != old["mqtt_password"]
    waiting = shown(device)
    assert (waiting["approved"], waiting["status"], waiting["name"]) == (False, "online", "Shelf")
    device.barrier()
    assert session.disconnects == []
    assert approve(device)["approved"] is True
    wait_until(lambda: session.disconnects, 10, "the old session ends")
    session.client.loop_stop()
    device.connect()
    device.barrier()
    device.close()


def test_a_known_device_keeps_its_password_until_its_new_one_is_approved(asking):
    device = Device(asking)
    approve(device)
    old, new = device.registration, device.register()
    assert not lets_in(asking, new) and lets_in(asking, old)
    approve(device)
    assert not lets_in(asking, old) and lets_in(asking, new)


def test_whoever_has_only_the_address_of_a_known_device_changes_nothing_it_shows(asking):
    device = approved(asking, reporting_interval_seconds=300)
    before = shown(device)
    answer = asking.stranger.post("/devices/register", json={
        "mac_address": device.mac, "firmware_version": "6.6.6", "reporting_interval_seconds": 86_400,
        "sensor_types": ["lies"], "name": "Mine"})
    assert answer.status_code == 201
    after = shown(device)
    assert {name for name in after if after[name] != before[name]} == {"approved", "requested_from", "requested_at"}
    device.barrier()
    assert device.connection.disconnects == []
    device.close()


def test_a_known_device_whose_new_credentials_wait_can_still_be_told_something(asking):
    device = approved(asking)
    assert device.connection.subscribe(f"devices/{device.id}/commands") < REFUSED
    asking.stranger.post("/devices/register", json={"mac_address": device.mac})
    answer = asking.api.post(f"/devices/{device.id}/commands", json={"command": "identify"})
    assert answer.status_code == 202, answer.text
    wait_until(lambda: device.connection.received, 10, "the command arrives")
    device.close()


def test_the_newest_of_several_requests_is_the_one_that_is_approved(asking):
    device = approved(asking)
    session, registrations = device.connection, [device.registration] + [device.register() for _ in range(3)]
    approve(device)
    wait_until(lambda: session.disconnects, 10, "the old session ends")
    device.close()
    assert [lets_in(asking, one) for one in registrations] == [False, False, False, True]


# Turned away.


def test_a_member_turns_new_credentials_of_a_known_device_away_and_the_old_ones_stay(asking):
    device = approved(asking)
    device.barrier()
    session, old = device.connection, device.registration
    new = device.register()
    asking.api.ok("POST", f"/devices/{device.id}/reject", 204)
    assert shown(device)["approved"] is True
    assert_problem(asking.api.post(f"/devices/{device.id}/reject"), 409)
    approve(device)
    session.publish(device.topic, reading())
    assert session.disconnects == []
    device.close()
    assert not lets_in(asking, new) and lets_in(asking, old)


def test_a_new_device_that_is_turned_away_is_forgotten(asking):
    device = Device(asking)
    for other, status in ((asking.stranger, 401), (asking.api.as_(asking.make_token("viewer")), 403)):
        assert_problem(other.post(f"/devices/{device.id}/reject"), status)
    asking.api.ok("POST", f"/devices/{device.id}/reject", 204)
    assert_problem(asking.api.get(f"/devices/{device.id}"), 404)
    assert not lets_in(asking, device.registration)
    old = device.id
    assert device.register()["device_id"] != old
    approve(device)
    assert lets_in(asking, device.registration)


@pytest.mark.parametrize("known", [False, True])
def test_a_request_from_elsewhere_does_not_take_the_place_of_one_that_waits(asking, known):
    device = Device(asking)
    if known:
        approve(device)
        device.register()
    elsewhere = asking.stranger.post(
        "/devices/register", json={"mac_address": device.mac}, headers={"X-Forwarded-For": "198.51.100.7"})
    assert_problem(elsewhere, 409)
    approve(device)
    assert lets_in(asking, device.registration), "what was approved is what the device asked for"


# What outlives what.


def test_what_was_approved_and_what_waits_survive_restarts_of_backend_and_broker(fresh_stack):
    inside, waiting, renewing = (Device(fresh_stack) for _ in range(3))
    approve(inside)
    approve(renewing)
    old, new = renewing.registration, renewing.register()
    for name in ("backend", "mosquitto", "backend"):
        fresh_stack.restart(name)
        fresh_stack.ready()
        assert [shown(device)["approved"] for device in (inside, waiting, renewing)] == [True, False, False]
        assert lets_in(fresh_stack, inside.registration) and not lets_in(fresh_stack, waiting.registration)
        assert lets_in(fresh_stack, old) and not lets_in(fresh_stack, new)
    approve(waiting)
    approve(renewing)
    fresh_stack.restart("backend")
    fresh_stack.restart("mosquitto")
    fresh_stack.ready()
    assert lets_in(fresh_stack, inside.registration) and lets_in(fresh_stack, waiting.registration)
    assert not lets_in(fresh_stack, old) and lets_in(fresh_stack, new)


def test_a_new_device_is_told_503_while_the_broker_is_away_and_a_known_one_waits_for_approval(fresh_stack):
    known = Device(fresh_stack)
    approve(known)
    fresh_stack.stop("mosquitto")
    wait_until(lambda: fresh_stack.api.get("/ready").status_code == 503, 15, "/api/ready says 503")
    assert_problem(fresh_stack.stranger.post("/devices/register", json={"mac_address": random_mac()}), 503)
    assert fresh_stack.api.ok("GET", "/devices")["total"] == 1
    answer = fresh_stack.stranger.post("/devices/register", json={"mac_address": known.mac})
    assert answer.status_code in (201, 503)
    fresh_stack.start("mosquitto")
    fresh_stack.ready()
    assert lets_in(fresh_stack, known.registration)


# Open.


def test_where_everybody_is_let_in_a_device_needs_nothing_and_a_known_one_gets_new_credentials(stack):
    with stack.serve(ENROLLMENT_MODE="open", MQTT_CLIENT_ID="open") as served:
        served.ready()
        open_stack = Behind(stack, served)
        device = Device(open_stack)
        assert shown(device)["approved"] is True
        with device:
            device.publish(reading())
            device.stored(1)
            old, session = device.registration, device.connection
            device.register()
            wait_until(lambda: session.disconnects, 10, "the old session ends")
        assert not lets_in(stack, old) and lets_in(stack, device.registration)
        assert "ENROLLMENT_MODE is open" in served.output(), "and it is said at start"


def test_a_token_lets_a_device_in_that_waits_for_approval(stack, asking):
    waiting = Device(asking)
    answer = stack.stranger.ok("POST", "/devices/register", 201, json={
        "mac_address": waiting.mac, "enrollment_token": stack.enrollment_token})
    assert shown(waiting)["approved"] is True and lets_in(stack, answer)
