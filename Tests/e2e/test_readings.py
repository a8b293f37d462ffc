"""What a device may say: names, times, arrays, duplicates."""

import pytest

from support.device import reading
from support.times import now_us, parse, rfc3339
from support.waiting import wait_until

HOUR = 3_600_000_000
DAY = 24 * HOUR


def test_aliases_are_stored_under_the_names_of_the_contract(device):
    device.publish({"timestamp": rfc3339(now_us()), "moisture": 31, "lux": 900, "temp": 19.5, "hum": 55})
    (row,) = device.stored(1)
    assert (row["soil_moisture"], row["light_level"], row["temperature"], row["humidity"]) == (31, 900, 19.5, 55)
    assert not row["extra"]


def test_every_metric_of_the_contract_has_a_column(device):
    values = {"soil_moisture": 40, "temperature": -12.5, "humidity": 61, "light_level": 120000, "soil_temperature": 18.25,
              "soil_ec": 1350, "co2": 640, "pressure": 1013.25, "battery": 88, "battery_voltage": 3.71, "rssi": -67}
    device.publish({"timestamp": rfc3339(now_us()), **values})
    (row,) = device.stored(1)
    assert {name: row[name] for name in values} == values


def test_other_numbers_are_kept_and_can_be_read_back_by_name(stack, planted):
    planted.publish(reading(leaf_wetness=0.75, seq=2**53, ph=6.4))
    (row,) = planted.stored(1)
    assert row["extra"] == {"leaf_wetness": 0.75, "seq": 2**53, "ph": 6.4}
    latest = stack.api.ok("GET", f"/devices/{planted.id}/telemetry/latest")
    assert (latest["leaf_wetness"], latest["ph"]) == (0.75, 6.4)
    history = stack.api.ok("GET", f"/plants/{planted.plant}/history?hours=1&metrics=leaf_wetness,ph")
    assert history["series"].keys() == {"leaf_wetness", "ph"}
    assert history["series"]["leaf_wetness"]["avg"] == [0.75] and history["series"]["ph"]["max"] == [6.4]


def test_at_most_16_other_numbers_are_kept_of_a_reading(device):
    device.publish(reading(**{f"extra_{n}": n for n in range(17)}))
    (row,) = device.stored(1)
    assert len(row["extra"]) == 16 and row["soil_moisture"] == 45.2
    assert "extra" in wait_until(lambda: device.stack.dead_letters(device.id), 5)[0]["reason"]


def test_an_array_of_500_readings_is_stored_whole(device):
    start = now_us() - HOUR
    device.publish([reading(start + n * 1_000_000, soil_moisture=n / 10) for n in range(500)])
    rows = device.stored(500, columns="time, soil_moisture")
    assert [row["soil_moisture"] for row in rows] == [n / 10 for n in range(500)]
    assert parse(rows[0]["time"]) == start


def test_an_array_of_501_readings_is_refused_whole(stack, device):
    device.publish([reading(now_us() - n * 1_000_000) for n in range(501)])
    device.barrier()
    assert device.count() == 1
    (letter,) = stack.dead_letters(device.id)
    assert letter["reason"] == "too_many_readings" and "500" in letter["detail"]


def test_a_bad_reading_in_an_array_leaves_the_others_alone(stack, device):
    us = now_us()
    device.publish([reading(us), 42, reading(us + 1000, soil_moisture=900, temperature=None), reading(us + 2000)])
    rows = device.stored(2)
    assert [parse(row["time"]) for row in rows] == [us, us + 2000]
    assert len(stack.dead_letters(device.id)) == 1


