"""People with accounts, as tests of access need them."""

import random
import uuid

COOKIE = "plantops_session"
SECRETS = set()  # Every password, session and token that tests made here: none of them belongs into a log.


def secret(text):
    SECRETS.add(text)
    return text


def told_in_logs(stack):
    """The logs of a stack in which one of the secrets stands."""
    logs = {path.name: path.read_text(errors="replace") for path in (stack.home / "logs").rglob("*.log")}
    return sorted(name for name, text in logs.items() if any(kept in text for kept in SECRETS))


def some_address():
    """For X-Forwarded-For, so that the throttle takes every test for another client (RFC 2544's addresses)."""
    return f"198.{random.choice((18, 19))}.{random.randrange(256)}.{random.randrange(1, 255)}"


def log_in(api, email, password, address=None, **options):
    """The answer to an attempt to sign in."""
    headers = {"X-Forwarded-For": address or some_address(), **options.pop("headers", {})}
    return api.as_(None).post("/auth/login", json={"email": email, "password": password}, headers=headers, **options)


def set_cookie(answer):
    """The value of the session cookie that an answer sets, and its attributes."""
    assert len(answer.raw.headers.getlist("Set-Cookie")) == 1, answer.headers
    pair, *attributes = answer.headers["Set-Cookie"].split("; ")
    name, value = pair.split("=", 1)
    assert name == COOKIE
    return value, attributes


class Person:
    """Somebody with an account of his own."""

    def __init__(self, stack, role="member", **fields):
        self.stack, self.api = stack, stack.stranger
        self.password = secret(f"pass {uuid.uuid4()}")
        self.email = f"{uuid.uuid4().hex[:12]}@example.org"
        self.address = some_address()
        self.made = stack.api.ok("POST", "/users", 201, json={
            "email": self.email, "password": self.password, "role": role, **fields})
        self.id = self.made["id"]

    @property
    def path(self):
        return f"/users/{self.id}"

    def log_in(self, password=None, address=None, **options):
        return log_in(self.api, self.email, password or self.password, address or self.address, **options)

    def session(self):
        """The cookies of a new session, for `requests`."""
        answer = self.log_in()
        assert answer.status_code == 200, answer.text
        return {COOKIE: secret(set_cookie(answer)[0])}

    def token(self, role, **fields):
        """A new API token's whole answer."""
        made = self.api.ok("POST", "/tokens", 201, cookies=self.session(), json={"name": "script", "role": role, **fields})
        secret(made["token"])
        return made

    def is_in(self, cookies):
        """Whether a session is good; nothing but 200 and 401 will do."""
        status = self.api.get("/auth/me", cookies=cookies).status_code
        assert status in (200, 401)
        return status == 200


def admin_session(stack):
    cookies = stack.sign_in(headers={"X-Forwarded-For": some_address()}).cookies.get_dict()
    secret(cookies[COOKIE])
    return cookies


def tables_with(stack, text):
    """Tables of which a row shows this text, as text or as bytes."""
    tables = [row["name"] for row in stack.rows(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'public'")]
    assert {"public.users", "public.sessions", "public.api_tokens", "public.audit_log"} <= set(tables)
    quoted, as_bytes = text.replace("'", "''"), text.encode().hex()
    return [table for table in tables if stack.value(
        f"SELECT count(*) FROM {table} r WHERE strpos(r::text, '{quoted}') > 0 OR strpos(r::text, '{as_bytes}') > 0")]
