"""Each number of `/metrics` moves by exactly what was done, and docs/metrics.md names them all."""

import re
import socket
from urllib.parse import urlsplit

import pytest
import requests

from support import care
from support.alerts import Pot, make_channel, put_settings
from support.device import Device, backend_connection, reading
from support.discord import failing, gone
from support.events import Events
from support.metrics import Change, Metrics, becomes, look, page
from support.stack import ROOT, Stack
from support.times import now_us
from support.waiting import wait_until

DATABASE_ONLY = {
    "plantops_devices", "plantops_plants", "plantops_dead_letters", "plantops_alerts", "plantops_outbox_depth",
    "plantops_outbox_oldest_seconds", "plantops_database_connections", "plantops_database_bytes",
    "plantops_database_table_bytes"}


@pytest.fixture(scope="module")
def quiet(inbox):
    """Nobody but these tests does anything here."""
    stack = Stack(CHANNEL_ALLOWED_HOSTS=inbox.host)
    stack.pots = []
    try:
        stack.up()
        put_settings(stack, for_seconds=0, cooldown_minutes=0)
        wait_until(lambda: DATABASE_ONLY <= look(stack).types.keys(), 40, "the worker has looked")
        yield stack
    finally:
        stack.destroy()


@pytest.fixture
def device(quiet):
    with Device(quiet) as device:
        yield device


