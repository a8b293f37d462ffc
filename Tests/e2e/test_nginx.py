"""What the outside sees: nginx, with the configuration that production uses. How often one may ask is in
test_rate_limits.py."""

import gzip
import json
import os
import re
import selectors
import signal
import socket
import threading
import time

import pytest
import requests

from support.api import CORRELATION, assert_problem
from support.nginx import Nginx
from support.stack import ROOT, dashboard, free_port
from support.waiting import wait_until


@pytest.fixture(scope="module")
def nginx():
    """In front of a backend that writes down what it is sent."""
    with Nginx() as nginx:
        yield nginx


@pytest.fixture
def upstream(nginx):
    nginx.upstream.received.clear()
    nginx.upstream.status, nginx.upstream.headers = 200, {"Content-Type": "application/json"}
    return nginx.upstream


def page(stack, path):
    return requests.get(stack.settings["PLANTOPS_URL"] + path, timeout=10)


# The dashboard and the API through the stack's own nginx.


def test_the_page_and_its_headers(stack):
    answer = page(stack, "/")
    assert answer.status_code == 200 and "PlantOps" in answer.text
    assert "script" not in answer.headers["Content-Security-Policy"].replace("script-src 'self'", "")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "nginx/" not in answer.headers.get("Server", "")


def test_pages_of_the_dashboard_fall_back_to_it_and_missing_assets_do_not(stack):
    assert page(stack, "/plants/anything").status_code == 200
    assert page(stack, "/assets/missing.js").status_code == 404


# The dashboard's files (docs/dashboard.md).


def plain(nginx, path):
    """The file as it is, whatever forms of it there are."""
    answer = nginx.get(path)
    assert answer.status == 200 and "content-encoding" not in answer.names
    return answer


def files_of_the_dashboard():
    """Paths, as index.html and the manifest name them."""
    html = (dashboard() / "index.html").read_text()
    manifest = json.loads((dashboard() / "manifest.webmanifest").read_text())
    return sorted(set(re.findall(r'(?:href|src)="(/[^"]+)"', html)) | {icon["src"] for icon in manifest["icons"]})


@pytest.mark.parametrize("path", ["/", "/plants/0198c0de-0000-7000-8000-000000000000", "/devices", "/alerts", "/room",
                                  "/settings", "/settings/users", "/settings/channels/", "/not/known", "/index.html",
                                  "/plants/x?hours=24", "/assetsx", "/alerts?state=firing"])
def test_every_page_is_the_dashboard_and_is_asked_for_again(nginx, upstream, path):
    answer = plain(nginx, path)
    assert answer.body == (dashboard() / "index.html").read_bytes()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert upstream.received == []
    again = nginx.get(path, f"If-None-Match: {answer.headers['etag']}")
    assert again.status == 304 and again.body == b""


@pytest.mark.parametrize("path", ["/assets/missing.js", "/assets/", "/assets/x/y", "/favicon.ico", "/missing.png",
                                  "/plants/missing.js", "/service-worker.js.map", "/x.php", "/manifest.json", "/icons/x.svg"])
def test_a_file_that_is_missing_is_missing(nginx, path):
    answer = nginx.get(path)
    assert answer.status in (403, 404) and b"root" not in answer.body
    assert "cache-control" not in answer.headers


def test_every_file_the_page_names_is_there_and_kept_as_its_name_allows(nginx):
    files = files_of_the_dashboard()
    assert len(files) > 5
    for path in [*files, "/service-worker.js"]:
        answer = plain(nginx, path)
        assert answer.body == (dashboard() / path[1:]).read_bytes()
        lasting = "public, max-age=31536000, immutable" if path.startswith("/assets/") else "no-cache"
        assert answer.headers["cache-control"] == lasting, path
        assert bool(re.search(r"-[A-Z0-9]{8}\.(js|css)$", path)) == path.startswith("/assets/")


@pytest.mark.parametrize("path, kind", [("/manifest.webmanifest", "application/manifest+json"), ("/icons/icon.svg", "image/svg+xml"),
                                        ("/icons/icon-192.png", "image/png"),
                                        ("/service-worker.js", "application/javascript; charset=utf-8")])
