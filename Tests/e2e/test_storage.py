"""How large the database is, how fast it grows, and how long the disk will do."""

import os

import pytest

from support.api import assert_problem
from support.device import Device
from support.times import now_us, parse, rfc3339
from support.waiting import wait_until

HOUR, DAY = 3_600_000_000, 86_400_000_000
GIB = 1 << 30


def storage(api):
    return api.ok("GET", "/system/storage", 200)


@pytest.fixture
def fresh(stack):
    """Asks a backend that has just started: an answer is kept for a minute."""
    started = []

    def ask(**settings):
        number = len(started)
        started.append(number)
        with stack.serve(MQTT_CLIENT_ID=f"storage-{os.getpid()}-{now_us()}", **settings) as served:
            served.ready()
            return storage(served.api)

    return ask


def samples(stack, *rows):
    stack.sql("DELETE FROM storage_samples")
    for hours_ago, size in rows:
        stack.sql(f"INSERT INTO storage_samples VALUES (now() - interval '{hours_ago} hours', {size})")


@pytest.fixture
def no_samples(stack):
    samples(stack)
    yield
    samples(stack)


def test_it_is_what_the_database_says(stack, fresh, planted, no_samples):
    at = now_us() - 3 * DAY
    planted.publish([{"timestamp": rfc3339(at), "temperature": 20}, {"timestamp": rfc3339(now_us()), "temperature": 21}])
    planted.stored(2)
    found = fresh()
    size = stack.value("SELECT pg_database_size(current_database())")
    assert abs(found["database_bytes"] - size) < size / 10
    names = [table["name"] for table in found["tables"]]
    assert len(names) == len(set(names)) and {"telemetry", "devices", "plants", "users", "audit_log"} <= set(names)
    assert not any(name.startswith(("telemetry_20", "_hyper")) for name in names)
    plants = next(table for table in found["tables"] if table["name"] == "plants")
    assert plants["bytes"] == stack.value("SELECT pg_total_relation_size('plants')")
    assert all(table.keys() == {"name", "bytes", "rows_estimate"} for table in found["tables"])
    is_timescale = stack.value("SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'") == 1
    readings = found["readings"]
    assert readings["kind"] == ("timescale" if is_timescale else "native")
    assert parse(readings["oldest_at"]) <= at and parse(readings["newest_at"]) >= at + 3 * DAY - HOUR
    disk, real = found["disk"], os.statvfs("/")
    assert disk["path"] == "/" and disk["total_bytes"] == real.f_blocks * real.f_frsize
    assert abs(disk["free_bytes"] - real.f_bavail * real.f_frsize) < GIB
    assert found["retention"] == {"raw_days": 400, "raw_from": None}
    assert abs(parse(found["taken_at"]) - now_us()) < 60 * HOUR // 60


def test_growth_follows_from_samples_when_there_are_enough(stack, fresh, no_samples):
    samples(stack, *[(hours, 50 * GIB - hours * GIB // 24) for hours in range(0, 80)])
    found = fresh()
    assert found["growth_basis"] == "samples" and abs(found["growth_bytes_per_day"] - GIB) < GIB / 100
    expected = found["disk"]["free_bytes"] // GIB
    assert abs(found["days_until_full"] - expected) <= 1
    # A database that shrinks fills no disk.
    samples(stack, *[(hours, 50 * GIB + hours * GIB // 24) for hours in range(0, 80)])
    found = fresh()
    assert abs(found["growth_bytes_per_day"] + GIB) < GIB / 100 and found["days_until_full"] is None


def test_before_that_it_follows_from_the_readings_of_a_day(stack, fresh, no_samples):
    samples(stack, (0, GIB), (5, 100 * GIB))
    device = Device(stack, stack.api.plant()["id"])
    with device:
        device.publish({"temperature": 20})
        device.stored(1)
    stack.sql(f"INSERT INTO telemetry (time, device_id, temperature, time_source, received_at) "
               f"SELECT now() - n * interval '10 seconds', '{device.id}', 20, 'device', now() FROM generate_series(1, 5000) n")
    found = fresh()
    assert found["growth_basis"] == "estimate"
    assert 5000 * 100 < found["growth_bytes_per_day"] < 50_000 * 5000, "some hundred bytes a reading"
    stack.sql(f"DELETE FROM telemetry WHERE device_id = '{device.id}'")


@pytest.mark.parametrize("setting, days", [("0", None), ("90", 90), ("7", 35)])
def test_it_says_how_long_readings_are_kept(stack, fresh, setting, days):
    # Since when there are readings is not ours to say: this backend drops what other tests have left of earlier days.
    assert fresh(RETENTION_RAW_DAYS=setting)["retention"]["raw_days"] == days


def test_a_span_that_is_too_short_is_said_at_start(stack):
    with stack.serve(MQTT_CLIENT_ID=f"short-{os.getpid()}", RETENTION_RAW_DAYS="7") as served:
        served.ready()
        wait_until(lambda: "RETENTION_RAW_DAYS is taken as 35" in served.output(), 5, "the warning is in the log")


def test_the_disk_is_the_one_of_disk_path(stack, fresh):
    assert fresh(DISK_PATH="/dev/shm")["disk"]["path"] == "/dev/shm"


def test_who_may_ask(stack):
    storage(stack.api.as_(stack.make_token("viewer")))
    storage(stack.web)
    assert_problem(stack.stranger.get("/system/storage"), 401)
    assert stack.api.get("/system/storage").headers["Cache-Control"] == "no-store"


def test_an_answer_holds_for_a_minute_so_that_asking_often_costs_nothing(stack):
    first = storage(stack.api)
    again = storage(stack.api)
    assert first == again or parse(again["taken_at"]) - parse(first["taken_at"]) >= 60_000_000
