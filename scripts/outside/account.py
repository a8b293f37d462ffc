"""What somebody who signs in sees. Reads only, and signs out again."""

import os
from pathlib import Path

from .report import Skipped, Wrong
from .wire import advice_for


def setting(name):
    """`NAME`, or the content of the file `NAME_FILE`."""
    file = os.environ.get(name + "_FILE")
    try:
        return os.environ.get(name) or (Path(file).read_text().strip() if file else None)
    except OSError as error:
        raise Wrong(f"{name}_FILE cannot be read: {error.strerror}", "name a file that you may read") from None


class Account:
    def __init__(self, site):
        self.site, self.headers, self.has_session = site, None, False

    def sign_in(self, may_send):
        token = setting("PLANTOPS_SMOKE_TOKEN")
        email, password = setting("PLANTOPS_SMOKE_EMAIL"), setting("PLANTOPS_SMOKE_PASSWORD")
        if not token and not (email and password):
            raise Skipped("set PLANTOPS_SMOKE_EMAIL and PLANTOPS_SMOKE_PASSWORD_FILE, or PLANTOPS_SMOKE_TOKEN_FILE, "
                          "to look at what a user sees, too")
        if not may_send:
            raise Skipped("nothing secret is sent over a connection that is not trusted")
        if token:
            self.headers = {"Authorization": f"Bearer {token}"}
            return "by token, as " + self.site.api("/auth/me", headers=self.headers)["role"]
        answer = self.site.ask("/api/auth/login", "POST", body={"email": email, "password": password})
        if answer.status != 200:
            advice = "is the password right?" if answer.status == 401 else advice_for(answer.status)
            raise Wrong(f"answered {answer.status}", advice)
        cookie = answer.header("Set-Cookie") or ""
        lacking = [a for a in ("HttpOnly", "SameSite=Strict", *["Secure"] * self.site.is_encrypted) if a not in cookie]
        self.headers, self.has_session = {"Cookie": cookie.partition(";")[0]}, True
        if lacking:
            raise Wrong(f"the cookie lacks {', '.join(lacking)}",
                        "behind another proxy, TRUSTED_PROXIES and X-Forwarded-Proto must be right (docs/deployment.md)")
        return "by password, the cookie is " + ", ".join(cookie.split("; ")[1:])

    def needed(self):
        if not self.headers:
            raise Skipped("not signed in")

    def plants(self):
        self.needed()
        return f"{self.site.api('/plants?limit=1', headers=self.headers)['total']} plants"

    def storage(self):
        self.needed()
        storage = self.site.api("/system/storage", headers=self.headers)
        days = storage["days_until_full"]
        if days is not None and days < 14:
            raise Wrong(f"the disk is full in {days} days", "make room, or lower RETENTION_RAW_DAYS (docs/storage.md)")
        disk = storage["disk"]
        if disk and disk["free_bytes"] < disk["total_bytes"] / 20:
            raise Wrong("less than 5 % of the disk are free", "make room (docs/storage.md)")
        return f"{storage['database_bytes'] // 1_000_000} MB in the database"

    def events(self):
        self.needed()
        # A heartbeat comes every 15 s, if nothing else does.
        line = self.site.first_lines("/api/events", {"Accept": "text/event-stream", **self.headers},
                                     lambda line: line.startswith((":", "event:")), 20)
        return f"the stream brings {'an event' if line.startswith('event:') else 'a heartbeat'}"

    def connection(self):
        """How devices reach the broker; None for whoever is not signed in."""
        return self.site.api("/system/connection", headers=self.headers) if self.headers else None

    def sign_out(self):
        if not self.has_session:
            raise Skipped("there is no session to end")
        answer = self.site.ask("/api/auth/logout", "POST", headers=self.headers)
        if answer.status not in (200, 204):
            raise Wrong(f"answered {answer.status}", advice_for(answer.status))
        if self.site.ask("/api/auth/me", headers=self.headers).status != 401:
            raise Wrong("the session goes on", "look at the log of the backend")
        return "the session has ended"
