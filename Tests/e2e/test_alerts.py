"""When an alert begins, fires, grows worse and is over; and that nothing but what is measured now makes it do so."""

import pytest

from support.alerts import (
    ALERT_KEYS, DRY, FINE, MINUTE, PARCHED, SECOND, Pot, alert, alerts, put_settings, seconds_between)
from support.api import UUID_V7, assert_problem
from support.device import Device
from support.times import now_us, parse, rfc3339
from support.waiting import always, wait_until

HOUR = 60 * MINUTE


@pytest.fixture
def pot(alerting):
    return Pot(alerting)


# Firing and being over, at the first reading.


def test_a_reading_beyond_a_limit_fires_and_the_alert_says_what_where_and_since_when(alerting, pot):
    pot.fine()
    assert pot.alerts() == []
    at = pot.tell(soil_moisture=DRY)
    found = pot.alert()
    assert found.keys() == ALERT_KEYS and UUID_V7.match(found["id"])
    assert {key: found[key] for key in ALERT_KEYS - {"id", "fired_at", "started_at", "duration_seconds", "device_id",
                                                     "device_name"}} == {
        "kind": "threshold", "plant_id": pot.id, "plant_name": pot.name, "metric": "soil_moisture", "unit": "%",
        "direction": "min", "severity": "warning", "state": "firing", "value": DRY, "limit": 20, "detail": None,
        "resolved_at": None, "resolution": None, "acknowledged_at": None, "acknowledged_by": None}
    assert parse(found["started_at"]) == at
    assert at <= parse(found["fired_at"]) <= now_us()
    assert 0 <= found["duration_seconds"] < 60
    shown = alert(alerting, found["id"])
    assert shown.keys() == ALERT_KEYS | {"notifications"} and shown["notifications"] == []
    assert {**shown, "duration_seconds": 0} == {**found, "duration_seconds": 0, "notifications": []}
    assert alerting.api.ok("GET", pot.path)["status"] == "warning"


def test_it_is_over_when_the_value_is_back_by_the_hysteresis_and_not_before(pot):
    pot.dry()
    first = pot.alert()
    pot.soil(20, 20.9, 19.9, 20.5)
    assert pot.state() == "firing", "back within the limit, but not by 5 % of it"
    at = pot.tell(soil_moisture=21)
    over = pot.alert()
    assert (over["id"], over["state"], over["resolution"]) == (first["id"], "resolved", "recovered")
    assert at <= parse(over["resolved_at"]) <= now_us()
    assert over["duration_seconds"] == pytest.approx(seconds_between(over["started_at"], over["resolved_at"]), abs=0.01)
    assert (over["value"], over["limit"]) == (21, 20)
    # What comes after is another one.
    pot.dry()
    assert [one["state"] for one in pot.alerts()] == ["firing", "resolved"]
    assert len({one["id"] for one in pot.alerts()}) == 2


def test_the_ends_of_the_limits_are_still_good(pot):
    pot.soil(20, 80, 20, 80)
    assert pot.alerts() == []
    pot.soil(19.99)
    assert pot.state() == "firing"


@pytest.mark.parametrize("limits, beyond, still, over, direction", [
    ({"temperature": {"max": 30}}, 31, 28.6, 28.4, "max"),
    ({"temperature": {"min": 10, "max": 30}}, 31, 29.1, 28.9, "max"),
    ({"temperature": {"min": -10, "max": 30}}, -12, -9.6, -9.4, "min"),
    ({"temperature": {"min": 0}}, -2, 0.2, 0.4, "min"),
    ({"humidity": {"min": 40}}, 38, 41.9, 42.1, "min"),
    ({"humidity": {"max": 50}}, 55, 47.6, 47.4, "max"),
    ({"co2": {"max": 1000}}, 1100, 951, 949, "max"),
    ({"soil_moisture": {"min": 99.5}}, 97, 99.4, 100, "min"),
    ({"leaf_wetness": {"max": 50}}, 52, 47.6, 47.4, "max"),
    ({"x9_y": {"min": -5}}, -5.1, -4.8, -4.7, "min"),
], ids=["max", "span", "negative", "zero", "humidity", "humid", "large", "at-the-end-of-the-range", "extra", "extra-negative"])
def test_limits_of_all_kinds_of_metrics(alerting, limits, beyond, still, over, direction):
    pot = Pot(alerting, limits)
    (metric,) = limits
    pot.tell(**{metric: over})
    assert pot.alerts() == []
    pot.tell(**{metric: beyond})
    found = pot.alert()
    assert (found["metric"], found["direction"], found["state"]) == (metric, direction, "firing")
    assert (found["value"], found["limit"]) == (beyond, limits[metric][direction])
    assert (found["unit"] is None) == (metric in ("leaf_wetness", "x9_y"))
    pot.tell(**{metric: still})
    assert pot.state() == "firing"
    pot.tell(**{metric: over})
    assert pot.alert()["resolution"] == "recovered"


