"""What alerts are about, and what becomes of them when that changes: limits, devices, plants, and the system itself."""

import os
import signal
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from support.alerts import DRY, FINE, SECOND, Pot, alert, alerts, put_settings
from support.certificates import sign
from support.device import Device
from support.times import now_us, parse
from support.waiting import wait_until


@pytest.fixture
def pot(alerting):
    return Pot(alerting)


# Limits and devices that change.


def test_an_alert_whose_limit_is_removed_is_over(pot):
    pot.dry()
    pot.limit(soil_moisture={"min": None})
    over = pot.alert()
    assert (over["state"], over["resolution"]) == ("resolved", "limit_removed")
    pot.dry().parched()
    assert len(pot.alerts()) == 1
    pot.limit(soil_moisture={"min": 20})
    pot.dry()
    assert [one["state"] for one in pot.alerts()] == ["firing", "resolved"]
    pot.stack.api.ok("PUT", pot.path, json={"thresholds": None})
    assert [one["resolution"] for one in pot.alerts()] == ["limit_removed", "limit_removed"]


def test_what_is_pending_goes_with_its_limit(alerting, pot):
    put_settings(alerting, for_seconds=60)
    pot.steps(100, 10, DRY, DRY)
    assert pot.state() == "pending"
    pot.limit(soil_moisture=None)
    assert pot.alerts(state="open") == []
    pot.steps(30, 10, DRY, DRY)
    assert pot.alerts(state="open") == []


def test_what_is_pending_does_not_care_for_another_limit_that_goes(alerting):
    put_settings(alerting, for_seconds=60)
    pot, other = (Pot(alerting, {"soil_moisture": {"min": 20}, "temperature": {"max": 30}}) for _ in range(2))
    for one in (pot, other):
        one.steps(150, 10, DRY, DRY)
        one.limit(temperature=None)
    # One goes on and the other is well: neither is left half-way.
    began = pot.alert()
    pot.steps(110, 40, DRY, DRY)
    fired = pot.alert()
    assert (fired["id"], fired["state"], fired["started_at"]) == (began["id"], "firing", began["started_at"])
    other.steps(110, 25, FINE, FINE, FINE)
    assert other.alerts() == []


def test_the_next_reading_is_judged_by_limits_as_they_are_then(pot):
    pot.soil(30)
    pot.limit(soil_moisture={"min": 40})
    pot.soil(30)
    found = pot.alert()
    assert (found["state"], found["limit"]) == ("firing", 40)
    pot.limit(soil_moisture={"min": 35})
    pot.soil(30)
    assert pot.state() == "firing" and len(pot.alerts()) == 1, "still the same"
    pot.limit(soil_moisture={"min": 10})
    pot.soil(30)
    assert pot.state() == "resolved"


def test_an_alert_is_over_when_the_only_device_that_told_of_it_goes(alerting):
    for how in ("unassign", "move", "disable", "delete"):
        pot, other = Pot(alerting), Pot(alerting, devices=0)
        pot.dry()
        path = f"/devices/{pot.device.id}"
        if how == "unassign":
            alerting.api.ok("POST", path + "/unassign")
        elif how == "move":
            alerting.api.ok("POST", path + "/provision", json={"plant_id": other.id})
        elif how == "disable":
            alerting.api.ok("PATCH", path, json={"enabled": False})
        else:
            alerting.api.ok("DELETE", path, 204)
        over = pot.alert()
        assert (how, over["state"], over["resolution"]) == (how, "resolved", "device_removed")
        if how == "move":
            pot.tell(soil_moisture=DRY)
            assert len(pot.alerts()) == 1
            (moved,) = other.alerts()
            assert (moved["state"], moved["plant_name"]) == ("firing", other.name)
            alerting.api.ok("POST", path + "/provision", json={"plant_id": pot.id})
            assert other.alert()["resolution"] == "device_removed"
            pot.dry()
            assert [one["state"] for one in pot.alerts()] == ["firing", "resolved"]


def test_an_alert_outlives_its_plant(alerting, pot):
    pot.dry()
    found = pot.alert()
    alerting.api.ok("DELETE", pot.path, 204)
    over = alert(alerting, found["id"])
    assert (over["state"], over["resolution"], over["plant_name"]) == ("resolved", "plant_deleted", pot.name)
    assert found["id"] in [one["id"] for one in alerts(alerting, state="resolved")]
    pot.dry()
    assert [one["id"] for one in alerts(alerting) if one["plant_name"] == pot.name] == [found["id"]]


