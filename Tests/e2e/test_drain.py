"""The backend is told to stop: it says so, finishes what is under way, and has ended within 10 s."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import alerts
from support.asking import Asker
from support.device import Device
from support.discord import Hanging
from support.events import Events
from support.fleet import Fleet
from support.stack import Stack, free_port, pid_alive
from support.waiting import wait_until
from test_export import SlowReader, fill


@pytest.fixture(scope="module")
def shared(inbox):
    """Everything but a backend: the tests serve one themselves, so that its exit status is known."""
    stack = Stack(CHANNEL_ALLOWED_HOSTS=inbox.host)
    try:
        stack.up()
        alerts.put_settings(stack, **alerts.SETTINGS)
        stack.stop("backend")
        yield stack
    finally:
        stack.destroy()


def serving(stack):
    """A backend where the stack's own would be."""
    return stack.serve(port=int(stack.environment["PLANTOPS_API_PORT"]))


def stopping(served):
    """The answer of `/api/ready` as soon as it says that the program is about to end."""
    def look():
        answer = served.api.get("/ready", timeout=5)
        return [answer] if answer.status_code == 503 else []  # An answer that is an error is false.

    return wait_until(look, 10, "/api/ready is 503", every=0.01)[0]


@pytest.fixture
def held(shared, inbox):
    """A channel that answers nothing until it is released: whoever tests it waits."""
    hook = inbox.hook()
    answer = Hanging()
    hook.always(answer)
    yield hook, answer
    answer.release()


def test_what_is_under_way_is_finished_and_nothing_is_lost_or_stored_twice(shared, held):
    hook, answer = held
    with serving(shared) as served:
        served.ready()
        channel = alerts.make_channel(shared, hook, min_severity="critical")
        with Fleet(shared, devices=3, rate=300) as fleet, Asker(shared.api.token, [served.api.base]) as asker, \
                Events(served.api) as events, ThreadPoolExecutor() as pool:
            fleet.more(300)
            long = pool.submit(shared.api.post, f"/channels/{channel['id']}/test", timeout=30)
            wait_until(lambda: hook.received, 15, "the long request is under way")
            told = time.monotonic()
            served.stop()
            said = stopping(served)
            assert (said.json()["ready"], said.json()["stopping"]) == (False, True)
            assert said.headers["Connection"] == "close"
            wait_until(lambda: asker.since(told), 5, "requests are still answered", every=0.01)
            assert events.ended.wait(10)
            answer.release()
            assert long.result().status_code == 200 and long.result().json()["delivered"], long.result().text
            assert served.ended() == 0
            begun_before = [(begun, reasons) for begun, reasons in asker.failures if begun <= told]
            assert not begun_before, begun_before
            assert asker.statuses() == {200}
            assert all(headers["Connection"] == "close" for *_, headers in asker.since(told + 0.2))
            assert [name for name, _, _ in events.received][-1] == "closing"
            assert events.retry == 1000 and events.failure is None
            # What was taken over is stored; what was not, the broker has kept.
            with serving(shared) as successor:
                successor.ready()
                fleet.more(100)
                fleet.finish()
                fleet.assert_all_stored()
                alerts.put_settings(shared, **alerts.SETTINGS)
                shared.api.ok("DELETE", f"/channels/{channel['id']}", 204)
        assert "has not ended in time" not in served.output()


def test_who_watches_is_told_to_come_back_and_learns_from_a_successor_that_something_may_have_been_missed(shared):
    with serving(shared) as served:
        served.ready()
        with Events(served.api) as events:
            plant = shared.api.plant("Seen")
            events.next("plant", lambda data: data["id"] == plant["id"])
            seen = events.last_id()
            served.stop()
            assert events.ended.wait(10) and events.failure is None
            # Nothing a browser would take for the last thing it has seen.
            assert (events.received[-1][0], events.received[-1][2]) == ("closing", None)
        assert served.ended() == 0
    with serving(shared) as successor:
        successor.ready()
        with Events(successor.api, last=seen) as events:
            events.next("reset")


@pytest.fixture
def long_plant(shared):
    """With more readings than fit into the buffers on the way to a reader."""
    with serving(shared) as served:
        served.ready()
        plant = shared.api.plant()["id"]
        device = Device(shared, plant)
        fill(shared, plant, device.id, 100_000)
        served.plant = plant
        yield served
    shared.sql(f"DELETE FROM telemetry WHERE device_id = '{device.id}'", timeout=120)


