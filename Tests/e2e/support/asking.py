"""Somebody who asks the API without a pause, and remembers every answer."""

import threading
import time

import requests


class Asker:
    """Asks for `path` at each of `bases` in turn until one answers, as a proxy with several backends does. `answers` are
    (begun, base, status, headers), `failures` are (begun, reasons) of what no base answered; `begun` is monotonic time."""

    def __init__(self, token, bases, path="/api/plants", clients=2):
        self.bases, self.path, self.token = bases, path, token
        self.answers, self.failures = [], []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def _run(self):
        with requests.Session() as session:  # Keeps its connections open, unless it is told to close them.
            session.headers["Authorization"] = f"Bearer {self.token}"
            while not self.stopping.wait(0.01):
                begun, reasons = time.monotonic(), []
                for base in list(self.bases):
                    try:
                        answer = session.get(base + self.path, timeout=20)
                        self.answers.append((begun, base, answer.status_code, answer.headers))
                        break
                    except requests.RequestException as reason:
                        reasons.append(repr(reason))
                else:
                    self.failures.append((begun, reasons))

    def statuses(self):
        return {status for _, _, status, _ in list(self.answers)}

    def since(self, moment):
        return [answer for answer in list(self.answers) if answer[0] > moment]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(25)