def test_files_come_with_the_type_browsers_insist_on(nginx, path, kind):
    assert plain(nginx, path).headers["content-type"] == kind


def test_what_was_compressed_beforehand_is_sent_so_to_whoever_takes_it(nginx):
    compressed = [path for path in files_of_the_dashboard() + ["/service-worker.js"]
                  if (dashboard() / f"{path[1:]}.gz").exists()]
    assert any(path.endswith(".js") for path in compressed) and any(path.endswith(".css") for path in compressed)
    for path in compressed:
        answer = nginx.get(path, "Accept-Encoding: gzip, br")
        assert answer.headers["content-encoding"] == "gzip" and "Accept-Encoding" in answer.headers["vary"]
        assert answer.body == (dashboard() / f"{path[1:]}.gz").read_bytes()
        assert gzip.decompress(answer.body) == plain(nginx, path).body
    page = nginx.get("/alerts", "Accept-Encoding: gzip")
    assert gzip.decompress(page.body) == plain(nginx, "/").body


def test_a_dashboard_that_was_built_later_is_served_after_the_next_up(fresh_stack):
    """As if it had not been there when nginx was started."""
    (config,) = fresh_stack.home.glob("services/nginx/plantops.conf")
    config.write_text(re.sub(r"(?m)^    root .*;$", f"    root {ROOT}/deploy/web;", config.read_text()))
    os.kill(fresh_stack.pid("nginx"), signal.SIGHUP)
    wait_until(lambda: "make frontend" in page(fresh_stack, "/").text, 10, "the other page is served")
    before = fresh_stack.pid("nginx")
    dashboard()
    fresh_stack.run("up")
    wait_until(lambda: 'src="/assets/main-' in page(fresh_stack, "/").text, 10, "the dashboard is served")
    assert fresh_stack.pid("nginx") == before, "and nobody was disconnected for it"


def test_while_the_dashboard_is_not_built_the_page_says_so():
    with Nginx(WEB_ROOT=ROOT / "deploy" / "web") as nginx:
        answer = nginx.get("/alerts")
    assert answer.status == 200 and b"make frontend" in answer.body


def test_the_api_is_the_same_through_nginx(stack, plant):
    direct = stack.api.get(f"/plants/{plant['id']}", headers={CORRELATION: "through"})
    proxied = stack.web.get(f"/plants/{plant['id']}", headers={CORRELATION: "through"})
    assert proxied.json() == direct.json()
    assert proxied.headers[CORRELATION] == "through"
    assert_problem(stack.web.get("/nothing"), 404)
    body = '{"name": "' + "a" * (3 << 20) + '"}'
    answer = stack.web.post("/plants", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_without_a_backend_nginx_says_so_as_a_problem(fresh_stack):
    fresh_stack.stop("backend")
    answer = fresh_stack.web.get("/plants")
    assert_problem(answer, 502)
    assert int(answer.headers["Retry-After"]) > 0
    fresh_stack.start("backend")
    assert fresh_stack.web.get("/live").status_code == 200


@pytest.mark.parametrize("path", ["/api/plants", "/api/openapi.json", "/api/plants/1/export.html", "/api/events"])
def test_a_backend_that_is_away_is_a_problem_whatever_was_asked_for(path):
    with Nginx() as nginx:
        nginx.upstream.close()
        answer = nginx.get(path, "X-Correlation-ID: away")
    assert answer.status == 502 and answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert json.loads(answer.body)["instance"] == path and json.loads(answer.body)["correlation_id"] == "away"


# Nothing but the API comes from the backend.


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "//metrics", "/metrics//", "/api/../metrics", "/%6detrics",
                                  "/api/%2e%2e/metrics", "/api/..%2fmetrics", "/./metrics", "/metrics?x", "/metrics%2f",
                                  "/api/x/../../metrics", "/assets/../metrics", "/metrics/../metrics", "/metrics#x",
                                  "http://elsewhere.example/metrics", "/METRICS", "/metrics;x", "/metrics%00",
                                  "/metrics/api/", "/x/..;/metrics", "/api/..;/metrics", "/.%2e/metrics"])
