"""How often one address may ask: three limits side by side, each counted for itself. The nginx here is a test's own,
because limits are shared by everything that runs on this machine."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from support.nginx import Nginx
from support.stack import Stack
from support.waiting import wait_until

# So slow that no test lives long enough to be given a further request.
STRICT = {"RATE_LIMIT_SIGN_IN": 1, "RATE_LIMIT_REGISTRATION": 1}
SIGN_INS, REGISTRATIONS = 1 + 30, 1 + 100
# Lets a test say from which address it comes, as a trusted proxy in front of nginx would.
BEHIND_A_PROXY = "set_real_ip_from 127.0.0.1; real_ip_header X-Test-Address;"
LOGIN, REGISTER = "/api/auth/login", "/api/devices/register"


@pytest.fixture
def nginx():
    with Nginx(extra=BEHIND_A_PROXY, **STRICT) as nginx:
        yield nginx


def post(nginx, path, address="192.0.2.1", method="POST"):
    return nginx.send(method, path, f"X-Test-Address: {address}", body=b"{}").status


def until_refused(nginx, path, address="192.0.2.1", limit=150, method="POST"):
    """How many requests were let through before the first 429."""
    for number in range(limit):
        if post(nginx, path, address, method) == 429:
            return number
    return limit


def test_sign_in_is_limited_and_everything_else_goes_on(nginx):
    assert until_refused(nginx, LOGIN) == SIGN_INS
    assert len(nginx.upstream.received) == SIGN_INS, "what is refused never reaches the backend"
    assert post(nginx, LOGIN) == 429
    assert post(nginx, REGISTER) == 200
    assert nginx.get("/api/plants", "X-Test-Address: 192.0.2.1").status == 200
    assert nginx.get("/", "X-Test-Address: 192.0.2.1").status == 200
    assert post(nginx, LOGIN, "192.0.2.2") == 200, "another address is another matter"


def test_registration_has_a_limit_of_its_own(nginx):
    assert until_refused(nginx, REGISTER) == REGISTRATIONS
    assert post(nginx, LOGIN) == 200
    assert nginx.get("/api/devices", "X-Test-Address: 192.0.2.1").status == 200
    assert post(nginx, REGISTER, "192.0.2.2") == 200


def test_changing_the_password_counts_as_signing_in(nginx):
    assert until_refused(nginx, "/api/auth/password", method="PUT") == SIGN_INS
    assert post(nginx, LOGIN) == 429
    assert nginx.get("/api/auth/me", "X-Test-Address: 192.0.2.1").status == 200, "that verifies none"
    assert post(nginx, "/api/auth/logout") == 200


def test_the_api_is_limited_by_the_second_and_files_are_not():
    with Nginx(RATE_LIMIT_API=1, RATE_LIMIT_API_BURST=20) as nginx, ThreadPoolExecutor(8) as pool:
        api = list(pool.map(lambda n: nginx.get(f"/api/plants/{n}").status, range(60)))
        assert set(api) == {200, 429}
        assert 21 <= api.count(200) <= 30, "1 and a burst of 20, and 1 per second since"
        # One of them may fall on the next second.
        for path in ("/api/health", "/api/events"):
            assert 429 in [nginx.get(path).status for _ in range(4)]
        files = list(pool.map(lambda n: nginx.get(f"/plants/{n}").status, range(60)))
        assert set(files) == {200}


def test_the_usual_limits_leave_room_for_a_dashboard_and_a_batch_of_new_devices():
    with Nginx() as nginx, ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda n: nginx.get(f"/api/plants/{n}").status, range(200))) == {200}
        assert set(pool.map(lambda _: nginx.send("POST", REGISTER, body=b"{}").status, range(100))) == {200}
        assert set(pool.map(lambda _: nginx.send("POST", LOGIN, body=b"{}").status, range(10))) == {200}


def test_a_refusal_is_a_problem_with_a_time_to_wait_and_the_requests_own_id(nginx):
    until_refused(nginx, LOGIN)
    answer = nginx.send("POST", LOGIN, "X-Test-Address: 192.0.2.1", "X-Correlation-ID: too-often", body=b"{}")
    assert answer.status == 429
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert int(answer.headers["retry-after"]) > 0 and answer.names.count("retry-after") == 1
    problem = json.loads(answer.body)
    assert problem["status"] == 429 and problem["instance"] == LOGIN
    assert problem["correlation_id"] == answer.headers["x-correlation-id"] == "too-often"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_refusal_by_the_backend_keeps_its_own_time_to_wait(nginx):
    nginx.upstream.status, nginx.upstream.headers = 429, {"Retry-After": "37", "Content-Type": "application/problem+json"}
    answer = nginx.send("POST", LOGIN, body=b"{}")
    assert answer.status == 429 and answer.names.count("retry-after") == 1 and answer.headers["retry-after"] == "37"


@pytest.fixture(scope="module")
def used_up():
    """Neither signing in nor registering is possible any more."""
    with Nginx(**STRICT) as nginx:
        for path in (LOGIN, REGISTER):
            while nginx.send("POST", path, body=b"{}").status == 200:
                pass
        nginx.upstream.received.clear()
        yield nginx


def parts(path):
    """As the backend reads it: it splits a path at its slashes, takes no notice of empty parts, and decodes nothing."""
    return [part for part in path.partition("?")[0].split("/") if part]


@pytest.mark.parametrize("route", ["auth/login", "devices/register", "auth/password"])
@pytest.mark.parametrize("spelling", [
    "/api/{}/", "/api/{}//", "/api//{}", "//api/{}", "/api/./{}", "/api/x/../{}", "/api/{}?next=/", "/api/{}/?a=b", "/api/{}#x",
    "/api/{encoded}", "/api%2f{}", "/api/{}%2f", "/%61pi/{}", "/api/%2e/{}", "http://elsewhere.example/api/{}", "/x/../api/{}",
    "/api/{}%23x/..", "/api/{doubled}", "/api/{letter}",
])
def test_no_spelling_of_the_path_gets_around_the_limit(used_up, route, spelling):
    path = spelling.format(route, encoded=route.replace("/", "%2F"), doubled=route.replace("/", "//"),
                           letter=f"{route[:-1]}%{ord(route[-1]):02x}")
    assert used_up.send("POST", path, body=b"{}").status in (200, 429)
    assert ["api", *route.split("/")] not in [parts(received.path) for received in used_up.upstream.received]


@pytest.mark.parametrize("path", ["/api/AUTH/login", "/API/auth/login", "/api/auth/login;x", "/api/auth/login;x=1",
                                  "/api/auth/login%00", "/api/auth/login%3Fx", "/api/auth\\login", "/api/auth/log in",
                                  "/api/auth/login.", "/api/auth/login%20", "/api/auth/login%2523", "/api/auth/login%09"])
def test_what_only_looks_like_the_login_does_not_reach_it(used_up, path):
    post(used_up, path)
    for received in used_up.upstream.received:
        assert parts(received.path) != ["api", "auth", "login"]


@pytest.mark.parametrize("addresses, together", [
    (["2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2:0:a:a0a:0"], True),
    (["2001:db8::1", "2001:db8:0:0:8000::"], True),
    (["2001:db8:1:2::1", "2001:db8:1:3::1"], False),
    (["2001:db8::1", "2001:db8:0:1::1"], False),
    (["a0a:a0a:a0a:a0a:1::", "a0a:a0a:a0a:a0a::2"], True),
    (["::ffff:192.0.2.7", "192.0.2.7"], True),
    (["::ffff:192.0.2.7", "::ffff:192.0.2.8"], False),
    (["192.0.2.7", "192.0.2.8"], False),
])
def test_ipv6_counts_by_network_and_ipv4_by_address(nginx, addresses, together):
    first, *others = addresses
    assert until_refused(nginx, LOGIN, first) == SIGN_INS
    for other in others:
        assert (post(nginx, LOGIN, other) == 429) == together, f"{other} after {first}"


def test_a_client_cannot_change_its_address_with_a_header():
    with Nginx(**STRICT) as nginx:
        for n in range(SIGN_INS):
            assert nginx.send("POST", LOGIN, f"X-Forwarded-For: 198.51.100.{n}", body=b"{}").status == 200
        for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Test-Address", "True-Client-IP", "CF-Connecting-IP"):
            assert nginx.send("POST", LOGIN, f"{name}: 198.51.100.77", body=b"{}").status == 429


def test_who_waits_is_let_in_again():
    with Nginx(RATE_LIMIT_SIGN_IN=600) as nginx, ThreadPoolExecutor(8) as pool:
        assert 429 in list(pool.map(lambda _: nginx.send("POST", LOGIN, body=b"{}").status, range(120)))
        wait_until(lambda: nginx.send("POST", LOGIN, body=b"{}").status == 200, 5, "the next one is let through")


# The local setup: its nginx alone, without a backend.


@pytest.fixture
def web(request):
    stack = Stack(**getattr(request, "param", {}))
    try:
        stack.run("start", "nginx")
        yield stack
    finally:
        stack.destroy()


def answers(stack, path, count):
    url = stack.settings["PLANTOPS_URL"] + path
    return [requests.post(url, json={}, timeout=10).status_code for _ in range(count)]


@pytest.mark.parametrize("web", [{"RATE_LIMIT_SIGN_IN": "1", "RATE_LIMIT_REGISTRATION": "2", "RATE_LIMIT_API": "1"}],
                         indirect=True)
def test_the_local_setup_takes_its_limits_from_the_environment(web):
    assert answers(web, LOGIN, 32) == [502] * 31 + [429]
    assert answers(web, REGISTER, 101) == [502] * 101, "another limit"
    assert 429 in answers(web, "/api/plants", 60), "1 per second, and a burst of 4"


def test_the_local_setup_has_the_documented_limits(web):
    site = (web.home / "service-home").read_text().strip() + "/nginx/plantops.conf"
    limits = " ".join(line.strip() for line in open(site) if "rate=" in line or "burst=" in line)
    for part in ("rate=100r/s", "burst=400 ", "rate=120r/m", "burst=30 ", "rate=300r/m", "burst=100 "):
        assert part in limits


@pytest.mark.parametrize("name, value", [("RATE_LIMIT_API", "0"), ("RATE_LIMIT_SIGN_IN", "many"),
                                         ("RATE_LIMIT_REGISTRATION", "10; return 200"), ("RATE_LIMIT_API", "-1")])
def test_a_limit_that_is_no_number_is_named_and_nothing_starts(name, value):
    stack = Stack(**{name: value})
    try:
        assert stack.run("start", "nginx", check=False) == 1
        assert f"{name}=" in (stack.home / "script.log").read_text()
        assert not stack.alive("nginx")
    finally:
        stack.destroy()
