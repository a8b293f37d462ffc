"""Care plans as people ask for them, with and without a language model."""

import json
import os
import socket
import subprocess
from base64 import b64encode
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from .alerts import Pot
from .llm import PATIENCE, Hanging

NOBODY = "01890000-0000-7000-8000-000000000000"
ADVICE = ("summary", "watering", "light", "humidity", "temperature", "alerts", "tips")
KEYS = {*ADVICE, "generated_at", "source", "id", "plant_id", "model", "note", "reason", "evidence", "changes", "feedback"}
EVIDENCE = {"id", "topic", "kind", "metric", "value", "text", "unit", "time", "hours"}
SETTINGS = "/settings/llm"


def clean(stack):
    """As before a test: no model, nothing counted, no plant of a test."""
    stack.api.ok("DELETE", SETTINGS, 204)
    stack.sql("DELETE FROM llm_usage; DELETE FROM llm_reservations")
    for pot in stack.pots:
        pot.remove()
    stack.pots.clear()


def use(stack, model, /, **changes):
    """From now on this model is asked. Gives the settings as they are shown."""
    return stack.api.ok("PUT", SETTINGS, 200, json={**model.settings, **changes})


def settings(stack):
    return stack.api.ok("GET", SETTINGS, 200)


def ask(api, plant, timeout=PATIENCE + 10, **options):
    """The answer to a request for a plan."""
    return api.post(f"/plants/{plant}/analyze", timeout=timeout, **options)


def analyze(stack, plant, refresh=False, api=None):
    """The plan of a request that must have succeeded."""
    answer = ask(api or stack.api, plant, **({"json": {"refresh": True}} if refresh else {}))
    assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
    plan = answer.json()
    assert plan.keys() == KEYS | {"cached"} and plan["plant_id"] == plant
    return plan


@contextmanager
def thinking(stack, models):
    """A model that is asked from now on, and says nothing before its `release()`."""
    model = models.model("anthropic")
    model.release = model.always(Hanging()).release
    use(stack, model)
    try:
        yield model
    finally:
        model.release()


def is_free(stack, plant):
    """Whether nobody thinks about the plant any more."""
    return stack.rows(f"SELECT 1 FROM care_state WHERE plant_id = '{plant}' AND claimed_until > now()") == []


def waiting_at(stack):
    """How many connections there are to the backend; a request of these tests makes one, and ends it."""
    port = f":{int(stack.environment['PLANTOPS_API_PORT']):04X}"
    sockets = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()]
    return sum(1 for fields in sockets if fields[1].endswith(port) and fields[3] == "01")


def open_files(stack):
    return len(os.listdir(f"/proc/{stack.pid('backend')}/fd"))


def said(plan):
    """What it advises, without all that is told of it."""
    return {key: plan[key] for key in ADVICE}


def plan_of(stack, plant):
    return stack.api.ok("GET", f"/plants/{plant}/care-plan", 200)


def plans_of(stack, plant, **query):
    return stack.api.ok("GET", f"/plants/{plant}/care-plans", 200, params=query)


def evidence(plan):
    """By id, each once."""
    found = {fact["id"]: fact for fact in plan["evidence"]}
    assert len(found) == len(plan["evidence"])
    return found


def measured_pot(stack, name=None, **values):
    """A plant with a reading of now."""
    pot = Pot(stack, name=name)
    pot.tell(**{"soil_moisture": 45, "temperature": 22.5, "humidity": 55, "light_level": 800, **values})
    return pot


def added(first, second):
    """What a model is told the second time besides."""
    assert second.system.startswith(first.system) and second.user.startswith(first.user)
    return second.system[len(first.system):] + second.user[len(first.user):]


class Caller:
    """Asks on a connection that can be hung up at any time: for a plan, or what `path` says."""

    def __init__(self, api, plant, refresh=False, path=None, body=None):
        to = urlsplit(api.base)
        body = json.dumps({"refresh": refresh}) if body is None else body
        self.socket = socket.create_connection((to.hostname, to.port), timeout=PATIENCE)
        self.socket.sendall("\r\n".join([
            f"POST /api{path or f'/plants/{plant}/analyze'} HTTP/1.1", f"Host: {to.netloc}",
            f"Authorization: Bearer {api.token}", "Content-Type: application/json", f"Content-Length: {len(body)}", "",
            body]).encode())

    def hang_up(self):
        self.socket.close()


def traces(text, key):
    """Ways in which a text shows a key, or half of it: as it is, in hex, and in Base64 however it happens to lie."""
    found = []
    for name, part in (("whole", key), ("first half", key[: len(key) // 2]), ("second half", key[len(key) // 2:])):
        data = part.encode()
        # What stands before it shifts Base64 by up to two bytes; its first and last characters depend on the neighbours.
        shifted = [b64encode(b"\0" * shift + data).decode()[4 if shift else 0:].rstrip("=")[:-2] for shift in range(3)]
        for form in (part, data.hex(), data.hex().upper(), *shifted):
            if form in text:
                found.append((name, form))
    return found


def dump(stack):
    """The whole database as text."""
    done = subprocess.run(["pg_dump", "--no-owner", stack.settings["DATABASE_URL"]], capture_output=True, text=True,
                          errors="replace", timeout=120, env=stack.environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def logs(stack):
    """Everything that any process of it has written down."""
    files = [*(stack.home / "logs").glob("**/*"), stack.home / "script.log"]
    return "\n".join(path.read_text(errors="replace") for path in files if path.is_file())
