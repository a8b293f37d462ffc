"""What a device with good credentials of its own tries against others, over MQTT 5 and 3.1.1. Proved by effect: nothing
arrives, nothing is stored in another's name, and nobody else is disturbed."""

import json
import socket
import ssl
import struct
from contextlib import contextmanager

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from support.device import REFUSED, Connection, Device, backend_connection, reading
from support.times import now_us
from support.waiting import wait_until


class Connection311(Connection):
    """The same over MQTT 3.1.1, where a publication is acknowledged even if it is refused."""

    def __init__(self, port, ca, username=None, password=None, client_id="", clean_start=True, **options):
        super().__init__(port, ca, username, password, client_id, **options)
        newer = self.client
        client = self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean_start, protocol=mqtt.MQTTv311)
        client.tls_set(ca_certs=ca)
        client.username_pw_set(username, password)
        for name in ("on_connect", "on_disconnect", "on_message", "on_publish", "on_subscribe"):
            setattr(client, name, getattr(newer, name))

    def connect(self, timeout=10):
        self.client.connect(self.host, self.port, keepalive=30)
        self.client.loop_start()
        wait_until(lambda: self.connack is not None or self.disconnects, timeout, "the broker answers", every=0.01)
        return self.connack

    def subscribe(self, topic, timeout=10):
        _, packet_id = self.client.subscribe(topic, qos=1)
        return wait_until(lambda: self.subacks.get(packet_id), timeout, f"SUBACK for {topic}", every=0.01)[0]


class Attacker(Device):
    """A device of its own, which speaks one version or the other."""

    kind = Connection

    @property
    def version(self):
        return 4 if self.kind is Connection311 else 5

    def open(self, **options):
        settings = {"username": self.registration["mqtt_username"], "password": self.registration["mqtt_password"],
                    "client_id": self.id, **options}
        return self.kind(self.stack.mqtt_port, self.stack.ca, **settings)


@pytest.fixture(params=[Connection, Connection311], ids=["mqtt-5", "mqtt-3.1.1"])
def attacker(stack, request):
    device = Attacker(stack)
    device.kind = request.param
    with device:
        yield device


class Victim(Device):
    """Has said everything once, and hears everything that is said in its name."""

    def prepare(self):
        assert self.connection.subscribe(f"devices/{self.id}/#") < REFUSED
        self.publish({"battery": 80, "uptime": 100}, topic="heartbeat")
        self.publish("online", topic="status", retain=True)
        self.barrier()
        wait_until(lambda: len(self.connection.received) == 3, 10, "it hears itself")
        self.before = self.state()

    def state(self):
        shown = self.stack.api.ok("GET", f"/devices/{self.id}")
        latest = self.stack.api.ok("GET", f"/devices/{self.id}/telemetry/latest")
        return shown, latest, self.count()

    def assert_undisturbed(self, attacker):
        """Whatever the attacker sent has been dealt with by now."""
        attacker.barrier()
        assert self.state() == self.before
        assert self.stack.dead_letters(self.id) == []
        self.barrier()
        assert self.connection.disconnects == []
        wait_until(lambda: len(self.connection.received) >= 4, 10, "it hears itself")
        assert len(self.connection.received) == 4, [m.topic for m in self.connection.received]


@pytest.fixture
def victim(stack):
    with Victim(stack) as device:
        device.prepare()
        yield device


def dead_letters(stack):
    return stack.value("SELECT count(*) FROM dead_letters")


# Publishing.

PUBLISH = [
    "devices/{victim}/telemetry", "devices/{victim}/heartbeat", "devices/{victim}/status", "devices/{victim}/commands",
    "devices/{victim}/commands/result", "devices/{victim}", "devices/{victim}/x", "devices/{own}/../{victim}/telemetry",
    "devices/{own}/commands", "devices/{own}/telemetry/x", "devices/{own}/telemetry/", "devices/{own}//telemetry",
    "devices/{own}/Telemetry", "devices/{own}/", "devices/{own}", "devices/{OWN}/telemetry",
    "devices/{VICTIM}/telemetry", "devices//telemetry", "devices/telemetry", "/devices/{victim}/telemetry", "//", "/",
    "telemetry", "homeassistant/x/config",
    "$SYS/broker/version", "$SYS/x", "$CONTROL/dynamic-security/v1", "$CONTROL/dynamic-security/v1/response",
    "$CONTROL/dynamic-security/v2", "$CONTROL/x", "$share/g/devices/{victim}/telemetry", "$x",
]


