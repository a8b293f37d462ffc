"""How a device gets, changes and loses its identity."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from support.api import UUID_V7, assert_problem
from support.device import REFUSED, Device, random_mac, reading
from support.waiting import wait_until


def register(stack, **fields):
    """As a device with a good token asks."""
    return stack.stranger.post("/devices/register", json={"enrollment_token": stack.enrollment_token, **fields})


def test_registering_a_known_address_keeps_the_id_and_ends_the_old_password_at_once(stack):
    device = Device(stack)
    old = device.open()
    with device.open() as connection:
        assert connection.connect() == 0
    first = device.registration
    second = device.register(firmware_version="2.0.0")
    assert second["device_id"] == first["device_id"] and second["mqtt_password"] != first["mqtt_password"]
    with old:
        assert old.connect() >= REFUSED, "the old password must be refused"
    with device:
        device.publish(reading())
        device.stored(1)
    assert stack.api.ok("GET", f"/devices/{device.id}")["firmware_version"] == "2.0.0"


def test_registering_again_ends_the_session_that_was_open_under_the_old_password(stack):
    with Device(stack) as device:
        old = device.connection
        device.register()
        wait_until(lambda: old.disconnects, 10, "the old session ends")


@pytest.mark.parametrize("form", [str.lower, lambda mac: mac.replace(":", "-"), lambda mac: mac.replace(":", "")],
                         ids=["lower-case", "dashes", "bare"])
def test_one_address_in_another_spelling_is_the_same_device(stack, form):
    device = Device(stack)
    again = register(stack, mac_address=form(device.mac))
    assert again.status_code == 201 and again.json()["device_id"] == device.id
    assert stack.api.ok("GET", f"/devices/{device.id}")["mac_address"] == device.mac


def test_one_address_registered_ten_times_at_once_is_one_device_whose_last_password_works(stack):
    mac = random_mac()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: register(stack, mac_address=mac), range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["device_id"] for answer in answers}) == 1
    assert len({answer.json()["mqtt_password"] for answer in answers}) == 10
    working = 0
    for answer in answers:
        device = Device.__new__(Device)
        device.stack, device.registration = stack, answer.json()
        with device.open() as connection:
            working += connection.connect() == 0
    assert working == 1


def test_twenty_devices_registering_at_once_all_get_in(stack):
    with ThreadPoolExecutor(20) as pool:
        devices = list(pool.map(lambda _: Device(stack), range(20)))
    assert len({device.id for device in devices}) == 20
    for device in devices:
        with device:
            device.publish(reading())


def test_a_deleted_device_is_refused_and_its_session_ended_and_the_history_stays(stack, plant):
    device = Device(stack, plant["id"]).connect()
    device.publish(reading(soil_moisture=47))
    device.stored(1)
    stack.api.ok("DELETE", f"/devices/{device.id}", 204)
    wait_until(lambda: device.connection.disconnects, 10, "the session ends")
    with device.open(client_id="again") as connection:
        assert connection.connect() >= REFUSED
    device.connection.client.loop_stop()
    assert stack.api.get(f"/devices/{device.id}").status_code == 404
    history = stack.api.ok("GET", f"/plants/{plant['id']}/history?hours=1&metrics=soil_moisture")
    assert history["series"]["soil_moisture"]["avg"] == [47]
    shown = stack.api.ok("GET", f"/plants/{plant['id']}")
    assert shown["device_count"] == 0
    assert stack.api.ok("GET", f"/plants/{plant['id']}/devices")["devices"] == []


def test_a_deleted_device_that_registers_again_is_a_new_device(stack):
    device = Device(stack)
    old = device.id
    stack.api.ok("DELETE", f"/devices/{device.id}", 204)
    device.register()
    assert device.id != old
    with device:
        device.publish(reading())
        device.stored(1)


def test_the_message_of_a_device_the_database_does_not_know_is_a_dead_letter(stack):
    with Device(stack) as device:
        device.publish(reading())
        device.stored(1)
        stack.sql(f"DELETE FROM devices WHERE id = '{device.id}'")  # Behind the backend's back.

        def refused():
            device.publish(reading())
            return any(letter["reason"] == "unknown_device" for letter in stack.dead_letters(device.id))

        wait_until(refused, 90, "a dead letter unknown_device", every=0.5)
        stored = device.count()
        device.publish(reading())
        wait_until(lambda: len(stack.dead_letters(device.id)) >= 2, 10, "the next one, too")
        assert device.count() == stored


def test_registered_devices_are_listed_with_what_they_said_of_themselves(stack):
    device = Device(stack, name="Shelf", sensor_types=["soil_moisture", "light_level"], reporting_interval_seconds=300)
    shown = stack.api.ok("GET", f"/devices/{device.id}")
    assert UUID_V7.match(shown["id"]) and shown["mac_address"] == device.mac
    assert (shown["name"], shown["sensor_types"], shown["reporting_interval_seconds"]) == (
        "Shelf", ["soil_moisture", "light_level"], 300)
    assert shown["plant_id"] is None and shown["last_seen_at"] is None and shown["firmware_version"] == "1.4.2"
    assert device.id in [d["id"] for d in stack.api.ok("GET", "/devices?limit=500")["devices"]]
    assert not any("password" in key for key in shown)


def test_passwords_are_nowhere_in_the_database_or_the_log(stack):
    device = Device(stack)
    password = device.registration["mqtt_password"]
    assert len(password) >= 20
    assert stack.value(f"SELECT count(*) FROM devices d WHERE d::text LIKE '%{password}%'") == 0
    assert password not in stack.log("backend") and password not in stack.log("mosquitto")


def test_a_name_and_an_interval_can_be_changed_and_the_interval_cleared(stack):
    device = Device(stack, reporting_interval_seconds=60)
    changed = stack.api.ok("PATCH", f"/devices/{device.id}", 200, json={"name": "Balcony"})
    assert (changed["name"], changed["reporting_interval_seconds"]) == ("Balcony", 60)
    assert stack.api.ok("PATCH", f"/devices/{device.id}", 200,
                        json={"reporting_interval_seconds": None})["reporting_interval_seconds"] is None


@pytest.mark.parametrize("body", [{}, {"mac_address": "nonsense"}, {"mac_address": "00:00:00:00:00:00"},
                                  {"mac_address": "FF:FF:FF:FF:FF:FF"}, {"mac_address": 7}, {"mac_address": None}])
def test_a_registration_without_a_real_address_is_refused(stack, body):
    problem = assert_problem(register(stack, **body), 422)
    assert [error["pointer"] for error in problem["errors"]] == ["/mac_address"]


def test_provisioning_into_a_plant_that_does_not_exist_is_refused(stack):
    device = Device(stack)
    answer = stack.api.post(f"/devices/{device.id}/provision",
                            json={"plant_id": "01890000-0000-7000-8000-000000000000"})
    assert answer.status_code in (404, 422)
    assert stack.api.ok("GET", f"/devices/{device.id}")["plant_id"] is None
