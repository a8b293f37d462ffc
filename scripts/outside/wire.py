"""HTTP and TLS, one connection for each request, and no proxy in between."""

import gzip
import http.client
import ipaddress
import json
import socket
import ssl
import time
import urllib.parse

from .report import Wrong

LARGEST = 16 * 1024 * 1024


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name):
        return self.headers.get(name)

    @property
    def kind(self):
        return (self.header("Content-Type") or "").partition(";")[0].strip().lower()

    @property
    def content(self):
        return gzip.decompress(self.body) if self.header("Content-Encoding") == "gzip" else self.body

    @property
    def text(self):
        return self.content.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.content)


class Site:
    def __init__(self, url, context, timeout):
        parts = urllib.parse.urlsplit(url)
        self.is_encrypted = parts.scheme == "https"
        self.host, self.port = parts.hostname, parts.port or (443 if self.is_encrypted else 80)
        self.context, self.timeout = context, timeout
        name = f"[{self.host}]" if ":" in self.host else self.host
        self.url = f"{parts.scheme}://{name}" + (f":{parts.port}" if parts.port else "")

    def connection(self, timeout=None):
        timeout = timeout or self.timeout
        if self.is_encrypted:
            return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=self.context)
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def ask(self, path, method="GET", headers=None, body=None):
        """`path` goes out as it is, dots and all. Where few requests are allowed, it waits for its turn; an attempt to sign in
        does not."""
        for _ in range(5):
            answer = self.once(path, method, headers, body)
            if answer.status != 429 or method != "GET":
                break
            time.sleep(min(int(answer.header("Retry-After") or 1), 10))
        return answer

    def once(self, path, method, headers, body):
        headers = {"User-Agent": "plantops-smoke", **(headers or {})}
        if body is not None:
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        connection = self.connection()
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read(LARGEST))
        finally:
            connection.close()

    def api(self, path, *statuses, **options):
        """The decoded JSON of an answer with one of these statuses (200)."""
        answer = self.ask("/api" + path, **options)
        if answer.status not in (statuses or (200,)):
            raise Wrong(f"GET /api{path} answered {answer.status}", advice_for(answer.status))
        return answer.json()

    def first_lines(self, path, headers, wanted, seconds):
        """Reads a stream until `wanted(line)`; returns that line."""
        connection, deadline = self.connection(seconds), time.monotonic() + seconds
        try:
            connection.request("GET", path, headers={"User-Agent": "plantops-smoke", **headers})
            answer = connection.getresponse()
            if answer.status != 200:
                raise Wrong(f"GET {path} answered {answer.status}", advice_for(answer.status))
            if (answer.headers.get("Content-Type") or "").partition(";")[0] != "text/event-stream":
                raise Wrong(f"GET {path} is {answer.headers.get('Content-Type')}", "is something else in front of it?")
            while time.monotonic() < deadline:
                line = answer.readline(65536).decode("utf-8", "replace").rstrip("\r\n")
                if wanted(line):
                    return line
        except socket.timeout:
            pass
        finally:
            connection.close()
        raise Wrong(f"nothing came within {seconds} s",
                    "a proxy in front keeps the stream back: switch its buffering off (docs/deployment.md)")


def advice_for(status):
    return {
        200: "AUTH_MODE must be required, unless the network is closed",
        401: "the sign-in is not taken: is the token valid?", 403: "the account may not do this: a viewer is enough",
        429: "too many requests from this address: wait a minute and try again",
        502: "nginx does not reach the backend: is it running?", 503: "the database is away: plantops doctor says more",
        504: "the backend hangs: look at its log",
    }.get(status, "look at the logs of nginx and the backend")


def tls_context(ca, insecure):
    if insecure:
        return ssl._create_unverified_context()
    return ssl.create_default_context(cafile=ca)


def days_left(certificate):
    """Of what `getpeercert()` gives, which is nothing when it was not checked."""
    return int((ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()) // 86400)


def untrusted(error, option):
    """What to do about a certificate that was refused."""
    said = getattr(error, "verify_message", "") or str(error)
    advice = f"renew it, or give the authority that signed it with {option} FILE"
    if "expired" in said:
        advice = "renew it (docs/deployment.md, rotation)"
    elif "mismatch" in said or "not valid for" in said:
        advice = "use a name that stands in it, or make one with this name (CERT_HOSTS, certs/README.md)"
    elif "issuer" in said or "self" in said:
        advice = f"if the authority is your own, give its certificate with {option} FILE"
    return Wrong(f"the certificate is not trusted: {said}", advice)


def is_near(host):
    """This machine or its own network, by the look of the address."""
    if host == "localhost" or "." not in host and ":" not in host:
        return True
    if host.endswith((".local", ".lan", ".home", ".home.arpa", ".internal", ".fritz.box")):
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False
