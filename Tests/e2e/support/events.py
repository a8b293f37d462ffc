"""A reader of Server-Sent Events, as a browser's EventSource reads them."""

import json
import threading

import requests

from .waiting import wait_until


class Events:
    """An open stream. `received` are (event, data, id) as they come; `comments` what a browser would not show."""

    def __init__(self, api, last=None, timeout=60, headers=None, **options):
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last is not None else {}), **(headers or {})}
        self.answer = api.get("/events", stream=True, timeout=(10, timeout), headers=headers, **options)
        self.received, self.comments, self.retry = [], [], None
        self.failure = None  # How the stream ended, unless by its regular end.
        self.ended = threading.Event()
        assert self.answer.status_code == 200, f"GET /events: {self.answer.status_code} {self.answer.text}"
        threading.Thread(target=self.read, daemon=True).start()
        wait_until(lambda: self.comments or self.received, 10, "the stream begins", every=0.01)

    def read(self):
        name, data, event_id = "message", [], None
        try:
            for line in self.answer.iter_lines(chunk_size=1):
                line = line.decode()
                if line.startswith(":"):
                    self.comments.append(line[1:].strip())
                elif not line:
                    if data:
                        self.received.append((name, json.loads("\n".join(data)), event_id))
                    name, data, event_id = "message", [], None
                else:
                    field, _, value = line.partition(":")
                    value = value.removeprefix(" ")
                    if field == "event":
                        name = value
                    elif field == "data":
                        data.append(value)
                    elif field == "id":
                        event_id = value
                    elif field == "retry":
                        self.retry = int(value)
        except (requests.RequestException, OSError, AttributeError, ValueError) as failure:
            self.failure = failure  # It ends as it likes; what was read is kept.
        finally:
            self.ended.set()

    def alerts(self, plant=None):
        """What was said of alerts; of one plant's only, and of those that lapsed, which have no plant any more."""
        return [data for name, data, _ in list(self.received)
                if name == "alert" and (plant is None or data.get("plant_id", plant) == plant)]

    def named(self, name, key=None, value=None):
        """What was told under that name, oldest first; with a key, only where it has that value."""
        return [data for told, data, _ in list(self.received) if told == name and (key is None or data.get(key) == value)]

    def next(self, name, condition=lambda data: True, timeout=15, after=0):
        """The first of that name for which it holds, behind the first `after` of everything that was received."""
        def found():
            return [data for told, data, _ in list(self.received)[after:] if told == name and condition(data)]

        return wait_until(found, timeout, f"an event {name}", every=0.02)[0]

    def states(self, alert_id):
        return [data["state"] for data in self.alerts() if data["id"] == alert_id]

    def wait_for(self, condition, timeout=15, what="the event"):
        """The first event's data for which it holds."""
        return wait_until(lambda: next((data for data in self.alerts() if condition(data)), None), timeout, what, every=0.02)

    def last_id(self):
        return next(event_id for _, _, event_id in reversed(list(self.received)) if event_id)

    def close(self):
        # The thread may sit in recv: shutting the socket down wakes it, close() alone would wait for it.
        connection = getattr(self.answer.raw, "connection", None) or getattr(self.answer.raw, "_connection", None)
        sock = getattr(connection, "sock", None)
        try:
            if sock is not None:
                sock.shutdown(2)
        except OSError:
            pass
        self.ended.wait(5)
        self.answer.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
