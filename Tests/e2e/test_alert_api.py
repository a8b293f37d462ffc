"""What people do with alerts: acknowledge, snooze, look through them, and set how they are judged."""

import uuid
from zoneinfo import ZoneInfo

import pytest

from support.alerts import ALERT_KEYS, MINUTE, Pot, alerts, put_settings
from support.api import assert_problem
from support.people import Person
from support.times import now_us, parse, rfc3339
from support.waiting import wait_until

HOUR = 60 * MINUTE
NOBODY = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def pot(alerting):
    return Pot(alerting)


# What people do.


def test_an_alert_is_acknowledged_once_and_by_somebody(alerting, pot):
    anna, bert = Person(alerting), Person(alerting)
    pot.dry()
    path = f"/alerts/{pot.alert()['id']}/acknowledge"
    answer = alerting.stranger.post(path, cookies=anna.session())
    assert answer.status_code == 200, answer.text
    first = answer.json()
    assert first.keys() == ALERT_KEYS and first["state"] == "firing"
    assert anna.email in first["acknowledged_by"] and abs(parse(first["acknowledged_at"]) - now_us()) < MINUTE
    again = alerting.stranger.post(path, cookies=bert.session(), json={})
    assert again.status_code == 200
    assert {**again.json(), "duration_seconds": 0} == {**first, "duration_seconds": 0}
    pot.fine()
    over = pot.alert()
    assert (over["state"], over["acknowledged_at"]) == ("resolved", first["acknowledged_at"])
    assert_problem(alerting.api.post(path), 409)
    pot.dry()
    assert pot.alerts()[0]["acknowledged_at"] is None, "the next one is nobody's yet"


def test_only_what_fires_can_be_acknowledged(alerting, pot):
    put_settings(alerting, for_seconds=60)
    pot.dry()
    assert_problem(alerting.api.post(f"/alerts/{pot.alert()['id']}/acknowledge"), 409)
    assert pot.alert()["acknowledged_at"] is None
    put_settings(alerting, for_seconds=0)
    pot.fine()
    for nobody in (NOBODY, uuid.uuid4(), "nonsense"):
        assert_problem(alerting.api.post(f"/alerts/{nobody}/acknowledge"), 404)
        assert_problem(alerting.api.get(f"/alerts/{nobody}"), 404)


def test_a_plant_is_snoozed_for_a_while_and_woken(alerting, pot):
    assert pot.plant["snoozed_until"] is None
    snoozed = pot.snooze(30)
    assert abs(parse(snoozed["snoozed_until"]) - now_us() - 30 * MINUTE) < MINUTE
    assert snoozed["id"] == pot.id and alerting.api.ok("GET", pot.path)["snoozed_until"] == snoozed["snoozed_until"]
    pot.dry()
    assert pot.state() == "firing", "it is only not told"
    assert parse(pot.snooze(43_200)["snoozed_until"]) > now_us() + 29 * 24 * HOUR
    assert pot.snooze(0)["snoozed_until"] is None
    assert alerting.api.ok("GET", pot.path)["snoozed_until"] is None
    pot.snooze(10)
    assert alerting.api.ok("PUT", pot.path, json={"name": "Other"})["snoozed_until"] is not None
    alerting.sql(f"UPDATE plants SET snoozed_until = now() - interval '1 second' WHERE id = '{pot.id}'")
    assert alerting.api.ok("GET", pot.path)["snoozed_until"] is None, "it is over"


@pytest.mark.parametrize("body", [
    {}, {"minutes": None}, {"minutes": -1}, {"minutes": 43_201}, {"minutes": 1.5}, {"minutes": "30"}, {"minutes": True},
    {"minutes": []}, {"minutes": 1e300}])
def test_a_snooze_is_so_many_whole_minutes(stack, plant, body):
    problem = assert_problem(stack.api.post(f"/plants/{plant['id']}/snooze", json=body), 422)
    assert [error["pointer"] for error in problem["errors"]] == ["/minutes"]
    assert stack.api.ok("GET", f"/plants/{plant['id']}")["snoozed_until"] is None
    assert_problem(stack.api.post(f"/plants/{NOBODY}/snooze", json={"minutes": 5}), 404)


def test_a_viewer_sees_alerts_and_changes_nothing(alerting, pot):
    pot.dry()
    found = pot.alert()
    viewer = alerting.api.as_(alerting.make_token("viewer"))
    assert found["id"] in [one["id"] for one in viewer.ok("GET", f"/alerts?plant_id={pot.id}")["alerts"]]
    assert viewer.ok("GET", f"/alerts/{found['id']}")["id"] == found["id"]
    for method, path, body in (("POST", f"/alerts/{found['id']}/acknowledge", None), ("POST", f"{pot.path}/snooze", {"minutes": 5}),
                               ("GET", "/settings/alerts", None), ("PUT", "/settings/alerts", {"for_seconds": 5}),
                               ("GET", "/channels", None)):
        assert_problem(viewer.request(method, path, json=body), 403)
        assert_problem(alerting.stranger.request(method, path, json=body), 401)
    assert pot.alert()["acknowledged_at"] is None
    assert alerting.api.ok("GET", "/settings/alerts")["for_seconds"] == 0


