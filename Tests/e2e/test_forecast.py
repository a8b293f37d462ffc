"""When a plant will be too dry, or why that cannot be told."""

import math

import pytest

from support.api import assert_problem
from support.device import Device, reading
from support.times import now_us, parse
from support.waiting import wait_until

HOUR, DAY = 3_600_000_000, 86_400_000_000
KEYS = {
    "plant_id", "metric", "unit", "reaches_min_at", "low", "high", "value", "measured_at", "device_id", "minimum",
    "limit_source", "time_constant_days", "basis", "reason"}


def forecast(stack, plant):
    answer = stack.api.ok("GET", f"/plants/{plant}/forecast", 200)
    assert answer.keys() == KEYS
    assert (answer["plant_id"], answer["metric"], answer["unit"]) == (plant, "soil_moisture", "%")
    times = [answer[key] for key in ("low", "reaches_min_at", "high")]
    if answer["reason"]:
        assert times == [None] * 3 and answer["reason"].keys() == {"code", "text"} and answer["reason"]["text"]
    else:
        assert sorted(times, key=parse) == times and answer["basis"]["text"]
    return answer


def why_not(stack, plant):
    return (forecast(stack, plant)["reason"] or {}).get("code")


@pytest.fixture
def pot(stack):
    plant = stack.api.plant(thresholds={"soil_moisture": {"min": 25, "max": 80}})["id"]
    with Device(stack, plant, reporting_interval_seconds=600) as device:
        device.plant = plant
        yield device


def whole_cycle(stack, plant, us):
    """Whether the forecast rests on everything since the watering three days ago, and knows that it was one."""
    basis = forecast(stack, plant)["basis"]
    return basis and "since the last watering" in basis["text"] and abs(parse(basis["since"]) - (us - 3 * DAY)) < 2 * HOUR


@pytest.fixture(scope="module")
def drying(stack):
    """A pot that was watered three days ago, from 32 % to 70 %, and dries with a time constant of 5 days towards 5 %."""
    plant = stack.api.plant(thresholds={"soil_moisture": {"min": 25}})["id"]
    with Device(stack, plant, reporting_interval_seconds=1800) as device:
        us, readings = now_us(), []
        for back in reversed(range(200)):
            days = 3 - back / 48
            value = 5 + 65 * math.exp(-days / 5) if days >= 0 else 32 - days
            readings.append(reading(us - back * HOUR // 2, soil_moisture=round(value, 2)))
        device.publish(readings)
        device.stored(len(readings))
        # What comes late is in the means of hours a minute later at most, bit by bit.
        wait_until(lambda: whole_cycle(stack, plant, us), 180, "three days")
        device.plant, device.us = plant, us
        yield device


def test_when_it_will_be_too_dry(stack, drying):
    answer = forecast(stack, drying.plant)
    assert answer["reason"] is None
    assert (answer["minimum"], answer["limit_source"], answer["device_id"]) == (25, "threshold", drying.id)
    assert abs(answer["value"] - (5 + 65 * math.exp(-3 / 5))) < 0.01 and parse(answer["measured_at"]) == drying.us
    assert abs(answer["time_constant_days"] - 5) < 0.2
    truth = 5 * math.log(65 / 20) - 3
    days = {key: (parse(answer[key]) - drying.us) / DAY for key in ("low", "reaches_min_at", "high")}
    assert abs(days["reaches_min_at"] - truth) < 0.2
    assert truth / 2 < days["low"] < truth < days["high"] < 2 * truth
    basis = answer["basis"]
    assert basis.keys() == {"kind", "since", "cycles", "residual", "text"}
    assert (basis["kind"], basis["cycles"], basis["residual"]) == ("current_cycle", 1, 5)
    assert "in the 3 days since the last watering" in basis["text"]


def test_another_limit_is_reached_at_another_time(stack, drying):
    path = f"/plants/{drying.plant}"
    before = parse(forecast(stack, drying.plant)["reaches_min_at"])
    try:
        stack.api.ok("PUT", path, json={"thresholds": {"soil_moisture": {"min": 30}}})
        assert parse(forecast(stack, drying.plant)["reaches_min_at"]) < before
        stack.api.ok("PUT", path, json={"thresholds": {"soil_moisture": {"min": 0}}})
        assert why_not(stack, drying.plant) == "beyond_horizon"
        stack.api.ok("PUT", path, json={"thresholds": {"soil_moisture": {"min": 60}}})
        answer = forecast(stack, drying.plant)
        assert answer["reason"]["code"] == "already_dry" and "below its minimum of 60 %" in answer["reason"]["text"]
        stack.api.ok("PUT", path, json={"thresholds": {"soil_moisture": None}})
        answer = forecast(stack, drying.plant)
        assert answer["reason"]["code"] == "no_limit" and answer["limit_source"] is None
        assert abs(answer["time_constant_days"] - 5) < 0.2, "what is known of how it dries is told all the same"
    finally:
        stack.api.ok("PUT", path, json={"thresholds": {"soil_moisture": {"min": 25}}})


def test_shortly_after_a_watering_it_dries_as_before(stack, drying):
    plant = drying.plant
    drying.publish(reading(soil_moisture=75))
    answer = wait_until(
        lambda: (answer := forecast(stack, plant))["value"] == 75 and answer["basis"]["kind"] == "earlier_cycles" and answer,
        15, "a watering")
    assert answer["reason"] is None and 4.5 < answer["time_constant_days"] < 5.5
    days = (parse(answer["reaches_min_at"]) - now_us()) / DAY
    assert abs(days - answer["time_constant_days"] * math.log(70 / 20)) < 0.2
    assert "Too little is known since the last watering" in answer["basis"]["text"]


def test_why_it_cannot_be_told(stack, pot):
    plant = pot.plant
    assert why_not(stack, stack.api.plant()["id"]) == "no_data"
    assert why_not(stack, plant) == "no_data"
    pot.publish(reading(now_us() - 2 * HOUR, soil_moisture=50))
    wait_until(lambda: why_not(stack, plant) == "stale", 15, "an old reading")
    assert "2 hours ago, as 50 %" in forecast(stack, plant)["reason"]["text"]
    pot.publish(reading(soil_moisture=49))
    wait_until(lambda: why_not(stack, plant) == "too_short", 15, "a reading")
    pot.publish(reading(soil_moisture=25))
    wait_until(lambda: why_not(stack, plant) == "already_dry", 15, "a dry reading")
    assert forecast(stack, plant)["reason"]["text"] == "Soil moisture is 25 %, its minimum."
    pot.publish(reading(soil_moisture=12))
    wait_until(lambda: forecast(stack, plant)["value"] == 12, 15, "a drier reading")
    assert forecast(stack, plant)["reason"]["text"] == "Soil moisture is 12 %, below its minimum of 25 % already."


@pytest.mark.parametrize("plant", ["01890000-0000-7000-8000-000000000000", "nothing"])
def test_a_plant_that_does_not_exist_has_no_forecast(stack, plant):
    assert_problem(stack.api.get(f"/plants/{plant}/forecast"), 404)
