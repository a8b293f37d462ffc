"""From a sensor over TLS into the table, and out of the API."""

import ssl

import pytest

from support.api import UUID_V7
from support.device import Device, random_mac, reading
from support.times import now_us, parse, rfc3339
from support.waiting import wait_until


def test_a_reading_goes_from_registration_over_tls_into_the_table_and_out_of_the_api(stack, tmp_path):
    registered = stack.stranger.ok("POST", "/devices/register", 201, json={
        "mac_address": random_mac(), "enrollment_token": stack.enrollment_token, "firmware_version": "1.4.2",
        "sensor_types": ["soil_moisture", "temperature"], "name": "Window sill", "reporting_interval_seconds": 60})
    assert registered.keys() >= {"device_id", "mqtt_username", "mqtt_password", "mqtt_host", "mqtt_port",
                                 "ca_certificate"}
    assert registered["mqtt_username"] == registered["device_id"] and UUID_V7.match(registered["device_id"])
    # Nothing but what the answer says is used to connect: host, port, CA, name and password.
    ca = tmp_path / "ca.crt"
    ca.write_text(registered["ca_certificate"])
    assert "PRIVATE KEY" not in registered["ca_certificate"]
    device = Device.__new__(Device)
    device.stack, device.registration, device.connection = stack, registered, None
    plant = stack.api.plant("Fern")
    us = now_us()
    connection = device.open(host=registered["mqtt_host"])
    connection.port = registered["mqtt_port"]
    connection.client.tls_insecure_set(False)
    with connection:
        assert connection.connect() == 0
        assert isinstance(connection.client.socket(), ssl.SSLSocket)
        assert connection.client.socket().version() in ("TLSv1.2", "TLSv1.3")
        assert connection.publish(device.topic, {
            "timestamp": rfc3339(us), "soil_moisture": 45.2, "temperature": 22.5, "humidity": 65, "light_level": 800}) == 0
        (row,) = device.stored(1)
        assert parse(row["time"]) == us and row["time_source"] == "device" and row["plant_id"] is None
        assert (row["soil_moisture"], row["temperature"], row["humidity"], row["light_level"]) == (45.2, 22.5, 65, 800)
        assert parse(row["received_at"]) >= us
        latest = stack.api.ok("GET", f"/devices/{device.id}/telemetry/latest")
        assert latest["soil_moisture"] == 45.2 and parse(latest["timestamp"]) == us

        answer = stack.api.ok("POST", f"/devices/{device.id}/provision", 200, json={"plant_id": plant["id"]})
        assert answer["plant_id"] == plant["id"]
        us2 = now_us()
        assert connection.publish(device.topic, reading(us2, soil_moisture=44, temperature=None)) == 0
        assert device.stored(2)[1]["plant_id"] == plant["id"]
    history = stack.api.ok("GET", f"/plants/{plant['id']}/history?hours=1")
    assert history["plant_id"] == plant["id"] and history["resolution"] == "raw"
    at = [parse(time) for time in history["time"]].index(us2)
    moisture = history["series"]["soil_moisture"]
    assert moisture["unit"] == "%" and moisture["avg"][at] == moisture["min"][at] == moisture["max"][at] == 44
    shown = stack.api.ok("GET", f"/plants/{plant['id']}")
    assert shown["latest_telemetry"]["soil_moisture"] == 44 and shown["device_count"] == 1
    assert [d["id"] for d in stack.api.ok("GET", f"/plants/{plant['id']}/devices")["devices"]] == [device.id]


def test_a_device_without_a_reading_has_no_latest_values(stack):
    device = Device(stack)
    assert stack.api.get(f"/devices/{device.id}/telemetry/latest").status_code == 404


def test_a_reading_is_in_the_table_within_a_second(device):
    device.publish(reading())
    device.stored(1, timeout=1)


def test_readings_of_quality_of_service_0_arrive_too(device):
    device.publish(reading(soil_moisture=12), qos=0)
    assert device.stored(1)[0]["soil_moisture"] == 12


@pytest.mark.parametrize("payload", ["", {"uptime": 3600, "rssi": -61, "battery": 87, "free_heap": 182000,
                                          "firmware_version": "1.5.0"}], ids=["empty", "whole"])
def test_a_heartbeat_shows_that_a_device_lives(stack, device, payload):
    before = now_us()
    device.publish(payload, topic="heartbeat")

    def seen():
        shown = stack.api.ok("GET", f"/devices/{device.id}")
        return shown["last_seen_at"] and parse(shown["last_seen_at"]) >= before - 1000 and shown

    shown = wait_until(seen, 10, "last_seen_at moves")
    assert shown["status"] == "online"
    if payload:
        assert (shown["battery"], shown["rssi"], shown["firmware_version"]) == (87, -61, "1.5.0")
    assert device.count() == 0, "a heartbeat is no reading"


def test_the_last_will_of_a_device_shows_it_as_offline(stack):
    device = Device(stack)
    connection = device.open()
    connection.client.will_set(f"devices/{device.id}/status", "offline", qos=1, retain=True)
    connection.connect()
    status = lambda: stack.api.ok("GET", f"/devices/{device.id}")["status"]  # noqa: E731
    connection.publish(f"devices/{device.id}/status", "online", retain=True)
    wait_until(lambda: status() == "online", 10, "the device is online")
    connection.client.socket().close()  # As when the power goes: no DISCONNECT.
    connection.client.loop_stop()
    wait_until(lambda: status() == "offline", 20, "the device is offline")


def test_moving_a_device_leaves_its_earlier_readings_with_the_earlier_plant(stack):
    first, second = stack.api.plant("First"), stack.api.plant("Second")
    with Device(stack, first["id"]) as device:
        device.publish(reading(soil_moisture=10))
        device.stored(1)
        stack.api.ok("POST", f"/devices/{device.id}/provision", json={"plant_id": second["id"]})
        device.publish(reading(soil_moisture=20))
        device.stored(2)
        assert stack.api.ok("POST", f"/devices/{device.id}/unassign")["plant_id"] is None
        device.publish(reading(soil_moisture=30))
        assert device.stored(3)[2]["plant_id"] is None
    for plant, value in ((first, 10), (second, 20)):
        history = stack.api.ok("GET", f"/plants/{plant['id']}/history?hours=1&metrics=soil_moisture")
        assert history["series"]["soil_moisture"]["avg"] == [value]


def test_a_reading_buffered_before_the_move_goes_to_the_plant_the_device_stood_in_then(stack):
    first, second = stack.api.plant("Then"), stack.api.plant("Now")
    with Device(stack, first["id"]) as device:
        measured = now_us()
        stack.api.ok("POST", f"/devices/{device.id}/provision", json={"plant_id": second["id"]})
        device.publish(reading(measured))
        assert device.stored(1)[0]["plant_id"] == first["id"]