# The list.


def test_alerts_are_listed_newest_first_in_pages_that_cover_them_once(alerting, pot):
    for _ in range(4):
        pot.dry().fine()
    pot.dry()
    everything = alerting.api.ok("GET", f"/alerts?plant_id={pot.id}")
    assert everything["total"] == len(everything["alerts"]) == 5 and everything.keys() == {"alerts", "total"}
    started = [parse(one["started_at"]) for one in everything["alerts"]]
    assert started == sorted(started, reverse=True)
    pages = []
    for offset in (0, 2, 4, 6):
        page = alerting.api.ok("GET", f"/alerts?plant_id={pot.id}&limit=2&offset={offset}")
        assert page["total"] == 5
        pages += page["alerts"]
    assert [one["id"] for one in pages] == [one["id"] for one in everything["alerts"]]


def test_alerts_can_be_asked_for_by_state_plant_device_kind_and_time(alerting):
    one, other = Pot(alerting), Pot(alerting)
    other.parched()
    one.dry().fine()
    one.device.publish({"battery": 5}, topic="heartbeat")
    wait_until(lambda: len(one.alerts()) == 2, 10, "the battery is low")
    put_settings(alerting, for_seconds=60)
    one.dry()
    resolved, = one.alerts(state="resolved")
    firing, = one.alerts(state="firing")
    pending, = one.alerts(state="pending")
    assert {found["id"] for found in one.alerts(state="open")} == {firing["id"], pending["id"]}
    assert {found["id"] for found in one.alerts()} == {resolved["id"], firing["id"], pending["id"]}
    assert firing["kind"] == "battery_low"
    assert [found["id"] for found in one.alerts(kind="battery_low")] == [firing["id"]]
    assert {found["id"] for found in one.alerts(kind="threshold")} == {resolved["id"], pending["id"]}
    assert firing["id"] in [found["id"] for found in alerts(alerting, device_id=one.device.id)]
    assert {found["plant_id"] for found in alerts(alerting, device_id=one.device.id)} == {one.id}
    assert one.alerts(device_id=other.device.id) == []
    assert {found["state"] for found in alerts(alerting, state="resolved")} == {"resolved"}
    # Still open, or over no earlier than then.
    since = rfc3339(parse(resolved["resolved_at"]) + 1)
    assert {found["id"] for found in one.alerts(**{"from": since})} == {firing["id"], pending["id"]}
    assert len(one.alerts(**{"from": resolved["resolved_at"]})) == 3
    assert len(one.alerts(**{"from": "2020-01-01T00:00:00Z"})) == 3
    assert one.alerts(**{"from": since, "state": "resolved"}) == []
    assert alerting.api.ok("GET", f"/alerts?plant_id={NOBODY}") == {"alerts": [], "total": 0}


@pytest.mark.parametrize("query", [
    "state=on", "state=", "state=FIRING", "plant_id=7", "plant_id=", "device_id=nonsense", "kind=flood", "kind=",
    "from=yesterday", "from=", "limit=0", "limit=501", "limit=x", "offset=-1", "from=2026-13-01T00:00:00Z"])
def test_a_question_that_makes_no_sense_is_refused(stack, query):
    problem = assert_problem(stack.api.get(f"/alerts?{query}"), 422)
    assert [error["pointer"] for error in problem["errors"]] == [f"?{query.split('=')[0]}"]


# Settings.


def test_the_settings_begin_as_described(stack):
    settings = stack.api.ok("GET", "/settings/alerts")
    assert ZoneInfo(settings.pop("time_zone")), "the machine's"
    assert settings == {
        "for_seconds": 120, "cooldown_minutes": 60, "hysteresis_percent": 5, "quiet_hours": None, "digest": False}