def test_two_devices_in_one_pot_make_one_alert_that_is_over_when_neither_says_so_any_more(alerting):
    pot = Pot(alerting, devices=2)
    pot.soil(DRY, device=0).soil(DRY, device=1).soil(DRY, device=0)
    found = pot.alert()
    pot.soil(FINE, device=0)
    assert pot.state() == "firing", "the other still says so"
    pot.soil(FINE, device=1)
    assert (pot.alert()["id"], pot.alert()["resolution"]) == (found["id"], "recovered")
    # One that is fine does not end what the other tells.
    pot.soil(DRY, device=0).soil(FINE, device=1)
    assert [one["state"] for one in pot.alerts()] == ["firing", "resolved"]
    # Neither does one that goes, unless it was the last.
    pot.soil(DRY, device=1)
    alerting.api.ok("POST", f"/devices/{pot.devices[0].id}/unassign")
    assert pot.alerts()[0]["state"] == "firing"
    alerting.api.ok("POST", f"/devices/{pot.devices[1].id}/unassign")
    assert pot.alerts()[0]["resolution"] == "device_removed"


def test_with_two_devices_an_alert_began_when_the_first_of_them_said_so(alerting):
    put_settings(alerting, for_seconds=60)
    pot = Pot(alerting, devices=2)
    begin = now_us() - 200 * SECOND
    pot.tell(begin, soil_moisture=DRY, device=0)
    pot.tell(begin + 40 * SECOND, soil_moisture=DRY, device=1)
    pending = pot.alert()
    assert (pending["state"], parse(pending["started_at"])) == ("pending", begin)
    pot.tell(begin + 70 * SECOND, soil_moisture=DRY, device=0)
    assert (pot.state(), pot.alert()["id"], parse(pot.alert()["started_at"])) == ("firing", pending["id"], begin)


def test_what_one_of_two_devices_still_sees_is_still_pending(alerting):
    put_settings(alerting, for_seconds=60)
    pot = Pot(alerting, devices=2)
    begin = now_us() - 200 * SECOND
    for device in (0, 1):
        pot.tell(begin + device, soil_moisture=DRY, device=device)
    for n in (1, 2):
        pot.tell(begin + n * 20 * SECOND, soil_moisture=FINE, device=0)
    pot.tell(begin + 50 * SECOND, soil_moisture=DRY, device=1)
    assert pot.state() == "pending"
    for n in (1, 2):
        pot.tell(begin + (50 + n) * SECOND, soil_moisture=FINE, device=1)
    assert pot.alerts() == []


# Devices.


def test_a_battery_that_runs_low_is_an_alert_of_its_device(alerting):
    pot = Pot(alerting, {})

    def heartbeat(battery):
        pot.device.publish({"battery": battery}, topic="heartbeat")
        wait_until(lambda: alerting.api.ok("GET", f"/devices/{pot.device.id}")["battery"] == battery, 10, "it is taken in")
        return alerts(alerting, device_id=pot.device.id)

    assert heartbeat(21) == [] == heartbeat(20)
    (low,) = heartbeat(19)
    assert (low["kind"], low["state"], low["severity"], low["value"], low["limit"]) == (
        "battery_low", "firing", "warning", 19, 20)
    assert (low["device_id"], low["plant_id"], low["plant_name"]) == (pot.device.id, pot.id, pot.name)
    assert low["device_name"]
    (low,) = heartbeat(9)
    assert (low["state"], low["severity"]) == ("firing", "critical")
    (low,) = heartbeat(29)
    assert low["state"] == "firing", "charging a little is not enough"
    (over,) = heartbeat(31)
    assert (over["id"], over["state"], over["resolution"]) == (low["id"], "resolved", "recovered")
    pot.tell(battery=12)
    assert [one["state"] for one in alerts(alerting, device_id=pot.device.id)] == ["firing", "resolved"], "a reading says it, too"
    assert {one["id"] for one in alerts(alerting, kind="battery_low")} >= {low["id"]}


def silent_for(pot, seconds):
    pot.stack.sql(f"UPDATE device_state SET last_seen_at = now() - make_interval(secs => {seconds}) "
                   f"WHERE device_id = '{pot.device.id}'")


def test_a_device_that_falls_silent_is_an_alert_until_it_is_heard_of(alerting):
    silent, punctual, leaving = (Pot(alerting) for _ in range(3))
    for pot in (silent, punctual, leaving):
        pot.fine()
    leaving.device.publish("offline", topic="status", retain=True)
    wait_until(lambda: alerting.api.ok("GET", f"/devices/{leaving.device.id}")["status"] == "offline", 10, "it said goodbye")
    silent_for(silent, 200)
    silent_for(punctual, 30)
    (found,) = wait_until(lambda: alerts(alerting, device_id=silent.device.id), 110, "the silence is an alert", every=0.5)
    assert (found["kind"], found["state"], found["plant_id"], found["metric"]) == ("device_offline", "firing", silent.id, None)
    assert found["device_name"] and found["value"] is None or found["value"] >= 180
    assert alerts(alerting, device_id=punctual.device.id) == []
    assert alerts(alerting, device_id=leaving.device.id) == [], "a last will alone is no alert"
    silent.device.publish(b"", topic="heartbeat")
    over = wait_until(lambda: next(iter(alerts(alerting, device_id=silent.device.id, state="resolved")), None), 10,
                      "it is heard of again")
    assert (over["id"], over["resolution"]) == (found["id"], "recovered")


