"""Who may speak to the broker, and about what. Proved by effect: what must not happen has not happened."""

import json
import socket
import ssl
import struct
import subprocess
from pathlib import Path

import pytest

from support.device import REFUSED, Connection, Device, backend_connection, reading
from support.times import now_us, rfc3339
from support.waiting import wait_until


@pytest.fixture
def victim(stack):
    with Device(stack) as device:
        yield device


@pytest.mark.parametrize("topic", ["devices/{victim}/telemetry", "devices/{victim}/heartbeat", "devices/{victim}/status",
                                   "devices/{victim}/commands", "devices/{victim}/commands/result", "telemetry",
                                   "devices/telemetry", "devices/{own}", "devices/{own}/../{victim}/telemetry"])
def test_a_device_cannot_publish_outside_its_own_topics(stack, device, victim, topic):
    assert victim.connection.subscribe(f"devices/{victim.id}/#") < REFUSED
    topic = topic.format(victim=victim.id, own=device.id)
    assert device.connection.publish(topic, reading()) >= REFUSED
    device.connection.publish(topic, reading(), qos=0)
    device.barrier()
    victim.barrier()
    assert victim.count() == 1, "only its own reading"
    # Not its own either: a device may hear what is published under its name, so that much may come back.
    foreign = [m for m in victim.connection.received if m.topic != victim.topic]
    assert foreign == []
    assert stack.dead_letters(victim.id) == []


@pytest.mark.parametrize("topic", ["#", "devices/#", "devices/+/telemetry", "devices/{victim}/#",
                                   "devices/{victim}/telemetry", "devices/{victim}/commands", "+/+/+",
                                   "$share/group/devices/+/telemetry", "$share/group/#", "$SYS/#", "$CONTROL/#"])
def test_a_device_cannot_hear_what_is_not_its_own(device, victim, topic):
    code = device.connection.subscribe(topic.format(victim=victim.id))
    victim.publish(reading())
    victim.publish({"uptime": 1}, topic="heartbeat")
    victim.barrier()
    device.barrier()
    foreign = [m.topic for m in device.connection.received if not m.topic.startswith(f"devices/{device.id}/")]
    assert foreign == []
    assert code >= REFUSED, "and it is told so"


def test_a_device_can_hear_its_own_commands(stack, device):
    assert device.connection.subscribe(f"devices/{device.id}/commands") < REFUSED
    backend = backend_connection(stack, client_id="sends-a-command")
    with backend:
        assert backend.connect() == 0
        backend.publish(f"devices/{device.id}/commands", {"id": "1", "command": "identify"})
    (message,) = wait_until(lambda: device.connection.received, 10, "the command arrives")
    assert json.loads(message.payload)["command"] == "identify"


def test_a_device_cannot_make_accounts_or_give_itself_rights(stack, device):
    device.connection.subscribe("$CONTROL/dynamic-security/v1/response")
    commands = {"commands": [
        {"command": "createClient", "username": "intruder", "password": "intruder", "roles": [{"rolename": "backend"}]},
        {"command": "addClientRole", "username": device.id, "rolename": "backend"}]}
    assert device.connection.publish("$CONTROL/dynamic-security/v1", commands) >= REFUSED
    device.connection.publish("$CONTROL/dynamic-security/v1", commands, qos=0)
    device.barrier()
    with Connection(stack.mqtt_port, stack.ca, "intruder", "intruder") as intruder:
        assert intruder.connect() >= REFUSED
    assert device.connection.publish("devices/00000000-0000-7000-8000-000000000000/telemetry", reading()) >= REFUSED
    assert device.connection.received == []


def test_a_device_cannot_set_a_last_will_outside_its_own_topics(stack, device, victim):
    connection = device.open(client_id="with-a-will")
    connection.client.will_set(f"devices/{victim.id}/telemetry", json.dumps(reading(now_us() - 5_000_000)), qos=1)
    connection.connect()
    if connection.client.socket():
        connection.client.socket().close()
    connection.client.loop_stop()
    victim.barrier()
    device.barrier()
    assert victim.count() == 1


@pytest.mark.parametrize("who", ["anonymous", "wrong-password", "empty-password", "unknown-user", "swapped",
                                 "backend-guess", "admin"])
def test_without_the_right_name_and_password_nobody_gets_in(stack, device, victim, who):
    name, password = {
        "anonymous": (None, None), "wrong-password": (device.id, "wrong"), "empty-password": (device.id, ""),
        "unknown-user": ("01890000-0000-7000-8000-000000000000", "x"),
        "swapped": (device.id, victim.registration["mqtt_password"]), "backend-guess": ("backend", "backend"),
        "admin": ("admin", "admin"),
    }[who]
    with Connection(stack.mqtt_port, stack.ca, name, password) as connection:
        assert connection.connect() >= REFUSED


def test_mqtt_without_tls_gets_no_answer_from_the_tls_port(stack):
    name, protocol = b"plain", b"\x00\x04MQTT\x04\x02\x00\x3c"
    packet = protocol + struct.pack(">H", len(name)) + name
    with socket.create_connection(("127.0.0.1", stack.mqtt_port), timeout=10) as s:
        s.sendall(b"\x10" + bytes([len(packet)]) + packet)
        s.settimeout(10)
        try:
            answer = s.recv(64)
        except OSError:
            answer = b""
    assert not answer.startswith(b"\x20"), "a CONNACK came without TLS"


def test_the_broker_listens_on_nothing_but_the_tls_port(stack):
    assert listening_ports(stack.pid("mosquitto")) == {stack.mqtt_port}


def listening_ports(pid):
    """TCP ports on which the process listens, as the kernel sees it."""
    sockets = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            sockets.add(target[8:-1])
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused(stack):
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        context = ssl.create_default_context(cafile=stack.ca)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = version
        with pytest.raises(OSError), socket.create_connection(("127.0.0.1", stack.mqtt_port), timeout=10) as s:
            context.wrap_socket(s, server_hostname="localhost")


def test_a_client_that_trusts_another_ca_refuses_the_broker(stack, device, tmp_path):
    other = tmp_path / "other.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(tmp_path / "other.key"),
                    "-out", str(other), "-days", "1", "-subj", "/CN=PlantOps CA"], check=True, capture_output=True)
    connection = Connection(stack.mqtt_port, str(other), device.id, device.registration["mqtt_password"])
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.connect()


def test_mqtt_3_1_1_is_spoken_too(stack):
    device = Device(stack)
    us = now_us()
    done = subprocess.run(
        ["mosquitto_pub", "-V", "mqttv311", "-h", "localhost", "-p", str(stack.mqtt_port), "--cafile", stack.ca,
         "-u", device.id, "-P", device.registration["mqtt_password"], "-i", device.id, "-q", "1", "-t", device.topic,
         "-m", json.dumps({"timestamp": rfc3339(us), "soil_moisture": 38})], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    assert device.stored(1)[0]["soil_moisture"] == 38
