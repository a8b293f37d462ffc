"""The REST API as a script would use it."""

import re

import requests

UUID_V7 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
CORRELATION = "X-Correlation-ID"


class Api:
    """Paths are given without `/api`. With an API token, every request carries it unless it brings its own
    `Authorization`."""

    def __init__(self, base, token=None):
        base = base.rstrip("/")
        self.base = base[: -len("/api")] if base.endswith("/api") else base
        self.token = token

    def as_(self, token):
        """The same API with another token; None for a stranger."""
        return Api(self.base, token)

    def url(self, path):
        return f"{self.base}/api{path}"

    def request(self, method, path, **options):
        options.setdefault("timeout", 20)
        if self.token:
            options["headers"] = {"Authorization": f"Bearer {self.token}", **(options.get("headers") or {})}
        return requests.request(method, self.url(path), **options)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, **options):
        return self.request("POST", path, **options)

    def put(self, path, **options):
        return self.request("PUT", path, **options)

    def patch(self, path, **options):
        return self.request("PATCH", path, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def ok(self, method, path, *statuses, **options):
        """The decoded body of an answer that must have succeeded."""
        answer = self.request(method, path, **options)
        assert answer.status_code in (statuses or (200, 201, 204)), f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def sign_in(self, email, password, **options):
        """A `requests.Session` that holds the cookie of a new session."""
        session = requests.Session()
        answer = session.post(self.url("/auth/login"), json={"email": email, "password": password}, timeout=20, **options)
        assert answer.status_code == 200, f"sign-in: {answer.status_code} {answer.text}"
        return session

    def plant(self, name="Monstera", **fields):
        return self.ok("POST", "/plants", 201, json={"name": name, "species": "Monstera deliciosa", **fields})


def assert_problem(answer, status):
    """The answer is RFC 9457 as the contract has it, and gives nothing of the inside away. Returns its body."""
    assert answer.status_code == status, f"{answer.status_code} instead of {status}: {answer.text}"
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json", answer.headers["Content-Type"]
    problem = answer.json()
    missing = {"type", "title", "status", "detail", "instance", "correlation_id"} - problem.keys()
    assert not missing, f"{sorted(missing)} missing in {problem}"
    assert problem["status"] == status
    assert problem["correlation_id"] == answer.headers[CORRELATION]
    inside = re.search(r"SELECT |INSERT |SQLSTATE|\.swift|Fatal|0x[0-9a-f]{8}|DecodingError|keyNotFound", answer.text)
    assert not inside, f"the answer shows the inside: {inside.group(0)!r} in {answer.text}"
    return problem
