"""What is past its time goes, by whole partitions or chunks; its rollups stay."""

from support.device import Device
from support.times import now_us, rfc3339
from support.waiting import wait_until


def test_old_readings_are_dropped_and_their_rollups_stay(breakable):
    stack = breakable
    plant = stack.api.plant()
    with Device(stack, plant["id"]) as device:
        device.publish({"timestamp": rfc3339(now_us()), "temperature": 21})
        device.stored(1)
    # An import: a device cannot bring what is so old.
    stack.sql("SELECT telemetry_ensure_partitions(now() - INTERVAL '520 days', now() - INTERVAL '490 days')")
    stack.sql(f"""
        INSERT INTO telemetry (time, device_id, plant_id, temperature, time_source, received_at)
        SELECT now() - INTERVAL '500 days' + n * INTERVAL '1 minute', '{device.id}', '{plant["id"]}', 10 + n % 5, 'device', now()
        FROM generate_series(0, 2999) n""")
    stack.restart("backend")
    stack.ready()
    wait_until(lambda: stack.value("SELECT raw_from IS NOT NULL FROM rollup_state"), 180, "something was dropped")
    assert stack.value(f"SELECT count(*) FROM telemetry WHERE device_id = '{device.id}'") == 1
    for width in ("5m", "1h", "1d"):
        (found,) = stack.rows(
            f"SELECT sum(readings) AS readings, min(temperature_min) AS least, max(temperature_max) AS most "
            f"FROM telemetry_{width} WHERE device_id = '{device.id}' AND bucket < now() - INTERVAL '400 days'")
        assert found == {"readings": 3000, "least": 10, "most": 14}, width
    # The history knows it, and that it is not made of single readings any more.
    history = stack.api.ok("GET", f"/plants/{plant['id']}/history?hours={510 * 24}", 200)
    assert history["resolution"] == "1d"
    assert min(v for v in history["series"]["temperature"]["min"] if v is not None) == 10
    assert stack.api.ok("GET", "/system/storage", 200)["retention"]["raw_days"] == 400
