"""No acknowledged reading is lost and none is stored twice, however the backend ends."""

import signal
import time

import pytest

from support.device import REFUSED, Device, reading
from support.fleet import Fleet
from support.proxy import Proxy
from support.times import now_us
from support.waiting import always, wait_until


def test_every_acknowledged_message_is_in_the_table_after_kill_9_of_the_backend_under_load(fresh_stack):
    with Fleet(fresh_stack, devices=4, rate=1200) as fleet:
        for _ in range(4):
            fleet.more(600)
            fresh_stack.kill("backend", signal.SIGKILL)
            fleet.more(300)  # The broker goes on taking messages in.
            fresh_stack.start("backend")
            fresh_stack.ready()
        fleet.more(300)
        assert fleet.finish() >= 4000
        fleet.assert_all_stored()


def test_every_acknowledged_message_is_in_the_table_after_kill_9_in_quick_succession(fresh_stack):
    with Fleet(fresh_stack, devices=3, rate=900) as fleet:
        for _ in range(5):
            fresh_stack.start("backend")
            fleet.more(50)  # Killed while it still works off what had piled up.
            fresh_stack.kill("backend", signal.SIGKILL)
        fresh_stack.start("backend")
        fleet.finish()
        fleet.assert_all_stored()


def test_messages_without_a_time_are_neither_lost_nor_doubled_by_kill_9(fresh_stack):
    with Device(fresh_stack) as device:
        sent = 0
        for _ in range(3):
            pending = []
            for _ in range(400):
                pending.append(device.publish({"soil_moisture": 40, "seq": sent}, wait=False))
                sent += 1
            fresh_stack.kill("backend", signal.SIGKILL)
            for packet in pending:
                assert device.connection.acknowledgement(packet) < REFUSED
            fresh_stack.start("backend")
        wait_until(lambda: device.count() >= sent, 30, f"{sent} rows")
        numbers = sorted(row["extra"]["seq"] for row in device.stored(sent))
    assert numbers == list(range(sent))


def test_a_graceful_stop_loses_nothing_and_takes_less_than_10_seconds(fresh_stack):
    with Fleet(fresh_stack, devices=4, rate=1200) as fleet:
        for _ in range(3):
            fleet.more(500)
            seconds = fresh_stack.kill("backend", signal.SIGTERM)
            assert seconds < 10, f"SIGTERM took {seconds:.1f} s"
            fleet.more(200)
            fresh_stack.start("backend")
        fleet.finish()
        fleet.assert_all_stored()


def test_a_graceful_stop_ends_with_status_0_also_while_requests_are_under_way(stack):
    with stack.serve(MQTT_CLIENT_ID="stopping") as served:
        served.ready()
        assert served.api.get("/plants").status_code == 200
        begun = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(10) == 0
        assert time.monotonic() - begun < 10


@pytest.mark.parametrize("timed", [True, False], ids=["device-time", "server-time"])
def test_what_was_committed_but_never_acknowledged_is_delivered_again_and_makes_no_second_row(fresh_stack, timed):
    device = Device(fresh_stack)
    fresh_stack.stop("backend")
    with Proxy(("127.0.0.1", fresh_stack.mqtt_port)) as proxy:
        environment = {"MQTT_HOST": "127.0.0.1", "MQTT_PORT": str(proxy.port)}
        with fresh_stack.serve(**environment) as served:
            served.ready()
            device.connect()
            proxy.discard.add("up")  # From here on, no acknowledgement of the backend reaches the broker.
            stored = publish_ten(device, timed)
            wait_until(lambda: device.count() == stored, 20, "the readings are committed")
            served.process.kill()
            served.process.wait()
        proxy.discard.clear()
        delivered = []
        proxy.watch = lambda direction, _number, data: delivered.append(len(data)) if direction == "down" else None
        with fresh_stack.serve(**environment) as served:
            served.ready()
            device.barrier()
            always(lambda: device.count() == stored + 1, 1.5, what="no second row")
        assert sum(delivered) > 1000, "the broker must have delivered them again"
        device.close()


def publish_ten(device, timed):
    """Single readings, an array, and two equal messages. Returns how many rows they make."""
    us = iter(range(now_us(), now_us() + 100))

    def one(**values):
        return reading(next(us), **values) if timed else reading(timestamp=None, **values)

    twice = one(soil_moisture=20)
    for message in [one() for _ in range(5)] + [[one(co2=400 + n) for n in range(3)], twice, twice]:
        device.publish(message)
    return 9 if timed else 10


def test_a_backend_that_was_away_finds_what_was_published_meanwhile(fresh_stack):
    with Device(fresh_stack) as device:
        fresh_stack.stop("backend")
        for n in range(200):
            device.publish(reading(seq=n))
        assert device.count() == 0
        fresh_stack.start("backend")
        assert sorted(row["extra"]["seq"] for row in device.stored(200)) == list(range(200))
