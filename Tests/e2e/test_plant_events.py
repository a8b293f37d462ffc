"""What happened to a plant: what people enter, and the waterings that sensors see."""

import pytest

from support.api import UUID_V7, assert_problem
from support.device import Device, reading
from support.people import Person
from support.times import now_us, parse, rfc3339
from support.waiting import wait_until

MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
NOBODY = "01890000-0000-7000-8000-000000000000"


def enter(stack, plant, kind="watering", *statuses, **fields):
    return stack.api.ok("POST", f"/plants/{plant}/events", *(statuses or (201,)), json={"kind": kind, **fields})


def events(stack, plant, query=""):
    answer = stack.api.ok("GET", f"/plants/{plant}/events{query}")
    assert answer.keys() == {"events", "total"}
    return answer["events"]


def refused(stack, plant, body):
    problem = assert_problem(stack.api.post(f"/plants/{plant}/events", json=body), 422)
    return {error["pointer"]: error["detail"] for error in problem["errors"]}


@pytest.fixture
def pot(stack):
    return stack.api.plant()["id"]


# What people enter.


def test_what_happened_is_entered_and_read_again(stack, pot):
    at = rfc3339(now_us() - DAY)
    answer = stack.api.post(
        f"/plants/{pot}/events", json={"kind": "watering", "at": at, "note": " from below\r\nslowly ", "amount_ml": 250.5})
    assert answer.status_code == 201
    event = answer.json()
    assert UUID_V7.match(event["id"]) and answer.headers["Location"] == f"/api/plants/{pot}/events/{event['id']}"
    assert parse(event["at"]) == parse(at) and abs(parse(event["created_at"]) - now_us()) < MINUTE
    assert {key: event[key] for key in event.keys() - {"id", "at", "created_at", "created_by"}} == {
        "plant_id": pot, "kind": "watering", "source": "entered", "note": "from below\nslowly", "amount_ml": 250.5,
        "value_before": None, "value_after": None, "unit": None, "device_id": None}
    assert event["created_by"] == stack.api.ok("GET", "/auth/me")["email"]
    assert events(stack, pot) == [event]


@pytest.mark.parametrize("kind", ["watering", "fertilizing", "repotting"])
def test_only_the_kind_is_needed(stack, pot, kind):
    event = enter(stack, pot, kind)
    assert (event["kind"], event["note"], event["amount_ml"]) == (kind, None, None)
    assert abs(parse(event["at"]) - now_us()) < MINUTE
    assert enter(stack, pot, kind, at=None, note=None, amount_ml=None)["note"] is None


def test_everything_that_is_wrong_is_said_at_once(stack, pot):
    found = refused(stack, pot, {"kind": "singing", "at": "yesterday", "note": "x" * 2001, "amount_ml": 0})
    assert found.keys() == {"/kind", "/at", "/note", "/amount_ml"}
    assert "watering, note, fertilizing, repotting" in found["/kind"]
    assert refused(stack, pot, {}).keys() == {"/kind"}
    assert refused(stack, pot, {"kind": None}).keys() == {"/kind"}
    assert refused(stack, pot, {"kind": "note"}).keys() == {"/note"}
    for body in ({"note": ""}, {"note": "  \n"}, {"note": 5}, {"note": "a\x00b"}, {"note": "a\x1b[2J"}):
        assert refused(stack, pot, {"kind": "note", **body}).keys() == {"/note"}, body
    for amount in (-1, 0, 100_001, "250", True, 1e300):
        assert refused(stack, pot, {"kind": "watering", "amount_ml": amount}).keys() == {"/amount_ml"}, amount
    for kind in ("note", "repotting"):
        assert refused(stack, pot, {"kind": kind, "note": "x", "amount_ml": 5}).keys() == {"/amount_ml"}
    for at in (rfc3339(now_us() + 15 * MINUTE), "1999-12-31T23:59:59Z", "2026-13-01T00:00:00Z", 5, "", "x" * 100):
        assert refused(stack, pot, {"kind": "watering", "at": at}).keys() == {"/at"}, at
    assert_problem(stack.api.post(f"/plants/{pot}/events", json=[]), 422)
    assert_problem(stack.api.post(f"/plants/{pot}/events", data="{", headers={"Content-Type": "application/json"}), 400)
    assert events(stack, pot) == []


def test_the_ends_of_what_may_be_entered(stack, pot):
    assert len(enter(stack, pot, "note", note="ü" * 2000)["note"]) == 2000
    assert enter(stack, pot, amount_ml=0.1)["amount_ml"] == 0.1
    assert enter(stack, pot, "fertilizing", amount_ml=100_000)["amount_ml"] == 100_000
    assert enter(stack, pot, at="2000-01-01T01:00:00+01:00")["at"].startswith("2000-01-01T00:00:00")
    enter(stack, pot, at=rfc3339(now_us() + 9 * MINUTE))


def test_events_come_newest_first_by_kind_time_and_page(stack, pot):
    us = now_us()
    kinds = ["watering", "note", "fertilizing", "watering", "repotting"]
    made = [enter(stack, pot, kind, at=rfc3339(us - (len(kinds) - i) * DAY), note=str(i))["id"] for i, kind in enumerate(kinds)]

    def found(query):
        return [made.index(event["id"]) for event in events(stack, pot, query)]

    assert found("") == [4, 3, 2, 1, 0]
    assert found("?kind=watering") == [3, 0]
    assert found(f"?from={rfc3339(us - 2 * DAY)}") == [4, 3]
    assert found(f"?to={rfc3339(us - 2 * DAY)}") == [2, 1, 0]
    assert found(f"?from={rfc3339(us - 4 * DAY)}&to={rfc3339(us - 3 * DAY)}") == [1]
    assert found("?limit=2&offset=1") == [3, 2]
    assert stack.api.ok("GET", f"/plants/{pot}/events?limit=1&offset=9") == {"events": [], "total": 5}
    bad = assert_problem(
        stack.api.get(f"/plants/{pot}/events?kind=x&from=y&to=z&limit=0&offset=-1"), 422)
    assert [error["pointer"] for error in bad["errors"]] == ["?kind", "?from", "?to", "?limit", "?offset"]
    bad = assert_problem(stack.api.get(f"/plants/{pot}/events?from={rfc3339(us)}&to={rfc3339(us)}"), 422)
    assert [error["pointer"] for error in bad["errors"]] == ["?from"]


