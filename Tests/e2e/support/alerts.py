"""Plants that fall ill on command, channels, and what becomes of alerts."""

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from .device import Device
from .discord import PATIENCE
from .times import now_us, parse, rfc3339
from .waiting import wait_until

SECOND = 1_000_000
MINUTE = 60 * SECOND
# Soil between 20 and 80 %: 15 is a warning, from below 8 it is critical, and from 21 on it is over (5 % of the limit).
SOIL = {"soil_moisture": {"min": 20, "max": 80}}
DRY, PARCHED, FINE = 15, 5, 50
SETTINGS = {"for_seconds": 0, "cooldown_minutes": 60, "hysteresis_percent": 5, "quiet_hours": None, "digest": False,
            "time_zone": "UTC"}
ALERT_KEYS = {
    "id", "kind", "plant_id", "plant_name", "device_id", "device_name", "metric", "unit", "direction", "severity", "state",
    "value", "limit", "detail", "started_at", "fired_at", "resolved_at", "resolution", "duration_seconds",
    "acknowledged_at", "acknowledged_by"}


def put_settings(stack, **changes):
    return stack.api.ok("PUT", "/settings/alerts", 200, json=changes)


def alerts(stack, **query):
    """Newest first."""
    return stack.api.ok("GET", "/alerts", 200, params={"limit": 500, **query})["alerts"]


def alert(stack, alert_id):
    return stack.api.ok("GET", f"/alerts/{alert_id}", 200)


def acknowledge(stack, alert_id):
    return stack.api.ok("POST", f"/alerts/{alert_id}/acknowledge", 200)


class Pot:
    """A plant with devices in it, connected. What `tell` has published has been judged when it returns."""

    def __init__(self, stack, thresholds=None, devices=1, room=None, name=None):
        self.stack = stack
        self.name = name or f"Fern {uuid.uuid4().hex[:8]}"
        fields = {"room": room} if room else {}
        self.plant = stack.api.plant(self.name, thresholds=SOIL if thresholds is None else thresholds, **fields)
        self.id = self.plant["id"]
        self.devices = [Device(stack, self.id).connect() for _ in range(devices)]
        self.last = 0
        getattr(stack, "pots", []).append(self)

    @property
    def device(self):
        return self.devices[0]

    @property
    def path(self):
        return f"/plants/{self.id}"

    def next_instant(self):
        self.last = max(now_us(), self.last + 1)
        return self.last

    def tell(self, at=None, device=0, **values):
        """One reading, of now unless said otherwise. Returns its time in microseconds."""
        at = at or self.next_instant()
        self.last = max(self.last, at)
        device = self.devices[device]
        device.publish({"timestamp": rfc3339(at), **values})
        self.judged(device, at)
        return at

    def tell_all(self, readings, device=0):
        """[(microseconds, {metric: value})] in one message."""
        device = self.devices[device]
        device.publish([{"timestamp": rfc3339(at), **values} for at, values in readings])
        self.last = max(self.last, *(at for at, _ in readings))
        self.judged(device, readings[-1][0])

    def judged(self, device, at, timeout=20):
        """Its row is there; alerts come in the same transaction."""
        row = f"SELECT count(*) FROM telemetry WHERE device_id = '{device.id}' AND time = '{rfc3339(at)}'"
        wait_until(lambda: self.stack.value(row) == 1, timeout, "the reading is stored", every=0.02)

    def soil(self, *values, device=0):
        for value in values:
            self.tell(soil_moisture=value, device=device)
        return self

    def dry(self):
        return self.soil(DRY)

    def parched(self):
        return self.soil(PARCHED)

    def fine(self):
        return self.soil(FINE)

    def steps(self, start, step, *values, metric="soil_moisture"):
        """Readings from `start` seconds ago on, `step` seconds apart, one by one. Returns their times."""
        begin = now_us() - start * SECOND
        return [self.tell(begin + n * step * SECOND, **{metric: value}) for n, value in enumerate(values)]

    def alerts(self, **query):
        return alerts(self.stack, plant_id=self.id, **query)

    def alert(self):
        """The only one there ever was."""
        found = self.alerts()
        assert len(found) == 1, f"{len(found)} alerts instead of 1: {found}"
        return found[0]

    def state(self):
        return self.alert()["state"]

    def notifications(self, alert_id=None):
        return alert(self.stack, alert_id or self.alert()["id"])["notifications"]

    def snooze(self, minutes):
        return self.stack.api.ok("POST", f"{self.path}/snooze", 200, json={"minutes": minutes})

    def limit(self, **thresholds):
        return self.stack.api.ok("PUT", self.path, 200, json={"thresholds": thresholds})

    def remove(self):
        """So that its devices are not missed later."""
        for device in self.devices:
            device.close()
            self.stack.api.delete(f"/devices/{device.id}")
        self.stack.api.delete(self.path)


