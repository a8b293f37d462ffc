"""An ESP32 as far as the outside can tell: it registers over HTTP and speaks MQTT 5 over TLS."""

import json
import random
import threading
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from .times import now_us, rfc3339
from .waiting import wait_until

REFUSED = 0x80  # MQTT 5 reason codes from here on are errors.


def random_mac():
    return "02:" + ":".join(f"{random.randrange(256):02X}" for _ in range(5))


def reading(us=None, **values):
    """A reading taken now; `timestamp=None` leaves the time out."""
    base = {"timestamp": rfc3339(us or now_us()), "soil_moisture": 45.2, "temperature": 22.5}
    return {k: v for k, v in {**base, **values}.items() if v is not None}


class Connection:
    """One MQTT connection with any credentials, which may be refused: `connect` returns the CONNACK's reason code."""

    def __init__(self, port, ca, username=None, password=None, client_id="", host="localhost", clean_start=True,
                 session_expiry=0, inflight=100):
        self.port, self.host, self.clean_start = port, host, clean_start
        self.connack = None
        self.disconnects = []
        self.received = []
        self.acks = {}  # Packet id → reason code of its PUBACK.
        self.subacks = {}
        self.lock = threading.Condition()
        self.properties = Properties(PacketTypes.CONNECT)
        self.properties.SessionExpiryInterval = session_expiry
        client = self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)
        client.tls_set(ca_certs=ca)
        client.reconnect_delay_set(0.2, 1)
        client.max_inflight_messages_set(inflight)
        if username is not None:
            client.username_pw_set(username, password)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = lambda _c, _u, message: self.received.append(message)
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe

    def _on_connect(self, _client, _userdata, _flags, reason, _properties):
        self.connack = reason.value

    def _on_disconnect(self, _client, _userdata, _flags, reason, _properties):
        self.disconnects.append(reason.value)

    def _on_publish(self, _client, _userdata, packet_id, reason, _properties):
        with self.lock:
            self.acks[packet_id] = reason.value
            self.lock.notify_all()

    def _on_subscribe(self, _client, _userdata, packet_id, reasons, _properties):
        self.subacks[packet_id] = [reason.value for reason in reasons]

    def connect(self, timeout=10):
        self.client.connect(self.host, self.port, keepalive=30, clean_start=self.clean_start, properties=self.properties)
        self.client.loop_start()
        wait_until(lambda: self.connack is not None or self.disconnects, timeout, "the broker answers CONNECT", every=0.01)
        return self.connack

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def publish(self, topic, payload, qos=1, retain=False, wait=True, timeout=15):
        """Returns the reason code of the PUBACK, or the packet id with `wait=False`."""
        if not isinstance(payload, (bytes, str)):
            payload = json.dumps(payload)
        packet_id = self.client.publish(topic, payload, qos=qos, retain=retain).mid
        return self.acknowledgement(packet_id, timeout) if wait and qos else packet_id

    def acknowledgement(self, packet_id, timeout=15):
        with self.lock:
            assert self.lock.wait_for(lambda: packet_id in self.acks, timeout), f"no PUBACK within {timeout} s"
            return self.acks.pop(packet_id)

    def subscribe(self, topic, timeout=10):
        """The reason code of the SUBACK."""
        _, packet_id = self.client.subscribe(topic, options=SubscribeOptions(qos=1))
        return wait_until(lambda: self.subacks.get(packet_id), timeout, f"SUBACK for {topic}", every=0.01)[0]


def backend_connection(stack, **options):
    """With the backend's own account, not yet connected."""
    environment = stack.backend_environment()
    password = environment.get("MQTT_BACKEND_PASSWORD") or Path(environment["MQTT_BACKEND_PASSWORD_FILE"]).read_text().strip()
    return Connection(stack.mqtt_port, stack.ca, environment.get("MQTT_BACKEND_USERNAME", "backend"), password, **options)


class Device:
    """A registered device; `publish` is QoS 1 and waits for the acknowledgement."""

    def __init__(self, stack, plant=None, mac=None, **fields):
        self.stack = stack
        self.mac = mac or random_mac()
        self.connection = None
        self.registration = self.register(**fields)
        if plant:
            stack.api.ok("POST", f"/devices/{self.id}/provision", json={"plant_id": plant})

    def register(self, **fields):
        self.registration = self.stack.stranger.ok(
            "POST", "/devices/register", 201, json={
                "mac_address": self.mac, "enrollment_token": self.stack.enrollment_token, "firmware_version": "1.4.2",
                **fields})
        return self.registration

    @property
    def id(self):
        return self.registration["device_id"]

    @property
    def topic(self):
        return f"devices/{self.id}/telemetry"

    def open(self, **options):
        """A connection with this device's credentials, not yet connected."""
        settings = {"username": self.registration["mqtt_username"], "password": self.registration["mqtt_password"],
                    "client_id": self.id, **options}
        return Connection(self.stack.mqtt_port, self.stack.ca, **settings)

    def connect(self, **options):
        self.connection = self.open(**options)
        code = self.connection.connect()
        assert code == 0, f"the broker answered {code} to a device with good credentials"
        return self

    def publish(self, payload, topic="telemetry", **options):
        code = self.connection.publish(f"devices/{self.id}/{topic}", payload, **options)
        if options.get("wait", True) and options.get("qos", 1):
            assert code < REFUSED, f"the broker refused the publication: {code:#x}"
        return code

    def stored(self, count, columns="*", timeout=15):
        """Waits for that many rows and returns them, oldest first."""
        wait_until(lambda: self.count() >= count, timeout, f"{count} rows of device {self.id}")
        rows = self.stack.telemetry(self.id, columns)
        assert len(rows) == count, f"{len(rows)} rows instead of {count}: {rows[:5]}"
        return rows

    def count(self):
        return self.stack.value(f"SELECT count(*) FROM telemetry WHERE device_id = '{self.id}'")

    def barrier(self):
        """Publishes one more reading and waits for its row: whatever came before has then been dealt with."""
        us = now_us()
        self.publish(reading(us))
        row = f"SELECT count(*) FROM telemetry WHERE device_id = '{self.id}' AND time = '{rfc3339(us)}'"
        wait_until(lambda: self.stack.value(row) == 1, 20, "the row of a reading published last")
        return us

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def __enter__(self):
        return self.connect()

    def __exit__(self, *_):
        self.close()
