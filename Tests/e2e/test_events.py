"""The stream of events: every change at once, none twice, none missed in silence."""

import socket
import time
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.alerts import ALERT_KEYS, DRY, FINE, SECOND, Pot, acknowledge, put_settings
from support.api import assert_problem
from support.events import Events
from support.metrics import Change
from support.people import Person
from support.times import now_us
from support.waiting import wait_until

# Longer than any connection may be idle that only listens: 75 s at the backend, 60 s at nginx.
LONG = 85


@pytest.fixture
def pot(alerting):
    return Pot(alerting)


def test_every_change_of_an_alert_is_told_within_seconds(alerting, pot):
    put_settings(alerting, for_seconds=30)
    with Events(alerting.api) as events:
        assert events.retry == 2000 and events.comments
        assert events.answer.headers["Content-Type"].split(";")[0] == "text/event-stream"
        assert events.answer.headers["Cache-Control"] in ("no-store", "no-cache")
        pot.steps(120, 10, DRY)
        pending = events.wait_for(lambda data: data.get("plant_id") == pot.id)
        assert pending.keys() == ALERT_KEYS and pending["state"] == "pending"
        pot.steps(80, 10, DRY)
        fired = events.wait_for(lambda data: data["id"] == pending["id"] and data["state"] == "firing")
        assert {**fired, "duration_seconds": 0} == {**pot.alert(), "duration_seconds": 0}
        acknowledge(alerting, pending["id"])
        seen = events.wait_for(lambda data: data["id"] == pending["id"] and data["acknowledged_at"])
        assert seen["state"] == "firing"
        pot.steps(60, 40, FINE, FINE)
        over = events.wait_for(lambda data: data["id"] == pending["id"] and data["state"] == "resolved")
        assert over["resolution"] == "recovered" and over["plant_name"] == pot.name
        assert events.states(pending["id"]) == ["pending", "firing", "firing", "resolved"]


def test_a_pending_one_that_was_nothing_is_told_to_be_gone(alerting, pot):
    put_settings(alerting, for_seconds=60)
    with Events(alerting.api) as events:
        pot.steps(60, 20, DRY, FINE)
        pending = events.wait_for(lambda data: data.get("plant_id") == pot.id)
        gone = events.wait_for(lambda data: data["id"] == pending["id"] and data["state"] != "pending")
        assert gone == {"id": pending["id"], "state": "lapsed"}


def test_growing_worse_and_ending_otherwise_are_told(alerting, pot):
    with Events(alerting.api) as events:
        pot.dry().parched()
        worse = events.wait_for(lambda data: data.get("plant_id") == pot.id and data["severity"] == "critical")
        alerting.api.ok("DELETE", pot.path, 204)
        over = events.wait_for(lambda data: data["id"] == worse["id"] and data["state"] == "resolved")
        assert over["resolution"] == "plant_deleted"


def test_what_was_missed_is_told_after_coming_back_and_nothing_twice(alerting, pot):
    with Events(alerting.api) as events:
        pot.dry()
        events.wait_for(lambda data: data.get("plant_id") == pot.id)
        last = events.last_id()
    pot.fine()
    for _ in range(3):
        pot.dry().fine()
    wanted = [(one["id"], one["state"]) for one in pot.alerts()]
    with Events(alerting.api, last=last) as events:
        pot.dry()
        newest = events.wait_for(lambda data: data["state"] == "firing" and data["id"] == pot.alerts()[0]["id"])
        assert not [name for name, _, _ in events.received if name == "reset"]
        told = [(data["id"], data["state"]) for data in events.alerts(pot.id)]
        assert len(told) == len(set(told)) == 8 and told[0][1] == "resolved" and told[-1] == (newest["id"], "firing")
        assert set(wanted) <= set(told)
        ids = [event_id for _, _, event_id in events.received]
        assert len(set(ids)) == len(ids) and last not in ids
        epochs = {event_id.rpartition("-")[0] for event_id in ids}
        numbers = [int(event_id.rpartition("-")[2]) for event_id in ids]
        assert len(epochs) == 1 and numbers == sorted(numbers)
        middle = ids[2]
    with Events(alerting.api, last=middle) as events:
        wait_until(lambda: len(events.received) >= len(ids) - 3, 10, "the rest again")
        assert [event_id for _, _, event_id in events.received][:len(ids) - 3] == ids[3:]


def test_nobody_is_told_what_was_before_he_came(alerting, pot):
    pot.dry()
    with Events(alerting.api) as events:
        pot.fine()
        events.wait_for(lambda data: data["state"] == "resolved" and data.get("plant_id") == pot.id)
        assert [data["state"] for data in events.alerts(pot.id)] == ["resolved"]


@pytest.mark.parametrize("last", ["nonsense", "0-1", "zzzzzzzz-5", "-", "1", "-1", "0-", "💥", "9" * 400, "1-99999999999999999999",
                                  "' OR 1=1"])