def test_both_ends_of_one_metric_and_several_metrics_are_alerts_of_their_own(alerting):
    pot = Pot(alerting, {"temperature": {"min": 10, "max": 30}, "humidity": {"min": 40}})
    pot.tell(temperature=5, humidity=30)
    pot.tell(temperature=35)
    found = {(one["metric"], one["direction"]): one["state"] for one in pot.alerts()}
    assert found == {("temperature", "min"): "resolved", ("temperature", "max"): "firing", ("humidity", "min"): "firing"}


def test_what_the_settings_say_of_the_hysteresis_counts(alerting, pot):
    put_settings(alerting, hysteresis_percent=20)
    pot.dry().soil(22.9)
    assert pot.state() == "firing", "20 % of the limit would be 4, and 5 % of the span is not all of it"
    pot.soil(24.1)
    assert pot.state() == "resolved"
    put_settings(alerting, hysteresis_percent=0)
    pot.dry().soil(20.9)
    assert pot.alerts()[0]["state"] == "firing", "never less than the noise of the metric"
    pot.soil(21)
    assert pot.alerts()[0]["state"] == "resolved"


def test_a_reading_without_the_metric_or_without_a_time_of_its_own(pot):
    pot.dry()
    pot.tell(temperature=22)
    assert pot.state() == "firing", "nothing was said of the soil"
    pot.device.publish({"soil_moisture": FINE})
    wait_until(lambda: pot.state() == "resolved", 10, "a reading without a time is of now")


def test_a_message_with_many_readings_is_judged_one_by_one(pot):
    start = now_us() - 2 * MINUTE
    values = [FINE, DRY, DRY, FINE, PARCHED, FINE, 19]
    pot.tell_all([(start + n * SECOND, {"soil_moisture": value}) for n, value in enumerate(values)])
    found = sorted(pot.alerts(), key=lambda one: parse(one["started_at"]))
    assert [(one["state"], one["severity"]) for one in found] == [
        ("resolved", "warning"), ("resolved", "critical"), ("firing", "warning")]
    assert [parse(one["started_at"]) for one in found] == [start + n * SECOND for n in (1, 4, 6)]


# Lasting.


def test_what_has_to_last_is_pending_first(alerting, pot):
    put_settings(alerting, for_seconds=60)
    at = pot.steps(200, 20, DRY, DRY, DRY)
    found = pot.alert()
    assert (found["state"], found["fired_at"], parse(found["started_at"])) == ("pending", None, at[0])
    assert found["duration_seconds"] >= 190
    (fired,) = pot.steps(140, 1, DRY)
    now = pot.alert()
    assert (now["id"], now["state"], now["started_at"]) == (found["id"], "firing", found["started_at"])
    assert fired <= parse(now["fired_at"]) <= now_us()


def test_what_did_not_last_leaves_no_trace(alerting, pot):
    put_settings(alerting, for_seconds=60)
    pot.steps(200, 20, FINE, DRY, DRY)
    pending = pot.alert()
    assert pending["state"] == "pending"
    pot.steps(140, 10, FINE, FINE)
    assert pot.alerts() == []
    assert_problem(alerting.api.get(f"/alerts/{pending['id']}"), 404)
    # Nor does it count for what begins later.
    pot.steps(110, 50, DRY, DRY)
    assert pot.state() == "pending"
    pot.steps(45, 1, DRY)
    assert pot.state() == "firing"


