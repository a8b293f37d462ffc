"""What an operator does: `make prod-up`, a backup and its restore, new secrets, new certificates. The scripts are the real
ones and speak to `docker compose`, which is played by containers/engine.py. The tests build upon one another."""

import os
import re
import shutil
from pathlib import Path

import pytest

from conftest import PRODUCTION, PROFILES, PUBLIC_HOST, installed, reached, resolved
from containers import project
from containers.engine import Engine
from support.certificates import openssl
from support.device import REFUSED, Connection, Device, reading
from support.waiting import wait_until

SCRIPT = project.DOCKER / "plantops-docker"
SERVING = ["database", "certificates", "broker", "backend", "frontend", "backup"]
# How often a new certificate is looked for: every minute is too long for a test.
LOOK = {"CERTIFICATE_CHECK_SECONDS": "1"}


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    folder = project.checkout(tmp_path_factory.mktemp("clone"))
    project.prepare(folder, PUBLIC_HOST=PUBLIC_HOST)
    return folder


@pytest.fixture(scope="module")
def front(clone, images):
    with installed(resolved(clone, PRODUCTION, PROFILES), images) as installation, reached(installation, clone) as front:
        for name in ("broker", "frontend"):
            installation.images[name].environment |= LOOK
        yield front
        for name in ("broker", "frontend"):
            del installation.images[name].environment["CERTIFICATE_CHECK_SECONDS"]


@pytest.fixture(scope="module")
def engine(front, clone):
    engine = Engine(front.installation, clone)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def device(front):
    plant = front.api.plant("Before")
    with Device(front, plant["id"]) as device:
        device.plant = plant["id"]
        yield device


def pids(front):
    return {name: front.installation[name].pid for name in SERVING}


def send(front, device, value):
    """A reading of the device, on a new connection, and what the API says of it then."""
    with device.open(client_id="operations") as connection:
        assert connection.connect() == 0
        assert connection.publish(device.topic, reading(soil_moisture=value)) < REFUSED

    def arrived():
        latest = front.latest(device.id)
        assert latest.status_code == 200, latest.text
        return latest.json()["soil_moisture"] == value

    wait_until(arrived, 20, f"{value} is in the API")


def backups(front):
    return sorted((front.installation.folder / "volumes" / "backups").glob("plantops-*.tar"))


def serial(port):
    shown = openssl("s_client", "-connect", f"localhost:{port}", check=False).stdout
    return openssl("x509", "-noout", "-serial", given=shown).stdout.strip()


def test_nothing_starts_before_it_is_prepared(engine, clone, tmp_path):
    bare = project.checkout(tmp_path / "bare")
    whole, engine.folder = engine.folder, bare
    try:
        done = engine.call("make", "prod-up", check=False)
        assert done.returncode != 0 and "make prod-prepare" in done.stdout
        project.prepare(bare, PUBLIC_HOST=PUBLIC_HOST)
        (bare / project.DOCKER / "secrets" / "ENCRYPTION_KEY.txt").unlink()
        done = engine.call("make", "prod-up", check=False)
        assert done.returncode != 0 and "ENCRYPTION_KEY" in done.stdout
    finally:
        engine.folder = whole
    assert engine.asked == []


def test_up(engine, front):
    told = engine.call("make", "prod-up").stdout
    assert f"https://{PUBLIC_HOST}" in told
    for name in SERVING:
        front.installation.await_health(name)
    front.trust()


def test_up_again_changes_nothing(engine, front, device):
    before = pids(front)
    engine.call("make", "prod-up")
    assert pids(front) == before
    send(front, device, 31)


def test_a_changed_setting_is_used_after_a_restart(engine, front, device, clone):
    before = pids(front)
    with (clone / ".env.prod").open("a") as file:
        file.write("LOG_LEVEL=debug\n")
    engine.call("make", "prod-restart")
    assert not set(before.values()) & set(pids(front).values()), "each container is a new one"
    assert front.installation["backend"].environment["LOG_LEVEL"] == "debug"
    wait_until(lambda: '"level":"debug"' in front.installation["backend"].log(), 20, "the backend says more")
    send(front, device, 32)


