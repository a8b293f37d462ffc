"""Plants, devices and their past, made without the dashboard. What happens while it looks on comes from devices:
`tell(device, soil_moisture=12)`."""

from support.device import Device, reading
from support.times import now_us, rfc3339
from support.waiting import wait_until

MINUTE = 60 * 1_000_000


def make_plant(stack, name="Monstera", species="Monstera deliciosa", **fields):
    return stack.api.ok("POST", "/plants", 201, json={"name": name, "species": species, **fields})


def make_device(stack, plant=None, **fields):
    """A device that is connected, in this plant if one is given. Close it, or use it in a `with`."""
    return Device(stack, plant["id"] if plant else None, **fields).connect()


def tell(device, **values):
    """One reading of now, acknowledged by the backend (so it is stored) when this returns."""
    device.publish(reading(**values))


def tell_past(device, minutes, step, value_at):
    """Readings of the last `minutes`, `step` minutes apart; `value_at(minutes ago)` gives {metric: value}. At most 30
    days (older ones a device cannot tell: see fill_past)."""
    now = now_us()
    past = [{"timestamp": rfc3339(now - ago * MINUTE), **value_at(ago)} for ago in range(minutes, 0, -step)]
    for start in range(0, len(past), 500):
        device.publish(past[start:start + 500])
    return len(past)


def fill_past(stack, device, plant, days, step="10 minutes", until="now() - interval '10 minutes'"):
    """Years in seconds: straight into the table, with the rollups the backend would make of it in time. Soil that dries
    and is watered every nine days, warm days and cool nights."""
    begin = f"{until} - interval '{days + 2} days'"
    stack.sql(f"SELECT telemetry_ensure_partitions({begin}, now())")
    stack.sql(f"""
        INSERT INTO telemetry (time, device_id, plant_id, soil_moisture, temperature, humidity, light_level, battery, rssi,
            time_source, received_at)
        SELECT t, '{device.id}', '{plant["id"]}',
            round((62 - 34 * (mod(hours::numeric, 216) / 216)::float8 + random())::numeric, 1)::float8,
            round((21 + 2.5 * sun + sin(hours / 1400) + random() * 0.3)::numeric, 1)::float8,
            round((55 - 6 * sun + random())::numeric, 1)::float8,
            round(greatest(0, 9000 * sun + random() * 20)), 90, -60 - round(random() * 6), 'device', t
        FROM generate_series({until} - interval '{days} days', {until}, interval '{step}') t,
            LATERAL (SELECT extract(epoch FROM t)::float8 / 3600 AS hours) h,
            LATERAL (SELECT sin((hours / 24 - 0.33) * 2 * pi()) AS sun) s
        ON CONFLICT DO NOTHING""", timeout=300)
    if stack.value("SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'"):
        for view in ("telemetry_5m", "telemetry_1h", "telemetry_1d"):
            stack.sql(f"CALL refresh_continuous_aggregate('{view}', {begin}, now())", timeout=300)
    else:
        wait_until(lambda: not stack.value("SELECT rollup_close(now(), 20000)::int + rollup_work(20000)::int"), 120,
                   "everything is summarized")
