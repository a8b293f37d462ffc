"""An upgrade without a pause: two backends on one database and one broker, and versions that do not know all of it.

`PLANTOPS_PREVIOUS_BIN` names the program of the release before this one; without it, this program is the older one, on a
schema to which a step was added that it does not know."""

import contextlib
import json
import os
import time
from pathlib import Path

import pytest

from support.asking import Asker
from support.device import Device, reading
from support.events import Events
from support.fleet import Fleet
from support.stack import Stack
from support.waiting import wait_until

GROUP = {"MQTT_SHARED_GROUP": "plantops"}
FUTURE = """
    ALTER TABLE plants ADD COLUMN mood text;
    CREATE TABLE moods (plant_id uuid PRIMARY KEY REFERENCES plants (id) ON DELETE CASCADE, mood text NOT NULL);
    INSERT INTO schema_migrations (version, name, checksum) VALUES (999, 'moods', 'f00d')"""


@pytest.fixture
def bare():
    """Everything but a backend."""
    stack = Stack()
    try:
        stack.up()
        stack.stop("backend")
        yield stack
    finally:
        stack.destroy()


def old_place(stack, **options):
    """A backend where the stack's own would be."""
    return stack.serve(port=int(stack.environment["PLANTOPS_API_PORT"]), **options)


def lives(served):
    return served.api.get("/live", timeout=5).status_code == 200


@pytest.mark.parametrize("names", [
    ({}, {}, {}),
    # The replaced one and its successor go by one name: what the broker has kept for it is not left behind.
    ({**GROUP, "MQTT_CLIENT_ID": "one"}, {**GROUP, "MQTT_CLIENT_ID": "one"}, {**GROUP, "MQTT_CLIENT_ID": "two"}),
], ids=["alone", "sharing"])
def test_a_backend_is_replaced_under_load_and_nobody_notices(bare, names):
    old_name, new_name, other_name = names
    with contextlib.ExitStack() as stack:
        if other_name:
            stack.enter_context(bare.serve(**other_name)).ready()
        old = stack.enter_context(old_place(bare, **old_name))
        old.ready()
        fleet = stack.enter_context(Fleet(bare, devices=3, rate=300))
        asker = stack.enter_context(Asker(bare.api.token, [old.api.base]))
        fleet.more(200)
        new = stack.enter_context(bare.serve(**new_name))
        # It answers at once; readings it takes in when its predecessor has let go of them.
        wait_until(lambda: lives(new) and new.api.get("/plants", timeout=5).status_code == 200, 30, "the new one answers")
        asker.bases.append(new.api.base)
        fleet.more(200)
        assert old.api.get("/ready").status_code == 200, "the new one has not pushed the old one out"
        replaced = time.monotonic()
        old.stop()
        assert old.ended() == 0
        new.ready()
        fleet.more(300)
        wait_until(lambda: any(base == new.api.base for _, base, *_ in asker.since(replaced)), 10, "the new one is asked")
        assert not asker.failures, asker.failures
        assert asker.statuses() == {200}
        fleet.finish()
        fleet.assert_all_stored()


def test_a_backend_that_waits_for_its_predecessor_says_why_and_can_be_stopped(bare):
    with old_place(bare) as old:
        old.ready()
        with bare.serve() as new:
            wait_until(lambda: "another backend with the same MQTT client id" in new.output(), 30, "it says why it waits")
            answer = new.api.get("/ready")
            assert answer.status_code == 503 and not answer.json()["ready"]
            with Events(new.api) as events:
                new.stop()
                assert new.ended() == 0
                # Not cut off with everything else because its intake would not end.
                assert events.named("closing") and events.failure is None
        assert old.api.get("/ready").status_code == 200


@pytest.fixture
def previous(bare):
    """The older program, beside a schema that is newer than it."""
    given = os.environ.get("PLANTOPS_PREVIOUS_BIN")
    if given:
        assert bare.program("migrate").returncode == 0
        return Path(given).resolve()
    bare.sql(FUTURE)
    return bare.binary


def test_the_previous_program_works_on_the_new_schema_beside_the_new_one(bare, previous):
    with old_place(bare, program=previous, MQTT_CLIENT_ID="old", **GROUP) as old:
        old.ready()
        said = [json.loads(line) for line in old.output().splitlines()]
        if not os.environ.get("PLANTOPS_PREVIOUS_BIN"):
            (notice,) = [line for line in said if "newer than this program" in line["message"]]
            assert notice["newer"] == "999 moods"
        plant = old.api.plant("Before")
        with Device(bare, plant["id"]) as device:
            for n in range(50):
                device.publish(reading(seq=n))
            device.stored(50)
            with bare.serve(MQTT_CLIENT_ID="new", **GROUP) as new:
                new.ready()
                for n in range(50, 250):
                    device.publish(reading(seq=n), wait=n == 249)
                device.stored(250)
                for at, to in ((old, new), (new, old)):
                    name = f"Changed at {at.api.base}"
                    at.api.ok("PUT", f"/plants/{plant['id']}", 200, json={"name": name})
                    shown = to.api.ok("GET", f"/plants/{plant['id']}", 200)
                    assert shown["name"] == name and shown["latest_telemetry"]["soil_moisture"] == 45.2
                for table in (old.api, new.api):
                    table.ok("GET", f"/plants/{plant['id']}/history?hours=1", 200)
                    assert table.ok("GET", "/health", 200)["status"] == "healthy"
                new.stop()
                assert new.ended() == 0
            # Alone again, as after a roll-back; what waited in the other's session it is given, too.
            with bare.serve(MQTT_CLIENT_ID="new", program=previous, **GROUP) as back:
                back.ready()
                for n in range(250, 300):
                    device.publish(reading(seq=n))
                assert sorted(row["extra"]["seq"] for row in device.stored(300)) == list(range(300))


def test_the_older_program_leaves_a_newer_schema_as_it_is(bare):
    bare.sql(FUTURE)
    steps = bare.rows("SELECT * FROM schema_migrations ORDER BY version")
    done = bare.program("migrate")
    assert done.returncode == 0, "the job before the backend must not hold up a roll-back"
    assert "newer than this program and stays as it is" in done.stdout and "999 moods" in done.stdout
    listed = bare.program("migrate", "--status")
    assert listed.returncode == 0 and "applied 999 moods" in listed.stdout and "by a newer program" in listed.stdout
    doctor = bare.program("doctor").stdout
    assert "WARN  schema: version 999 is newer than this program" in doctor and "FAIL  schema" not in doctor
    assert bare.rows("SELECT * FROM schema_migrations ORDER BY version") == steps
    assert bare.value("SELECT to_regclass('moods') IS NOT NULL")


def test_a_newer_schema_that_took_something_away_is_refused(bare):
    bare.sql("INSERT INTO schema_migrations (version, name, checksum, usable_from) VALUES (999, 'less', 'x', 998)")
    for command in (["serve"], ["migrate"], ["migrate", "--status"]):
        done = bare.program(*command, timeout=30)
        assert done.returncode == 1
        assert "schema version 999 (less)" in done.stdout + done.stderr and "newer" in done.stdout + done.stderr
    assert "FAIL  schema" in bare.program("doctor").stdout
