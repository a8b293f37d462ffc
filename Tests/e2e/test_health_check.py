"""How a plant is, in plain words."""

import pytest

from support.api import assert_problem
from support.device import Device, reading
from support.times import now_us, parse, rfc3339
from support.waiting import wait_until

MINUTE, HOUR = 60_000_000, 3_600_000_000


def check(stack, plant, **options):
    return stack.api.ok("POST", f"/plants/{plant}/health-check", 200, **options)


def found(answer):
    return [(issue["severity"], issue["kind"], issue["metric"]) for issue in answer["issues"]]


@pytest.fixture
def dry(stack):
    """A device in a plant that may not be dry, with nothing told of it so far."""
    plant = stack.api.plant("Fern", thresholds={"soil_moisture": {"min": 25, "max": 70}})["id"]
    with Device(stack, plant, name="Pod", reporting_interval_seconds=600) as device:
        device.plant = plant
        yield device


def test_a_new_plant_is_told_what_it_lacks(stack):
    answer = check(stack, stack.api.plant("Fern")["id"])
    assert (answer["status"], answer["trends"]) == ("unknown", [])
    assert found(answer) == [("warning", "no_device", None), ("info", "no_limits", None)]
    assert answer["summary"].startswith("How Fern is cannot be judged. No device stands in this pot")
    assert abs(parse(answer["checked_at"]) - now_us()) < HOUR


def test_what_is_wrong_is_said_in_words_and_in_numbers(stack, dry):
    dry.publish(reading(soil_moisture=12, temperature=25, humidity=30, battery=15))
    dry.stored(1)
    answer = check(stack, dry.plant)
    assert answer["plant_id"] == dry.plant and answer["status"] == "critical"
    assert found(answer) == [("critical", "limit_exceeded", "soil_moisture"), ("warning", "battery_low", "battery"),
                             ("info", "air_too_dry", "vpd_kpa")]
    worst = answer["issues"][0]
    assert (worst["value"], worst["limit"], worst["unit"]) == (12, 25, "%")
    assert worst["text"].startswith("Soil moisture is 12 %, 13 points below its minimum of 25 %")
    assert answer["summary"] == f"Fern needs help now. {worst['text']} There is 1 more thing to see to."
    dry.publish(reading(soil_moisture=50, temperature=22, humidity=60, battery=80))
    dry.stored(2)
    answer = check(stack, dry.plant)
    assert (answer["status"], answer["issues"]) == ("ok", [])
    assert answer["summary"] == "Fern is fine: all that has limits is within them."


def test_an_alert_says_since_when(stack, dry):
    stack.api.ok("PUT", "/settings/alerts", json={"for_seconds": 0})
    try:
        us = now_us()
        dry.publish(reading(us, soil_moisture=12))
        wait_until(lambda: check(stack, dry.plant)["issues"][0]["since"], 10, "an alert")
        # In our time, not in that of the device's clock.
        assert abs(parse(check(stack, dry.plant)["issues"][0]["since"]) - us) < 10_000_000
    finally:
        stack.api.ok("PUT", "/settings/alerts", json={"for_seconds": 120})


def test_what_is_no_longer_known_is_said_to_be(stack, dry):
    us = now_us() - 5 * HOUR
    dry.publish(reading(us, soil_moisture=12))
    dry.stored(1)
    answer = check(stack, dry.plant)
    assert answer["status"] == "stale"
    assert found(answer) == [("warning", "stale_data", "soil_moisture")]
    (issue,) = answer["issues"]
    assert parse(issue["since"]) == us
    assert issue["text"].startswith("Soil moisture was last measured 5 hours ago by Pod, as 12 %")


def test_trends_of_two_days(stack, dry):
    """Soil that dries by 12 points a day, in a room with warm days and cold nights."""
    us = now_us()
    dry.publish([
        reading(us - back * HOUR // 2, soil_moisture=40 + back / 4, temperature=20 + 4 * ((back // 2) % 24 < 12), ph=6.5)
        for back in range(100)])
    dry.stored(100)
    # What comes late is in the means of hours a minute later at most.
    wait_until(lambda: check(stack, dry.plant)["trends"][0]["change_hours"] == 24, 180, "the hours of two days")
    answer = check(stack, dry.plant)
    trends = {trend["metric"]: trend for trend in answer["trends"]}
    assert list(trends) == ["soil_moisture", "temperature", "ph"]
    soil = trends["soil_moisture"]
    assert (soil["direction"], soil["change_hours"], soil["now"], soil["unit"]) == ("falling", 24, 40, "%")
    assert abs(soil["change"] + 12) < 0.5
    assert soil["text"].startswith("Soil moisture fell by about 12 points compared with the day before; it is 40 % now")
    assert soil["min"] == 40 and 51 <= soil["max"] <= 52.5 and 45 < soil["mean"] < 47
    assert trends["temperature"]["direction"] == "steady" and abs(trends["temperature"]["change"]) < 0.5
    assert (trends["ph"]["unit"], trends["ph"]["direction"]) == (None, "steady")
    assert found(answer) == [("info", "drying", "soil_moisture")]
    assert "in about 30 hours" in answer["issues"][0]["text"]


@pytest.mark.parametrize("options", [{}, {"json": {}}, {"data": b"\x00 no JSON"}], ids=["none", "empty", "any"])
def test_a_body_is_not_needed_and_not_read(stack, plant, options):
    assert check(stack, plant["id"], **options)["status"] == "unknown"


@pytest.mark.parametrize("plant", ["01890000-0000-7000-8000-000000000000", "nothing"])
def test_a_plant_that_does_not_exist_has_no_health(stack, plant):
    assert_problem(stack.api.post(f"/plants/{plant}/health-check"), 404)