def test_publications_outside_its_own_topics_have_no_effect(stack, attacker, victim):
    names = {"own": attacker.id, "OWN": attacker.id.upper(), "victim": victim.id, "VICTIM": victim.id.upper()}
    payload = {"commands": [{"command": "listClients"}], "soil_moisture": 11, "id": "1", "ok": True}
    before = dead_letters(stack)
    attacker.close()
    with hears_all(stack) as listener:
        taken = []
        for topic in (topic.format(**names) for topic in PUBLISH):
            for qos, retain in ((0, False), (0, True), (1, False), (1, True)):
                answer = shout(attacker, topic, payload, qos, retain)
                if qos == 1 and attacker.version == 5 and not (answer[0] == 0x40 and answer[4] >= REFUSED):
                    taken.append((topic, answer))
        attacker.connect()
        victim.assert_undisturbed(attacker)
        assert dead_letters(stack) == before
        assert attacker.count() == 1, "only its own reading"
        both = {attacker.topic, victim.topic}
        wait_until(lambda: {m.topic for m in listener.received} >= both, 10, "the listener hears")
        # What was kept from before is others' own business.
        assert {m.topic for m in listener.received if not m.retain} == both
    assert taken == [], "and it is told so"
    assert kept(stack, attacker, victim) == [(f"devices/{victim.id}/status", b"online")]


def hears_all(stack):
    """A connection with the backend's account that hears all it may."""
    listener = backend_connection(stack, client_id="hears-all")
    assert listener.connect() == 0
    for topic in ("devices/#", "$CONTROL/dynamic-security/v1/#"):
        assert listener.subscribe(topic) < REFUSED
    return listener


def kept(stack, attacker, victim):
    """Retained messages that concern the two."""
    with hears_all(stack) as later:
        attacker.barrier()
        wait_until(lambda: [m for m in later.received if m.topic == attacker.topic], 10, "it hears")
        return [(m.topic, m.payload) for m in later.received
                if m.retain and not (m.topic.startswith("devices/") and m.topic[8:44] not in (attacker.id, victim.id))]


@pytest.mark.parametrize("topic", ["devices/+/telemetry", "devices/#", "#", "devices/{victim}/+", "$share/g/#", ""])
def test_a_publication_to_a_pattern_ends_the_connection_and_nothing_else(attacker, victim, topic):
    attacker.close()
    answer = shout(attacker, topic.format(victim=victim.id), reading(soil_moisture=11), qos=1)
    attacker.connect()
    # No acknowledgement, 0x40; MQTT 5 may say why in a DISCONNECT, 0xE0.
    assert answer[:1] in (b"", b"\xe0")
    victim.assert_undisturbed(attacker)
    assert attacker.count() == 1


@contextmanager
def raw(device, will=None):
    """A socket that has signed in as this device, if it may; nothing keeps it from sending nonsense. `will` is a topic,
    and whether to retain it. Ends without a DISCONNECT."""
    context = ssl.create_default_context(cafile=device.stack.ca)
    with socket.create_connection(("localhost", device.stack.mqtt_port), timeout=10) as plain, \
            context.wrap_socket(plain, server_hostname="localhost") as connection:
        flags, testament = 0xC2, b""
        if will:
            flags |= 0x0C | will[1] << 5
            testament = none(device) + text(will[0]) + text("offline")
        connection.sendall(packet(0x10, text("MQTT") + bytes([device.version, flags, 0, 60]) + none(device) +
                                  text(device.id) + testament + text(device.registration["mqtt_username"]) +
                                  text(device.registration["mqtt_password"])))
        answer = connection.recv(4096)
        assert answer[0] == 0x20, answer
        assert answer[3] == 0 or will, answer
        yield connection


def shout(device, topic, payload, qos=0, retain=False):
    """Publishes. Returns all that the broker answers before it hangs up, or answers a PINGREQ sent right behind."""
    with raw(device) as connection:
        publish = text(topic) + (struct.pack(">H", 1) if qos else b"") + none(device) + json.dumps(payload).encode()
        connection.sendall(packet(0x30 | qos << 1 | retain, publish) + packet(0xC0, b""))
        answer = b""
        try:
            while not answer.endswith(b"\xd0\0"):
                more = connection.recv(4096)
                if not more:
                    break
                answer += more
        except ConnectionError:
            pass
        return answer


def none(device):
    """No properties: MQTT 3.1.1 has none to have none of."""
    return b"\0" if device.version == 5 else b""


def text(value):
    return struct.pack(">H", len(value.encode())) + value.encode()


def packet(kind, body):
    length, encoded = len(body), b""
    while True:
        length, digit = divmod(length, 128)
        encoded += bytes([digit | (0x80 if length else 0)])
        if not length:
            return bytes([kind]) + encoded + body


# Subscribing.

SUBSCRIBE = [
    "#", "+/#", "+/+/#", "+/+/+", "/#", "devices/#", "devices/+", "devices/+/#", "devices/+/telemetry",
    "devices/+/commands", "devices/+/commands/result", "+/{victim}/telemetry", "devices/{victim}/#", "devices/{victim}/telemetry",
    "devices/{victim}/commands", "devices/{VICTIM}/#", "devices/{OWN}/#", "$SYS/#", "$SYS/broker/clients/#",
    "$CONTROL/#", "$CONTROL/dynamic-security/v1/response", "$share/g/#", "$share/g/devices/#",
    "$share/g/devices/+/telemetry",
    "$share/g/devices/{victim}/#", "$share/g/$CONTROL/#", "$share/g/$SYS/#", "$share/devices/{own}/#",
]


