"""A device's life after it was let in: shut out and let in again, new credentials, heard of and silent."""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.api import assert_problem
from support.device import REFUSED, Connection, Device, random_mac, reading
from support.times import now_us, rfc3339
from support.waiting import wait_until

MINUTE = 60_000_000
NOBODY = "01890000-0000-7000-8000-000000000000"


def lets_in(stack, registration):
    """Takes the place of a session the device has open."""
    name, password = registration["mqtt_username"], registration["mqtt_password"]
    with Connection(stack.mqtt_port, stack.ca, name, password, client_id=name) as probe:
        return probe.connect() < REFUSED


def shown(device):
    return device.stack.api.ok("GET", f"/devices/{device.id}")


def status(device):
    return shown(device)["status"]


def becomes(device, wanted):
    wait_until(lambda: status(device) == wanted, 10, f"the device is {wanted}")


def enable(device, enabled):
    return device.stack.api.ok("PATCH", f"/devices/{device.id}", 200, json={"enabled": enabled})


def ended(connection):
    wait_until(lambda: connection.disconnects, 10, "the session ends")


def rotate(stack, device_id):
    return stack.api.post(f"/devices/{device_id}/rotate-credentials")


# Shut out and let in again.


def test_disabling_a_device_shuts_it_out_at_once_and_enabling_lets_the_same_password_in(stack, device):
    device.barrier()
    session = device.connection
    assert enable(device, False)["status"] == "disabled"
    ended(session)
    session.client.loop_stop()
    assert not lets_in(stack, device.registration)
    again = enable(device, False)
    assert (again["enabled"], again["status"]) == (False, "disabled")
    assert enable(device, True)["enabled"] is True
    assert lets_in(stack, device.registration)
    device.connect()
    device.barrier()
    assert status(device) == "online"


def test_enabling_a_device_that_is_enabled_does_not_disturb_it(device):
    enable(device, True)
    device.barrier()
    assert device.connection.disconnects == []


def test_disabling_leaves_name_plant_and_history_alone(stack, planted):
    planted.publish(reading(soil_moisture=47))
    planted.stored(1)
    before = shown(planted)
    assert enable(planted, False) | {"enabled": True, "status": "online"} == before
    assert stack.api.ok("GET", f"/devices/{planted.id}/telemetry/latest")["soil_moisture"] == 47


def test_a_device_never_heard_of_is_disabled_all_the_same(stack):
    device = Device(stack)
    assert status(device) == "provisioning"
    assert enable(device, False)["status"] == "disabled"
    assert enable(device, True)["status"] == "provisioning"


@pytest.mark.parametrize("value", [None, "false", 0, []])
def test_enabled_is_true_or_false(stack, value):
    device = Device(stack)
    problem = assert_problem(stack.api.patch(f"/devices/{device.id}", json={"enabled": value}), 422)
    assert [error["pointer"] for error in problem["errors"]] == ["/enabled"]
    assert shown(device)["enabled"] is True


def test_a_device_that_is_disabled_while_it_registers_stays_outside(stack):
    for _ in range(10):
        device = Device(stack)
        body = {"mac_address": device.mac, "enrollment_token": stack.enrollment_token}
        with ThreadPoolExecutor(2) as pool:
            registering = pool.submit(stack.stranger.post, "/devices/register", json=body)
            disabling = pool.submit(enable, device, False)
            answer, _ = registering.result(), disabling.result()
        assert answer.status_code in (201, 403, 409)
        assert status(device) == "disabled"
        given = [device.registration] + ([answer.json()] if answer.status_code == 201 else [])
        wait_until(lambda: not any(lets_in(stack, one) for one in given), 10, "the broker refuses it")


# New credentials.


def test_rotating_credentials_ends_the_session_and_the_old_password_at_once(stack, planted):
    planted.barrier()
    old, session, before = planted.registration, planted.connection, shown(planted)
    new = stack.api.ok("POST", f"/devices/{planted.id}/rotate-credentials", 200)
    assert new.keys() == old.keys()
    assert {name for name in new if new[name] != old[name]} == {"mqtt_password", "mqtt_client_id"}
    ended(session)
    session.client.loop_stop()
    assert not lets_in(stack, old) and lets_in(stack, new)
    assert shown(planted) == before
    planted.registration = new
    planted.connect()
    planted.barrier()
    assert new["mqtt_password"] not in stack.log("backend")


