"""Load: devices that publish numbered readings and remember which of them were acknowledged."""

import json
import threading
import time

from .device import Device
from .times import now_us, rfc3339
from .waiting import wait_until


class Fleet:
    """Each reading carries its number as the extra metric `seq`. Rate is messages per second over all devices.

    Devices behave like good ones: session kept, unacknowledged readings sent again after a reconnect, at most
    `window` under way.
    """

    def __init__(self, stack, devices=4, rate=800, window=400, plant=None):
        self.stack = stack
        self.devices = [Device(stack, plant) for _ in range(devices)]
        self.interval = devices / rate
        self.window = window
        self.acknowledged = {device.id: set() for device in self.devices}
        self.refused = []
        self.published = {device.id: 0 for device in self.devices}
        self.pending = {device.id: {} for device in self.devices}
        self.early = {device.id: {} for device in self.devices}  # Acknowledged before `publish` told the packet id.
        self.lock = threading.Lock()  # Never held while calling paho, which holds its own lock in callbacks.
        self.stopping = threading.Event()
        self.threads = []

    def __enter__(self):
        for device in self.devices:
            device.connect(clean_start=False, session_expiry=3600, inflight=self.window)
            device.connection.client.on_publish = self._on_publish(device.id)
            self.threads.append(threading.Thread(target=self._run, args=(device,), daemon=True))
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(10)
        for device in self.devices:
            device.close()

    def _on_publish(self, device_id):
        def on_publish(_client, _userdata, packet_id, reason, _properties):
            with self.lock:
                if packet_id in self.pending[device_id]:
                    self._settle(device_id, self.pending[device_id].pop(packet_id), reason.value)
                else:
                    self.early[device_id][packet_id] = reason.value

        return on_publish

    def _settle(self, device_id, seq, reason):
        if reason < 0x80:
            self.acknowledged[device_id].add(seq)
        else:
            self.refused.append((device_id, seq, reason))

    def _run(self, device):
        client, pending = device.connection.client, self.pending[device.id]
        due = time.monotonic()
        while not self.stopping.is_set():
            due = max(due + self.interval, time.monotonic() - 0.5)
            self.stopping.wait(max(0, due - time.monotonic()))
            if len(pending) >= self.window:
                continue
            seq = self.published[device.id]
            payload = json.dumps({"timestamp": rfc3339(now_us()), "soil_moisture": 40 + seq % 100 / 10, "seq": seq})
            packet_id = client.publish(device.topic, payload, qos=1).mid
            with self.lock:
                if packet_id in self.early[device.id]:
                    self._settle(device.id, seq, self.early[device.id].pop(packet_id))
                else:
                    pending[packet_id] = seq
            self.published[device.id] = seq + 1

    def count(self):
        return sum(len(numbers) for numbers in self.acknowledged.values())

    def more(self, number, timeout=30):
        """Waits until so many further readings are acknowledged."""
        goal = self.count() + number
        wait_until(lambda: self.count() >= goal, timeout, f"{number} more acknowledgements", every=0.01)

    def finish(self, timeout=30):
        """Stops publishing and waits for every acknowledgement under way. Returns how many there are."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(10)
        wait_until(lambda: not any(self.pending.values()), timeout, "every reading published is acknowledged")
        assert not self.refused, f"refused: {self.refused[:5]}"
        return self.count()

    def stored(self):
        """Number → how many rows, per device."""
        found = {device.id: {} for device in self.devices}
        ours = ", ".join(f"'{device.id}'" for device in self.devices)
        for row in self.stack.rows("SELECT device_id, (extra->>'seq')::bigint AS seq, count(*) AS rows "
                                   f"FROM telemetry WHERE extra ? 'seq' AND device_id IN ({ours}) GROUP BY 1, 2"):
            found[row["device_id"]][row["seq"]] = row["rows"]
        return found

    def missing(self):
        stored = self.stored()
        return {device: sorted(numbers - stored[device].keys()) for device, numbers in self.acknowledged.items()
                if numbers - stored[device].keys()}

    def assert_all_stored(self, timeout=60):
        """Every acknowledged reading is in the table, exactly once."""
        try:
            wait_until(lambda: not self.missing(), timeout, "every acknowledged reading is in the table", every=0.3)
        except AssertionError as error:
            lost = {device: (len(numbers), numbers[:5], numbers[-5:]) for device, numbers in self.missing().items()}
            raise AssertionError(f"{error}; of {self.count()} acknowledged are missing: {lost}") from None
        doubled = {(device, seq): rows for device, numbers in self.stored().items()
                   for seq, rows in numbers.items() if rows != 1}
        assert not doubled, f"stored more than once: {list(doubled.items())[:10]}"
