"""The installation that the compose files describe, from the first start: every container with the command, user, rights,
files and network names that compose gives it. The tests build upon one another, in this order."""

import socket
from pathlib import Path

import pytest
import requests

from conftest import PUBLIC_HOST
from containers import compose
from containers.box import Box
from support.api import assert_problem
from support.certificates import openssl
from support.device import Connection, Device, reading
from support.waiting import wait_until

JOBS = ["database-setup", "broker-setup", "migrate"]
SERVING = ["database", "certificates", "broker", "backend", "frontend"]
OURS = [*SERVING[1:], "backup"]


@pytest.fixture(scope="module")
def device(front):
    """Enrolled in the running installation, in a plant."""
    plant = front.api.plant("In production")
    with Device(front, plant["id"]) as device:
        device.plant = plant["id"]
        yield device


def idle(installation, name, secrets=None):
    """The same container, in which nothing but sleep was started."""
    class Place:
        folder, hosts, volume = installation.folder / "idle", installation.hosts, installation.volume

    Place.secrets = {**installation.secrets, **(secrets or {})}
    box = Box(name, {**installation.services[name], "entrypoint": ["/bin/sleep"], "command": ["infinity"]},
              installation.images[name], Place)
    return box.start()


@pytest.mark.parametrize("name", SERVING + ["backup"])
def test_a_health_check_fails_where_nothing_runs(installation, name):
    box = idle(installation, name)
    try:
        done = box.check()
        # A command that is not there would fail for ever, and say nothing of the service.
        assert done.returncode not in (0, 126, 127), done.stdout + done.stderr
    finally:
        box.kill()


def test_everything_starts_in_the_order_in_which_it_waits(installation, front):
    installation.up(*SERVING)
    for name in SERVING:
        installation.await_health(name)
    for name in JOBS:
        assert installation[name].wait(1) == 0, installation[name].log()
    order = installation.order
    assert order.index("database") < order.index("migrate") < order.index("backend") < order.index("frontend")
    assert order.index("broker-setup") < order.index("broker") < order.index("backend")
    front.trust()


@pytest.mark.parametrize("name", SERVING[1:])
def test_its_processes_have_no_rights(installation, name):
    done = installation[name].run(["sh", "-c", "cat /proc/[0-9]*/status"])
    status = [line.split() for line in done.stdout.splitlines() if line]
    seen = {key: {tuple(rest) for first, *rest in status if first == f"{key}:"} for key in
            ("Uid", "Gid", "CapEff", "CapPrm", "CapBnd", "NoNewPrivs")}
    assert seen["Uid"] == seen["Gid"] == {("1000",) * 4}
    assert seen["CapEff"] == seen["CapPrm"] == seen["CapBnd"] == {("0" * 16,)}
    assert seen["NoNewPrivs"] == {("1",)}


@pytest.mark.parametrize("name", OURS)
def test_nothing_can_be_written_but_volumes_and_tmpfs(installation, name):
    box = installation[name] if name in SERVING else idle(installation, name)
    mounts = [line.split() for line in Path(f"/proc/{box.pid}/mountinfo").read_text().splitlines()]
    options = {mount[4]: mount[5].split(",") for mount in mounts}
    assert "ro" in options["/"]
    wanted = {path for path, _ in box.tmpfs()} | {path for _, path, writable in box.volumes() if writable}
    writable = {path for path, how in options.items() if "rw" in how and not path.startswith(("/dev", "/proc"))}
    assert writable == wanted
    if name not in SERVING:
        box.kill()


@pytest.mark.parametrize("name", ["backend", "backup"])
def test_the_program_finds_its_libraries(installation, name):
    box = idle(installation, name)
    try:
        program = box.run(["sh", "-c", "command -v plantops"]).stdout.strip()
        assert program, "plantops is not in PATH"
        libraries = box.run(["ldd", program])
        assert libraries.returncode == 0 and "not found" not in libraries.stdout, libraries.stdout
        assert "libpq" in libraries.stdout and "libswiftCore" not in libraries.stdout
        version = box.run([program, "--version"])
        assert version.returncode == 0 and version.stdout.strip(), version.stderr
    finally:
        box.kill()


def test_the_backend_knows_its_settings(installation):
    """No variable of compose is misspelt or means nothing."""
    log = installation["backend"].log()
    assert "is not a setting" not in log and "did you mean" not in log, log
    assert all(line.startswith("{") for line in log.splitlines()), "one line that is not JSON"


def test_certificates_are_for_the_host_that_is_made_public(installation, front):
    for port in (8443, 8883):
        done = openssl("s_client", "-connect", f"localhost:{port}", "-CAfile", front.ca, "-verify_return_error",
                       "-verify_hostname", PUBLIC_HOST, check=False)
        assert "Verify return code: 0" in done.stdout, done.stdout + done.stderr


def test_published_ports_lead_to_a_server(installation):
    for name in ("frontend", "broker"):
        for _, inside in compose.ports(installation.services[name]):
            socket.create_connection((installation.addresses[name], inside), timeout=5).close()


def test_a_device_enrolls_and_its_reading_arrives(front, device):
    registration = device.registration
    assert registration["mqtt_host"] == PUBLIC_HOST and registration["mqtt_port"] == 8883
    assert registration["ca_certificate"].strip() == Path(front.ca).read_text().strip()
    device.publish(reading(soil_moisture=41.5))
    latest = wait_until(lambda: front.latest(device.id).status_code == 200 and front.latest(device.id).json(), 15,
                        "the reading is in the API")
    assert latest["soil_moisture"] == 41.5