def test_of_credentials_rotated_five_times_at_once_just_one_password_works(stack):
    for _ in range(5):
        device = Device(stack)
        with ThreadPoolExecutor(5) as pool:
            answers = list(pool.map(lambda _: rotate(stack, device.id), range(5)))
        assert {answer.status_code for answer in answers} <= {200, 409}
        given = [answer.json() for answer in answers if answer.status_code == 200]
        assert given and not lets_in(stack, device.registration)
        for answer in answers:
            if answer.status_code == 409:
                assert_problem(answer, 409)
        wait_until(lambda: sum(lets_in(stack, one) for one in given) == 1, 10, "just one of the passwords works")


def test_rotating_and_registering_at_the_same_time_leave_one_password_that_works(stack):
    for _ in range(5):
        device = Device(stack)
        body = {"mac_address": device.mac, "enrollment_token": stack.enrollment_token}
        with ThreadPoolExecutor(4) as pool:
            work = [pool.submit(rotate, stack, device.id) for _ in range(2)]
            work += [pool.submit(stack.stranger.post, "/devices/register", json=body) for _ in range(2)]
            answers = [one.result() for one in work]
        assert {answer.status_code for answer in answers} <= {200, 201, 409}
        given = [answer.json() for answer in answers if answer.status_code < 300]
        assert not lets_in(stack, device.registration)
        wait_until(lambda: sum(lets_in(stack, one) for one in given) == 1, 10, "just one of the passwords works")


def test_rotating_the_credentials_of_a_disabled_device_does_not_let_it_in(stack):
    device = Device(stack)
    enable(device, False)
    answer = rotate(stack, device.id)
    assert answer.status_code in (200, 409)
    assert status(device) == "disabled"
    assert not lets_in(stack, device.registration)
    if answer.status_code == 200:
        assert not lets_in(stack, answer.json())
        enable(device, True)
        assert lets_in(stack, answer.json())


def test_deleting_a_device_ends_its_session_and_its_will_does_no_harm(stack):
    device = Device(stack)
    connection = device.open()
    connection.client.will_set(f"devices/{device.id}/status", "offline", qos=1, retain=True)
    with connection:
        assert connection.connect() == 0
        stack.api.ok("DELETE", f"/devices/{device.id}", 204)
        ended(connection)
    assert not lets_in(stack, device.registration)
    assert stack.api.get(f"/devices/{device.id}").status_code == 404
    assert stack.api.delete(f"/devices/{device.id}").status_code == 404
    with Device(stack) as other:
        other.barrier()
    assert stack.api.get("/ready").status_code == 200


CHANGES = [("PATCH", "", {"enabled": False}), ("DELETE", "", None), ("POST", "/provision", {"plant_id": NOBODY}),
           ("POST", "/unassign", None), ("POST", "/approve", None), ("POST", "/rotate-credentials", None),
           ("POST", "/commands", {"command": "reboot"})]


def test_a_viewer_and_a_stranger_change_nothing_about_a_device(stack, device):
    before = shown(device)
    viewer = stack.api.as_(stack.make_token("viewer"))
    for method, path, body in CHANGES:
        assert_problem(viewer.request(method, f"/devices/{device.id}{path}", json=body), 403)
        refused = stack.stranger.request(method, f"/devices/{device.id}{path}", json=body)
        assert_problem(refused, 401)
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    for path in ("", f"/{device.id}", f"/{device.id}/commands", f"/{device.id}/telemetry/latest"):
        assert_problem(stack.stranger.get(f"/devices{path}"), 401)
    assert viewer.ok("GET", f"/devices/{device.id}") == before == shown(device)
    device.barrier()
    assert device.connection.disconnects == []


@pytest.mark.parametrize("method, path, body", CHANGES)
def test_what_is_done_to_a_device_that_does_not_exist_is_404(stack, method, path, body):
    assert_problem(stack.api.request(method, f"/devices/{NOBODY}{path}", json=body), 404)
    assert_problem(stack.api.request(method, f"/devices/nonsense{path}", json=body), 404)


