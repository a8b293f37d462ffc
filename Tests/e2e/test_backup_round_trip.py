"""Backup and restore with a whole system in between: everything is as it was, goes on, and keeps its secrets."""

import threading

import pytest

from support import alerts, backups
from support.alerts import Pot, make_channel
from support.device import REFUSED, Device, reading
from support.people import Person
from support.stack import Stack
from support.times import now_us, rfc3339
from support.waiting import wait_until

DAY = 86_400 * 1_000_000
KINDS = [pytest.param("timescale", marks=pytest.mark.skipif(not backups.has_timescale(), reason="TimescaleDB is not here")),
         "native"]


class Flow:
    """A device that publishes and waits for each acknowledgement, until it is told to stop."""

    def __init__(self, stack, plant):
        self.device = Device(stack, plant).connect()
        self.sent = 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        while not self.stopping.is_set():
            self.device.publish(reading())
            self.sent += 1

    def stop(self):
        self.stopping.set()
        self.thread.join()
        self.device.close()


def age(stack, begin):
    """As after months: old readings are summarized and dropped, and some of what is left is compressed."""
    for view in ("telemetry_5m", "telemetry_1h", "telemetry_1d"):
        stack.sql(f"CALL refresh_continuous_aggregate('{view}', '{rfc3339(begin - DAY)}', '{rfc3339(begin + 22 * DAY)}')")
    assert stack.value(f"SELECT telemetry_drop_before('{rfc3339(begin + 10 * DAY)}')") >= 1
    stack.sql("SELECT compress_chunk(c, if_not_compressed => true) FROM show_chunks('telemetry') c ORDER BY c LIMIT 1")
    assert compressed(stack) >= 1


def rollups(stack, until):
    """A fingerprint of the summaries up to a time."""
    return [stack.value(f"SELECT concat_ws(' ', count(*), sum(readings), md5(string_agg(concat_ws(' ', bucket, device_id, plant_id, "
                        f"readings, soil_moisture_min, soil_moisture_max, round(soil_moisture_avg::numeric, 6)), ' ' "
                        f"ORDER BY bucket, device_id))) FROM {view} WHERE bucket < '{rfc3339(until)}'")
            for view in ("telemetry_5m", "telemetry_1h", "telemetry_1d")]


def compressed(stack):
    return stack.value("SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name = 'telemetry' AND is_compressed")


def history(stack, plant, begin, end):
    return stack.api.ok("GET", f"/plants/{plant}/history", params={
        "from": rfc3339(begin), "to": rfc3339(end), "resolution": "1h", "metrics": "soil_moisture,temperature"})


