"""A server that plays Anthropic and every server that speaks OpenAI's API: it writes down what it is asked, notices who
hangs up, and answers as it is told to."""

import json
import select
import socket
import threading
import time
import uuid
from datetime import date, timedelta

from .listener import Listener
from .waiting import wait_until

PATIENCE = 40  # Seconds: an analysis takes 30 at most.
PROVIDERS = ["anthropic", "openai"]
MODELS = {"anthropic": "claude-sonnet-4-6", "openai": "gpt-5-mini"}
SAYS = "says the other side"  # In everything that goes wrong, and nobody may repeat it.
PARTS = ("light", "humidity", "temperature")


def advice(**changes):
    """A good answer, like no other."""
    mark = uuid.uuid4().hex[:8]
    return {
        "summary": f"All is well with it, {mark}.",
        "watering": {"frequency": f"Every 7 days, {mark}.", "amount": "About 200 ml.",
                     "next_date": (date.today() + timedelta(days=4)).isoformat()},
        **{part: {"current": f"Measured, {mark}.", "ideal": "As it is.", "recommendation": "Leave it there."} for part in PARTS},
        "alerts": [f"None that matters, {mark}."], "tips": ["Turn it a quarter every week.", f"Wipe its leaves, {mark}."],
        **changes}


class Answer:
    """One scripted answer, said as it stands. `wait`: a threading.Event, and nothing is said before it is set."""

    def __init__(self, status=200, body=b"", headers=None, wait=None):
        self.status, self.wait = status, wait
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.headers = {"Content-Type": "application/json", **(headers or {})}

    def body_for(self, request):
        return self.body

    def send(self, handler, request):
        if self.wait:
            request.stays(self.wait)
        body = self.body_for(request)
        handler.start(self.status, self.headers, len(body))
        handler.wfile.write(body)


class Said(Answer):
    """What the model says, as the provider that was asked wraps it. `content`: a dictionary for a tool's input or a
    structured answer, a text for a text. `stop`: why it stopped, if not because it was done."""

    def __init__(self, content=None, usage=(1200, 300), stop=None, wait=None):
        super().__init__(wait=wait)
        self.content = advice() if content is None else content
        self.usage, self.stop = usage, stop

    def body_for(self, request):
        return json.dumps(getattr(self, request.provider)(request)).encode()

    def anthropic(self, request):
        if isinstance(self.content, str):
            block, stop = {"type": "text", "text": self.content}, "end_turn"
        else:
            block, stop = {"type": "tool_use", "id": "toolu_1", "name": "care_plan", "input": self.content}, "tool_use"
        return {"id": "msg_1", "type": "message", "role": "assistant", "model": request.json["model"], "content": [block],
                "stop_reason": self.stop or stop, "stop_sequence": None,
                **({"usage": {"input_tokens": self.usage[0], "output_tokens": self.usage[1]}} if self.usage else {})}

    def openai(self, request):
        text = self.content if isinstance(self.content, str) else json.dumps(self.content)
        choice = {"index": 0, "message": {"role": "assistant", "content": text, "refusal": None}, "logprobs": None,
                  "finish_reason": {"max_tokens": "length", None: "stop"}.get(self.stop, self.stop)}
        usage = self.usage and {
            "prompt_tokens": self.usage[0], "completion_tokens": self.usage[1], "total_tokens": sum(self.usage)}
        return {"id": "chatcmpl-1", "object": "chat.completion", "created": int(time.time()), "model": request.json["model"],
                "choices": [choice], **({"usage": usage} if usage else {})}


class Failing(Answer):
    """An error in the provider's own form, which repeats the key as some do."""

    def __init__(self, status, **headers):
        super().__init__(status, headers={name.replace("_", "-"): str(value) for name, value in headers.items()})

    def body_for(self, request):
        message = f"{self.status}: {SAYS} to {request.key}"
        return json.dumps({"type": "error", "error": {"type": "some_error", "message": message, "code": SAYS}}).encode()


class Redirect(Answer):
    def __init__(self, to, status=307):
        super().__init__(status, headers={"Location": to})


class Dropped(Answer):
    """The connection is torn down once the request has been read."""

    def send(self, handler, request):
        handler.tear_down()


class Trickle(Answer):
    """A good beginning, then a blank now and then: never silent, never done."""

    def send(self, handler, request):
        body = json.dumps(getattr(Said(), request.provider)(request)).encode()
        handler.start(200, self.headers, 200_000)
        handler.wfile.write(body[:-20])
        while True:
            request.watch(0.3)
            handler.wfile.write(b" ")


