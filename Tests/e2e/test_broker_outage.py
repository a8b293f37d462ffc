"""The broker goes away and comes back; backend and devices find their way by themselves."""

import signal

from support.device import Device, reading
from support.fleet import Fleet
from support.waiting import wait_until


def assert_without_broker(stack):
    # A backend that has just started does not know of its database at once either.
    wait_until(
        lambda: stack.api.get("/ready").json().get("checks") == {"database": True, "mqtt": False}, 15,
        "/api/ready misses the broker alone")
    assert stack.api.get("/ready").status_code == 503
    health = stack.api.get("/health").json()
    assert health["status"] == "degraded" and health["components"]["mqtt"]["status"] == "disconnected"
    assert stack.api.get("/plants").status_code == 200, "what needs no broker works"


def test_every_acknowledged_message_is_in_the_table_after_the_broker_was_restarted_under_load(fresh_stack):
    pid = fresh_stack.pid("backend")
    with Fleet(fresh_stack, devices=4, rate=800) as fleet:
        for _ in range(2):
            fleet.more(600)
            fresh_stack.stop("mosquitto")
            assert_without_broker(fresh_stack)
            fresh_stack.start("mosquitto")
            fresh_stack.ready()
            fleet.more(400)
        fleet.finish()
        fleet.assert_all_stored()
    assert fresh_stack.pid("backend") == pid


def test_backend_and_devices_come_back_by_themselves_after_kill_9_of_the_broker(fresh_stack):
    with Fleet(fresh_stack, devices=3, rate=300) as fleet:
        for _ in range(2):
            fleet.more(200)
            fresh_stack.kill("mosquitto", signal.SIGKILL)
            fresh_stack.start("mosquitto")
            fresh_stack.ready()
            before = sum(len(numbers) for numbers in fleet.stored().values())
            fleet.more(200)
            wait_until(lambda: sum(len(n) for n in fleet.stored().values()) >= before + 200, 20, "rows arrive again")
        fleet.finish()
    with Device(fresh_stack) as device:  # Registration, too.
        device.publish(reading())
        device.stored(1)


def test_accounts_made_just_before_kill_9_of_the_broker_still_work_after_it(fresh_stack):
    device = Device(fresh_stack)
    fresh_stack.kill("mosquitto", signal.SIGKILL)
    fresh_stack.start("mosquitto")
    fresh_stack.ready()
    with device:
        device.publish(reading())
        device.stored(1)


def test_nothing_is_lost_when_broker_and_backend_are_both_restarted(fresh_stack):
    with Fleet(fresh_stack, devices=3, rate=600) as fleet:
        fleet.more(500)
        fresh_stack.kill("backend", signal.SIGKILL)
        fleet.more(400)
        fresh_stack.stop("mosquitto")  # A clean stop: the queue goes to the disk.
        fresh_stack.start("mosquitto")
        fleet.more(200)
        fresh_stack.start("backend")
        fresh_stack.ready()
        fleet.finish()
        fleet.assert_all_stored()


def test_a_backend_that_starts_before_the_broker_becomes_ready_with_it(fresh_stack):
    fresh_stack.stop("backend")
    fresh_stack.stop("mosquitto")
    fresh_stack.start("backend")
    assert_without_broker(fresh_stack)
    fresh_stack.start("mosquitto")
    fresh_stack.ready()
    with Device(fresh_stack) as device:
        device.publish(reading())
        device.stored(1)


def test_registering_while_the_broker_is_away_says_503_and_shows_no_device(fresh_stack):
    fresh_stack.stop("mosquitto")
    wait_until(lambda: fresh_stack.api.get("/ready").status_code == 503, 15, "/api/ready says 503")
    mac = "02:00:5E:10:20:30"
    answer = fresh_stack.stranger.post(
        "/devices/register", json={"mac_address": mac, "enrollment_token": fresh_stack.enrollment_token})
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
    assert fresh_stack.api.ok("GET", "/devices") == {"devices": [], "total": 0}
    fresh_stack.start("mosquitto")
    fresh_stack.ready()
    with Device(fresh_stack, mac=mac) as device:
        device.publish(reading())
        device.stored(1)
