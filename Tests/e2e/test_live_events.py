"""What the stream of events tells of readings, plants and devices (docs/live.md); alerts are in test_events.py."""

import uuid

import pytest

from support.device import Device, reading
from support.events import Events
from support.times import now_us, parse, rfc3339
from support.waiting import always, wait_until

SECOND = 1_000_000
LIMITS = {"soil_moisture": {"min": 20, "max": 60}}
# Longer than anything that was committed waits to be told.
SETTLED = 1.5
TELEMETRY_KEYS = {"plant_id", "device_id", "time", "latest_telemetry", "status", "derived", "device"}


@pytest.fixture
def plant(alerting):
    """With limits, so that it has a status."""
    return alerting.api.plant(thresholds=LIMITS)


@pytest.fixture
def events(alerting):
    with Events(alerting.api) as events:
        yield events


@pytest.fixture
def planted(alerting, events, plant):
    """In a plant; that has been told."""
    with Device(alerting, plant["id"]) as device:
        device.plant = plant["id"]
        events.next("device", lambda data: data["id"] == device.id and data["plant_id"] == plant["id"])
        events.next("plant", lambda data: data["id"] == plant["id"] and data["device_count"] == 1)
        yield device


def get_plant(stack, plant_id):
    return stack.api.ok("GET", f"/plants/{plant_id}")


def get_device(stack, device):
    return stack.api.ok("GET", f"/devices/{device.id}")


def telemetry(events, device):
    return events.named("telemetry", "device_id", device.id)


def fence(stack, events):
    """Returns when what was committed before has been told."""
    with Device(stack) as other:
        other.publish(reading())
        events.next("telemetry", lambda data: data["device_id"] == other.id)


# Readings.


def test_a_reading_is_told_in_the_form_of_the_plant_and_of_the_device(alerting, events, planted):
    us = now_us()
    planted.publish(reading(us, soil_moisture=45.2, humidity=60.0, battery=88.0, rssi=-61.0, lux_red=12.5))
    told = events.next("telemetry", lambda data: data["device_id"] == planted.id)
    assert told.keys() == TELEMETRY_KEYS
    plant, device = get_plant(alerting, planted.plant), get_device(alerting, planted)
    assert told["plant_id"] == planted.plant and parse(told["time"]) == us
    assert {name: told[name] for name in ("latest_telemetry", "status", "derived")} == {
        name: plant[name] for name in ("latest_telemetry", "status", "derived")}
    assert told["status"] == "ok" and told["latest_telemetry"]["lux_red"] == 12.5 and "vpd" in str(told["derived"])
    assert told["device"] == {name: device[name] for name in ("id", "status", "last_seen_at", "battery", "rssi")}
    assert told["device"]["status"] == "online" and told["device"]["battery"] == 88


def test_the_status_that_follows_from_a_reading_is_told_with_it(alerting, events, planted):
    for value, status in ((45.0, "ok"), (5.0, "critical"), (19.0, "warning"), (45.0, "ok")):
        us = now_us()
        planted.publish(reading(us, soil_moisture=value))
        told = events.next("telemetry", lambda data: data["device_id"] == planted.id and parse(data["time"]) == us)
        assert (told["latest_telemetry"]["soil_moisture"], told["status"]) == (value, status)


def test_a_device_without_a_plant_is_told_of_without_one(alerting, events):
    with Device(alerting) as device:
        device.publish(reading(battery=50.0))
        told = events.next("telemetry", lambda data: data["device_id"] == device.id)
    assert [told[name] for name in ("plant_id", "latest_telemetry", "status", "derived")] == [None] * 4
    assert told["device"]["battery"] == 50


def test_many_readings_of_a_moment_are_told_together_and_the_newest_is_told(alerting, events, planted):
    start = now_us()
    for n in range(200):
        planted.publish(reading(start + n, soil_moisture=20 + n / 10), wait=False)
    events.next("telemetry", lambda data: data["device_id"] == planted.id and parse(data["time"]) == start + 199)
    assert len(telemetry(events, planted)) < 100
    assert telemetry(events, planted)[-1]["latest_telemetry"]["soil_moisture"] == 39.9


