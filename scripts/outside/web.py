"""What a browser gets: encryption, headers, the dashboard's files, and nothing that is not meant for it."""

import http.client
import re
import socket
import ssl

from .report import Skipped, Wrong
from .wire import Answer, days_left, is_near, untrusted

HEADERS = {
    "Content-Security-Policy": lambda v: "default-src 'none'" in v and "unsafe" not in v,
    "X-Content-Type-Options": lambda v: v == "nosniff",
    "X-Frame-Options": lambda v: v == "DENY",
    "Referrer-Policy": lambda v: v in ("no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"),
    "Permissions-Policy": lambda v: "camera=()" in v,
    "Cross-Origin-Opener-Policy": lambda v: v == "same-origin",
}
HIDDEN = ("/.env", "/.env.prod", "/.git/config", "/.git/HEAD", "/.htpasswd", "/secrets/ENCRYPTION_KEY", "/compose.yml",
          "/assets/../../etc/passwd", "/assets/..%2f..%2f..%2fetc/passwd", "/backup.tar", "/Package.swift")


def reachable(site):
    try:
        with socket.create_connection((site.host, site.port), timeout=site.timeout):
            return f"{site.host} port {site.port}"
    except socket.gaierror:
        raise Wrong(f"there is no host {site.host}", "is the name right, and in DNS?") from None
    except OSError as error:
        raise Wrong(f"{site.host} port {site.port}: {error.strerror or error}",
                    "is nginx running, and the port open in the firewall?") from None


def certificate(site, least_days):
    if site.context.verify_mode == ssl.CERT_NONE:
        raise Skipped("not checked, because of --insecure")
    with socket.create_connection((site.host, site.port), timeout=site.timeout) as plain:
        try:
            with site.context.wrap_socket(plain, server_hostname=site.host) as encrypted:
                version, days = encrypted.version(), days_left(encrypted.getpeercert())
        except ssl.SSLCertVerificationError as error:
            raise untrusted(error, "--ca") from None
        except ssl.SSLError as error:
            raise Wrong(f"no TLS there ({error.reason or error})", "is this the port of HTTPS?") from None
    if days < least_days:
        raise Wrong(f"the certificate ends in {days} days", "renew it (docs/deployment.md, rotation)")
    return f"valid for {days} more days, {version}"


def old_versions(site):
    """TLS 1.0 and 1.1 (RFC 8996)."""
    if not ssl.HAS_TLSv1_1:
        raise Skipped("this Python cannot speak TLS 1.1 to try it")
    context = ssl._create_unverified_context()
    try:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.options &= ~ssl.OP_NO_TLSv1_1
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    except (ssl.SSLError, ValueError):
        raise Skipped("this OpenSSL cannot speak TLS 1.1 to try it") from None
    with socket.create_connection((site.host, site.port), timeout=site.timeout) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=site.host) as encrypted:
                raise Wrong(f"{encrypted.version()} is spoken", "set ssl_protocols TLSv1.2 TLSv1.3")
        except OSError:
            return "refused"


def plain_http(site, port):
    """Whoever types the name alone comes in by plain HTTP."""
    connection = http.client.HTTPConnection(site.host, port, timeout=min(site.timeout, 5))
    try:
        connection.request("GET", "/plants", headers={"User-Agent": "plantops-smoke"})
        answer = connection.getresponse()
        answer = Answer(answer.status, answer.headers, answer.read(65536))
    except OSError:
        raise Skipped(f"nothing answers on port {port}, so nothing is said in the clear") from None
    finally:
        connection.close()
    target = answer.header("Location") or ""
    if answer.status not in (301, 302, 307, 308) or not target.startswith("https://"):
        raise Wrong(f"port {port} answers {answer.status} instead of leading to HTTPS", "let nginx redirect it")
    if not target.lower().startswith(f"https://{site.host}".lower()):
        raise Wrong(f"port {port} leads to {target}", "it should be the same host (PUBLIC_HOST, server_name)")
    return f"{answer.status} to {target}"


def not_encrypted(site):
    if is_near(site.host):
        raise Skipped("plain HTTP: whoever can listen on this network reads passwords and sessions")
    try:
        target = site.ask("/").header("Location") or ""
    except OSError:
        target = ""
    if target.startswith("https://"):
        raise Wrong(f"this address only leads to {target}", f"check that one: URL={target}")
    raise Wrong("passwords and sessions go in the clear", "set up HTTPS (docs/deployment.md)")