def test_subscriptions_to_what_is_not_its_own_bring_nothing_and_are_refused(stack, attacker, victim):
    names = {"own": attacker.id, "OWN": attacker.id.upper(), "victim": victim.id, "VICTIM": victim.id.upper()}
    topics = [topic.format(**names) for topic in SUBSCRIBE]
    granted = [topic for topic in topics if attacker.connection.subscribe(topic) < REFUSED]
    sent = stack.api.ok("POST", f"/devices/{victim.id}/commands", 202, json={"command": "identify"})
    victim.publish({"id": sent["id"], "ok": True}, topic="commands/result")
    victim.publish("online", topic="status", retain=True)
    with Device(stack) as other:  # Makes the backend speak on $CONTROL.
        other.barrier()
    victim.barrier()
    attacker.barrier()
    assert [m.topic for m in attacker.connection.received if not m.topic.startswith(f"devices/{attacker.id}/")] == []
    assert granted == [], "and it is told so"


@pytest.mark.parametrize("group", ["plantops", "g", "backend"])
def test_a_shared_subscription_takes_no_message_away_from_anybody(stack, attacker, victim, group):
    """Of a shared subscription, one member gets a message and the others do not."""
    with backend_connection(stack, client_id="shares") as listener:
        assert listener.connect() == 0
        assert listener.subscribe(f"$share/{group}/devices/+/telemetry") < REFUSED
        for topic in ("devices/+/telemetry", "devices/#", f"devices/{attacker.id}/#", f"devices/{victim.id}/telemetry"):
            attacker.connection.subscribe(f"$share/{group}/{topic}")
        wanted = {victim.barrier() for _ in range(6)}
        heard = wait_until(lambda: len([m for m in listener.received if m.topic == victim.topic]) >= len(wanted) and
                           listener.received, 10, "all of them arrive")
        assert len([m for m in heard if m.topic == victim.topic]) == len(wanted)
        assert not any(m.topic == victim.topic for m in attacker.connection.received)


# Last wills.

WILLS = ["devices/{victim}/status", "devices/{victim}/telemetry", "devices/{victim}/commands", "devices/{own}/commands",
         "$CONTROL/dynamic-security/v1", "$SYS/x", "devices//status"]


def test_last_wills_outside_its_own_topics_do_not_arrive(stack, attacker, victim):
    before = dead_letters(stack)
    attacker.close()
    with hears_all(stack) as listener:
        for topic in WILLS:
            for retain in (False, True):
                with raw(attacker, will=(topic.format(own=attacker.id, victim=victim.id), retain)):
                    pass  # It vanishes: now the broker publishes the will.
        attacker.connect()
        victim.assert_undisturbed(attacker)
        assert [m.topic for m in listener.received if m.payload == b"offline" and not m.retain] == []
        attacker.close()
        own = f"devices/{attacker.id}/status"
        with raw(attacker, will=(own, False)):
            pass
        wait_until(lambda: own in [m.topic for m in listener.received], 10, "its own will arrives")
        attacker.connect()
    assert dead_letters(stack) == before
    assert kept(stack, attacker, victim) == [(f"devices/{victim.id}/status", b"online")]


# Other people's sessions. Mosquitto lets whoever has an account take the place of any client whose id he knows
# (docs/adr/0004): he ends its session, sets off its last will and loses what waits for it, but reads and writes nothing.
# So ids must not be guessed.


@pytest.mark.parametrize("clean", [False, True], ids=["session-kept", "session-cleared"])
def test_a_device_that_took_the_place_of_another_speaks_and_hears_only_for_itself(stack, attacker, victim, clean):
    count = victim.count()
    victim.connection.client.reconnect_delay_set(60, 60)
    with attacker.open(client_id=victim.id, clean_start=clean, session_expiry=600) as thief:
        assert thief.connect() == 0
        for topic in ("telemetry", "heartbeat", "status", "commands/result"):
            thief.publish(f"devices/{victim.id}/{topic}", reading(), wait=False)
        thief.client.subscribe(f"devices/{victim.id}/#", qos=1)
        stack.api.ok("POST", f"/devices/{victim.id}/commands", 202, json={"command": "identify"})
        attacker.barrier()
        assert thief.received == []
    assert stack.dead_letters(victim.id) == []
    assert victim.count() == count
    victim.close()
    victim.connect()
    victim.barrier()


def test_the_client_id_a_device_is_given_tells_nobody_that_of_another(stack):
    devices = [Device(stack) for _ in range(3)]
    given = {device.registration["mqtt_client_id"] for device in devices}
    assert len(given) == 3
    for device in devices:
        known = device.registration["mqtt_client_id"]
        assert len(known) >= 32
        assert device.id not in known and device.mac.replace(":", "").lower() not in known
        shown = stack.api.get(f"/devices/{device.id}").text + stack.api.get("/audit?limit=500").text
        assert known not in shown
        with device.open(client_id=known) as connection:
            assert connection.connect() == 0
    again = devices[0].registration["mqtt_client_id"]
    assert devices[0].register()["mqtt_client_id"] != again