def test_who_was_away_with_an_id_from_elsewhere_is_told_to_begin_anew(alerting, pot, last):
    with Events(alerting.api, last=last.encode()) as events:
        wait_until(lambda: events.received, 10, "the reset")
        assert events.received[0][:2] == ("reset", {})
        pot.dry()
        events.wait_for(lambda data: data.get("plant_id") == pot.id)
        assert [name for name, _, _ in events.received].count("reset") == 1


def test_an_id_that_this_backend_has_not_given_out_yet_begins_anew(alerting, pot):
    with Events(alerting.api) as events:
        pot.dry()
        events.wait_for(lambda data: data.get("plant_id") == pot.id)
        epoch, _, number = events.last_id().rpartition("-")
    with Events(alerting.api, last=f"{epoch}-{int(number) + 1_000_000}") as events:
        wait_until(lambda: events.received, 10, "the reset")
        assert events.received[0][0] == "reset"
    with Events(alerting.api, last=f"{epoch}-{number}") as events:
        pot.fine()
        events.wait_for(lambda data: data["state"] == "resolved")
        assert "reset" not in [name for name, _, _ in events.received]


def test_who_was_away_while_the_backend_was_restarted_begins_anew(breakable):
    pot = Pot(breakable)
    events = Events(breakable.api)
    pot.dry()
    events.wait_for(lambda data: data.get("plant_id") == pot.id)
    last = events.last_id()
    breakable.kill("backend")
    assert events.ended.wait(10)
    breakable.start("backend")
    breakable.ready()
    with Events(breakable.api, last=last) as events:
        wait_until(lambda: events.received, 10, "the reset")
        assert events.received[0][:2] == ("reset", {})


def test_a_stranger_and_a_wrong_token_get_no_stream(alerting):
    begun = time.monotonic()
    for api in (alerting.stranger, alerting.api.as_("nonsense")):
        assert_problem(api.get("/events", stream=True), 401)
    assert time.monotonic() - begun < 20
    viewer = alerting.api.as_(alerting.make_token("viewer"))
    Events(viewer).close()


def test_a_head_request_ends(alerting):
    answer = alerting.api.request("HEAD", "/events", timeout=10)
    assert answer.status_code == 200 and answer.content == b""


def test_signing_out_ends_the_stream_and_so_does_losing_the_token(alerting, pot):
    person, other = Person(alerting, "viewer"), Person(alerting, "viewer")
    cookies, token = person.session(), other.token("viewer")
    leaving, staying = person.session(), person.session()
    deleted = Person(alerting, "viewer")
    streams = {"signed out": Events(alerting.stranger, cookies=leaving), "token": Events(alerting.api.as_(token["token"])),
               "user": Events(alerting.stranger, cookies=deleted.session())}
    with Events(alerting.stranger, cookies=staying, timeout=60) as still:
        assert alerting.stranger.post("/auth/logout", cookies=leaving).status_code == 204
        alerting.stranger.ok("DELETE", f"/tokens/{token['id']}", 204, cookies=other.session())
        alerting.api.ok("DELETE", deleted.path, 204)
        for name, events in streams.items():
            assert events.ended.wait(40), f"the stream goes on: {name}"
        pot.dry()
        still.wait_for(lambda data: data.get("plant_id") == pot.id)
        assert not still.ended.is_set()
        for events in streams.values():
            assert not events.alerts(pot.id)
    assert cookies


def test_two_backends_tell_of_each_others_changes(alerting, pot):
    with alerting.serve(MQTT_CLIENT_ID=f"second-{uuid.uuid4().hex[:6]}") as second:
        second.ready()
        with Events(alerting.api) as here, Events(second.api) as there:
            for _ in range(3):
                pot.dry()
                found = pot.alerts()[0]["id"]
                for events in (here, there):
                    events.wait_for(lambda data: data["id"] == found and data["state"] == "firing")
                second.api.ok("POST", f"/alerts/{found}/acknowledge", 200)
                for events in (here, there):
                    events.wait_for(lambda data: data["id"] == found and data["acknowledged_at"])
                pot.fine()
                for events in (here, there):
                    events.wait_for(lambda data: data["id"] == found and data["state"] == "resolved")
                    assert events.states(found) == ["firing", "firing", "resolved"]


FLOOD = {"messages": 12, "readings": 40, "metrics": 15}
METRICS = [f"metric_{n}" for n in range(FLOOD["metrics"])]


def flood(pot):
    """As many alerts that fire and are over as make some megabytes of events. Returns how many."""
    for _ in range(FLOOD["messages"]):
        start = max(now_us() - SECOND, pot.last + 1)
        pot.tell_all([(start + n, dict.fromkeys(METRICS, (n + 1) % 2)) for n in range(FLOOD["readings"])])
    return FLOOD["messages"] * FLOOD["readings"] // 2 * FLOOD["metrics"]