@pytest.mark.parametrize("form", ["rfc3339", "offset", "seconds", "fraction", "milliseconds"])
def test_times_may_be_rfc_3339_or_unix_seconds_or_milliseconds(device, form):
    us = now_us() // 1_000_000 * 1_000_000 - HOUR
    written, expected = {
        "rfc3339": (rfc3339(us), us),
        "offset": (rfc3339(us + 2 * HOUR).replace("Z", "+02:00"), us),
        "seconds": (us // 1_000_000, us),
        "fraction": (us // 1_000_000 + 0.25, us + 250_000),
        "milliseconds": (us // 1000 + 7, us + 7000),
    }[form]
    device.publish({"timestamp": written, "soil_moisture": 50})
    (row,) = device.stored(1)
    assert (parse(row["time"]), row["time_source"]) == (expected, "device")


@pytest.mark.parametrize("timestamp", [
    None, 0, 83_204, 4_000_000, -5, "yesterday", "", rfc3339(now_us() - 31 * DAY), rfc3339(now_us() + 4 * HOUR), 1e300,
], ids=["absent", "zero", "millis", "millis-after-an-hour", "negative", "words", "empty", "31-days-old",
        "4-hours-ahead", "huge"])
def test_a_reading_without_a_plausible_time_is_stored_under_the_time_it_came(device, timestamp):
    before = now_us()
    device.publish(reading(**{"timestamp": timestamp}))
    (row,) = device.stored(1)
    assert row["time_source"] == "server" and row["soil_moisture"] == 45.2
    assert before - 1_000_000 <= parse(row["time"]) <= now_us() + 1_000_000


def test_a_time_within_the_last_30_days_is_believed(device):
    us = now_us() - 30 * DAY + HOUR
    device.publish(reading(us))
    (row,) = device.stored(1)
    assert (parse(row["time"]), row["time_source"]) == (us, "device")


def test_readings_without_a_time_in_one_array_do_not_swallow_each_other(device):
    device.publish([{"soil_moisture": n} for n in range(1, 21)])
    rows = device.stored(20)
    assert [row["soil_moisture"] for row in rows] == list(range(1, 21)), "their order is kept"
    assert len({row["time"] for row in rows}) == 20


def test_two_equal_readings_without_a_time_are_two_readings(device):
    for _ in range(2):
        device.publish({"soil_moisture": 33.3})
    device.stored(2)


def test_a_late_reading_is_stored_but_never_overwrites_a_newer_latest(stack, planted):
    newest = now_us()
    planted.publish(reading(newest, soil_moisture=50, temperature=None))
    planted.stored(1)
    planted.publish(reading(newest - HOUR, soil_moisture=10, temperature=15))
    planted.stored(2)
    latest = stack.api.ok("GET", f"/devices/{planted.id}/telemetry/latest")
    assert latest["soil_moisture"] == 50 and parse(latest["timestamp"]) == newest
    assert stack.api.ok("GET", f"/plants/{planted.plant}")["latest_telemetry"]["soil_moisture"] == 50
    history = stack.api.ok("GET", f"/plants/{planted.plant}/history?hours=2&metrics=soil_moisture")
    assert history["series"]["soil_moisture"]["avg"] == [10, 50]


def test_an_array_in_any_order_leaves_the_newest_as_latest(stack, planted):
    us = now_us()
    order = [3, 9, 1, 7, 5, 0, 8, 2, 6, 4]
    planted.publish([reading(us - (10 - n) * 1_000_000, soil_moisture=n) for n in order])
    planted.stored(10)
    assert stack.api.ok("GET", f"/devices/{planted.id}/telemetry/latest")["soil_moisture"] == 9


def test_the_same_message_again_makes_no_second_row(device):
    message = reading()
    for _ in range(5):
        device.publish(message)
    device.barrier()
    assert device.count() == 2


def test_of_two_readings_of_the_same_instant_the_first_stays(stack, device):
    us = now_us()
    device.publish([reading(us, soil_moisture=40), reading(us, soil_moisture=60)])
    device.publish(reading(us, soil_moisture=80))
    device.barrier()
    rows = [row for row in stack.telemetry(device.id) if parse(row["time"]) == us]
    assert [row["soil_moisture"] for row in rows] == [40]


def test_gaps_in_a_history_are_null(stack, planted):
    us = now_us() - 10_000_000
    planted.publish([{"timestamp": rfc3339(us), "soil_moisture": 40}, {"timestamp": rfc3339(us + 1_000_000), "co2": 500}])
    planted.stored(2)
    series = stack.api.ok("GET", f"/plants/{planted.plant}/history?hours=1&metrics=soil_moisture,co2")["series"]
    assert series["soil_moisture"]["avg"] == [40, None] and series["co2"]["avg"] == [None, 500]
    assert series["co2"]["unit"] == "ppm"


def test_a_history_has_just_the_span_that_was_asked_for(stack, planted):
    us = now_us() - HOUR
    planted.publish([reading(us + n * 1_000_000, soil_moisture=n) for n in range(10)])
    planted.stored(10)
    answer = stack.api.get(f"/plants/{planted.plant}/history", params={
        "from": rfc3339(us + 2_000_000), "to": rfc3339(us + 5_000_000), "metrics": "soil_moisture", "resolution": "raw"})
    assert answer.json()["series"]["soil_moisture"]["avg"] == [2, 3, 4]
