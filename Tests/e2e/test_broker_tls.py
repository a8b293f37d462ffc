"""What the broker speaks, whom it wants a certificate from, and how its own is renewed while everything runs."""

import re
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from support.certificates import make, openssl, sign
from support.device import REFUSED, Connection, Device, backend_connection, reading
from support.fleet import Fleet
from support.stack import Stack, free_port
from support.waiting import wait_until



@pytest.fixture(scope="module")
def broker():
    """A broker alone: no database, no backend."""
    yield from only_a_broker()


@pytest.fixture(scope="module")
def strict_broker():
    """One that asks for a certificate."""
    yield from only_a_broker(MQTT_REQUIRE_CLIENT_CERT="true")


def only_a_broker(**variables):
    stack = Stack(**variables)
    try:
        stack.run("start", "mosquitto")
        yield stack
    finally:
        stack.destroy()


def handshake(stack, *arguments):
    """Protocol and cipher suite that openssl and the broker agree on; None if they do not."""
    done = openssl("s_client", "-connect", f"127.0.0.1:{stack.mqtt_port}", "-CAfile", stack.ca, "-verify_return_error",
                   "-verify_hostname", "localhost", *arguments, check=False)
    found = re.search(r"^New, (TLSv[0-9.]+), Cipher is (\S+)$", done.stdout, re.M)
    protocol = re.search(r"^    Protocol  : (\S+)$", done.stdout, re.M)
    return (protocol.group(1) if protocol else found.group(1), found.group(2)) if found else None


@pytest.mark.parametrize("arguments, agreed", [
    (["-tls1_3"], "TLSv1.3"), (["-tls1_2"], "TLSv1.2"),
    (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], None), (["-tls1", "-cipher", "ALL:@SECLEVEL=0"], None),
])
def test_tls_1_2_and_1_3_are_spoken_and_nothing_older(broker, arguments, agreed):
    result = handshake(broker, *arguments)
    assert result is None if agreed is None else result[0] == agreed


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                                    "ECDHE-ECDSA-CHACHA20-POLY1305"])
def test_an_esp32_finds_a_cipher_suite(broker, cipher):
    """As ESP-IDF's mbedTLS asks: TLS 1.2, P-256, ECDSA with SHA-256."""
    mbedtls = ["-tls1_2", "-groups", "P-256", "-sigalgs", "ECDSA+SHA256"]
    assert handshake(broker, *mbedtls, "-cipher", cipher) == ("TLSv1.2", cipher)


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "AES128-SHA", "AES128-GCM-SHA256",
                                    "eNULL", "aNULL", "ECDHE-ECDSA-AES128-SHA"])
def test_cipher_suites_without_forward_secrecy_or_authenticated_encryption_are_refused(broker, cipher):
    assert handshake(broker, "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0") is None