def is_connected(port, peer):
    """Whether the socket at `port` that belongs to the one at `peer` is open, as the kernel has it."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(int(local.split(":")[1], 16) == port and int(remote.split(":")[1], 16) == peer and state == "01"
               for _, local, remote, state, *_ in lines)


def test_a_reader_that_does_not_read_is_cut_off_and_nobody_else_notices(alerting):
    large = "\U0001F331" * 100
    pot = Pot(alerting, dict.fromkeys(METRICS, {"max": 0.5}), name=large)
    alerting.api.ok("PATCH", f"/devices/{pot.device.id}", json={"name": large})
    to = urlsplit(alerting.api.base)
    before, measured = alerting.memory(), Change(alerting)
    with socket.create_connection((to.hostname, to.port), timeout=30) as lazy, Events(alerting.api) as busy:
        lazy.sendall(f"GET /api/events HTTP/1.1\r\nHost: {to.netloc}\r\n"
                     f"Authorization: Bearer {alerting.api.token}\r\n\r\n".encode())
        assert lazy.recv(12) == b"HTTP/1.1 200"
        count = flood(pot)
        wait_until(lambda: not is_connected(to.port, lazy.getsockname()[1]), 60, "it is cut off", every=0.5)

        def told():
            return [data["id"] for data in busy.alerts(pot.id) if data["state"] == "resolved"]

        wait_until(lambda: len(told()) >= count, 30, "the other one is told of everything")
        assert len(told()) == len(set(told())) == count, "and nothing twice"
        assert not busy.ended.is_set() and "reset" not in [name for name, _, _ in busy.received]
        got = b""
        try:
            while part := lazy.recv(1 << 20):
                got += part
        except ConnectionResetError:
            pass
        assert got.count(b"event: alert\n") < len(busy.received), "an end, and not everything"
    assert measured.of("plantops_sse_disconnected_slow_total") == 1
    assert alerting.memory() - before < 60 << 20, "what he does not read is not kept for ever"


def test_a_stop_does_not_wait_for_readers(alerting):
    with alerting.serve(MQTT_CLIENT_ID=f"stopping-{uuid.uuid4().hex[:6]}") as served:
        served.ready()
        streams = [Events(served.api) for _ in range(6)]
        served.process.terminate()
        assert served.process.wait(8) == 0
        for events in streams:
            assert events.ended.wait(5)
            # Its intake has just begun, so that everybody was to load everything.
            *before, last = [name for name, _, _ in events.received]
            assert last == "closing" and set(before) <= {"alert", "reset", "telemetry", "device", "plant"}


def test_through_nginx_events_come_at_once(alerting, pot):
    with Events(alerting.web) as events:
        pot.dry()
        events.wait_for(lambda data: data.get("plant_id") == pot.id, 5)
    assert_problem(alerting.web.as_(None).get("/events"), 401)


def test_many_readers_come_and_go(alerting, pot):
    streams = [Events(alerting.api) for _ in range(40)]
    pot.dry()
    for events in streams:
        events.wait_for(lambda data: data.get("plant_id") == pot.id)
    for events in streams[:39]:
        events.close()
    pot.fine()
    streams[39].wait_for(lambda data: data["state"] == "resolved")
    streams[39].close()
    assert alerting.api.get("/ready").status_code == 200


def test_a_stream_is_kept_alive_for_longer_than_anybody_waits_for_a_word(alerting, pot):
    """Of what was opened with the stack, so that most of the time has passed when other files were run, too."""
    begun = alerting.streams_since
    wait_until(lambda: time.monotonic() - begun > LONG, LONG + 5, "they are old", every=0.5)
    for events in alerting.streams:
        heartbeats = events.comments.count("heartbeat")
        assert not events.ended.is_set() and (time.monotonic() - begun) / 20 < heartbeats, events.comments[-10:]
    pot.dry()
    for events in alerting.streams:
        events.wait_for(lambda data: data.get("plant_id") == pot.id)
        assert events.comments.count("heartbeat") <= (time.monotonic() - begun) / 14 + 1


@pytest.mark.parametrize("path", ["/events", "/settings/llm/test", "/plants/{id}/analyze"])
def test_a_body_that_never_ends_stops_nobody(alerting, pot, path):
    where, pid = urlsplit(alerting.api.base), alerting.pid("backend")
    with socket.create_connection((where.hostname, where.port), timeout=10) as raw:
        method = "GET" if path == "/events" else "POST"
        raw.sendall(
            f"{method} /api{path.format(id=pot.id)} HTTP/1.1\r\nHost: plants\r\nContent-Length: 1000\r\n"
            f"Content-Type: application/json\r\nAuthorization: Bearer {alerting.api.token}\r\n\r\n{{".encode())
        # Until it is being worked on; whoever waits for the rest of the body first says nothing.
        raw.settimeout(1)
        try:
            raw.recv(1)
        except TimeoutError:
            pass
    assert alerting.api.get("/health").status_code == 200
    assert alerting.pid("backend") == pid