def make_channel(stack, hook, *pots, **fields):
    """For alerts of these plants; without any for everything."""
    body = {"kind": hook.kind, "name": "Test", "url": hook.url, **({"plant_ids": [pot.id for pot in pots]} if pots else {})}
    return stack.api.ok("POST", "/channels", 201, json={**body, **fields})


def change_channel(stack, channel, **fields):
    return stack.api.ok("PUT", f"/channels/{channel['id']}", 200, json=fields)


def delivery(stack, channel):
    return stack.api.ok("GET", f"/channels/{channel['id']}", 200)["delivery"]


def clean(stack):
    """As before a test: no channel, no device that could fall silent, settings that fire at once."""
    for channel in stack.api.ok("GET", "/channels?limit=500")["channels"]:
        stack.api.ok("DELETE", f"/channels/{channel['id']}", 204)
    for pot in stack.pots:
        pot.remove()
    stack.pots.clear()
    put_settings(stack, **SETTINGS)


def flush(stack, hook, channel):
    """Whatever was due for the channel by now has been sent when this returns: it is told of one more plant, which
    falls ill only now, and messages of a channel go out in order. Gives what was told besides."""
    marker = Pot(stack)
    now = stack.api.ok("GET", f"/channels/{channel['id']}")
    if now["plant_ids"] is not None or now["rooms"] is not None:
        change_channel(stack, channel, plant_ids=(now["plant_ids"] or []) + [marker.id])
    marker.parched()
    wait_until(lambda: ("fired", marker.name) in hook.told(), PATIENCE, "the hook is told of the marker")
    return [one for one in hook.told() if one[1] != marker.name]


def states(pot, alert_id=None):
    """(event, state) of what was to be told of an alert, oldest first."""
    return [(one["event"], one["state"]) for one in pot.notifications(alert_id)]


def becomes(pot, *wanted, alert_id=None, timeout=PATIENCE):
    wait_until(lambda: states(pot, alert_id) == list(wanted), timeout, f"what is to be told is {wanted}")


def due_now(stack, channel):
    """As if the time had come that what is held back waits for."""
    stack.sql(f"UPDATE notifications SET due_at = now() WHERE channel_id = '{channel['id']}' AND state = 'waiting'")


def room():
    return f"Kitchen {uuid.uuid4().hex[:8]}"


def several(stack, count, **fields):
    """Plants, and a device in each."""
    return [Pot(stack, **fields) for _ in range(count)]


def one_of_each(stack, inbox):
    """A hook, a plant, and a channel that tells the one of the other."""
    hook, pot = inbox.hook(), Pot(stack)
    return hook, pot, make_channel(stack, hook, pot, secret="known to both sides")


def around_now(zone="Pacific/Auckland", hours=2):
    """Quiet hours that began an hour ago and last for another one, by the clocks of that place."""
    now = datetime.now(ZoneInfo(zone))
    return {"from": f"{now - timedelta(hours=1):%H:%M}", "to": f"{now + timedelta(hours=hours - 1):%H:%M}", "time_zone": zone}


def elsewhen(zone="Pacific/Auckland"):
    now = datetime.now(ZoneInfo(zone))
    return {"from": f"{now + timedelta(hours=3):%H:%M}", "to": f"{now + timedelta(hours=5):%H:%M}", "time_zone": zone}


def seconds_between(earlier, later):
    return (parse(later) - parse(earlier)) / SECOND