@pytest.mark.parametrize("kind", KINDS)
def test_everything_is_as_at_the_backup_and_goes_on(kind, inbox):
    stack = Stack(CHANNEL_ALLOWED_HOSTS=inbox.host, PLANTOPS_TIMESCALE="1" if kind == "timescale" else "0")
    flow = None
    try:
        stack.up()
        alerts.put_settings(stack, **alerts.SETTINGS)
        hook, pot, person = inbox.hook(), Pot(stack), Person(stack, "member")
        channel = make_channel(stack, hook, pot, secret="known to both sides")
        doomed = stack.api.plant("Doomed")
        begin = now_us() - 25 * DAY
        pot.tell_all([(begin + hour * DAY // 24, {"soil_moisture": 50 + hour % 7}) for hour in range(24 * 20)])
        if kind == "timescale":
            age(stack, begin)
            chunks = compressed(stack)
        # Plain PostgreSQL summarizes what comes late a moment later.
        wait_until(lambda: all(" 480 " in summary for summary in rollups(stack, begin + 24 * DAY)), 180, "summaries of all readings")
        summaries = rollups(stack, begin + 24 * DAY)
        pot.parched()
        hook.until_told(("fired", pot.name))
        fired = alerts.alerts(stack)

        others = stack.value("SELECT count(*) FROM telemetry")
        flow = Flow(stack, stack.api.plant("Busy")["id"])
        wait_until(lambda: flow.sent > 10, 20, "readings flow")
        old, sent = backups.readings(stack, rfc3339(begin + 24 * DAY)), flow.sent
        assert old.startswith("480 ") == (kind == "native")
        made = backups.make(stack)
        assert flow.sent > sent, "readings went on being taken in"
        flow.stop()
        end = now_us() - 3600 * 1_000_000
        history_before = history(stack, pot.id, begin, end)
        facts = backups.manifest(made)
        assert facts["kind"] == kind and facts["counts"]["plants"] == 3 and facts["counts"]["devices"] == 2
        assert sent < facts["counts"]["telemetry"] - others <= flow.sent
        assert any(value is not None for value in history_before["series"]["soil_moisture"]["avg"])

        # Life goes on, partly in ways one would rather undo.
        stack.api.ok("DELETE", f"/plants/{doomed['id']}")
        stack.api.ok("DELETE", f"/users/{person.id}")
        stack.api.ok("DELETE", f"/channels/{channel['id']}")
        pot.fine()
        with Device(stack, pot.id) as late:
            late.publish(reading(soil_moisture=77))
            late.stored(1)
        stack.sql("DELETE FROM telemetry WHERE device_id = '%s'" % flow.device.id)
        (stack.home / "secrets" / "ENROLLMENT_TOKEN").write_text("not the one in the database, but as long")
        token = stack.settings["PLANTOPS_ENROLLMENT_TOKEN"]
        # A reading that nobody could take in yet: it waits in the broker, also while that is stopped and started.
        stack.stop("backend")
        waiting = pot.next_instant()
        pot.device.publish(reading(waiting, soil_moisture=51))
        pot.device.close()

        backups.restore(stack, made)
        stack.ready()
        wait_until(lambda: stack.value(f"SELECT count(*) FROM telemetry WHERE device_id = '{pot.device.id}' "
                                       f"AND time = '{rfc3339(waiting)}'") == 1, 20, "the reading that waited is stored")
        assert backups.readings(stack, rfc3339(begin + 24 * DAY)) == old
        assert stack.value("SELECT count(*) FROM telemetry") == facts["counts"]["telemetry"] + 1
        assert rollups(stack, begin + 24 * DAY) == summaries
        assert history(stack, pot.id, begin, end) == history_before
        if kind == "timescale":
            assert compressed(stack) == chunks
            assert stack.sql("SHOW timescaledb.restoring") == "off"
        assert stack.api.ok("GET", f"/plants/{doomed['id']}")["name"] == "Doomed"
        assert person.is_in(person.session())
        assert [alert["id"] for alert in alerts.alerts(stack)] == [alert["id"] for alert in fired]
        told = len(hook.received)
        assert stack.api.ok("POST", f"/channels/{channel['id']}/test")["delivered"] is True
        assert hook.wait_for(told + 1)[-1].is_signed_with("known to both sides")
        assert stack.settings["PLANTOPS_ENROLLMENT_TOKEN"] == token and Device(stack).id

        # Devices: those of then get in with what they have, later ones enroll again.
        pot.devices[0].connect()
        pot.fine()
        connection = late.open()
        try:
            assert connection.connect() >= REFUSED
        finally:
            connection.close()
        known = {device["id"] for device in stack.api.ok("GET", "/devices")["devices"]}
        assert pot.device.id in known and late.id not in known
        late.register()
        with late:
            late.publish(reading())
            late.stored(1)

        # What was in service is kept, and closed.
        (kept,) = {name for name in backups.databases(stack) if name.startswith("plantops_before_")}
        with pytest.raises(RuntimeError, match="not currently accepting connections"):
            stack.sql("SELECT 1", url=stack.settings["DATABASE_URL"].removesuffix("plantops") + kept)
        assert {path.name for path in (stack.home / "secrets").glob(".before-*/*")} >= {"ENROLLMENT_TOKEN", "POSTGRES_PASSWORD"}
        assert backups.leftovers(stack) == set()
        # And a second up finds everything in order, as does a second round.
        stack.run("up")
        backups.restore(stack, backups.make(stack))
        assert stack.api.ok("GET", f"/plants/{doomed['id']}")["name"] == "Doomed"
    finally:
        if flow:
            flow.stop()
        stack.destroy()