def test_being_over_has_to_last_as_long(alerting, pot):
    put_settings(alerting, for_seconds=60)
    pot.steps(290, 30, DRY, DRY, DRY)
    assert pot.state() == "firing"
    pot.steps(200, 50, FINE, FINE)
    assert pot.state() == "firing"
    pot.steps(145, 5, DRY, FINE, FINE)
    assert pot.state() == "firing"
    pot.steps(90, 1, FINE)
    assert pot.state() == "firing", "50 s since it last was dry"
    pot.steps(75, 1, FINE)
    over = pot.alert()
    assert (over["state"], over["resolution"]) == ("resolved", "recovered")


def test_without_a_reading_nothing_changes(alerting, pot):
    other = Pot(alerting)
    other.dry()
    put_settings(alerting, for_seconds=1)
    pot.dry()
    assert pot.state() == "pending"
    always(lambda: (pot.state(), other.state()) == ("pending", "firing"), 4, every=0.5)
    pot.dry()
    assert pot.state() == "firing"


def test_a_single_spike_is_not_believed_and_one_that_is_confirmed_is(alerting, pot):
    put_settings(alerting, for_seconds=30)
    calm = [50, 50.2, 49.9, 50.1, 50, 49.8, 50.1, 50]
    pot.steps(290, 10, *calm, 2, 50)
    assert pot.alerts() == []
    pot.steps(150, 10, *calm[:4])
    pot.steps(100, 10, 12, 12)
    assert pot.state() == "pending"
    pot.steps(80, 10, 12, 12, 12)
    assert pot.state() == "firing"


def test_a_plant_that_hovers_at_its_limit_makes_one_alert(alerting, pot):
    put_settings(alerting, for_seconds=8)
    hovering = [20.4, 19.6, 19.2, 19.4, 19.7, 19.3] + [20.3, 19.7, 20.6, 19.5, 20.1, 19.9] * 8 + [19.4, 20.7]
    pot.steps(280, 4, *hovering)
    found = pot.alert()
    assert found["state"] == "firing"
    pot.steps(280 - 4 * len(hovering), 4, 22, 22.5, 23, 23, 23)
    over = pot.alert()
    assert (over["id"], over["state"], over["resolution"]) == (found["id"], "resolved", "recovered")


# How bad.


@pytest.mark.parametrize("limits, value, severity", [
    ({"min": 20, "max": 80}, 8, "warning"), ({"min": 20, "max": 80}, 7.9, "critical"),
    ({"min": 20, "max": 80}, 92, "warning"), ({"min": 20, "max": 80}, 92.1, "critical"),
    ({"min": 20}, 16, "warning"), ({"min": 20}, 15.9, "critical"),
    ({"max": 50}, 60, "warning"), ({"max": 50}, 60.1, "critical"),
    ({"min": 40, "max": 42}, 39.1, "warning"), ({"min": 40, "max": 42}, 38.9, "critical")])
def test_it_is_critical_from_a_fifth_of_the_span_on(alerting, limits, value, severity):
    pot = Pot(alerting, {"soil_moisture": limits})
    pot.soil(value)
    assert (pot.alert()["severity"], pot.state()) == (severity, "firing")


def test_an_alert_grows_worse_but_never_better_while_it_lasts(pot):
    pot.dry()
    assert pot.alert()["severity"] == "warning"
    pot.parched()
    worse = pot.alert()
    assert (worse["severity"], worse["value"], worse["state"]) == ("critical", PARCHED, "firing")
    pot.dry()
    assert pot.alert()["severity"] == "critical"
    pot.fine()
    assert (pot.alert()["severity"], pot.state()) == ("critical", "resolved")
    pot.dry()
    assert pot.alerts()[0]["severity"] == "warning"


def test_growing_worse_has_to_last_too(alerting, pot):
    put_settings(alerting, for_seconds=40)
    pot.steps(290, 20, DRY, DRY, DRY)
    assert (pot.state(), pot.alert()["severity"]) == ("firing", "warning")
    pot.steps(230, 20, PARCHED, PARCHED, DRY)
    assert pot.alert()["severity"] == "warning"
    pot.steps(170, 20, PARCHED, PARCHED, PARCHED)
    assert pot.alert()["severity"] == "critical"