def test_an_event_is_removed(stack, pot):
    kept, event = enter(stack, pot), enter(stack, pot, "note", note="x")
    path = f"/plants/{pot}/events/{event['id']}"
    assert_problem(stack.api.delete(f"/plants/{stack.api.plant()['id']}/events/{event['id']}"), 404)
    assert stack.api.delete(path).status_code == 204
    assert_problem(stack.api.delete(path), 404)
    assert events(stack, pot) == [kept]


@pytest.mark.parametrize("plant", [NOBODY, "nothing"])
def test_a_plant_that_does_not_exist_has_no_events(stack, plant):
    assert_problem(stack.api.get(f"/plants/{plant}/events"), 404)
    assert_problem(stack.api.post(f"/plants/{plant}/events", json={"kind": "watering"}), 404)
    for event in (NOBODY, "nothing"):
        assert_problem(stack.api.delete(f"/plants/{plant}/events/{event}"), 404)


def test_who_did_it_is_told_and_written_down(stack, pot):
    person, reader = Person(stack, "member"), Person(stack, "viewer")
    member = stack.api.as_(person.token("member")["token"])
    viewer = stack.api.as_(reader.token("viewer")["token"])
    event = member.ok("POST", f"/plants/{pot}/events", 201, json={"kind": "note", "note": "secret of mine"})
    assert event["created_by"] == person.email
    assert viewer.ok("GET", f"/plants/{pot}/events")["events"] == [event]
    assert_problem(viewer.post(f"/plants/{pot}/events", json={"kind": "watering"}), 403)
    assert_problem(viewer.delete(f"/plants/{pot}/events/{event['id']}"), 403)
    member.ok("DELETE", f"/plants/{pot}/events/{event['id']}", 204)
    entries = stack.api.ok("GET", f"/audit?subject_id={pot}")["entries"]
    assert [entry["action"] for entry in entries] == ["plant_event.delete", "plant_event.create", "plant.create"]
    assert all(entry["details"]["event_id"] == event["id"] for entry in entries[:2])
    assert "secret of mine" not in str(entries)


def test_events_go_with_their_plant(stack, pot):
    enter(stack, pot)
    stack.api.ok("DELETE", f"/plants/{pot}", 204)
    assert stack.value(f"SELECT count(*) FROM plant_events WHERE plant_id = '{pot}'") == 0


# What sensors see.


class Watered:
    """A pot whose device has measured every five minutes of the last hours, and a watering an hour ago."""

    def __init__(self, stack, us, before=30, after=62):
        self.stack, self.at = stack, us - HOUR
        self.plant = stack.api.plant()["id"]
        self.device = Device(stack, self.plant, reporting_interval_seconds=300).connect()
        readings = [
            reading(us - back * 5 * MINUTE, soil_moisture=before if back > 12 else after) for back in reversed(range(60))]
        self.device.publish(readings)
        self.device.stored(len(readings))

    def seen(self):
        """Late readings are in the means of five minutes a minute later at most, and a minute later it is looked."""
        return wait_until(lambda: events(self.stack, self.plant), 180, "a watering", every=0.5)


@pytest.fixture(scope="module")
def watered(stack):
    """Pots that were watered, and one that was not."""
    us = now_us() // (5 * MINUTE) * 5 * MINUTE
    pots = [Watered(stack, us), Watered(stack, us), Watered(stack, us), Watered(stack, us, before=58)]
    yield pots
    for pot in pots:
        pot.device.close()


def test_a_watering_is_seen(stack, watered):
    pot = watered[0]
    (event,) = pot.seen()
    assert (event["kind"], event["source"], event["created_by"]) == ("watering", "detected", None)
    assert (event["value_before"], event["value_after"], event["unit"]) == (30, 62, "%")
    assert event["device_id"] == pot.device.id and parse(event["at"]) == pot.at
    assert (event["note"], event["amount_ml"]) == (None, None)


def test_what_a_person_enters_takes_the_place_of_what_was_seen(stack, watered):
    pot = watered[1]
    pot.seen()
    entered = enter(stack, pot.plant, at=rfc3339(pot.at + 20 * MINUTE), amount_ml=300)
    assert (entered["source"], entered["value_before"], entered["value_after"]) == ("entered", 30, 62)
    assert entered["device_id"] == pot.device.id
    assert events(stack, pot.plant) == [entered]


def test_what_a_person_removes_does_not_come_back(stack, watered):
    pot = watered[2]
    (event,) = pot.seen()
    stack.api.ok("DELETE", f"/plants/{pot.plant}/events/{event['id']}", 204)
    # A pot that was watered since says that it was looked again.
    other = Watered(stack, now_us() // (5 * MINUTE) * 5 * MINUTE)
    try:
        pot.device.publish(reading(soil_moisture=62))
        other.seen()
        assert events(stack, pot.plant) == []
    finally:
        other.device.close()


def test_a_pot_that_was_not_watered_has_no_watering(stack, watered):
    watered[0].seen()
    assert events(stack, watered[3].plant) == []