def test_two_devices_in_a_pot_are_each_told_of_with_the_values_of_both(alerting, events, planted):
    with Device(alerting, planted.plant) as other:
        planted.publish(reading(soil_moisture=30.0, temperature=None))
        events.next("telemetry", lambda data: data["device_id"] == planted.id)
        other.publish({"timestamp": rfc3339(now_us()), "humidity": 51.0})
        told = events.next("telemetry", lambda data: data["device_id"] == other.id)
        assert told["plant_id"] == planted.plant
        assert (told["latest_telemetry"]["soil_moisture"], told["latest_telemetry"]["humidity"]) == (30.0, 51.0)


def test_what_comes_twice_is_told_once(alerting, events, planted):
    first = reading(soil_moisture=33.0)
    planted.publish(first)
    events.next("telemetry", lambda data: data["device_id"] == planted.id)
    fence(alerting, events)
    seen = len(events.received)
    planted.publish(first)
    fence(alerting, events)

    def silent():
        later = [(data.get("device_id"), data.get("id")) for _, data, _ in events.received[seen:]]
        return not [ids for ids in later if planted.id in ids or planted.plant in ids]

    always(silent, SETTLED)
    assert len(telemetry(events, planted)) == 1


def test_what_comes_late_is_told_only_where_it_is_the_newest_there_is(alerting, events, planted):
    us = now_us()
    planted.publish(reading(us, soil_moisture=33.0))
    events.next("telemetry", lambda data: data["device_id"] == planted.id)
    planted.publish(reading(us - 600 * SECOND, soil_moisture=11.0))
    fence(alerting, events)
    always(lambda: len(telemetry(events, planted)) == 1, SETTLED)
    planted.publish(reading(us - 500 * SECOND, soil_moisture=12.0, co2=600.0))
    told = events.next("telemetry", lambda data: (data["latest_telemetry"] or {}).get("co2") == 600)
    assert told["latest_telemetry"] == get_plant(alerting, planted.plant)["latest_telemetry"]
    assert told["latest_telemetry"]["soil_moisture"] == 33 and parse(told["time"]) == us


def test_a_message_of_which_nothing_could_be_read_tells_of_no_reading(alerting, events, planted):
    planted.publish("nonsense")
    told = events.next("device", lambda data: data["id"] == planted.id and data["status"] == "online")
    assert told == get_device(alerting, planted)
    assert not telemetry(events, planted)


# Plants and devices.


def test_every_change_of_a_plant_is_told(alerting, events):
    def told(**fields):
        return events.next("plant", lambda data: data["id"] == plant["id"] and data.items() >= fields.items())

    plant = alerting.api.plant("Calathea")
    path = f"/plants/{plant['id']}"
    assert told(name="Calathea") == plant
    changed = alerting.api.ok("PUT", path, json={"name": "Maranta", "thresholds": LIMITS})
    assert told(name="Maranta") == changed
    moved = alerting.api.ok("PUT", f"{path}/position", json={"x": 3, "y": 4})
    assert told(position={"x": 3, "y": 4}) == moved
    alerting.api.ok("POST", f"{path}/snooze", json={"minutes": 30})
    assert wait_until(lambda: [one for one in events.named("plant", "id", plant["id"]) if one["snoozed_until"]])
    alerting.api.ok("DELETE", path)
    assert told(deleted=True) == {"id": plant["id"], "deleted": True}
    assert len(events.named("plant", "id", plant["id"])) <= 5


