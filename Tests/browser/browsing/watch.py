"""What no page may do, whatever else a test is about: complain on the console, throw, be stopped by the
Content-Security-Policy, ask for something that is not there, or ask anybody else than its own server."""

import re
from urllib.parse import urlsplit

# Chromium says this of every answer from 400 on, and of a server that is away. The answer itself is judged instead.
FAILED_LOAD = "Failed to load resource"
# The test's browser has this one switched off.
BLOCKED_WORKER = "Service Worker registration blocked by Playwright"
# Recorded in the page itself, because not each violation is told on the console.
LISTENER = """addEventListener("securitypolicyviolation", event => console.error(
    "CSP violation: " + event.violatedDirective + " " + event.blockedURI + " " + event.sourceFile + ":" + event.lineNumber))"""


class Watch:
    """Of all pages of one test. `allow…` says beforehand what the test brings about on purpose."""

    def __init__(self, origin):
        self.origin = origin
        self.complaints = []
        self.requests = []
        # Whoever is not signed in is told so.
        self.statuses = [(401, re.compile(r"^/api/auth/"))]
        self.texts = []
        self.outage = False

    def allow(self, status, path=""):
        """Answers with this status, to paths that match (a regular expression, searched for)."""
        self.statuses.append((status, re.compile(path)))

    def allow_text(self, pattern):
        """Words on the console."""
        self.texts.append(re.compile(pattern))

    def allow_outage(self):
        """The server goes away: requests fail, and nginx may answer 502, 503 and 504."""
        self.outage = True

    def follow(self, context):
        context.add_init_script(LISTENER)
        context.on("console", self._console)
        context.on("weberror", lambda error: self._complain(f"uncaught: {error.error}"))
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("requestfailed", self._failed)

    def _complain(self, text):
        if not any(pattern.search(text) for pattern in self.texts):
            self.complaints.append(text)

    def _console(self, message):
        if message.type in ("error", "warning") and FAILED_LOAD not in message.text and BLOCKED_WORKER not in message.text:
            place = message.location.get("url", "")
            if self.outage and ("net::ERR_" in message.text or "EventSource" in message.text):
                return
            self._complain(f"console {message.type}: {message.text} ({place})")

    def _request(self, request):
        self.requests.append(request)
        if not request.url.startswith((self.origin + "/", "data:", "blob:")):
            self._complain(f"asked somebody else: {request.method} {request.url}")

    def _response(self, response):
        if response.status < 400 or not response.url.startswith(self.origin):
            return
        path = urlsplit(response.url).path
        if any(status == response.status and pattern.search(path) for status, pattern in self.statuses):
            return
        if self.outage and response.status in (502, 503, 504):
            return
        self._complain(f"{response.status} to {response.request.method} {response.url}")

    def _failed(self, request):
        # ERR_ABORTED: a page that is left gives up what it still waits for, the stream of events in any case.
        if not self.outage and request.failure != "net::ERR_ABORTED":
            self._complain(f"failed: {request.method} {request.url}: {request.failure}")

    def verdict(self):
        assert not self.complaints, "the page complained:\n  " + "\n  ".join(dict.fromkeys(self.complaints))