def test_metrics_are_not_for_the_outside(nginx, upstream, path):
    answer = nginx.get(path)
    reached = [[part for part in received.path.split("?")[0].split("/") if part] for received in upstream.received]
    assert all(parts[:1] == ["api"] and ".." not in parts for parts in reached), reached
    assert answer.status in (200, 400, 404)
    if answer.status == 200 and not reached:
        assert b"<html" in answer.body.lower(), "the dashboard, for a page it will not know"
    if path.rstrip("/").lstrip("/") == "metrics":
        assert answer.status == 404


def test_the_metrics_of_the_running_backend_stay_inside(stack):
    for path in ("/metrics", "/metrics/", "//metrics", "/api/%2e%2e/metrics", "/%6detrics"):
        assert page(stack, path).status_code == 404
    assert page(stack, "/api/metrics").status_code in (401, 404)


@pytest.mark.parametrize("path", ["/.env", "/.git/config", "/assets/.htaccess", "/%2egit/config"])
def test_hidden_files_are_not_there(nginx, upstream, path):
    assert nginx.get(path).status == 404
    assert upstream.received == []


@pytest.mark.parametrize("path", ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/../../nginx.conf.in",
                                  "/assets/..%2f..%2f..%2fREADME.md", "/..%5c..%5cetc%5cpasswd"])
def test_no_path_leads_out_of_the_dashboards_folder(nginx, upstream, path):
    answer = nginx.get(path)
    assert answer.status in (400, 404) or b"PlantOps" in answer.body
    assert b"root:" not in answer.body and b"worker_processes" not in answer.body
    assert upstream.received == []


def test_the_backend_sees_the_path_that_nginx_has_understood(nginx, upstream):
    for sent, seen in (("/api/plants", "/api/plants"), ("/api//plants/./x/../1?a=%2F&b=c%20d", "/api/plants/1?a=%2F&b=c%20d"),
                       ("/api/%70lants", "/api/plants"), ("/api/a%20b%3Fc%25d%0d%0aX:y", "/api/a%20b%3Fc%25d%0D%0AX:y"),
                       ("/api", "/api"), ("/api?x=1", "/api?x=1"), ("/api/events?since=3", "/api/events?since=3"),
                       ("/api/%C3%A4", "/api/%C3%A4")):
        assert nginx.get(sent).status == 200
        assert upstream.last.path == seen


# What the backend is told of the outside.


@pytest.mark.parametrize("name, nasty, seen", [
    ("X-Forwarded-For", "198.51.100.1", ["127.0.0.1"]),
    ("X-Forwarded-For", "198.51.100.1, 127.0.0.1", ["127.0.0.1"]),
    ("x-forwarded-for", "127.0.0.1, ::1", ["127.0.0.1"]),
    ("X_Forwarded_For", "198.51.100.1", ["127.0.0.1"]),
    ("X-Forwarded-Proto", "https", ["http"]),
    ("X-Forwarded-Proto", "javascript", ["http"]),
    ("X-Forwarded-Host", "evil.example", ["plants.example"]),
    ("X_Forwarded_Host", "evil.example", ["plants.example"]),
    ("Forwarded", "for=198.51.100.1;proto=https;host=evil.example", []),
    ("X-Real-IP", "198.51.100.1", []),
    ("X-Forwarded-Port", "443", []),
    ("X-Forwarded-Prefix", "/evil", []),
    ("X-Original-URL", "/metrics", []),
    ("X-Rewrite-URL", "/metrics", []),
    ("Proxy", "http://evil.example", []),
    ("Upgrade", "h2c", []),
])
def test_a_client_cannot_say_where_it_comes_from(nginx, upstream, name, nasty, seen):
    assert nginx.get("/api/plants", f"{name}: {nasty}").status == 200
    assert upstream.last.all(name) == seen
    # And neither does a second one get through.
    assert nginx.get("/api/plants", f"{name}: {nasty}", f"{name}: {nasty}").status in (200, 400)
    assert upstream.last.all(name) == seen