class Huge(Answer):
    """So many bytes of JSON. `chunked`: without saying how many."""

    def __init__(self, size=10_000_000, status=200, chunked=False):
        super().__init__(status)
        self.size, self.chunked = size, chunked

    def send(self, handler, request):
        # What the kernel would keep of it has not arrived.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        headers = {**self.headers, **({"Transfer-Encoding": "chunked"} if self.chunked else {})}
        handler.start(self.status, headers, None if self.chunked else self.size)
        block = b'{"content":"' + b"x" * 65524
        while request.sent < self.size:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(block), block) if self.chunked else block[: self.size - request.sent])
            request.sent += len(block)
            block = b"x" * 65536
        handler.wfile.write(b"0\r\n\r\n" if self.chunked else b"")


class Hanging(Said):
    """Says nothing until `release()`, then something good."""

    def __init__(self, content=None):
        super().__init__(content, wait=threading.Event())

    def release(self):
        self.wait.set()


class Request:
    """A request as it came, and what became of its client: `hung_up` is set when that went before it had all."""

    def __init__(self, listener, handler, path, body):
        self.listener, self.connection = listener, handler.connection
        self.method, self.path, self.headers, self.body = handler.command, path, handler.headers, body
        self.json = json.loads(body) if body else None
        self.at = time.monotonic()
        self.sent = 0
        self.hung_up, self.finished = threading.Event(), threading.Event()

    @property
    def provider(self):
        return "anthropic" if self.path.endswith("/messages") else "openai"

    @property
    def key(self):
        given = self.headers["x-api-key"] or self.headers["Authorization"] or ""
        return given.removeprefix("Bearer ")

    @property
    def most_tokens(self):
        return self.json.get("max_tokens") or self.json.get("max_completion_tokens")

    @property
    def system(self):
        if self.provider == "anthropic":
            return flat(self.json["system"])
        return "\n".join(flat(message["content"]) for message in self.json["messages"] if message["role"] == "system")

    @property
    def user(self):
        """All that the user says."""
        return "\n".join(flat(message["content"]) for message in self.json["messages"] if message["role"] == "user")

    def watch(self, seconds):
        """Raises as soon as the client goes within that time."""
        readable, _, _ = select.select([self.connection], [], [], seconds)
        if (readable and self.connection.recv(1, socket.MSG_PEEK) == b"") or self.listener.closing.is_set():
            raise ConnectionAbortedError

    def stays(self, until):
        while not until.is_set():
            self.watch(0.05)


def flat(content):
    """The text of a message, however it is packed."""
    if isinstance(content, str):
        return content
    pieces = [block.get("text") or flat(block.get("content") or "") for block in content]
    return "\n".join(piece for piece in pieces if piece)


class Model:
    """A model at an address of one test's own, with a key of its own. Gives good advice unless told otherwise."""

    def __init__(self, server, provider, at_root=False):
        self.server, self.provider = server, provider
        self.key = f"sk-test-{uuid.uuid4().hex}{uuid.uuid4().hex[:4]}"
        place = "" if at_root else f"/{uuid.uuid4().hex}"
        self.base_url = server.url + place + ("/v1" if provider == "openai" and not at_root else "")
        self.path = f"{place}/v1/" + ("messages" if provider == "anthropic" else "chat/completions")
        self.received = []
        self.script = []
        self.otherwise = Said()
        self.refuses_formats = False

    def then(self, *answers):
        """Answers the next requests so."""
        self.script += answers
        return answers[-1]

    def always(self, answer):
        self.otherwise = answer
        return answer

    def wait_for(self, count, timeout=PATIENCE):
        """The requests so far, of which there are at least so many by now."""
        return wait_until(lambda: len(self.received) >= count and list(self.received), timeout, f"{count} requests", every=0.02)

    def busy(self):
        """How many are waiting for their answers."""
        return sum(not request.finished.is_set() for request in list(self.received))

    def answer_to(self, request):
        if self.refuses_formats and "response_format" in request.json:
            return Failing(400)
        return self.script.pop(0) if self.script else self.otherwise

    @property
    def settings(self):
        """What is to be PUT so that this one is asked, but not by itself, and however much that takes."""
        return {"provider": self.provider, "base_url": self.base_url, "api_key": self.key, "model": None,
                "automatic": False, "monthly_token_budget": None}


class Models(Listener):
    """The server. Every `model()` is another address of it, but for one of each provider that may be at its root."""

    def __init__(self, port=0):
        self.models = {}
        self.stray = []  # Requests to addresses that nobody made.
        self.keys = []  # All that were ever given to anybody.
        super().__init__(port)

    def model(self, provider, **options):
        model = Model(self, provider, **options)
        self.models[model.path] = model
        self.keys.append(model.key)
        return model

    def take(self, handler, path, body):
        request = Request(self, handler, path, body)
        model = self.models.get(path)
        if model is None:
            self.stray.append(request)
            Failing(404).send(handler, request)
            return
        model.received.append(request)
        try:
            model.answer_to(request).send(handler, request)
        except OSError:
            request.hung_up.set()
            raise
        finally:
            request.finished.set()