def subscribes(stack, *options, password=None):
    """Whether the backend's account gets in and is let at the devices' readings; and what was said."""
    password = password or (stack.home / "secrets" / "MQTT_BACKEND_PASSWORD").read_text()
    done = subprocess.run(
        ["mosquitto_sub", "-V", "mqttv5", "-h", "localhost", "-p", str(stack.mqtt_port), "--cafile", stack.ca, "-E",
         "-u", "backend", "-P", password, "-q", "1", "-t", "devices/+/telemetry", *map(str, options)],
        capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    return done.returncode == 0


def test_without_mutual_tls_no_certificate_is_needed(broker):
    assert subscribes(broker)
    assert not subscribes(broker, password="wrong")


def test_with_mutual_tls_only_a_client_certificate_of_our_authority_opens_the_door(strict_broker, tmp_path):
    certs = strict_broker.home / "certs"
    backend = certs / "clients" / "backend"
    assert subscribes(strict_broker, "--cert", f"{backend}.crt", "--key", f"{backend}.key")
    assert not subscribes(strict_broker), "no certificate"
    assert not subscribes(strict_broker, "--cert", certs / "server.crt", "--key", certs / "server.key"), "the server's own"
    make(tmp_path / "other", "--client", "backend")
    other = tmp_path / "other" / "clients" / "backend"
    assert not subscribes(strict_broker, "--cert", f"{other}.crt", "--key", f"{other}.key"), "another authority's"
    sign(certs, tmp_path / "expired", 0, usage="clientAuth")
    wait_until(lambda: openssl("x509", "-in", tmp_path / "expired.crt", "-checkend", "0", check=False).returncode == 1, 5,
               "it has expired")
    assert not subscribes(strict_broker, "--cert", tmp_path / "expired.crt", "--key", tmp_path / "expired.key"), "expired"
    make(certs, "--client", "esp32-01")
    esp32 = certs / "clients" / "esp32-01"
    assert subscribes(strict_broker, "--cert", f"{esp32}.crt", "--key", f"{esp32}.key"), "made while the broker runs"
    assert not subscribes(strict_broker, "--cert", f"{esp32}.crt", "--key", f"{esp32}.key", password="wrong"), \
        "a certificate does not stand in for the password"


def test_a_setting_that_is_neither_yes_nor_no_is_named():
    stack = Stack(MQTT_REQUIRE_CLIENT_CERT="maybe")
    try:
        assert stack.run("start", "mosquitto", check=False) == 1
        assert "MQTT_REQUIRE_CLIENT_CERT=maybe" in (stack.home / "script.log").read_text()
    finally:
        stack.destroy()


def test_a_whole_stack_runs_with_mutual_tls():
    stack = Stack(MQTT_REQUIRE_CLIENT_CERT="true", SIMULATE="1")
    try:
        stack.up().ready()
        wait_until(lambda: stack.value("SELECT count(*) FROM telemetry WHERE time > now() - interval '1 minute'") > 0, 30,
                   "a live reading of a simulated device is stored")
        device = Device(stack)
        with pytest.raises((AssertionError, OSError)):
            device.connect()
        stack.run("renew-certs")
        assert stack.program("doctor").returncode == 0, "and the doctor gets in, too"
    finally:
        stack.destroy()


# Renewal while everything runs.


def serial(stack, port=None):
    """Of the certificate that a new connection is shown, after it was verified."""
    context = ssl.create_default_context(cafile=stack.ca)
    with socket.create_connection(("127.0.0.1", port or stack.mqtt_port), timeout=10) as s:
        with context.wrap_socket(s, server_hostname="localhost") as tls:
            return tls.getpeercert()["serialNumber"]


def service_home(stack):
    return Path((stack.home / "service-home").read_text().strip())


def backend_connections(stack):
    """How often the backend has connected since the broker started."""
    return stack.log("mosquitto").count("u'backend'")


def test_renewing_disconnects_nobody_and_loses_nothing(fresh_stack):
    stack = fresh_stack
    authority, before = Path(stack.ca).read_bytes(), serial(stack)
    processes = {name: stack.pid(name) for name in ("postgres", "mosquitto", "backend", "nginx")}
    fleet = Fleet(stack, devices=3, rate=150)
    connections = backend_connections(stack)
    assert connections > 0
    with fleet:
        fleet.more(50)
        for _ in range(3):
            stack.run("renew-certs")
            fleet.more(50)
        assert serial(stack) != before
        fleet.finish()
        for device in fleet.devices:
            assert device.connection.disconnects == [], "a device noticed"
        fleet.assert_all_stored()
    assert Path(stack.ca).read_bytes() == authority
    assert {name: stack.pid(name) for name in processes} == processes and all(map(stack.alive, processes))
    assert "ingest is interrupted" not in stack.log("backend")
    assert backend_connections(stack) == connections, "the backend had to connect again"
    # The accounts that the broker was given while it ran are still the ones it knows.
    with Device(stack) as device:
        device.publish(reading())
        device.stored(1)
        password = device.registration["mqtt_password"]
        stack.api.ok("DELETE", f"/devices/{device.id}")
    with Connection(stack.mqtt_port, stack.ca, device.id, password, client_id=device.id) as connection:
        assert connection.connect() >= REFUSED


def test_the_brokers_copies_are_readable_by_it_alone_and_are_the_new_ones(fresh_stack):
    stack = fresh_stack
    stack.run("renew-certs")
    copies = service_home(stack) / "mosquitto" / "certs"
    # Not that of the program, which began as root.
    owner = next(int(line.split()[1]) for line in Path(f"/proc/{stack.pid('mosquitto')}/status").read_text().splitlines()
                 if line.startswith("Uid:"))
    assert {path.name for path in copies.iterdir()} == {"ca.crt", "server.crt", "server.key"}
    for path in copies.iterdir():
        status = path.stat()
        assert (status.st_mode & 0o777, status.st_uid) == (0o600, owner)
        assert path.read_bytes() == (stack.home / "certs" / path.name).read_bytes()
    stack.restart("mosquitto")
    stack.ready()


def test_a_second_up_renews_what_ends_soon_and_leaves_the_rest_alone(fresh_stack):
    stack = fresh_stack
    with Device(stack) as device:
        before = serial(stack)
        stack.run("up")
        assert serial(stack) == before, "nothing was due"
        certs = stack.home / "certs"
        sign(certs, certs / "server", 20)
        stack.run("up")
        renewed = serial(stack)
        assert renewed != before
        assert openssl("x509", "-in", certs / "server.crt", "-noout", "-checkend", str(800 * 86400)).returncode == 0
        stack.environment["CERT_HOSTS"] = "plants.example.org"
        stack.run("up")
        assert serial(stack) != renewed
        assert handshake(stack, "-verify_hostname", "plants.example.org"), "the new name is served"
        device.publish(reading())
        device.stored(1)
        assert device.connection.disconnects == []
    assert "ingest is interrupted" not in stack.log("backend")


def test_renewing_a_stack_that_does_not_run_takes_effect_when_it_does(fresh_stack):
    stack = fresh_stack
    before = serial(stack)
    stack.run("down")
    stack.run("renew-certs")
    stack.up().ready()
    assert serial(stack) != before
    with backend_connection(stack, client_id="after") as connection:
        assert connection.connect() == 0


def test_where_there_is_no_stack_nothing_is_renewed(tmp_path):
    stack = Stack(PLANTOPS_HOME=str(tmp_path / "nothing"))
    try:
        assert stack.run("renew-certs", check=False) == 1
        assert not (tmp_path / "nothing").exists()
    finally:
        stack.destroy()


def test_an_nginx_that_serves_tls_with_the_same_certificate_gets_the_new_one_too(fresh_stack):
    stack, port = fresh_stack, free_port()
    extra = service_home(stack) / "nginx" / "extra"
    extra.mkdir()
    certs = stack.home / "certs"
    (extra / "tls.conf").write_text(f"listen 127.0.0.1:{port} ssl;\nssl_certificate {certs}/server.crt;\n"
                                    f"ssl_certificate_key {certs}/server.key;\n")
    stack.restart("nginx")
    before, process = serial(stack, port), stack.pid("nginx")
    assert before == serial(stack)
    stack.run("renew-certs")
    wait_until(lambda: serial(stack, port) == serial(stack) != before, 10, "nginx shows the new certificate")
    assert stack.pid("nginx") == process