# Heard of and silent.


@pytest.mark.parametrize("topic, payload", [("telemetry", {"soil_moisture": 40}), ("heartbeat", b""),
                                            ("heartbeat", {"uptime": 5}), ("status", "online")])
def test_a_device_is_provisioning_until_it_is_first_heard_of_and_then_online(device, topic, payload):
    assert (status(device), shown(device)["last_seen_at"]) == ("provisioning", None)
    device.publish(payload, topic=topic)
    becomes(device, "online")
    assert shown(device)["last_seen_at"] is not None


def vanish(connection):
    """As when its battery ends: the connection breaks without a DISCONNECT."""
    connection.client.loop_stop()
    connection.client.socket().close()


def with_will(device):
    connection = device.open()
    connection.client.will_set(f"devices/{device.id}/status", "offline", qos=1, retain=True)
    assert connection.connect() == 0
    device.connection = connection
    return connection


@pytest.mark.parametrize("topic, payload", [("telemetry", {"soil_moisture": 40}), ("heartbeat", b""),
                                            ("status", "online")])
def test_a_device_that_vanishes_is_offline_by_its_last_will_and_online_again_when_it_is_heard_of(stack, topic, payload):
    device = Device(stack)
    connection = with_will(device)
    device.barrier()
    assert status(device) == "online"
    seen = shown(device)["last_seen_at"]
    vanish(connection)
    becomes(device, "offline")
    assert shown(device)["last_seen_at"] == seen, "the will is the broker's word, not the device's"
    with device:
        device.publish(payload, topic=topic)
        becomes(device, "online")


def test_a_device_that_comes_back_before_its_old_connection_is_noticed_ends_up_online(stack):
    device = Device(stack)
    old = with_will(device)
    device.barrier()
    old.client.loop_stop()  # It says nothing more, but the broker does not know.
    with device:  # The same client id: the broker ends the old session, and publishes its will.
        device.barrier()
        assert status(device) == "online"
    old.client.socket().close()


def test_a_device_that_says_goodbye_is_offline(device):
    device.barrier()
    device.publish("offline", topic="status", retain=True)
    becomes(device, "offline")


def silent_for(device, seconds):
    device.stack.sql(f"UPDATE device_state SET last_seen_at = now() - make_interval(secs => {seconds}) "
                      f"WHERE device_id = '{device.id}'")


@pytest.mark.parametrize("declared, online, offline", [(300, 880, 920), (10, 160, 200), (None, 160, 200)],
                         ids=["declared", "never-less-than-three-minutes", "default"])
def test_a_device_is_offline_after_three_times_its_interval(stack, declared, online, offline):
    with Device(stack, reporting_interval_seconds=declared) as device:
        device.publish({"soil_moisture": 40})
        device.stored(1)
        assert shown(device)["expected_interval_seconds"] == (declared or 60)
        silent_for(device, online)
        assert status(device) == "online"
        silent_for(device, offline)
        assert status(device) == "offline"
        device.publish({"soil_moisture": 40})
        becomes(device, "online")


def test_the_deadline_of_a_silent_device_survives_a_restart_of_the_backend(fresh_stack):
    silent, punctual = (Device(fresh_stack, reporting_interval_seconds=n) for n in (100, 1000))
    for device in (silent, punctual):
        with device:
            device.publish({"soil_moisture": 40})
            device.stored(1)
        silent_for(device, 350)
    seen = shown(silent)["last_seen_at"]
    for number in (signal.SIGTERM, signal.SIGKILL):
        fresh_stack.kill("backend", number)
        fresh_stack.start("backend")
        fresh_stack.ready()
        assert (status(silent), status(punctual)) == ("offline", "online")
    assert shown(silent)["last_seen_at"] == seen