@pytest.mark.parametrize("nasty", ['"; DROP TABLE plants', "a b", "<script>", "x" * 65, "../../x", "", "{}", "a\tb", "ä",
                                   "${jndi:ldap://x}", "a,b"])
def test_a_nasty_correlation_id_is_replaced(nginx, upstream, nasty):
    answer = nginx.get("/api/plants", f"X-Correlation-ID: {nasty}")
    (given,) = upstream.last.all(CORRELATION)
    assert given != nasty and len(given) == 32 and given.isalnum()
    assert answer.names.count("x-correlation-id") == 1 and answer.headers["x-correlation-id"] == given
    assert given in nginx.log("nginx-access.log")


def test_a_sane_correlation_id_is_kept_from_the_browser_to_the_log(nginx, upstream):
    answer = nginx.get("/api/plants", "X-Correlation-ID: Sane-id_1.2")
    assert upstream.last.all(CORRELATION) == ["Sane-id_1.2"] == [answer.headers["x-correlation-id"]]
    assert "correlation_id=Sane-id_1.2" in nginx.log("nginx-access.log")


def test_credentials_and_origin_reach_the_backend_as_they_came_and_no_log(nginx, upstream):
    nginx.get("/api/plants?token=hush-1", "Authorization: Bearer hush-2", "Cookie: plantops_session=hush-3",
              "Origin: https://evil.example", "Sec-Fetch-Site: cross-site", host="plants.example:8443")
    for name, value in (("Authorization", "Bearer hush-2"), ("Cookie", "plantops_session=hush-3"),
                        ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site"),
                        ("Host", "plants.example:8443"), ("X-Forwarded-Host", "plants.example:8443")):
        assert upstream.last.all(name) == [value]
    assert "hush" not in nginx.log("nginx-access.log") + nginx.log("error.log")


@pytest.mark.parametrize("headers", [
    ["Content-Length: 5", "Transfer-Encoding: chunked"], ["Content-Length: 5", "Content-Length: 6"],
    ["Content-Length: +5"], ["Content-Length: 5, 5"], ["Transfer-Encoding: chunked, identity"],
    ["Transfer-Encoding: xchunked"], ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], ["Host: second.example"],
    ["X: a\rb"], ["X-Nul: a\0b"], ["Bad Name: x"],
])
def test_a_request_that_could_be_read_in_two_ways_is_read_in_at_most_one(nginx, upstream, headers):
    answer = nginx.send("POST", "/api/plants", *headers, body=b"")
    smuggled = b"GET /metrics HTTP/1.1\r\nHost: plants.example\r\n\r\n"
    lines = ["POST /api/plants HTTP/1.1", "Host: plants.example", *headers, "", ""]
    nginx.raw("\r\n".join(lines).encode("latin-1") + b"0\r\n\r\n" + smuggled + b"\r\n")
    assert all(received.path.startswith("/api/") for received in upstream.received)
    for received in upstream.received:
        assert len(received.all("Content-Length")) + len(received.all("Transfer-Encoding")) <= 1
        assert not any("\r" in value or "\0" in value for _, value in received.headers)
    if len(headers) == 2:
        assert answer.status == 400 or answer.status == 501


def test_only_what_the_backend_allows_is_allowed_across_origins(nginx, upstream):
    for path in ("/", "/api/plants", "/assets/missing.js", "/metrics"):
        answer = nginx.get(path, "Origin: https://evil.example")
        assert not [name for name in answer.names if name.startswith("access-control-")]
    nginx.send("OPTIONS", "/api/plants", "Origin: https://good.example", "Access-Control-Request-Method: POST")
    assert upstream.last.method == "OPTIONS", "the preflight is the backend's to answer"
    upstream.headers = {"Access-Control-Allow-Origin": "https://good.example"}
    assert nginx.get("/api/plants").headers["access-control-allow-origin"] == "https://good.example"


# What the browser is told.