def test_an_export_that_is_being_read_is_finished(shared, long_plant):
    with SlowReader(long_plant.api, f"/plants/{long_plant.plant}/export.csv").begun() as reader:
        long_plant.stop()
        stopping(long_plant)
        assert reader.rest().endswith(b"\r\n0\r\n\r\n")
        assert reader.bytes.count(b"\r\n") > 100_000
        assert long_plant.ended() == 0


def test_an_export_that_nobody_reads_is_cut_off_so_that_its_reader_notices(shared, long_plant):
    with SlowReader(long_plant.api, f"/plants/{long_plant.plant}/export.csv").begun() as reader:
        long_plant.stop()
        assert long_plant.ended() == 0
        assert not reader.rest().endswith(b"0\r\n\r\n"), "the chunk that says 'end' did not come"


def test_a_message_under_way_to_a_channel_is_known_as_sent_and_not_sent_again(shared, held):
    hook, answer = held
    with serving(shared) as served:
        served.ready()
        shared.pots = []
        pot = alerts.Pot(shared)
        channel = alerts.make_channel(shared, hook, pot)
        pot.dry()
        hook.wait_for(1)
        served.stop()
        stopping(served)
        answer.release()
        assert served.ended() == 0
        assert shared.rows(f"SELECT state, last_status FROM messages WHERE channel_id = '{channel['id']}'") == [
            {"state": "sent", "last_status": 204}]
    with serving(shared) as successor:
        successor.ready()
        alerts.flush(shared, hook, channel)
        first = hook.received[0].id
        assert [delivery.id for delivery in hook.received].count(first) == 1
        alerts.clean(shared)


def test_it_ends_in_order_though_the_database_was_never_there(shared):
    with shared.serve(POSTGRES_PORT=str(free_port())) as served:
        wait_until(lambda: "waiting for the database" in served.output(), 15, "it waits for the database")
        assert served.stop().ended() == 0
        assert "critical" not in served.output()


@pytest.mark.parametrize("after", [0.05, 0.1, 0.15, 0.2, 0.3])
def test_a_signal_while_it_starts_is_not_forgotten(shared, after):
    with shared.serve("--roles", "api") as served:
        time.sleep(after)
        # By the signal, where nobody listens yet.
        assert served.stop().ended(5) in (0, -signal.SIGTERM), served.output()


def test_a_second_signal_ends_it_at_once(shared, held):
    hook, _ = held
    with serving(shared) as served:
        served.ready()
        channel = alerts.make_channel(shared, hook, min_severity="critical")
        with ThreadPoolExecutor() as pool:
            pool.submit(lambda: pytest.raises(Exception, shared.api.post, f"/channels/{channel['id']}/test"))
            wait_until(lambda: hook.received, 15, "a long request is under way")
            served.stop()
            stopping(served)

            def end():
                served.stop(signal.SIGINT)
                return served.process.poll() is not None

            wait_until(end, 5, "it ends", every=0.1)
            assert served.process.returncode == 128 + signal.SIGINT
            assert "ending at once" in served.output()
    with serving(shared) as served:
        served.ready()
        shared.api.ok("DELETE", f"/channels/{channel['id']}", 204)


def test_a_signal_that_comes_doubled_is_one_request(shared):
    """`timeout` and Ctrl-C in some shells reach a process twice."""
    with serving(shared) as served:
        served.ready()
        with Events(served.api) as events:
            served.stop().stop(signal.SIGINT).stop()
            assert served.ended() == 0
            assert events.named("closing") and events.failure is None


def test_it_ends_in_time_though_the_database_hangs(shared):
    with serving(shared) as served, contextlib.ExitStack() as open_until_the_end:
        served.ready()
        fleet = open_until_the_end.enter_context(Fleet(shared, devices=2, rate=200))
        fleet.more(100)
        postmaster = shared.pid("postgres")
        frozen = [postmaster, *map(int, subprocess.run(
            ["pgrep", "-P", str(postmaster)], capture_output=True, text=True).stdout.split())]
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:

            waiting = fleet.count()
            wait_until(lambda: sum(fleet.published.values()) > waiting + 100, 10, "more is published")
            served.stop()
            assert served.ended() in (0, 1)
        finally:
            for pid in frozen:
                if pid_alive(pid):
                    os.kill(pid, signal.SIGCONT)
        with serving(shared) as successor:
            successor.ready()
            fleet.finish()
            fleet.assert_all_stored()