# Days of light.


def test_plants_that_had_two_dark_days_are_too_dark_until_they_had_two_bright_ones(breakable):
    zone = ZoneInfo(breakable.api.ok("GET", "/settings/alerts")["time_zone"])
    dark, gloomy, bright = (Pot(breakable, {"light_level": {"min": 2000}, "soil_moisture": {"min": 20}}) for _ in range(3))

    def judge_the_days(**levels):
        """The light of the three days before today, and then a start, at which the days that are over are judged."""
        midnight = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        breakable.sql(f"SELECT telemetry_ensure_partitions('{(midnight - timedelta(days=4)).isoformat()}', now())")
        for pot, days in ((dark, levels["dark"]), (gloomy, levels["gloomy"]), (bright, levels["bright"])):
            breakable.sql(f"DELETE FROM telemetry WHERE device_id = '{pot.device.id}'")
            for ago, lux in zip((3, 2, 1), days):
                noon = midnight - timedelta(days=ago)
                breakable.sql(
                    f"INSERT INTO telemetry (time, device_id, plant_id, light_level, time_source, received_at) "
                    f"SELECT t, '{pot.device.id}', '{pot.id}', CASE WHEN n BETWEEN 36 AND 107 THEN {lux} ELSE 0 END, 'device', t "
                    f"FROM (SELECT n, timestamptz '{noon.isoformat()}' + n * interval '10 minutes' AS t "
                    f"FROM generate_series(0, 143) n) s")
        breakable.sql("DELETE FROM settings WHERE name LIKE '%light%'")
        breakable.restart("backend")
        breakable.ready()

    judge_the_days(dark=(5000, 500, 500), gloomy=(5000, 5000, 500), bright=(5000, 5000, 5000))
    (found,) = wait_until(dark.alerts, 20, "the days are judged")
    assert (found["kind"], found["metric"], found["direction"], found["state"], found["limit"]) == (
        "threshold", "light_level", "min", "firing", 2000)
    assert found["value"] == pytest.approx(500, rel=0.1)
    assert breakable.api.ok("GET", dark.path)["status"] in ("warning", "critical")
    dark.tell(light_level=90_000, soil_moisture=FINE)
    assert dark.state() == "firing", "a bright moment is not a bright day"
    judge_the_days(dark=(500, 500, 5000), gloomy=(500, 5000, 500), bright=(5000, 500, 5000))
    wait_until(lambda: breakable.value("SELECT count(*) FROM settings WHERE name LIKE '%light%' AND value::text LIKE '%20%'"), 20,
               "the days are judged")
    assert dark.state() == "firing", "one bright day is not enough"
    judge_the_days(dark=(500, 5000, 5000), gloomy=(500, 5000, 500), bright=(5000, 500, 5000))
    wait_until(lambda: dark.state() == "resolved", 20, "the days are judged")
    assert (dark.alert()["id"], dark.alert()["resolution"]) == (found["id"], "recovered")
    assert gloomy.alerts() == bright.alerts() == []


# The system.


def test_a_certificate_that_ends_soon_and_messages_that_cannot_be_stored_are_alerts_of_the_system(fresh_stack):
    stack = fresh_stack
    certs = stack.home / "certs"
    sign(certs, certs / "server", 20)
    for name in ("server.crt", "server.key"):
        (copy,) = stack.home.glob(f"services/mosquitto/certs/{name}")
        copy.write_bytes((certs / name).read_bytes())
    os.kill(stack.pid("mosquitto"), signal.SIGHUP)
    # What is looked at every half minute is looked at when the backend starts, too.
    stack.environment["MQTT_HOST"] = "localhost"  # The only name of that certificate.
    with Device(stack) as device:
        for n in range(60):
            device.publish(f"{n} is no JSON {{")
        wait_until(lambda: len(stack.dead_letters(device.id)) == 60, 20, "they are dead letters")
    stack.restart("backend")
    (ending,) = wait_until(lambda: alerts(stack, kind="certificate_expiring"), 180, "the certificate is looked at")
    (letters,) = wait_until(lambda: alerts(stack, kind="dead_letters"), 180, "the dead letters are counted")
    for found in (ending, letters):
        assert (found["state"], found["severity"], found["plant_id"], found["device_id"], found["metric"]) == (
            "firing", "warning", None, None, None)
    assert "certificate" in ending["detail"] and "60" in letters["detail"]
    stack.run("renew-certs")
    stack.sql("UPDATE dead_letters SET received_at = received_at - interval '2 hours'")
    stack.restart("backend")
    for found in (ending, letters):
        wait_until(lambda: alert(stack, found["id"])["state"] == "resolved", 180, f"{found['kind']} is over")
    assert {one["kind"] for one in alerts(stack)} == {"certificate_expiring", "dead_letters"}