def strict_transport(site):
    value = site.ask("/").header("Strict-Transport-Security") or ""
    age = re.search(r"max-age=(\d+)", value)
    if not age or int(age.group(1)) < 180 * 86400:
        raise Wrong("Strict-Transport-Security is missing or short",
                    "behind another proxy, tell nginx that it was HTTPS (docs/deployment.md, a proxy in front)")
    return value


def headers(site):
    for path in ("/", "/api/live", "/api/nothing-there", "/assets/nothing-there.js"):
        answer = site.ask(path)
        for name, is_right in HEADERS.items():
            values = answer.headers.get_all(name) or []
            if len(values) != 1 or not is_right(values[0]):
                what = f"sent {len(values)} times" if len(values) > 1 else f"is {values[0]!r}" if values else "missing"
                raise Wrong(f"{name} of {path}: {what}", "serve it with deploy/nginx/plantops.conf.in")
    return f"{len(HEADERS)} of them, on pages, answers and errors"


def dashboard(site):
    answer = site.ask("/")
    if answer.status != 200 or answer.kind != "text/html":
        raise Wrong(f"/ answered {answer.status} ({answer.kind})", "is nginx's root the built dashboard?")
    if "PlantOps" not in answer.text:
        raise Wrong("/ is some other page", "is this the right address?")
    if "<script" not in answer.text:
        raise Wrong("the dashboard is not built", "make frontend, then start nginx anew")
    other = site.ask("/plants/some/address").text
    if other != answer.text:
        raise Wrong("an address inside the dashboard does not lead to it", "serve it with deploy/nginx/plantops.conf.in")
    return f"{len(answer.body)} bytes"


def assets(site):
    page = site.ask("/").text
    paths = sorted(set(re.findall(r'(?:src|href)="(/[^"/][^"]*\.[a-z0-9]+)"', page)))
    if not any(path.endswith(".js") for path in paths):
        raise Wrong("the page names no script", "build the dashboard: make frontend")
    for path in paths:
        answer = site.ask(path)
        if answer.status != 200 or answer.kind == "text/html" or not answer.body:
            raise Wrong(f"{path} answered {answer.status} ({answer.kind})", "build the dashboard anew: make frontend")
        if path.startswith("/assets/") and "immutable" not in (answer.header("Cache-Control") or ""):
            raise Wrong(f"{path} is not kept by browsers", "serve it with deploy/nginx/plantops.conf.in")
    return f"{len(paths)} files"


def compression(site):
    for path in [*re.findall(r'src="(/[^"/][^"]*\.js)"', site.ask("/").text)[:1], "/api/openapi.json"]:
        answer = site.ask(path, headers={"Accept-Encoding": "gzip"})
        if answer.header("Content-Encoding") != "gzip" or not answer.content:
            raise Wrong(f"{path} is not compressed", "a proxy in front drops Accept-Encoding, or gzip is off in nginx")
    return "scripts and answers"


def hidden(site):
    for path in HIDDEN:
        answer = site.ask(path)
        # The dashboard answers for paths that are nobody's; only a file that is one would be told.
        if answer.status == 200 and answer.kind != "text/html":
            raise Wrong(f"{path} can be read by everybody", "nginx's root must be the built dashboard and nothing else")
        if path.startswith("/.") and answer.status == 200 or b"root:" in answer.body or b"[core]" in answer.body:
            raise Wrong(f"{path} answered {answer.status}", "serve it with deploy/nginx/plantops.conf.in")
    return f"{len(HIDDEN)} paths"


def metrics(site):
    for path in ("/metrics", "/metrics/", "/api/metrics", "//metrics", "/%6detrics"):
        answer = site.ask(path)
        if answer.status == 200 and answer.kind != "text/html" or b"# TYPE" in answer.body:
            raise Wrong(f"{path} is open to everybody", "Prometheus asks the backend itself; nginx must not pass it on")
    return "not told outside"


def silence(site):
    """No version of a server that somebody could look up faults for."""
    for path in ("/", "/api/live"):
        answer = site.ask(path)
        for name in ("Server", "X-Powered-By"):
            if re.search(r"\d", answer.header(name) or ""):
                raise Wrong(f"{name} says {answer.header(name)}", "server_tokens off")
    return "no versions told"