def test_settings_that_are_absent_stay(alerting):
    quiet = {"from": "22:00", "to": "07:00", "time_zone": "Europe/Berlin"}
    changed = put_settings(alerting, quiet_hours=quiet, digest=True, time_zone="America/New_York")
    assert (changed["quiet_hours"], changed["digest"], changed["time_zone"], changed["for_seconds"]) == (
        quiet, True, "America/New_York", 0)
    assert put_settings(alerting) == changed == alerting.api.ok("GET", "/settings/alerts")
    changed = put_settings(alerting, hysteresis_percent=2.5, for_seconds=86_400, cooldown_minutes=10_080)
    assert (changed["hysteresis_percent"], changed["quiet_hours"]) == (2.5, quiet)
    assert put_settings(alerting, quiet_hours=None)["quiet_hours"] is None
    for quiet in ({"from": "00:00", "to": "23:59", "time_zone": "UTC"},
                  {"from": "09:00", "to": "08:59", "time_zone": "Asia/Kathmandu"}):
        assert put_settings(alerting, quiet_hours=quiet)["quiet_hours"] == quiet


QUIET = {"from": "22:00", "to": "07:00", "time_zone": "UTC"}


@pytest.mark.parametrize("body, pointers", [
    ({"for_seconds": -1}, ["/for_seconds"]), ({"for_seconds": 86_401}, ["/for_seconds"]),
    ({"for_seconds": 1.5}, ["/for_seconds"]), ({"for_seconds": "120"}, ["/for_seconds"]),
    ({"for_seconds": None}, ["/for_seconds"]), ({"for_seconds": True}, ["/for_seconds"]),
    ({"cooldown_minutes": -1}, ["/cooldown_minutes"]), ({"cooldown_minutes": 10_081}, ["/cooldown_minutes"]),
    ({"cooldown_minutes": []}, ["/cooldown_minutes"]), ({"cooldown_minutes": None}, ["/cooldown_minutes"]),
    ({"hysteresis_percent": -0.1}, ["/hysteresis_percent"]), ({"hysteresis_percent": 50.1}, ["/hysteresis_percent"]),
    ({"hysteresis_percent": "5"}, ["/hysteresis_percent"]), ({"hysteresis_percent": None}, ["/hysteresis_percent"]),
    ({"digest": "yes"}, ["/digest"]), ({"digest": 1}, ["/digest"]), ({"digest": None}, ["/digest"]),
    ({"time_zone": "Mars/Olympus"}, ["/time_zone"]), ({"time_zone": ""}, ["/time_zone"]),
    ({"time_zone": None}, ["/time_zone"]), ({"time_zone": 1}, ["/time_zone"]), ({"time_zone": "../../etc/passwd"}, ["/time_zone"]),
    ({"time_zone": "UTC\u0000"}, ["/time_zone"]), ({"time_zone": "posixrules/../UTC"}, ["/time_zone"]),
    ({"quiet_hours": "night"}, ["/quiet_hours"]), ({"quiet_hours": []}, ["/quiet_hours"]),
    ({"quiet_hours": {}}, ["/quiet_hours/from", "/quiet_hours/time_zone", "/quiet_hours/to"]),
    ({"quiet_hours": {**QUIET, "from": "24:00"}}, ["/quiet_hours/from"]),
    ({"quiet_hours": {**QUIET, "from": "7:00"}}, ["/quiet_hours/from"]),
    ({"quiet_hours": {**QUIET, "from": "22:60"}}, ["/quiet_hours/from"]),
    ({"quiet_hours": {**QUIET, "from": "22:00:00"}}, ["/quiet_hours/from"]),
    ({"quiet_hours": {**QUIET, "from": "-2:00"}}, ["/quiet_hours/from"]),
    ({"quiet_hours": {**QUIET, "from": "٢٢:٠٠"}}, ["/quiet_hours/from"]),
    ({"quiet_hours": {**QUIET, "to": ""}}, ["/quiet_hours/to"]), ({"quiet_hours": {**QUIET, "to": 7}}, ["/quiet_hours/to"]),
    ({"quiet_hours": {**QUIET, "to": None}}, ["/quiet_hours/to"]),
    ({"quiet_hours": {**QUIET, "time_zone": "Nowhere"}}, ["/quiet_hours/time_zone"]),
    ({"quiet_hours": {**QUIET, "to": "22:00"}}, ["/quiet_hours/to"]),
    ({"for_seconds": -1, "digest": 0, "quiet_hours": {**QUIET, "to": "x"}}, ["/digest", "/for_seconds", "/quiet_hours/to"]),
])
def test_settings_that_cannot_be_are_refused_all_at_once_and_change_nothing(stack, body, pointers):
    before = stack.api.ok("GET", "/settings/alerts")
    problem = assert_problem(stack.api.put("/settings/alerts", json={"cooldown_minutes": 5, **body}), 422)
    assert sorted(error["pointer"] for error in problem["errors"]) == pointers
    assert stack.api.ok("GET", "/settings/alerts") == before


@pytest.mark.parametrize("data", ["", "{", "[]", "7", '"x"', "null"])
def test_settings_that_are_no_object_are_refused(stack, data):
    answer = stack.api.put("/settings/alerts", data=data, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert_problem(answer, answer.status_code)