def test_every_change_of_a_device_is_told_also_by_another_backend(alerting, events, plant):
    with alerting.serve(ENROLLMENT_MODE="approval", MQTT_CLIENT_ID=f"second-{uuid.uuid4().hex[:6]}") as second:
        second.ready()

        def told(**fields):
            return events.next("device", lambda data: data["id"] == device.id and data.items() >= fields.items(), after=seen)

        seen = len(events.received)
        device = Device(Behind(alerting, second))
        path = f"/devices/{device.id}"
        assert told(approved=False)["status"] == "provisioning"
        steps = [("POST", f"{path}/approve", None, {"approved": True}),
                 ("PATCH", path, {"name": "On the sill"}, {"name": "On the sill"}),
                 ("POST", f"{path}/provision", {"plant_id": plant["id"]}, {"plant_id": plant["id"]}),
                 ("PATCH", path, {"reporting_interval_seconds": 900}, {"expected_interval_seconds": 900}),
                 ("POST", f"{path}/rotate-credentials", None, {}),
                 ("PATCH", path, {"enabled": False}, {"enabled": False, "status": "disabled"}),
                 ("POST", f"{path}/unassign", None, {"plant_id": None})]
        for method, where, body, fields in steps:
            seen = len(events.received)
            second.api.ok(method, where, **({"json": body} if body else {}))
            told(**fields)
            assert told(**fields).keys() == get_device(alerting, device).keys()
        counts = [data["device_count"] for data in events.named("plant", "id", plant["id"])]
        assert 1 in counts and counts[-1] == 0, "the plant is told of, too"
        seen = len(events.received)
        second.api.ok("DELETE", path)
        assert told(deleted=True) == {"id": device.id, "deleted": True}


class Behind:
    """The same stack, asked through another backend."""

    enrollment_token = None

    def __init__(self, stack, served):
        self.stack, self.api, self.stranger = stack, served.api, served.api.as_(None)

    def __getattr__(self, name):
        return getattr(self.stack, name)


def test_a_device_that_waited_and_is_rejected_is_told_to_be_gone(alerting, events):
    with alerting.serve(ENROLLMENT_MODE="approval", MQTT_CLIENT_ID=f"second-{uuid.uuid4().hex[:6]}") as second:
        second.ready()
        device = Device(Behind(alerting, second))
        events.next("device", lambda data: data["id"] == device.id and data.get("approved") is False)
        second.api.ok("POST", f"/devices/{device.id}/reject")
        events.next("device", lambda data: data == {"id": device.id, "deleted": True})


def test_a_deleted_plant_sets_its_devices_free(alerting, events, planted):
    alerting.api.ok("DELETE", f"/plants/{planted.plant}")
    events.next("plant", lambda data: data == {"id": planted.plant, "deleted": True})
    events.next("device", lambda data: data["id"] == planted.id and data["plant_id"] is None)
    planted.publish(reading())
    told = events.next("telemetry", lambda data: data["device_id"] == planted.id)
    assert told["plant_id"] is None


def test_heartbeats_and_last_wills_are_told(alerting, events, planted):
    planted.publish({"uptime": 77, "battery": 64, "firmware_version": "2.0.0"}, topic="heartbeat")
    told = events.next("device", lambda data: data["id"] == planted.id and data["battery"] == 64)
    assert (told["uptime_seconds"], told["firmware_version"], told["status"]) == (77, "2.0.0", "online")
    planted.publish("offline", topic="status")
    events.next("device", lambda data: data["id"] == planted.id and data["status"] == "offline")
    again = reading()
    planted.publish(again)
    told = events.next("telemetry", lambda data: data["device_id"] == planted.id)
    assert told["device"]["status"] == "online"
    planted.publish("offline", topic="status")
    wait_until(lambda: events.named("device", "id", planted.id)[-1]["status"] == "offline")
    # It sends what was known: nothing is new but that it is there.
    planted.publish(again)
    wait_until(lambda: events.named("device", "id", planted.id)[-1]["status"] == "online")
    assert len(telemetry(events, planted)) == 1


def test_a_device_that_falls_silent_is_told_and_its_plant_that_becomes_stale(alerting, events, planted):
    planted.publish(reading())
    events.next("telemetry", lambda data: data["device_id"] == planted.id and data["status"] == "ok")
    # As if it had been silent for all but a few of the three minutes that it may.
    alerting.sql(
        "UPDATE device_state SET " + ", ".join(
            f"{column} = {column} - interval '176 seconds'"
            for column in ("last_seen_at", "reading_at", "soil_moisture_at", "temperature_at"))
        + f" WHERE device_id = '{planted.id}'")
    told = events.next("device", lambda data: data["id"] == planted.id and data["status"] == "offline", 20)
    assert told == get_device(alerting, planted)
    told = events.next("plant", lambda data: data["id"] == planted.plant and data["status"] == "stale", 20)
    assert told == get_plant(alerting, planted.plant)