def test_a_backup_and_its_restore(engine, front, device, tmp_path):
    first = len(backups(front))
    engine.call("make", "prod-backup")
    assert len(backups(front)) == first + 1
    # Taken away from the machine, and brought back from elsewhere.
    kept = Path(shutil.move(backups(front)[-1], tmp_path))
    front.api.ok("PUT", f"/plants/{device.plant}", json={"name": "After"})
    later = front.api.plant("Later")
    send(front, device, 99)

    done = engine.call("make", "prod-restore", f"FILE={kept}", check=False)
    assert done.returncode != 0 and "YES=1" in done.stdout
    assert front.api.ok("GET", f"/plants/{device.plant}")["name"] == "After", "nobody meant it"

    engine.call("make", "prod-restore", f"FILE={kept}", "YES=1")
    wait_until(lambda: front.api.get("/ready").status_code == 200, 30, "ready")
    assert front.api.ok("GET", f"/plants/{device.plant}")["name"] == "Before"
    assert front.api.get(f"/plants/{later['id']}").status_code == 404
    assert front.latest(device.id).json()["soil_moisture"] == 32
    send(front, device, 33)


def test_a_damaged_backup_changes_nothing(engine, front, device, tmp_path):
    before = pids(front)
    damaged = tmp_path / backups(front)[-1].name
    content = bytearray(backups(front)[-1].read_bytes())
    content[len(content) // 2] ^= 0xFF
    damaged.write_bytes(content)
    done = engine.call("make", "prod-restore", f"FILE={damaged}", "YES=1", check=False)
    assert done.returncode != 0
    assert pids(front) == before
    send(front, device, 34)


@pytest.mark.parametrize("name", ["POSTGRES_PASSWORD", "POSTGRES_SUPERUSER_PASSWORD", "MQTT_BACKEND_PASSWORD", "ENCRYPTION_KEY"])
def test_a_secret_is_replaced(engine, front, device, name):
    before = front.secret(name)
    engine.call(SCRIPT, "rotate", name)
    assert front.secret(name) != before
    if name == "MQTT_BACKEND_PASSWORD":
        with Connection(8883, front.ca, "backend", before, client_id="old") as old:
            assert old.connect() >= REFUSED
    elif name == "POSTGRES_PASSWORD":
        done = front.installation["database"].run(
            ["psql", f"postgresql://plantops:{before}@database/plantops", "-c", "SELECT 1"])
        assert done.returncode != 0 and "authentication failed" in done.stderr
    for each in SERVING:
        front.installation.await_health(each)
    send(front, device, 50 + len(name))


def test_a_password_that_the_database_does_not_know_is_mended(engine, front, device):
    """By the same command, which therefore must not wait for what cannot get ready."""
    change = ("ALTER ROLE plantops PASSWORD 'another'; "
              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'plantops'")
    done = front.installation["database"].run(["psql", "-U", "postgres", "-d", "postgres", "-c", change], user="postgres")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: front.api.get("/ready").status_code == 503, 30, "it is missed")
    engine.call(SCRIPT, "rotate", "POSTGRES_PASSWORD")
    send(front, device, 41)


def test_new_certificates_disconnect_nobody(engine, front, device):
    broker, dashboard = serial(8883), serial(8443)
    with device.open(client_id="stays") as connection:
        assert connection.connect() == 0
        engine.call(SCRIPT, "renew-certs")
        wait_until(lambda: serial(8883) not in ("", broker), 20, "the broker shows the new one")
        wait_until(lambda: serial(8443) not in ("", dashboard), 20, "the dashboard shows the new one")
        assert connection.publish(device.topic, reading(soil_moisture=60)) < REFUSED
        assert connection.disconnects == []


def test_a_certificate_of_one_s_own(engine, front, tmp_path):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
            "/CN=bought", "-addext", f"subjectAltName=DNS:{PUBLIC_HOST}", "-keyout", tmp_path / "key.pem",
            "-out", tmp_path / "chain.pem")
    own = openssl("x509", "-in", tmp_path / "chain.pem", "-noout", "-serial").stdout.strip()
    done = engine.call(SCRIPT, "tls", tmp_path / "chain.pem", Path(front.ca), check=False)
    assert done.returncode != 0, "that is no key"
    engine.call(SCRIPT, "tls", tmp_path / "chain.pem", tmp_path / "key.pem")
    wait_until(lambda: serial(8443) == own, 20, "the dashboard shows it")
    assert serial(8883) != own


def test_down_stops_everything_in_order(engine, front):
    engine.call("make", "prod-down")
    for name in SERVING:
        box = front.installation[name]
        assert not box.alive and box.process.returncode == 0, f"{name} ended with {box.process.returncode}:\n{box.log()[-1500:]}"
