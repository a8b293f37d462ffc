"""What the broker remembers between connections, and whom it takes for the backend."""

import json
import re
import socket
import subprocess

import pytest

from support.device import REFUSED, Device, backend_connection, reading
from support.waiting import wait_until


def backend_client_id(stack):
    """As the broker saw it; the other connection of the same account is for commands to the broker."""
    ids = re.findall(r"connected from \S+ as (\S+) \([^)]*u'backend'\)", stack.log("mosquitto"))
    # The stack's own backend came first; other tests bring further clients of the account.
    return next(name for name in ids if "-control" not in name)


def test_retained_telemetry_is_ignored_when_the_backend_starts_again(fresh_stack):
    with Device(fresh_stack) as device:
        # Without a time of its own: were it taken again, it would make another row.
        device.publish({"soil_moisture": 41}, retain=True)
        device.stored(1)
        for restart in range(1, 3):
            fresh_stack.stop("backend")
            fresh_stack.start("backend")
            device.barrier()
            assert device.count() == 1 + restart, "only the readings published last"


def test_retained_telemetry_is_ignored_by_a_backend_whose_session_is_new(fresh_stack):
    with Device(fresh_stack) as device:
        device.publish({"soil_moisture": 41}, retain=True)
        device.stored(1)
        fresh_stack.stop("backend")
        with fresh_stack.serve(MQTT_CLIENT_ID="never-seen-before") as served:
            served.ready()
            device.barrier()
            assert device.count() == 2


def test_a_status_that_was_kept_from_before_does_not_bring_a_device_back_to_life(fresh_stack):
    device = Device(fresh_stack)
    with device:
        device.publish("online", topic="status", retain=True)
        seen = wait_until(lambda: fresh_stack.api.ok("GET", f"/devices/{device.id}")["last_seen_at"], 10, "it was seen")
    fresh_stack.stop("backend")
    fresh_stack.start("backend")
    with Device(fresh_stack) as other:
        other.barrier()
    assert fresh_stack.api.ok("GET", f"/devices/{device.id}")["last_seen_at"] == seen


@pytest.mark.parametrize("client_id", ["plantops", "plantops-backend", "backend", "plantops-control"])
def test_a_device_under_a_client_id_that_sounds_like_the_backend_disturbs_nothing(stack, device, client_id):
    with Device(stack) as impostor:
        impostor.close()
        impostor.connect(client_id=client_id)
        impostor.connection.subscribe("devices/+/telemetry")
        for _ in range(3):
            device.barrier()
        assert impostor.connection.received == []
    assert stack.api.get("/ready").status_code == 200


def test_a_device_cannot_take_the_backends_session_and_queue_under_a_guessed_client_id(fresh_stack):
    device, impostor = Device(fresh_stack), Device(fresh_stack)
    fresh_stack.stop("backend")
    with device:
        for n in range(50):
            device.publish(reading(seq=n))
        for client_id in ("plantops", "plantops-backend", "plantops-ingest", "backend", "plantops-1", "mqtt-backend"):
            with impostor.open(client_id=client_id, clean_start=True) as connection:
                connection.connect()
                assert connection.received == []
        fresh_stack.start("backend")
        assert sorted(row["extra"]["seq"] for row in device.stored(50)) == list(range(50))


def test_the_backends_client_id_cannot_be_found_out_by_a_device(stack, device):
    client_id = backend_client_id(stack)
    assert len(client_id) >= 32, "nothing one could guess"
    for topic in ("$SYS/broker/clients/#", "$SYS/broker/log/#", "$SYS/#"):
        assert device.connection.subscribe(topic) >= REFUSED
    everything = json.dumps([stack.api.get(path).json() for path in ("/health", "/ready", "/openapi.json")])
    assert client_id not in everything and client_id not in json.dumps(device.registration)
    assert client_id not in stack.log("backend")


def test_a_device_that_takes_anothers_client_id_and_session_does_not_hear_its_commands(stack):
    first, second = Device(stack), Device(stack)
    with first.connect(clean_start=False, session_expiry=600).connection, \
            second.open(client_id=first.id, clean_start=False, session_expiry=600) as thief:
        first.connection.client.reconnect_delay_set(60, 60)  # Or it takes its session back.
        assert first.connection.subscribe(f"devices/{first.id}/commands") < REFUSED
        if thief.connect() < REFUSED:
            wait_until(lambda: first.connection.disconnects, 10, "the session was taken over")
        with backend_connection(stack, client_id="sends-commands") as backend:
            assert backend.connect() == 0
            backend.publish(f"devices/{first.id}/commands", {"id": "1", "command": "reboot"})
        if thief.connack < REFUSED:
            second.connection = thief
            second.barrier()  # Whatever was for it has arrived by now.
        assert thief.received == []
        second.connection = None


def test_many_connections_that_never_say_anything_keep_nobody_out(stack):
    silent = [socket.create_connection(("127.0.0.1", stack.mqtt_port), timeout=5) for _ in range(100)]
    try:
        with Device(stack) as device:
            device.barrier()
    finally:
        for s in silent:
            s.close()


def test_simulated_devices_register_publish_over_tls_and_count_what_was_acknowledged(fresh_stack, tmp_path):
    state = tmp_path / "fleet.json"
    done = subprocess.run(
        [str(fresh_stack.binary), "simulate", "--url", fresh_stack.settings["PLANTOPS_API_URL"], "--devices", "5",
         "--rate", "200", "--count", "400", "--with-plants", "--seed", "7", "--state", str(state), "--json", "--quiet"],
        capture_output=True, text=True, timeout=90, env={**fresh_stack.environment, **fresh_stack.settings})
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["devices"] == 5 and summary["unacknowledged"] == 0 and summary["dropped"] == 0
    assert summary["acknowledged"] >= 400 and summary["readings_acknowledged"] >= 400
    assert state.stat().st_mode & 0o077 == 0, "it holds passwords"
    rows = wait_until(lambda: fresh_stack.value("SELECT count(*) FROM telemetry") >= summary["readings_acknowledged"]
                      and fresh_stack.value("SELECT count(*) FROM telemetry"), 15, "every acknowledged reading is stored")
    assert rows == summary["readings_acknowledged"]
    assert fresh_stack.value("SELECT count(*) FROM dead_letters") == 0
    plants = fresh_stack.api.ok("GET", "/plants")["plants"]
    assert len(plants) == 5 and all(plant["latest_telemetry"]["soil_moisture"] >= 0 for plant in plants)
