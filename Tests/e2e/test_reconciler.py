"""The database says who may come in, and the broker is brought to agree, whatever happened to either meanwhile."""

import json
import os
import shutil
import signal
import threading
import time
import uuid
from pathlib import Path

import pytest
import requests

from support.api import assert_problem
from support.device import REFUSED, Connection, Device, backend_connection, random_mac, reading
from support.waiting import wait_until

CONTROL = "$CONTROL/dynamic-security/v1"
SOON = 30


def lets_in(stack, registration):
    """Takes the place of a session the device has open."""
    name, password = registration["mqtt_username"], registration["mqtt_password"]
    with Connection(stack.mqtt_port, stack.ca, name, password, client_id=name) as probe:
        return probe.connect() < REFUSED


def soon(condition, what):
    return wait_until(condition, SOON, what, every=0.2)


def shown(device):
    return device.stack.api.ok("GET", f"/devices/{device.id}")


def works(device):
    with device:
        device.publish(reading())
        device.stored(1)


def without_broker(stack):
    stack.stop("mosquitto")
    wait_until(lambda: stack.api.get("/ready").status_code == 503, 15, "/api/ready says 503")


def control(stack, *commands):
    """What the broker's account plugin answers to somebody with the backend's password."""
    mark = str(uuid.uuid4())
    with backend_connection(stack, client_id=f"by-hand-{mark}") as connection:
        assert connection.connect() == 0
        assert connection.subscribe(f"{CONTROL}/response") < REFUSED
        connection.publish(CONTROL, {"commands": [{**command, "correlationData": mark} for command in commands]})

        def answer():
            for message in connection.received:
                responses = json.loads(message.payload)["responses"]
                if responses[0].get("correlationData") == mark:
                    return responses

        responses = wait_until(answer, 10, "the broker answers", every=0.02)
    assert not [response["error"] for response in responses if "error" in response], responses
    return responses


def accounts(stack):
    (answer,) = control(stack, {"command": "listClients", "count": -1, "offset": 0})
    return set(answer["data"]["clients"])


# Changed while the broker was away.


def test_a_device_deleted_while_the_broker_was_away_is_refused_soon_after_it_is_back(fresh_stack):
    device, other = Device(fresh_stack), Device(fresh_stack)
    without_broker(fresh_stack)
    fresh_stack.api.ok("DELETE", f"/devices/{device.id}", 204, timeout=4)
    assert_problem(fresh_stack.api.get(f"/devices/{device.id}"), 404)
    fresh_stack.start("mosquitto")
    soon(lambda: not lets_in(fresh_stack, device.registration), "the deleted device is refused")
    assert accounts(fresh_stack) == {"backend", other.id}
    works(other)


def test_a_session_that_comes_back_before_the_broker_is_told_of_the_deletion_is_ended(fresh_stack):
    with Device(fresh_stack) as device:
        fresh_stack.stop("backend")
        fresh_stack.sql(f"DELETE FROM devices WHERE id = '{device.id}'")  # As by a backend without a broker.
        device.publish(reading())
        fresh_stack.start("backend")
        soon(lambda: device.connection.disconnects, "its session ends")
    assert not lets_in(fresh_stack, device.registration)


def test_devices_approved_disabled_and_enabled_while_the_broker_was_away_are_so_soon_after_it_is_back(fresh_stack):
    disabled, enabled = Device(fresh_stack), Device(fresh_stack)
    fresh_stack.api.ok("PATCH", f"/devices/{enabled.id}", json={"enabled": False})
    with fresh_stack.serve(ENROLLMENT_MODE="approval", MQTT_CLIENT_ID="approval") as served:
        served.ready()
        body = {"mac_address": random_mac()}
        approved = served.api.as_(None).ok("POST", "/devices/register", 201, json=body)
        renewing = Device(fresh_stack)
        renewed = served.api.as_(None).ok("POST", "/devices/register", 201, json={"mac_address": renewing.mac})
    assert not lets_in(fresh_stack, enabled.registration) and not lets_in(fresh_stack, approved)
    without_broker(fresh_stack)
    for id in (approved["device_id"], renewing.id):
        assert fresh_stack.api.ok("POST", f"/devices/{id}/approve", 200, timeout=4)["approved"] is True
    for device, value in ((disabled, False), (enabled, True)):
        fresh_stack.api.ok("PATCH", f"/devices/{device.id}", 200, json={"enabled": value}, timeout=4)
    assert shown(disabled)["status"] == "disabled"
    fresh_stack.start("mosquitto")
    soon(lambda: lets_in(fresh_stack, approved), "the approved device gets in")
    soon(lambda: lets_in(fresh_stack, renewed), "new credentials that were approved get in")
    soon(lambda: lets_in(fresh_stack, enabled.registration), "the enabled device gets in")
    soon(lambda: not lets_in(fresh_stack, disabled.registration), "the disabled device is refused")
    soon(lambda: not lets_in(fresh_stack, renewing.registration), "the old credentials are refused")


