"""The database goes away and comes back; the broker keeps what came meanwhile."""

import signal
import subprocess
import time

from support.api import assert_problem
from support.device import Device, reading
from support.fleet import Fleet
from support.proxy import Proxy
from support.waiting import wait_until

OUTAGE_SECONDS = 20


def assert_unavailable(stack):
    ready = stack.api.get("/ready")
    assert ready.status_code == 503 and ready.json()["ready"] is False
    assert ready.json()["checks"]["database"] is False
    assert stack.api.get("/live").status_code == 200
    health = stack.api.get("/health")
    assert health.status_code == 200 and health.json()["status"] == "unhealthy"
    assert health.json()["components"]["database"]["status"] == "disconnected"
    for method, path, body in (("GET", "/plants", None), ("POST", "/plants", {"name": "Fern"}), ("GET", "/devices", None),
                               ("GET", "/ingest/rejects", None),
                               ("POST", "/devices/register", {"mac_address": "02:00:5E:10:00:01"})):
        answer = stack.api.request(method, path, json=body)
        assert_problem(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0, f"{method} {path}"
        through_nginx = stack.web.request(method, path, json=body)
        assert_problem(through_nginx, 503)
        assert int(through_nginx.headers["Retry-After"]) > 0


def test_every_acknowledged_message_is_in_the_table_after_the_database_was_away_for_20_seconds_under_load(fresh_stack):
    stack = fresh_stack
    pid = stack.pid("backend")
    with Fleet(stack, devices=4, rate=800) as fleet:
        fleet.more(800)
        stack.stop("postgres")
        back = time.monotonic() + OUTAGE_SECONDS
        wait_until(lambda: stack.api.get("/ready").status_code == 503, 10, "/api/ready says 503")
        assert_unavailable(stack)
        before = fleet.count()
        wait_until(lambda: time.monotonic() >= back, OUTAGE_SECONDS + 1, "the outage is over", every=0.5)
        assert fleet.count() - before > 2000, "the broker goes on acknowledging"
        assert stack.api.get("/ready").status_code == 503 and stack.pid("backend") == pid and stack.alive("backend")
        memory = stack.memory()
        stack.start("postgres")
        wait_until(lambda: stack.api.get("/ready").status_code == 200, 20, "/api/ready is 200 again")
        fleet.more(400)
        assert fleet.finish() > 15_000
        fleet.assert_all_stored()
    assert stack.pid("backend") == pid and stack.alive("backend"), "the very same process"
    assert memory < 200 << 20
    assert stack.api.get("/plants").status_code == 200


def test_nothing_is_lost_when_the_database_is_killed_again_and_again(fresh_stack):
    with Fleet(fresh_stack, devices=3, rate=900) as fleet:
        for _ in range(3):
            fleet.more(500)
            fresh_stack.kill("postgres", signal.SIGKILL)
            fleet.more(300)
            fresh_stack.start("postgres")
            fresh_stack.ready()
        fleet.finish()
        fleet.assert_all_stored()


def test_nothing_is_lost_when_the_database_and_the_backend_are_away_together(fresh_stack):
    with Fleet(fresh_stack, devices=3, rate=600) as fleet:
        fleet.more(500)
        fresh_stack.stop("postgres")
        fleet.more(500)
        fresh_stack.kill("backend", signal.SIGKILL)
        fleet.more(300)
        fresh_stack.start("backend")
        fleet.more(300)
        fresh_stack.start("postgres")
        fresh_stack.ready()
        fleet.finish()
        fleet.assert_all_stored()


def test_a_backend_that_starts_before_the_database_becomes_ready_with_it(fresh_stack):
    fresh_stack.stop("backend")
    fresh_stack.stop("postgres")
    fresh_stack.start("backend")
    pid = fresh_stack.pid("backend")
    wait_until(lambda: fresh_stack.api.get("/live").status_code == 200, 10, "/api/live is 200")
    assert_unavailable(fresh_stack)
    fresh_stack.start("postgres")
    fresh_stack.ready()
    assert fresh_stack.pid("backend") == pid
    with Device(fresh_stack) as device:
        device.publish(reading())
        device.stored(1)


def test_sessions_ended_by_the_database_are_replaced_without_an_error_for_anybody(fresh_stack):
    with Fleet(fresh_stack, devices=2, rate=400) as fleet:
        for _ in range(3):
            fleet.more(200)
            fresh_stack.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                             "WHERE usename = current_user AND pid <> pg_backend_pid()")
            wait_until(lambda: fresh_stack.api.get("/plants").status_code == 200, 10, "GET /plants works again")
        fleet.finish()
        fleet.assert_all_stored()


def test_a_database_that_falls_silent_is_noticed_and_nothing_is_lost(fresh_stack):
    """No error and no end of connection: packets just stop, as when a cable is pulled."""
    fresh_stack.stop("backend")
    database_port = int(fresh_stack.environment["PLANTOPS_DB_PORT"])
    with Proxy(("127.0.0.1", database_port)) as proxy:
        with fresh_stack.serve(POSTGRES_HOST="127.0.0.1", POSTGRES_PORT=str(proxy.port)) as served:
            served.ready()
            with Fleet(fresh_stack_behind(fresh_stack, served), devices=2, rate=300) as fleet:
                fleet.more(300)
                proxy.discard.update(("up", "down"))
                fleet.more(300)
                wait_until(lambda: served.api.get("/ready", timeout=5).status_code == 503, 60, "/api/ready says 503")
                assert served.api.get("/live", timeout=5).status_code == 200
                proxy.hang_up()
                proxy.discard.clear()
                served.ready(60)
                fleet.finish()
                fleet.assert_all_stored()


def fresh_stack_behind(stack, served):
    """The same stack, asked through another backend."""

    class Behind:
        api = served.api
        stranger = served.api.as_(None)

        def __getattr__(self, name):
            return getattr(stack, name)

    return Behind()


def test_a_table_that_is_locked_holds_messages_back_but_loses_none(fresh_stack):
    with Fleet(fresh_stack, devices=2, rate=400) as fleet:
        fleet.more(200)
        fresh_stack.sql("BEGIN; LOCK TABLE telemetry IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(4); COMMIT")
        fleet.more(200)
        fleet.finish()
        fleet.assert_all_stored()


def test_what_a_killed_database_leaves_at_work_does_not_keep_it_from_starting(breakable):
    """Who computes does not notice that the server is gone."""
    stack = breakable
    busy = subprocess.Popen(
        ["psql", stack.settings["DATABASE_URL"], "-Xqc", "DO $$ BEGIN LOOP NULL; END LOOP; END $$"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.extra.append(busy)
    wait_until(lambda: stack.value("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO %'") == 1,
               20, "somebody computes")
    stack.kill("postgres")
    stack.start("postgres")
    stack.ready()
    assert busy.wait(20) != 0
    stack.extra.remove(busy)