def test_the_end_of_a_snooze_is_told(alerting, events, plant):
    alerting.api.ok("POST", f"/plants/{plant['id']}/snooze", json={"minutes": 1})
    events.next("plant", lambda data: data["id"] == plant["id"] and data["snoozed_until"])
    seen = len(events.received)
    alerting.sql(f"UPDATE plants SET snoozed_until = now() + interval '3 seconds' WHERE id = '{plant['id']}'")
    events.next("plant", lambda data: data["id"] == plant["id"] and data["snoozed_until"] is None, 20, after=seen)


# Who is told, and when something breaks.


def test_a_viewer_is_told(alerting, planted):
    with Events(alerting.api.as_(alerting.make_token("viewer"))) as events:
        planted.publish(reading())
        events.next("telemetry", lambda data: data["device_id"] == planted.id)


def test_through_nginx_readings_come_too(alerting, planted):
    with Events(alerting.web) as events:
        planted.publish(reading())
        events.next("telemetry", lambda data: data["device_id"] == planted.id)


def test_who_was_away_for_a_moment_is_told_what_he_missed(alerting, planted):
    with Events(alerting.api) as events:
        planted.publish(reading(soil_moisture=31.0))
        events.next("telemetry", lambda data: data["device_id"] == planted.id)
        last = events.last_id()
    planted.publish(reading(soil_moisture=32.0))
    with Events(alerting.api) as other:
        fence(alerting, other)
    with Events(alerting.api, last=last) as events:
        told = events.next("telemetry", lambda data: data["device_id"] == planted.id)
        assert told["latest_telemetry"]["soil_moisture"] == 32 and not events.named("reset")


def test_backends_that_share_the_work_tell_of_everything(breakable):
    stack = breakable
    plant = stack.api.plant(thresholds=LIMITS)
    device = Device(stack, plant["id"])
    stack.stop("backend")
    # The intake answers no HTTP: what it does is seen by the others.
    with stack.serve("--roles", "ingest"), stack.serve("--roles", "worker"), stack.serve("--roles", "api") as api:
        api.ready()
        with Events(api.api) as events, device:
            device.publish(reading(soil_moisture=44.0))
            told = events.next("telemetry", lambda data: data["device_id"] == device.id, 30)
            assert told["plant_id"] == plant["id"] and told["latest_telemetry"]["soil_moisture"] == 44
            api.api.ok("PUT", f"/plants/{plant['id']}", json={"name": "Shared"})
            events.next("plant", lambda data: data["id"] == plant["id"] and data["name"] == "Shared")


def test_when_the_database_was_away_everything_is_to_be_loaded_anew_and_goes_on(breakable):
    with Device(breakable) as device, Events(breakable.api) as events:
        device.publish(reading())
        events.next("telemetry", lambda data: data["device_id"] == device.id)
        breakable.stop("postgres")
        seen = len(events.received)
        breakable.start("postgres")
        breakable.ready()
        events.next("reset", timeout=40, after=seen)
        seen = len(events.received)

        def told():
            us = now_us()
            device.publish(reading(us))
            return events.next(
                "telemetry", lambda data: data["device_id"] == device.id and parse(data["time"]) == us, timeout=1, after=seen)

        # What is told of alerts and what of readings comes back each for itself, and each says so.
        wait_until(told, 40, "readings are told of again")
        assert not events.ended.is_set()


def test_after_the_intake_was_killed_everything_is_to_be_loaded_anew(breakable):
    stack = breakable
    stack.stop("backend")
    with stack.serve("--roles", "api,worker") as api:
        api.ready()
        with Events(api.api) as events:
            with stack.serve("--roles", "ingest") as intake:
                events.next("reset", timeout=30)
                intake.process.kill()
            seen = len(events.received)
            with stack.serve("--roles", "ingest"):
                events.next("reset", timeout=30, after=seen)


def test_a_changed_species_of_ones_own_changes_what_is_suggested(alerting, events):
    alerting.api.ok("POST", "/species", 201, json={
        "scientific_name": f"Testia {uuid.uuid4().hex[:8]}", "thresholds": {"soil_moisture": {"min": 10, "max": 20}}})
    events.next("reset")