def test_while_the_broker_is_away_nobody_registers_and_no_credentials_change(fresh_stack):
    device = Device(fresh_stack)
    without_broker(fresh_stack)
    before = fresh_stack.api.ok("GET", "/devices")
    assert_problem(fresh_stack.api.post(f"/devices/{device.id}/rotate-credentials"), 503)
    answer = fresh_stack.stranger.post("/devices/register", json={
        "mac_address": random_mac(), "enrollment_token": fresh_stack.enrollment_token})
    assert_problem(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    assert fresh_stack.api.ok("GET", "/devices") == before
    fresh_stack.start("mosquitto")
    fresh_stack.ready()
    works(device)
    soon(lambda: accounts(fresh_stack) == {"backend", device.id}, "the broker knows nobody else")


# The broker lost what it knew.


@pytest.mark.parametrize("lost", ["accounts", "everything"])
def test_a_broker_that_lost_its_state_lets_every_device_in_again_with_its_old_password(fresh_stack, lost):
    devices = [Device(fresh_stack) for _ in range(5)]
    disabled, deleted = devices.pop(), devices.pop()
    fresh_stack.api.ok("PATCH", f"/devices/{disabled.id}", json={"enabled": False})
    fresh_stack.api.ok("DELETE", f"/devices/{deleted.id}", 204)
    fresh_stack.stop("mosquitto")
    folder = Path((fresh_stack.home / "service-home").read_text().strip()) / "mosquitto"
    if lost == "accounts":
        (folder / "dynamic-security.json").unlink()
    else:
        shutil.rmtree(folder)
    fresh_stack.start("mosquitto")
    for device in devices:
        soon(lambda device=device: lets_in(fresh_stack, device.registration), "a registered device gets in")
    fresh_stack.ready()
    for device in devices:
        works(device)
        assert shown(device)["needs_enrollment"] is False
    assert not lets_in(fresh_stack, disabled.registration) and not lets_in(fresh_stack, deleted.registration)
    assert accounts(fresh_stack) == {"backend", disabled.id, *(device.id for device in devices)}


def test_an_entry_that_was_deleted_by_hand_is_made_again_when_the_backend_starts(fresh_stack):
    device, other = Device(fresh_stack), Device(fresh_stack)
    control(fresh_stack, {"command": "deleteClient", "username": device.id},
            {"command": "deleteRole", "rolename": f"device-{device.id}"})
    assert not lets_in(fresh_stack, device.registration)
    with other:
        fresh_stack.restart("backend")
        soon(lambda: lets_in(fresh_stack, device.registration), "it gets in again")
        works(device)
        other.barrier()
        assert other.connection.disconnects == [], "whose entry is right is left alone"


@pytest.mark.parametrize("service", ["backend", "mosquitto"])
def test_accounts_that_were_changed_by_hand_become_as_the_database_says(fresh_stack, service):
    disabled, enabled = Device(fresh_stack), Device(fresh_stack)
    fresh_stack.api.ok("PATCH", f"/devices/{disabled.id}", json={"enabled": False})
    control(fresh_stack, {"command": "enableClient", "username": disabled.id},
            {"command": "disableClient", "username": enabled.id})
    assert lets_in(fresh_stack, disabled.registration) and not lets_in(fresh_stack, enabled.registration)
    fresh_stack.restart(service)
    soon(lambda: not lets_in(fresh_stack, disabled.registration), "the disabled device is refused")
    soon(lambda: lets_in(fresh_stack, enabled.registration), "the other gets in")


def marker(device):
    """By which a backend knows an account as one it has made."""
    (answer,) = control(device.stack, {"command": "getClient", "username": device.id})
    return answer["data"]["client"]["textdescription"]


@pytest.mark.parametrize("service", ["backend", "mosquitto"])
def test_an_account_of_ours_that_nobody_registered_is_removed_and_those_of_others_stay(fresh_stack, service):
    device = Device(fresh_stack)
    ours = marker(device)
    stray, operator, other = (
        {"mqtt_username": name, "mqtt_password": "made by hand", "textdescription": text}
        for name, text in ((str(uuid.uuid4()), ours), ("operator", ours), (str(uuid.uuid4()), "of another system")))
    control(fresh_stack, *({"command": "createClient", "username": one["mqtt_username"], "password": "made by hand",
                            "textdescription": one["textdescription"]} for one in (stray, operator, other)))
    assert all(lets_in(fresh_stack, one) for one in (stray, operator, other))
    fresh_stack.restart(service)
    soon(lambda: not lets_in(fresh_stack, stray), "the account nobody registered is refused")
    assert lets_in(fresh_stack, operator) and lets_in(fresh_stack, other)
    fresh_stack.ready()
    works(device)
    assert accounts(fresh_stack) == {"backend", "operator", other["mqtt_username"], device.id}


def test_a_thousand_accounts_nobody_registered_are_removed(fresh_stack):
    device = Device(fresh_stack)
    strays = {str(uuid.uuid4()) for _ in range(1000)}
    ours = marker(device)
    control(fresh_stack, *(
        {"command": "createClient", "username": name, "textdescription": ours} for name in strays))
    assert len(accounts(fresh_stack)) == 1002
    fresh_stack.restart("backend")
    only = {"backend", device.id}
    wait_until(lambda: accounts(fresh_stack) == only, 120, "only the registered device is left", every=1)
    works(device)


# The backend was interrupted.


def test_after_kill_9_in_the_middle_of_registrations_everybody_who_was_given_a_password_can_use_it(fresh_stack):
    given, stopping = {}, threading.Event()
    token = fresh_stack.enrollment_token

    def register():
        while not stopping.is_set():
            mac = random_mac()
            try:
                answer = fresh_stack.stranger.post(
                    "/devices/register", json={"mac_address": mac, "enrollment_token": token}, timeout=5)
            except requests.RequestException:
                time.sleep(0.02)  # Nobody is there to ask.
                continue
            if answer.status_code == 201:
                given[mac] = answer.json()

    threads = [threading.Thread(target=register, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        before = len(given)
        wait_until(lambda: len(given) >= before + 20, 30, "20 further devices are registered", every=0.01)
        fresh_stack.kill("backend", signal.SIGKILL)
        fresh_stack.start("backend")
    stopping.set()
    for thread in threads:
        thread.join(10)
    fresh_stack.ready()
    listed, total = [], None
    while total is None or len(listed) < total:
        page = fresh_stack.api.ok("GET", f"/devices?limit=500&offset={len(listed)}")
        listed, total = listed + page["devices"], page["total"]
    known = {device["mac_address"]: device["id"] for device in listed}
    assert {mac: one["device_id"] for mac, one in given.items()}.items() <= known.items(), "whoever got a 201 is listed"
    refused = [one["device_id"] for one in given.values() if not lets_in(fresh_stack, one)]
    assert refused == []
    rows = {row["id"] for row in fresh_stack.rows("SELECT id FROM devices")}
    soon(lambda: accounts(fresh_stack) - {"backend"} <= rows, "every device of the broker is in the database")
    assert set(known.values()) <= accounts(fresh_stack)


def hold_back_acceptance(stack):
    """New credentials take for ever to become a device's, once the broker knows them."""
    stack.sql("""
        CREATE FUNCTION hold_back() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$;
        CREATE TRIGGER hold_back BEFORE UPDATE ON devices FOR EACH ROW
            WHEN (NEW.credentials_id IS DISTINCT FROM OLD.credentials_id) EXECUTE FUNCTION hold_back()""")


def let_go(stack):
    stack.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
               "WHERE wait_event = 'PgSleep' AND pid <> pg_backend_pid()")
    stack.sql("DROP TRIGGER hold_back ON devices; DROP FUNCTION hold_back()")


def test_when_the_backend_is_killed_between_broker_and_database_the_old_password_works_again(fresh_stack):
    device = Device(fresh_stack)
    hold_back_acceptance(fresh_stack)
    rotating = threading.Thread(target=lambda: pytest.raises(
        requests.RequestException, fresh_stack.api.post, f"/devices/{device.id}/rotate-credentials"), daemon=True)
    rotating.start()
    wait_until(lambda: not lets_in(fresh_stack, device.registration), 10, "the broker knows the new password")
    fresh_stack.kill("backend", signal.SIGKILL)
    let_go(fresh_stack)
    fresh_stack.start("backend")
    wait_until(lambda: lets_in(fresh_stack, device.registration), 60, "the old password works again", every=0.5)
    works(device)


def test_a_new_device_whose_registration_was_cut_off_can_register_again_with_the_same_single_use_token(fresh_stack):
    token = fresh_stack.api.ok("POST", "/enrollment-tokens", 201, json={"label": "once"})["token"]
    body = {"mac_address": random_mac(), "enrollment_token": token}
    hold_back_acceptance(fresh_stack)
    asking = threading.Thread(target=lambda: pytest.raises(
        requests.RequestException, fresh_stack.stranger.post, "/devices/register", json=body), daemon=True)
    asking.start()
    wait_until(lambda: len(accounts(fresh_stack)) == 2, 10, "the broker knows the device")
    fresh_stack.kill("backend", signal.SIGKILL)
    let_go(fresh_stack)
    fresh_stack.start("backend")
    assert fresh_stack.api.ok("GET", "/devices") == {"devices": [], "total": 0}, "it was not let in"
    registration = fresh_stack.stranger.ok("POST", "/devices/register", 201, json=body)
    assert lets_in(fresh_stack, registration)
    assert_problem(fresh_stack.stranger.post("/devices/register", json={**body, "mac_address": random_mac()}), 403)


def test_when_the_broker_falls_silent_in_the_middle_of_a_rotation_the_old_password_works_again(fresh_stack):
    device = Device(fresh_stack)
    os.kill(fresh_stack.pid("mosquitto"), signal.SIGSTOP)
    try:
        assert_problem(fresh_stack.api.post(f"/devices/{device.id}/rotate-credentials"), 503)
    finally:
        os.kill(fresh_stack.pid("mosquitto"), signal.SIGCONT)  # Now it carries out what it was told.
    fresh_stack.ready()
    wait_until(lambda: lets_in(fresh_stack, device.registration), 60, "the old password works again", every=0.5)
    works(device)


# What stays.


def test_credentials_survive_restarts_of_everything(fresh_stack):
    devices = [Device(fresh_stack) for _ in range(3)]
    for names in (["mosquitto"], ["backend"], ["postgres"], ["backend", "mosquitto", "postgres"]):
        for name in names:
            fresh_stack.stop(name)
        for name in reversed(names):
            fresh_stack.start(name)
        fresh_stack.ready()
        assert all(lets_in(fresh_stack, device.registration) for device in devices)
    for device in devices:
        works(device)


def test_a_device_whose_password_cannot_be_read_any_more_is_shown_and_helped_by_enrolling_again(fresh_stack):
    device, other = Device(fresh_stack), Device(fresh_stack)
    fresh_stack.stop("backend")
    control(fresh_stack, {"command": "deleteClient", "username": device.id},
            {"command": "deleteRole", "rolename": f"device-{device.id}"})
    fresh_stack.sql(f"UPDATE devices SET mqtt_password = decode('00112233', 'hex') WHERE id = '{device.id}'")
    fresh_stack.start("backend")
    soon(lambda: shown(device)["needs_enrollment"], "it is shown")
    assert shown(other)["needs_enrollment"] is False and lets_in(fresh_stack, other.registration)
    assert not lets_in(fresh_stack, device.registration)
    device.register()
    assert shown(device)["needs_enrollment"] is False
    works(device)


def test_two_backends_at_one_broker_agree(fresh_stack):
    with fresh_stack.serve(MQTT_CLIENT_ID="the-other") as served:
        served.ready()
        devices = [Device(fresh_stack) for _ in range(3)]
        served.api.ok("PATCH", f"/devices/{devices[0].id}", json={"enabled": False})
        served.api.ok("DELETE", f"/devices/{devices[1].id}", 204)
        fresh_stack.restart("mosquitto")
        fresh_stack.ready()
        served.ready()
        soon(lambda: accounts(fresh_stack) == {"backend", devices[0].id, devices[2].id}, "the broker agrees")
        assert [lets_in(fresh_stack, device.registration) for device in devices] == [False, False, True]
        assert fresh_stack.log("backend").count("corrected the broker") == 0, "there was nothing to correct"


def test_the_reconciler_writes_no_password_into_a_log(fresh_stack):
    device = Device(fresh_stack)
    control(fresh_stack, {"command": "deleteClient", "username": device.id})
    fresh_stack.restart("backend")
    soon(lambda: lets_in(fresh_stack, device.registration), "it gets in again")
    for log in ("backend", "mosquitto", "postgres"):
        assert device.registration["mqtt_password"] not in fresh_stack.log(log)
    assert device.registration["mqtt_password"] not in (fresh_stack.home / "script.log").read_text()