def test_what_fires_at_its_worst_is_critical_at_once(alerting, pot):
    put_settings(alerting, for_seconds=40)
    pot.steps(290, 20, DRY, DRY)
    pot.steps(245, 5, PARCHED, PARCHED)
    assert (pot.state(), pot.alert()["severity"]) == ("firing", "critical"), "by the reading that fires"


# Not everything that is measured is judged.


def test_what_was_buffered_begins_and_ends_nothing(pot):
    old = now_us() - 2 * HOUR
    pot.tell_all([(old + n * MINUTE, {"soil_moisture": PARCHED}) for n in range(60)])
    assert pot.alerts() == []
    pot.tell(now_us() - 6 * MINUTE, soil_moisture=PARCHED)
    assert pot.alerts() == []
    pot.dry()
    assert pot.state() == "firing", "the next one of now is judged"
    before = pot.alert()
    pot.tell_all([(old + 30 * SECOND + n * MINUTE, {"soil_moisture": FINE}) for n in range(60)])
    assert {**pot.alert(), "duration_seconds": 0} == {**before, "duration_seconds": 0}
    pot.fine()
    assert pot.state() == "resolved"


def test_a_message_that_ends_in_the_present_fires_by_its_end_only(pot):
    now = now_us()
    pot.tell_all([(now - (60 - n) * MINUTE, {"soil_moisture": PARCHED if n < 50 else FINE}) for n in range(60)])
    assert pot.alerts() == []
    now = pot.next_instant()
    readings = [(now - (59 - n) * MINUTE + 7, {"soil_moisture": FINE if n < 50 else DRY}) for n in range(60)]
    pot.tell_all(readings)
    found = pot.alert()
    assert (found["state"], found["value"]) == ("firing", DRY)
    assert now - parse(found["started_at"]) <= 5 * MINUTE


def test_a_reading_older_than_the_newest_changes_nothing(pot):
    pot.fine()
    pot.tell(now_us() - MINUTE, soil_moisture=PARCHED)
    assert pot.alerts() == [], "late, and dry"
    pot.dry()
    pot.tell(now_us() - MINUTE, soil_moisture=FINE)
    assert pot.state() == "firing", "late, and fine"


def test_a_reading_that_comes_twice_counts_once(alerting, pot):
    at = pot.tell(soil_moisture=DRY)
    found = pot.alert()
    for value in (DRY, FINE, PARCHED):
        pot.device.publish({"timestamp": rfc3339(at), "soil_moisture": value})
    pot.tell(temperature=20)
    assert {**pot.alert(), "duration_seconds": 0} == {**found, "duration_seconds": 0}
    pot.fine()
    pot.device.publish({"timestamp": rfc3339(at), "soil_moisture": DRY})
    pot.tell(temperature=20)
    assert [one["state"] for one in pot.alerts()] == ["resolved"]


def test_light_is_not_judged_by_the_moment(alerting):
    pot = Pot(alerting, {"light_level": {"min": 2000, "max": 20_000}, "soil_moisture": {"min": 20}})
    for light in (0, 100_000, 0):
        pot.tell(light_level=light, soil_moisture=FINE)
        assert pot.alerts() == []
        assert alerting.api.ok("GET", pot.path)["status"] == "ok", "it is night, or noon"


def test_soil_that_has_just_been_watered_may_be_wet(pot):
    pot.steps(280, 20, 40, 40, 40, 40, 90, 91)
    assert pot.alerts() == []
    soaked = Pot(pot.stack)
    soaked.soil(90)
    assert soaked.state() == "firing", "nobody saw it being watered"


def test_a_device_in_no_plant_and_a_plant_without_limits_make_no_alert(alerting):
    bare = Pot(alerting, {})
    bare.soil(0, 100)
    bare.tell(temperature=85, humidity=0, co2=40_000)
    with Device(alerting) as loose:
        loose.publish({"timestamp": rfc3339(now_us()), "soil_moisture": 0})
        loose.stored(1)
        assert bare.alerts() == []
        assert alerts(alerting, device_id=loose.id) == []
        alerting.api.ok("DELETE", f"/devices/{loose.id}", 204)
