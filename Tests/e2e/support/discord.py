"""A server that plays Discord and any other webhook: it writes down what it is sent, and answers as it is told to."""

import hashlib
import hmac
import json
import threading
import time
import uuid

from .listener import Listener
from .waiting import wait_until

PATIENCE = 60  # Seconds: composing takes 4 to 15, and many tests wait at the same time.


class Answer:
    """One scripted answer. `wait`: a threading.Event, and nothing is said before it is set."""

    def __init__(self, status=204, headers=None, body=b"", wait=None, reset=False, trickle=False):
        self.status, self.headers, self.wait, self.reset, self.trickle = status, headers or {}, wait, reset, trickle
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        if not isinstance(body, bytes):
            self.headers = {"Content-Type": "application/json", **self.headers}


def ok(status=204, **headers):
    return Answer(status, {name.replace("_", "-"): str(value) for name, value in headers.items()})


def failing(status=500):
    return Answer(status, body={"message": f"{status}: says the other side", "code": 0})


def gone():
    """As Discord answers when the webhook was deleted."""
    return Answer(404, body={"message": "Unknown Webhook", "code": 10015})


def too_many(seconds, is_global=False):
    """As Discord answers who asks too often."""
    headers = {"Retry-After": str(seconds), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": str(seconds),
               "X-RateLimit-Scope": "global" if is_global else "user",
               **({"X-RateLimit-Global": "true"} if is_global else {})}
    return Answer(429, headers, {"message": "You are being rate limited.", "retry_after": seconds, "global": is_global})


def redirect(to, status=302):
    return Answer(status, {"Location": to})


def reset():
    """The connection is torn down once the request has been read."""
    return Answer(reset=True)


def trickle():
    """Headers, then a byte now and then: never silent, never done."""
    return Answer(200, trickle=True)


class Hanging(Answer):
    """Says nothing until `release()`."""

    def __init__(self, status=204):
        super().__init__(status, wait=threading.Event())

    def release(self):
        self.wait.set()


class Delivery:
    """A request as it came."""

    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.at, self.unix = time.monotonic(), time.time()
        try:
            self.json = json.loads(body)
        except ValueError:
            self.json = None

    # Of a webhook.

    @property
    def id(self):
        return self.headers["X-PlantOps-Delivery"]

    @property
    def notices(self):
        return self.json["notices"]

    def told(self):
        """(event, plant's name) of each notice, in order."""
        return [(notice["event"], notice["plant_name"]) for notice in self.notices]

    def is_signed_with(self, secret):
        """As a receiver would check it, from what the documentation says."""
        stamp = self.headers["X-PlantOps-Timestamp"]
        expected = hmac.new(secret.encode(), stamp.encode() + b"." + self.body, hashlib.sha256).hexdigest()
        return self.headers["X-PlantOps-Signature"] == f"v1={expected}"

    # Of Discord.

    @property
    def embeds(self):
        return self.json["embeds"]

    def text(self):
        """Everything of a Discord message that people see, one piece per line."""
        pieces = [self.json.get("content") or ""]
        for embed in self.embeds:
            pieces += [embed.get("title") or "", embed.get("description") or "", (embed.get("footer") or {}).get("text") or "",
                       (embed.get("author") or {}).get("name") or ""]
            for field in embed.get("fields", []):
                pieces += [field["name"], field["value"]]
        return "\n".join(piece for piece in pieces if piece)