@pytest.mark.parametrize("together", [False, True], ids=["one-by-one", "in-one-message"])
def test_a_device_that_declared_no_interval_is_expected_as_often_as_it_has_been_sending(stack, together):
    with Device(stack) as device:
        start = now_us() - 100 * MINUTE
        readings = [reading(start + n * 10 * MINUTE) for n in range(10)]
        for message in [readings] if together else readings:
            device.publish(message)
        device.stored(10)
        assert shown(device)["expected_interval_seconds"] == pytest.approx(600, rel=0.05)
        assert shown(device)["reporting_interval_seconds"] is None
        silent_for(device, 20 * 60)
        assert status(device) == "online"
        silent_for(device, 32 * 60)
        assert status(device) == "offline"


def test_readings_that_come_late_or_twice_teach_no_other_interval(stack):
    with Device(stack) as device:
        start = now_us() - 200 * MINUTE
        readings = [reading(start + n * 10 * MINUTE) for n in range(10)]
        device.publish(readings)
        device.publish(readings)
        for late in range(5):
            device.publish(reading(start + late * MINUTE + 1))
        device.stored(15)
        assert shown(device)["expected_interval_seconds"] == pytest.approx(600, rel=0.05)


def test_an_interval_that_was_declared_wins_over_what_was_learned(stack):
    with Device(stack, reporting_interval_seconds=60) as device:
        start = now_us() - 100 * MINUTE
        device.publish([reading(start + n * 10 * MINUTE) for n in range(10)])
        device.stored(10)
        silent_for(device, 20 * 60)
        assert (status(device), shown(device)["expected_interval_seconds"]) == ("offline", 60)
        stack.api.ok("PATCH", f"/devices/{device.id}", json={"reporting_interval_seconds": None})
        assert (status(device), shown(device)["expected_interval_seconds"]) == ("online", pytest.approx(600, rel=0.05))


def test_what_a_heartbeat_says_of_the_device_is_kept(stack, device):
    device.publish({"uptime": 86_400, "rssi": -71, "battery": 83.5, "free_heap": 123_456, "firmware_version": "2.1.0"},
                   topic="heartbeat")
    becomes(device, "online")
    wanted = {"uptime_seconds": 86_400, "rssi": -71, "battery": 83.5, "free_heap_bytes": 123_456,
              "firmware_version": "2.1.0"}
    assert {name: shown(device)[name] for name in wanted} == wanted
    device.barrier()
    device.publish({"uptime": 86_460, "battery": 83}, topic="heartbeat")
    device.barrier()
    wanted |= {"uptime_seconds": 86_460, "battery": 83}
    assert {name: shown(device)[name] for name in wanted} == wanted, "what is not said stays"
    device.publish(reading(battery=82, rssi=-60))
    device.barrier()
    assert (shown(device)["battery"], shown(device)["rssi"]) == (82, -60), "a reading may say it, too"


@pytest.mark.parametrize("payload", [{"battery": 101}, {"rssi": 5}, {"uptime": -1}, {"free_heap": -5}, b"{", b"\xff"])
def test_a_heartbeat_that_cannot_be_leaves_what_was_known(stack, device, payload):
    device.publish({"uptime": 60, "rssi": -50, "battery": 90, "free_heap": 1000}, topic="heartbeat")
    device.publish(payload, topic="heartbeat")
    device.barrier()
    known = shown(device)
    assert (known["uptime_seconds"], known["rssi"], known["battery"], known["free_heap_bytes"]) == (60, -50, 90, 1000)
    assert len(stack.dead_letters(device.id)) == 1


def test_the_silence_of_a_device_is_noticed_once_and_forgotten_when_it_is_heard_of(stack):
    with Device(stack, reporting_interval_seconds=60, mac=random_mac()) as device:
        device.barrier()
        silent_for(device, 200)
        since = f"SELECT offline_since FROM device_state WHERE device_id = '{device.id}'"
        first = wait_until(lambda: stack.value(since), 100, "the silence is noticed", every=0.5)
        noticed = [line for line in stack.log("backend").splitlines() if "went offline" in line and device.id in line]
        assert len(noticed) == 1 and stack.value(since) == first
        device.publish({"timestamp": rfc3339(now_us()), "soil_moisture": 40})
        wait_until(lambda: stack.value(since) is None, 10, "it is heard of again")
        assert status(device) == "online"