def test_the_dashboard_is_there(front):
    page = requests.get("https://localhost:8443/", timeout=10)
    assert page.status_code == 200 and "<!doctype html>" in page.text.lower()
    assert "max-age" in page.headers["Strict-Transport-Security"]
    script = next(part for part in page.text.split('"') if part.startswith("/assets/") and part.endswith(".js"))
    assert requests.get(f"https://localhost:8443{script}", timeout=10).status_code == 200
    plain = requests.get("http://localhost:8080/plants?x=1", headers={"Host": PUBLIC_HOST}, timeout=10, allow_redirects=False)
    assert plain.status_code in (301, 308) and plain.headers["Location"] == f"https://{PUBLIC_HOST}/plants?x=1"


def test_strangers_are_refused(front, device):
    assert front.stranger.get("/plants").status_code == 401
    assert front.stranger.post("/devices/register", json={"mac_address": "02:00:00:00:00:01"}).status_code in (401, 403)
    assert requests.get("https://localhost:8443/metrics", timeout=10).status_code == 404
    for username, password in ((None, None), (device.id, "wrong"), ("backend", "wrong")):
        connection = Connection(8883, front.ca, username, password, client_id="stranger")
        code = connection.connect()
        connection.close()
        assert code is None or code >= 0x80, f"{username} came in"


def test_a_check_fails_with_a_wrong_password_for_the_broker(installation, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("not-the-password\n")
    wrong.chmod(0o644)
    backend = installation["backend"]
    backend.stop()

    class Place:
        folder, hosts, volume = installation.folder / "wrong", installation.hosts, installation.volume
        secrets = {**installation.secrets, "MQTT_BACKEND_PASSWORD": wrong}

    stranger = Box("backend", installation.services["backend"], installation.images["backend"], Place).start()
    try:
        wait_until(lambda: "not_authori" in stranger.log().lower() or "not authori" in stranger.log().lower()
                   or "refused" in stranger.log().lower(), 30, "the broker refuses it")
        assert stranger.alive and not stranger.healthy
    finally:
        stranger.kill()
        installation.start("backend")
    installation.await_health("backend")


def test_a_broken_part_is_seen(installation):
    """By the checks of the part itself and of those that cannot work without it."""
    for broken, seen in (("database", "backend"), ("broker", "backend")):
        installation[broken].kill()
        wait_until(lambda: not installation[seen].healthy, 30, f"{seen} without {broken} is not healthy")
        installation.start(broken)
        installation.await_health(broken)
        installation.await_health(seen)


def test_the_dashboard_outlives_the_backend(installation, front):
    installation["backend"].kill()
    assert_problem(front.stranger.get("/ready"), 502)
    assert installation["frontend"].healthy
    installation.start("backend")
    wait_until(lambda: front.stranger.get("/ready").status_code == 200, 30, "the backend is reached again")


def test_behind_a_proxy_it_speaks_plain_http(installation):
    """TLS_MODE=off: what the proxy says of the client is believed, what anybody else says is not."""
    installation["frontend"].stop()
    service = installation.services["frontend"]
    environment = {**service["environment"], "TLS_MODE": "off", "FRONT_PROXIES": "127.0.0.1"}

    class Place:
        folder, hosts, volume = installation.folder / "plain", installation.hosts, installation.volume
        secrets = installation.secrets

    box = Box("frontend", {**service, "environment": environment}, installation.images["frontend"], Place).start()
    try:
        wait_until(lambda: box.healthy, 20, "it is healthy")
        told = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
        believed = requests.get("http://127.0.0.1:8080/", headers=told, timeout=10)
        assert believed.status_code == 200 and "Strict-Transport-Security" in believed.headers
        # From the frontend's own address, which is no proxy's.
        stranger = requests.get(f"http://{installation.addresses['frontend']}:8080/api/live", timeout=10,
                                headers={**told, "X-Forwarded-For": "203.0.113.8"})
        assert stranger.status_code == 200
        wait_until(lambda: " 203.0.113.9 " in box.log(), 10, "the client stands in the log")
        assert " 203.0.113.8 " not in box.log()
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", 8443), timeout=2)
    finally:
        box.kill()
        installation.start("frontend")
    installation.await_health("frontend")


@pytest.mark.parametrize("name", SERVING)
def test_a_restart_keeps_everything(installation, front, device, name):
    before = front.latest(device.id).json()
    code, took = installation[name].stop()
    assert code == 0, f"{name} ended with {code} after {took:.1f} s:\n{installation[name].log()[-2000:]}"
    installation.start(name)
    for each in SERVING:
        installation.await_health(each)
    assert front.latest(device.id).json() == before
    assert front.api.ok("GET", f"/plants/{device.plant}")["name"] == "In production"
    with device.open(client_id=f"again-{name}") as again:
        assert again.connect() == 0
        assert again.publish(device.topic, reading(soil_moisture=50 + SERVING.index(name))) < 0x80
    wait_until(lambda: front.latest(device.id).json()["soil_moisture"] == 50 + SERVING.index(name), 20, "a new reading")


def test_up_again_changes_nothing(installation, front, device):
    """The jobs run once more, as with each `make prod-up`."""
    before = Path(front.ca).read_text()
    for name in JOBS:
        installation.start(name)
        assert installation[name].wait(60) == 0, installation[name].log()
    with device.open(client_id="after-jobs") as again:
        assert again.connect() == 0
    assert front.stranger.ok("GET", "/ready")["ready"] is True
    assert Path(front.ca).read_text() == before