class Hook:
    """An address of one test's own. Answers 204 unless told otherwise."""

    def __init__(self, server, kind):
        self.server, self.kind = server, kind
        self.token = uuid.uuid4().hex + uuid.uuid4().hex
        self.path = f"/api/webhooks/{uuid.uuid4().int % 10**18}/{self.token}"
        self.url = server.url + self.path
        self.received = []
        self.answered = []  # (delivery, status): what was answered to the end.
        self.script = []
        self.otherwise = Answer()

    def then(self, *answers):
        """Answers the next requests so, and those after them with 204."""
        self.script += answers
        return answers[-1]

    def always(self, answer):
        self.otherwise = answer
        return answer

    def wait_for(self, count, timeout=PATIENCE, what=""):
        """The requests so far, of which there are at least so many by now."""
        return wait_until(lambda: len(self.received) >= count and list(self.received), timeout,
                          what or f"{count} requests to the hook, not {len(self.received)}")

    def next(self, timeout=PATIENCE):
        """The request that comes after all that were looked at so far."""
        looked = getattr(self, "looked", 0)
        self.looked = looked + 1
        return self.wait_for(looked + 1, timeout)[looked]

    def delivered(self):
        """The messages that were taken, in order, each once however often it came."""
        seen = {}
        for delivery, status in list(self.answered):
            if status < 300:
                seen.setdefault(delivery.id, delivery)
        return list(seen.values())

    def told(self):
        """(event, plant's name) of everything that was taken, in order."""
        return [one for delivery in self.delivered() for one in delivery.told()]

    def until_told(self, *wanted, timeout=PATIENCE):
        """Waits until all of that was told, and fails at once when something else was."""
        def check():
            told = self.told()
            extra = [one for one in told if one not in wanted]
            assert not extra, f"told besides: {extra}"
            return len(told) >= len(wanted)

        wait_until(check, timeout, f"the hook is told {wanted}")
        assert sorted(self.told()) == sorted(wanted)
        return self.delivered()


class Inbox(Listener):
    """The server. Every `hook()` is another address of it."""

    def __init__(self, port=0):
        self.hooks = {}
        self.stray = []  # Requests to addresses that nobody made.
        super().__init__(port)

    def take(self, handler, path, body):
        delivery = Delivery(handler.command, path, handler.headers, body)
        hook = self.hooks.get(path)
        if hook is None:
            self.stray.append(delivery)
            self.respond(handler, Answer(404))
            return
        answer = hook.script.pop(0) if hook.script else hook.otherwise
        hook.received.append(delivery)
        self.respond(handler, answer)
        hook.answered.append((delivery, answer.status))

    def respond(self, handler, answer):
        if answer.wait:
            while not answer.wait.wait(0.05):
                if self.closing.is_set():
                    raise ConnectionAbortedError
        if answer.reset:
            handler.tear_down()
        if answer.trickle:
            handler.start(answer.status, answer.headers, 1_000_000)
            while not self.closing.wait(0.3):
                handler.wfile.write(b" ")
            raise ConnectionAbortedError
        has_body = answer.status != 204
        handler.start(answer.status, answer.headers, len(answer.body) if has_body else None)
        if has_body:
            handler.wfile.write(answer.body)

    def hook(self, kind="webhook"):
        return self.adopt(Hook(self, kind))

    def adopt(self, hook):
        """Serves a hook that was made for another server, at this one's port."""
        hook.server = self
        self.hooks[hook.path] = hook
        return hook


def discord_limits(message):
    """What Discord's documentation allows."""
    assert 1 <= len(message["embeds"]) <= 10
    total = 0
    for embed in message["embeds"]:
        pieces = {"title": 256, "description": 4096}
        for name, most in pieces.items():
            assert len(embed.get(name) or "") <= most
            total += len(embed.get(name) or "")
        assert len(embed.get("fields", [])) <= 25
        for field in embed.get("fields", []):
            assert 1 <= len(field["name"]) <= 256 and 1 <= len(field["value"]) <= 1024
            total += len(field["name"]) + len(field["value"])
        footer = (embed.get("footer") or {}).get("text") or ""
        assert len(footer) <= 2048
        total += len(footer) + len((embed.get("author") or {}).get("name") or "")
        assert 0 <= embed.get("color", 0) <= 0xFFFFFF
        assert embed.get("title") or embed.get("description")
    assert total <= 6000