def documented():
    """The tables of docs/metrics.md: {name: (type, labels)}"""
    found = {}
    for line in (ROOT / "docs" / "metrics.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch(r"`[a-z_]+`", cells[0]):
            name = cells[0].strip("`")
            assert name not in found, f"{name} is documented twice"
            assert cells[4] in ("all", "api", "ingest", "worker"), f"{name}: {cells[4]}"
            found[name] = cells[1], tuple(sorted(re.findall(r"`(\w+)`", cells[2])))
    return found


def test_what_is_measured_is_documented_and_what_is_documented_is_measured(quiet, device):
    device.publish(reading())
    device.stored(1)
    assert quiet.api.get("/plants").status_code == 200
    seen = look(quiet)
    shown = {name: (kind, labels) for name, kind in seen.types.items() for labels in seen.labels()[name]}
    assert sum(len(labels) for labels in seen.labels().values()) == len(seen.types), "a family has the same labels always"
    assert shown == documented()
    assert seen.help.keys() == seen.types.keys(), "each says what it is"
    assert set(seen.series("prometheus_series_dropped_total").values()) == {0}


def test_names_end_in_what_they_count(quiet):
    for name, kind in look(quiet).types.items():
        assert (kind == "counter") == name.endswith("_total"), name
        assert kind != "histogram" or name.endswith(("_seconds", "_messages")), name


# Taking readings in.


def test_messages_rows_duplicates_and_rejects_are_counted_one_by_one(quiet, device):
    change = Change(quiet)
    us = now_us()
    device.publish(reading(us))
    device.stored(1)
    device.publish(reading(us))  # The same once more.
    device.publish([reading(us - n * 1_000_000) for n in range(5)])  # One of them again, four new.
    device.publish("{nonsense")
    device.publish(reading(us + 1, soil_moisture=400))  # The value is refused, the rest is stored.
    device.publish({"uptime": 5}, topic="heartbeat")
    device.publish("online", topic="status")
    device.publish({"id": "01890000-0000-7000-8000-000000000000", "ok": True}, topic="commands/result")
    change.wait(1, "plantops_ingest_messages_total", kind="command_result")
    change.wait(5, "plantops_ingest_messages_total", kind="telemetry")
    assert change.all_of("plantops_ingest_messages_total") == {
        ("telemetry",): 5, ("heartbeat",): 1, ("status",): 1, ("command_result",): 1}
    assert change.of("plantops_ingest_rows_total") == 6 == device.count()
    assert change.of("plantops_ingest_duplicates_total") == 2
    assert change.all_of("plantops_ingest_rejects_total") == {
        ("not_json",): 1, ("value_out_of_range",): 1, ("unknown_command",): 1}
    batches = change.of("plantops_ingest_batch_messages_count")
    assert 2 <= batches <= 8 and change.of("plantops_ingest_commit_seconds_count") == batches
    assert change.of("plantops_ingest_batch_messages_sum") == 8
    assert change.of("plantops_ingest_commit_seconds_sum") > 0
    assert change.all_of("plantops_ingest_failures_total") == {}
    seen = look(quiet)
    assert seen.value("plantops_ingest_lag_seconds") >= 0
    assert us / 1e6 < seen.value("plantops_ingest_last_commit_timestamp_seconds") < now_us() / 1e6


def test_a_batch_that_cannot_be_committed_is_counted_and_comes_again(quiet, device):
    change = Change(quiet)
    quiet.sql("ALTER TABLE telemetry RENAME TO mislaid")
    try:
        device.publish(reading())
        wait_until(lambda: change.of("plantops_ingest_failures_total", reason="refused") >= 1, 20, "a failure is counted")
        assert change.of("plantops_ingest_rows_total") == 0 == change.of("plantops_ingest_messages_total", kind="telemetry")
    finally:
        quiet.sql("ALTER TABLE mislaid RENAME TO telemetry")
    device.stored(1, timeout=40)
    change.wait(1, "plantops_ingest_rows_total")
    assert change.of("plantops_ingest_messages_total", kind="telemetry") == 1
    assert change.of("plantops_broker_disconnections_total") == change.of("plantops_broker_connections_total") >= 1
    quiet.ready()


# HTTP.


def test_requests_are_counted_by_the_template_of_their_route(quiet):
    plant = quiet.api.plant()["id"]
    change = Change(quiet)
    for _ in range(3):
        assert quiet.api.get(f"/plants/{plant}").status_code == 200
    assert quiet.api.get("/plants/01890000-0000-7000-8000-000000000000").status_code == 404
    assert quiet.stranger.get(f"/plants/{plant}").status_code == 401
    assert quiet.api.request("HEAD", f"/plants/{plant}").status_code == 200
    assert quiet.api.put(f"/plants/{plant}", json={"name": ""}).status_code == 422
    assert quiet.api.get(f"/no/such/path/{plant}").status_code == 404
    assert quiet.api.get("/%0a\"}").status_code == 404
    assert quiet.api.delete("/ready").status_code == 405
    assert quiet.api.request("PROPFIND", f"/plants/{plant}").status_code == 405
    template = "/api/plants/{id}"
    wanted = {
        ("GET", template, "200"): 3, ("GET", template, "404"): 1, ("GET", template, "401"): 1, ("HEAD", template, "200"): 1,
        ("PUT", template, "422"): 1, ("GET", "unmatched", "404"): 2, ("DELETE", "unmatched", "405"): 1,
        ("other", "unmatched", "405"): 1}
    counted = change.all_of("plantops_http_requests_total")
    assert {key: count for key, count in counted.items() if key[1] != "/metrics"} == wanted
    assert counted["GET", "/metrics", "200"] >= 1, "it counts itself"
    timed = change.all_of("plantops_http_request_seconds_count")
    assert timed["GET", template] == 5 and timed["other", "unmatched"] == 1
    assert plant not in page(quiet)
    assert look(quiet).value("plantops_http_requests_in_flight") == 1, "nothing but this look itself"
    assert look(quiet).value("plantops_http_requests_total", method="GET", route="/api/audit", status="500") == 0


def test_a_stream_is_counted_when_it_begins_and_does_not_spoil_the_times(quiet):
    change = Change(quiet)
    route = {"method": "GET", "route": "/api/events"}

    def begun():
        seen = look(quiet)
        return (change.of("plantops_http_requests_total", **route, status="200"),
                change.of("plantops_http_request_seconds_count", **route), seen.value("plantops_http_requests_in_flight"))

    with Events(quiet.api), Events(quiet.api):
        assert look(quiet).value("plantops_sse_clients") == 2
        time = look(quiet).value("plantops_http_request_seconds_sum", **route)
        assert begun() == (2, 2, 1), "both have been timed, while both go on"
    wait_until(lambda: look(quiet).value("plantops_sse_clients") == 0, 20, "both are gone")
    assert begun() == (2, 2, 1)
    assert look(quiet).value("plantops_http_request_seconds_sum", **route) == time, "the end adds nothing"
    assert change.of("plantops_sse_disconnected_slow_total") == 0


def test_an_export_is_timed_until_it_begins(quiet):
    pot = Pot(quiet)
    quiet.sql(f"""INSERT INTO telemetry (time, device_id, plant_id, temperature, time_source, received_at)
                   SELECT now() - n * interval '1 second', '{pot.device.id}', '{pot.id}', 20, 'device', now()
                   FROM generate_series(1, 100000) n""")
    change = Change(quiet)
    route = {"method": "GET", "route": "/api/plants/{id}/export.csv"}
    to = urlsplit(quiet.api.base)
    with socket.socket() as reader:
        # What is not read stays with the sender: the export cannot end.
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        reader.connect((to.hostname, to.port))
        reader.sendall(f"GET /api/plants/{pot.id}/export.csv HTTP/1.1\r\nHost: {to.netloc}\r\nConnection: close\r\n"
                       f"Authorization: Bearer {quiet.api.token}\r\n\r\n".encode())
        assert reader.recv(12) == b"HTTP/1.1 200"
        assert change.of("plantops_http_request_seconds_count", **route) == 1
        time = look(quiet).value("plantops_http_request_seconds_sum", **route)
        assert look(quiet).value("plantops_http_requests_in_flight") == 1
        reader.settimeout(60)
        while reader.recv(1 << 16):
            pass
    assert change.of("plantops_http_request_seconds_count", **route) == 1
    assert look(quiet).value("plantops_http_request_seconds_sum", **route) == time
    pot.remove()


def test_signing_in_and_registering_are_counted_by_how_they_end(quiet):
    change = Change(quiet)
    quiet.sign_in().close()
    wrong = {"email": quiet.settings["PLANTOPS_ADMIN_EMAIL"], "password": "not this one"}
    assert quiet.stranger.post("/auth/login", json=wrong).status_code == 401
    assert change.all_of("plantops_sign_ins_total") == {("signed_in",): 1, ("refused",): 1}
    Device(quiet)
    assert quiet.stranger.post("/devices/register", json={"mac_address": "02:00:5E:10:00:07"}).status_code == 403
    assert change.all_of("plantops_registrations_total") == {("registered",): 1, ("tokenMissing",): 1}


# Alerts, and what is told of them.


def test_alerts_their_changes_and_their_messages_are_counted(quiet, inbox):
    hook, pot = inbox.hook(), Pot(quiet)
    channel = make_channel(quiet, hook, pot)
    change = Change(quiet)
    pot.dry()
    hook.wait_for(1)
    change.wait(1, "plantops_deliveries_total", outcome="sent")
    assert change.all_of("plantops_alert_transitions_total") == {("firing",): 1}
    becomes(quiet, 1, "plantops_alerts", state="firing", severity="warning")
    pot.fine()
    hook.wait_for(2)
    change.wait(2, "plantops_deliveries_total", outcome="sent")
    assert change.all_of("plantops_alert_transitions_total") == {("firing",): 1, ("resolved",): 1}
    put_settings(quiet, for_seconds=3600)
    try:
        pot.dry()
        assert change.all_of("plantops_alert_transitions_total") == {("firing",): 1, ("resolved",): 1, ("pending",): 1}
        becomes(quiet, 1, "plantops_alerts", state="pending", severity="warning")
        assert look(quiet).value("plantops_alerts", state="firing", severity="warning") == 0
    finally:
        put_settings(quiet, for_seconds=0)
    quiet.api.ok("DELETE", f"/channels/{channel['id']}", 204)
    pot.remove()


def test_what_cannot_be_told_waits_in_the_outbox_and_gets_older(quiet, inbox):
    hook, pot = inbox.hook(), Pot(quiet)
    hook.always(failing())
    channel = make_channel(quiet, hook, pot)
    becomes(quiet, 0, "plantops_outbox_depth")
    change = Change(quiet)
    pot.dry()
    wait_until(lambda: change.of("plantops_deliveries_total", outcome="retried") >= 1, 40, "an attempt has failed")
    becomes(quiet, 1, "plantops_outbox_depth")
    first = look(quiet).value("plantops_outbox_oldest_seconds")
    assert first > 0
    wait_until(lambda: look(quiet).value("plantops_outbox_oldest_seconds") > first, 40, "it gets older")
    hook.always(gone())
    quiet.sql("UPDATE messages SET next_attempt_at = now() WHERE state = 'waiting'")
    change.wait(1, "plantops_deliveries_total", outcome="failed")
    becomes(quiet, 0, "plantops_outbox_depth")
    assert look(quiet).value("plantops_outbox_oldest_seconds") == 0
    quiet.api.ok("DELETE", f"/channels/{channel['id']}", 204)
    pot.remove()


def test_what_is_held_back_is_not_late(quiet, inbox):
    hook, pot = inbox.hook(), Pot(quiet)
    channel = make_channel(quiet, hook, pot)
    pot.snooze(30)
    pot.dry()
    becomes(quiet, 1, "plantops_outbox_depth")
    assert look(quiet).value("plantops_outbox_oldest_seconds") == 0
    quiet.api.ok("DELETE", f"/channels/{channel['id']}", 204)
    pot.remove()


def test_questions_to_language_models_are_counted_by_how_they_end(advised, models):
    model = models.model("anthropic")
    care.use(advised, model)
    change = Change(advised)
    pot = Pot(advised)
    assert care.analyze(advised, pot.id)["source"] == "anthropic"
    assert change.all_of("plantops_llm_requests_total") == {("answered", "anthropic"): 1}


# What there is.


def test_devices_plants_and_dead_letters_are_counted_as_the_api_counts_them(quiet, device):
    quiet.api.plant()
    device.publish(reading())
    device.publish("{nonsense")
    other = Device(quiet)
    quiet.api.ok("PATCH", f"/devices/{other.id}", json={"enabled": False})

    def agree():
        seen = look(quiet)
        devices = quiet.api.ok("GET", "/devices?limit=500")["devices"]
        counted = {dict(labels)["status"]: count for labels, count in seen.series("plantops_devices").items()}
        listed = {status: sum(one["status"] == status for one in devices) for status in counted}
        return (counted == listed and counted["online"] >= 1 and counted["disabled"] >= 1
                and seen.value("plantops_plants") == quiet.api.ok("GET", "/plants")["total"] >= 1
                and seen.value("plantops_dead_letters") == quiet.api.ok("GET", "/ingest/rejects")["total"] >= 1)

    wait_until(agree, 40, "the numbers agree", every=0.5)
    quiet.sql(f"UPDATE device_state SET last_seen_at = now() - interval '1 day' WHERE device_id = '{device.id}'")
    change = Change(quiet)
    change.wait(1, "plantops_devices", timeout=40, status="offline")
    assert change.of("plantops_devices", status="online") == -1


def test_what_the_broker_had_wrong_is_counted(quiet):
    device = Device(quiet)
    change = Change(quiet)
    with backend_connection(quiet) as connection:
        assert connection.connect() == 0
        connection.publish("$CONTROL/dynamic-security/v1", {
            "commands": [{"command": "disableClient", "username": device.id}]})
    quiet.restart("mosquitto")  # What is reached anew is compared.
    change.wait(1, "plantops_broker_corrections_total", timeout=40, correction="enable")
    wait_until(lambda: change.of("plantops_broker_connections_total") == 1, 30, "the intake is back")
    assert change.of("plantops_broker_disconnections_total") == 1
    quiet.ready()


def test_sizes_and_connections_are_those_of_the_database(quiet):
    seen = look(quiet)
    tables = {dict(labels)["table"] for labels in seen.series("plantops_database_table_bytes")}
    # Rollups have other names below the views where there is no TimescaleDB.
    assert tables == {table["name"] for table in quiet.api.ok("GET", "/system/storage")["tables"]}
    assert {"telemetry", "alerts", "dead_letters"} <= tables
    total = seen.value("plantops_database_bytes")
    assert total > 1 << 20 and all(0 < size < total for size in seen.series("plantops_database_table_bytes").values())
    assert seen.value("plantops_database_connections", state="active") >= 1
    size = seen.value("plantops_database_pool_size")
    assert size == float(quiet.backend_environment().get("DB_POOL_SIZE", size)) and size == sum(
        seen.series("plantops_database_pool_connections").values())
    assert 0 < seen.value("plantops_disk_free_bytes") < seen.value("plantops_disk_total_bytes")


def test_the_pool_is_timed(quiet):
    change = Change(quiet)
    for _ in range(5):
        assert quiet.api.get("/species").status_code == 200
    assert change.of("plantops_database_pool_wait_seconds_count") >= 5
    assert change.of("plantops_database_statement_seconds_count") >= 5
    assert change.of("plantops_database_statement_seconds_sum") > 0


def test_the_process_is_described_as_the_kernel_describes_it(quiet):
    seen = look(quiet)
    pid = quiet.pid("backend")
    version = quiet.api.ok("GET", "/health")["version"]
    ((labels, one),) = seen.series("plantops_build_info").items()
    assert dict(labels)["version"] == version and re.match(r"6\.\d", dict(labels)["swift"]) and one == 1
    memory = seen.value("process_resident_memory_bytes")
    assert quiet.memory() / 2 < memory < quiet.memory() * 2
    assert memory < seen.value("process_virtual_memory_bytes")
    limits = re.search(r"^Max open files +(\d+)", open(f"/proc/{pid}/limits").read(), re.M)
    assert seen.value("process_max_fds") == int(limits[1])
    assert 10 < seen.value("process_open_fds") < int(limits[1])
    assert seen.value("process_threads") > 4
    assert 0 < seen.value("plantops_uptime_seconds") <= now_us() / 1e6 - seen.value("process_start_time_seconds") + 1
    assert 0 < seen.value("process_cpu_seconds_total") <= look(quiet).value("process_cpu_seconds_total")
    assert 0 < seen.value("plantops_certificate_days_left", certificate="broker") <= seen.value(
        "plantops_certificate_days_left", certificate="ca")


# When something is away.


def test_while_the_database_is_away_that_shows_and_nothing_old_is_shown(quiet, device):
    device.publish(reading())
    device.stored(1)
    change = Change(quiet)
    assert look(quiet).value("plantops_up", component="database") == look(quiet).value("plantops_ready") == 1
    quiet.stop("postgres")
    try:
        wait_until(lambda: not DATABASE_ONLY & look(quiet).types.keys(), 40, "what only the database knows is gone")
        seen = look(quiet)
        assert (seen.value("plantops_up", component="database"), seen.value("plantops_ready")) == (0, 0)
        assert seen.types["plantops_http_requests_total"] == "counter", "the rest is there"
        assert quiet.api.get("/plants").status_code == 503
        assert change.of("plantops_http_requests_total", method="GET", route="/api/plants", status="503") == 1
        assert change.of("plantops_database_errors_total", kind="unavailable") >= 1
        device.publish(reading())
        assert change.of("plantops_ingest_rows_total") == 0
    finally:
        quiet.start("postgres")
    quiet.ready()
    device.stored(2, timeout=40)
    change.wait(1, "plantops_ingest_rows_total")
    wait_until(lambda: DATABASE_ONLY <= look(quiet).types.keys(), 40, "it is known again")
    seen = look(quiet)
    assert (seen.value("plantops_up", component="database"), seen.value("plantops_ready")) == (1, 1)


def test_an_intake_and_a_worker_without_an_api_show_what_they_measure(quiet):
    with quiet.serve("--roles", "ingest", MQTT_CLIENT_ID="apart") as intake, quiet.serve("--roles", "worker") as worker:
        def shown(served):
            return set(Metrics(requests.get(served.api.base + "/metrics", timeout=10).text).types)

        wait_until(lambda: "plantops_ingest_rows_total" in shown(intake), 30, "the intake measures")
        wait_until(lambda: DATABASE_ONLY <= shown(worker), 40, "the worker has looked")
        assert not DATABASE_ONLY & shown(intake)
        assert not [name for name in shown(worker) if name.startswith(("plantops_ingest_", "plantops_broker_conn"))]
        for served in (intake, worker):
            assert "plantops_http_requests_total" not in shown(served)
            assert requests.get(served.api.base + "/api/live", timeout=10).status_code == 404


def test_an_intake_whose_port_somebody_else_has_works_all_the_same(quiet):
    taken = int(quiet.environment["PLANTOPS_API_PORT"])
    before = requests.get(f"http://127.0.0.1:{taken}/api/live", timeout=10)
    with quiet.serve("--roles", "ingest", port=taken, MQTT_CLIENT_ID="unseen", MQTT_SHARED_GROUP="unseen") as intake:
        wait_until(lambda: "cannot be shown" in intake.output(), 30, "it says that it is not seen")
        wait_until(lambda: "ingest is running" in intake.output(), 30, "it takes readings in")
        assert before.status_code == requests.get(f"http://127.0.0.1:{taken}/api/live", timeout=10).status_code == 200
        assert intake.process.poll() is None
        assert intake.stop().ended() == 0


def test_nothing_is_measured_when_that_is_switched_off(quiet):
    with quiet.serve("--roles", "api,worker", ENABLE_METRICS="false") as served:
        wait_until(lambda: served.api.get("/live").status_code == 200, 30, "it answers")
        assert requests.get(served.api.base + "/metrics", timeout=10).status_code == 404
