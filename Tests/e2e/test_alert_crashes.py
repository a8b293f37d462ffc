"""Alerts across restarts and crashes, and with two backends: nothing is forgotten and nothing counts twice."""

import uuid

from support.alerts import DRY, FINE, Pot, make_channel, put_settings
from support.fleet import Fleet
from support.times import rfc3339
from support.waiting import wait_until


def test_what_is_pending_survives_a_restart_and_fires_when_it_has_lasted(breakable):
    put_settings(breakable, for_seconds=60)
    pot, other = Pot(breakable), Pot(breakable)
    pot.steps(150, 10, DRY)
    other.steps(150, 10, DRY)
    pending = pot.alert()
    assert pending["state"] == "pending"
    breakable.restart("backend")
    breakable.ready()
    assert pot.state() == "pending"
    (at,) = pot.steps(80, 1, DRY)
    fired = pot.alert()
    assert (fired["id"], fired["state"], fired["started_at"]) == (pending["id"], "firing", pending["started_at"])
    other.steps(75, 5, FINE, FINE)
    assert other.alerts() == []


def test_what_fires_survives_kill_9_and_is_over_once(breakable):
    pot, other = Pot(breakable), Pot(breakable)
    pot.dry()
    other.dry()
    before = pot.alert()
    breakable.kill("backend")
    pot.device.publish({"timestamp": rfc3339(pot.next_instant()), "soil_moisture": 14})
    at = other.next_instant()
    other.device.publish({"timestamp": rfc3339(at), "soil_moisture": FINE})
    breakable.start("backend")
    breakable.ready()
    other.judged(other.device, at)
    assert other.alert()["resolution"] == "recovered", "published while nobody listened, and not yet old"
    assert {**pot.alert(), "duration_seconds": 0, "value": 0} == {**before, "duration_seconds": 0, "value": 0}
    pot.fine()
    over = pot.alert()
    assert (over["id"], over["state"]) == (before["id"], "resolved")


def test_every_change_counts_once_however_often_the_backend_is_killed(breakable):
    """Each second reading is dry and each second one is fine: as many alerts as dry readings, all of them over."""
    pot = Pot(breakable)
    changes = 200
    for part in range(4):
        packets = []
        for n in range(changes // 4):
            for value in (DRY, FINE):
                packets.append(pot.device.publish({"timestamp": rfc3339(pot.next_instant()), "soil_moisture": value}, wait=False))
        if part < 3:
            wait_until(lambda: pot.device.count() > part * changes // 2 + 20, 20, "it is in the middle of it", every=0.01)
            breakable.kill("backend")
            breakable.start("backend")
        for packet in packets:
            pot.device.connection.acknowledgement(packet)
    pot.judged(pot.device, pot.last, 40)
    assert pot.device.count() == 2 * changes
    counted = breakable.rows(f"SELECT state, resolution, count(*), count(DISTINCT started_at) AS starts FROM alerts "
                             f"WHERE plant_id = '{pot.id}' GROUP BY 1, 2")
    assert counted == [{"state": "resolved", "resolution": "recovered", "count": changes, "starts": changes}]


def test_two_backends_that_share_the_stream_fire_once_under_load(breakable, inbox):
    hook = inbox.hook()
    limits = {"soil_moisture": {"min": 60}}  # The fleet says 40 to 50.
    pots = [Pot(breakable, limits, devices=0) for _ in range(3)]
    make_channel(breakable, hook, *pots)
    fleets = [Fleet(breakable, devices=3, rate=150, plant=pot.id) for pot in pots]
    for pot, fleet in zip(pots, fleets):
        pot.devices = fleet.devices
    breakable.stop("backend")
    group = {"MQTT_SHARED_GROUP": f"both-{uuid.uuid4().hex[:6]}"}
    with breakable.serve(MQTT_CLIENT_ID="one", **group) as one, breakable.serve(MQTT_CLIENT_ID="two", **group) as two:
        one.ready()
        two.ready()
        for fleet in fleets:
            fleet.__enter__()
        try:
            for fleet in fleets:
                fleet.more(600)
            for pot in pots:
                (found,) = one.api.ok("GET", f"/alerts?plant_id={pot.id}")["alerts"]
                assert found["state"] == "firing"
            wait_until(lambda: len(hook.told()) >= 3, 30, "all are told of")
            for pot in pots:
                two.api.ok("PUT", pot.path, json={"thresholds": {"soil_moisture": {"min": 20}}})
            for fleet in fleets:
                fleet.more(300)
                fleet.finish()
            for fleet in fleets:
                fleet.assert_all_stored()
        finally:
            for fleet in fleets:
                fleet.__exit__()
        for pot in pots:
            (over,) = one.api.ok("GET", f"/alerts?plant_id={pot.id}")["alerts"]
            assert (over["state"], over["resolution"]) == ("resolved", "recovered")
        hook.until_told(*[(event, pot.name) for pot in pots for event in ("fired", "resolved")], timeout=40)