SECURITY = {"content-security-policy": "frame-ancestors 'none'", "x-content-type-options": "nosniff",
            "x-frame-options": "DENY", "referrer-policy": "no-referrer", "permissions-policy": "camera=()",
            "cross-origin-opener-policy": "same-origin"}


@pytest.mark.parametrize("method, path, headers, status", [
    ("GET", "/", [], 200), ("GET", "/api/plants", [], 200), ("GET", "/api/events", [], 200), ("GET", "/metrics", [], 404),
    ("GET", "/assets/missing.js", [], 404), ("GET", "/.env", [], 404), ("POST", "/", ["Content-Length: 0"], 405),
    ("GET", "/api/plants", ["Bad Header"], 400), ("GET", "/api/plants", ["Host: again"], 400),
    ("GET", "/api/plants", ["X-Long: " + "a" * 40000], 400), ("GET", "/" + "a" * 40000, [], 414),
    ("POST", "/api/plants", ["Content-Length: 3000000"], 413), ("TRACE", "/api/plants", [], 405),
    ("GET", "/api/%zz", [], 400),
])
def test_security_headers_are_on_every_answer(nginx, upstream, method, path, headers, status):
    # The backend sets some of them, too.
    upstream.headers = {"Content-Type": "application/json", "X-Frame-Options": "DENY", "Content-Security-Policy": "x",
                        "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    answer = nginx.send(method, path, *headers)
    assert answer.status == status
    for name, part in SECURITY.items():
        assert answer.names.count(name) == 1, f"{name} in {answer.names}"
        assert part in answer.headers[name]
    assert answer.names.count("x-correlation-id") == 1
    assert "strict-transport-security" not in answer.names, "that is for HTTPS"
    assert answer.headers["server"] == "nginx"
    if status in (400, 405, 413, 414):
        assert answer.headers["content-type"].startswith("application/problem+json")
        problem = json.loads(answer.body)
        assert problem["status"] == status and problem["correlation_id"] == answer.headers["x-correlation-id"]


@pytest.mark.parametrize("status", [200, 401, 403, 404, 429, 500, 503])
def test_security_headers_are_on_every_answer_of_the_backend(nginx, upstream, status):
    upstream.status = status
    answer = nginx.get("/api/plants")
    assert answer.status == status and answer.body == upstream.body, "and it is passed on untouched"
    for name in SECURITY:
        assert answer.names.count(name) == 1


def test_a_page_that_is_not_there_is_not_kept_and_an_asset_is(nginx, upstream):
    assert "cache-control" not in nginx.get("/assets/missing.js").headers
    assert nginx.get("/").headers["cache-control"] == "no-cache"
    upstream.headers = {"Cache-Control": "no-store"}
    answer = nginx.get("/api/plants")
    assert answer.headers["cache-control"] == "no-store" and answer.names.count("cache-control") == 1


def test_https_is_made_permanent_only_over_https(tmp_path):
    import ssl
    import subprocess

    key, crt = tmp_path / "key.pem", tmp_path / "crt.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "1", "-subj", "/CN=localhost", "-keyout", key, "-out", crt], check=True, capture_output=True)
    tls = free_port()
    extra = f"listen 127.0.0.1:{tls} ssl; ssl_certificate {crt}; ssl_certificate_key {key};"
    with Nginx(extra=extra) as nginx:
        context = ssl._create_unverified_context()
        with context.wrap_socket(socket.create_connection(("127.0.0.1", tls), timeout=10)) as s:
            s.sendall(b"GET /api/plants HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Forwarded-Proto: http\r\n\r\n")
            answer = b"".join(iter(lambda: s.recv(65536), b"")).lower()
        assert b"strict-transport-security: max-age=" in answer
        assert nginx.upstream.last.all("X-Forwarded-Proto") == ["https"]
        assert "strict-transport-security" not in nginx.get("/api/plants", "X-Forwarded-Proto: https").names
        assert nginx.upstream.last.all("X-Forwarded-Proto") == ["http"]


def test_behind_a_proxy_that_is_trusted_its_word_counts():
    extra = ("set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For; "
             "set $forwarded_proto $http_x_forwarded_proto;")
    with Nginx(extra=extra) as nginx:
        answer = nginx.get("/api/plants", "X-Forwarded-For: 198.51.100.9", "X-Forwarded-Proto: https")
        assert "strict-transport-security" in answer.names
        assert nginx.upstream.last.all("X-Forwarded-For") == ["198.51.100.9"]
        assert nginx.upstream.last.all("X-Forwarded-Proto") == ["https"]


# Clients that are slow on purpose.


def cut_off_after(s, drip, every=0.1, limit=20):
    """Sends `drip` again and again until the other side hangs up. Returns the seconds that took, and what came back."""
    begun, answer = time.monotonic(), b""
    s.settimeout(every)
    while time.monotonic() - begun < limit:
        try:
            s.sendall(drip)
            part = s.recv(65536)
            if not part:
                break
            answer += part
        except TimeoutError:
            continue
        except OSError:
            break
    else:
        raise AssertionError(f"still connected after {limit} s")
    return time.monotonic() - begun, answer


def test_a_header_that_trickles_in_is_cut_off_while_others_are_served():
    with Nginx(CLIENT_HEADER_TIMEOUT="1s") as nginx:
        slow = [nginx.connect() for _ in range(200)]
        try:
            results = []
            for s in slow:
                s.sendall(b"GET /api/plants HTTP/1.1\r\nHost: plants.example\r\n")
            threads = [threading.Thread(target=lambda s=s: results.append(cut_off_after(s, b"X-Drip: 1\r\n")))
                       for s in slow[:5]]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                begun = time.monotonic()
                assert nginx.get("/api/live").status == 200
                assert time.monotonic() - begun < 1, "a well-behaved client hardly notices"
            for thread in threads:
                thread.join()
            # A line every 100 ms does not buy more time.
            assert len(results) == 5 and all(0.5 < seconds < 5 and answer == b"" for seconds, answer in results), results
            for s in slow[5:]:
                s.settimeout(5)
                try:
                    assert s.recv(100) == b""
                except ConnectionResetError:
                    pass
            assert {received.path for received in nginx.upstream.received} == {"/api/live"}
        finally:
            for s in slow:
                s.close()


def test_a_body_that_stops_halfway_is_cut_off_and_never_reaches_the_backend():
    with Nginx(CLIENT_BODY_TIMEOUT="1s") as nginx:
        with nginx.connect() as s:
            s.sendall(b"POST /api/plants HTTP/1.1\r\nHost: plants.example\r\nContent-Length: 1000\r\n\r\n{\"name\"")
            s.settimeout(10)
            begun = time.monotonic()
            try:
                assert s.recv(100) == b""
            except ConnectionResetError:
                pass
            assert 0.5 < time.monotonic() - begun < 5
        assert nginx.upstream.received == []


def test_too_many_connections_from_one_address_are_refused_and_free_again_when_they_end():
    """Requests under way count, and 512 of them are one too many for nobody who means well."""
    with Nginx(RATE_LIMIT_API=100000, RATE_LIMIT_API_BURST=100000) as nginx:
        request = b"POST /api/plants HTTP/1.1\r\nHost: plants.example\r\nContent-Length: 9\r\n\r\n"
        held = []
        answered = selectors.DefaultSelector()
        try:
            for _ in range(513):
                s = nginx.connect()
                s.sendall(request)
                held.append(s)
                answered.register(s, selectors.EVENT_READ)
            # One of them, not always the last: two processes accept them.
            (refused, _), = wait_until(lambda: answered.select(0), 30, "one of 513 is refused")
            assert refused.fileobj.recv(65536).startswith(b"HTTP/1.1 429 ")
            answered.unregister(refused.fileobj)
            answer = nginx.get("/api/live")
            assert answer.status == 429 and answer.headers["content-type"].startswith("application/problem+json")
            assert int(answer.headers["retry-after"]) > 0 and b'"instance":"/api/live"' in answer.body
            assert answered.select(0) == []
        finally:
            answered.close()
            for s in held:
                s.close()
        wait_until(lambda: nginx.get("/api/live").status == 200, 10, "there is room again")
