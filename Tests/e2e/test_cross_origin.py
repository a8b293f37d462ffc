"""Pages of other sites: what a browser may send us on their behalf, and what it may show them."""

from urllib.parse import urlsplit

import pytest

from support.api import assert_problem
from support.people import COOKIE, Person, log_in

FRIEND = "https://friend.example"
SECOND = "http://localhost:3000"
EVIL = {
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "another site with a name": {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    "another port or name of this site": {"Sec-Fetch-Site": "same-site"},
    "another site in an old browser": {"Origin": "https://evil.example"},
    "a page without a name": {"Origin": "null"},
    "a word nobody knows": {"Sec-Fetch-Site": "nonsense"},
    "an empty word": {"Sec-Fetch-Site": ""},
    "a name that begins like ours": {"Origin": "http://127.0.0.1.evil.example"},
    "a name that ends like ours": {"Origin": "http://evil.example/127.0.0.1"},
}


@pytest.fixture(scope="module")
def member(stack):
    return Person(stack)


@pytest.fixture(scope="module")
def session(member):
    return member.session()


@pytest.fixture(scope="module")
def friendly(stack):
    """A further backend that lets pages of two other sites use it."""
    with stack.serve(CORS_ORIGINS=f"{FRIEND}, {SECOND}", MQTT_CLIENT_ID="friendly") as served:
        served.ready()
        yield served.api.as_(None)


def cors(answer):
    return {name.lower(): value for name, value in answer.headers.items() if name.lower().startswith("access-control-")}


def origin_of(api):
    parts = urlsplit(api.base)
    return f"{parts.scheme}://{parts.netloc}"


@pytest.mark.parametrize("headers", EVIL.values(), ids=EVIL)
def test_what_another_sites_page_sends_with_the_cookie_is_refused(stack, plant, session, headers):
    path = f"/plants/{plant['id']}"
    for method, path, body in (
            ("POST", "/plants", {"name": "Evil"}), ("PUT", path, {"name": "Evil"}), ("DELETE", path, None),
            ("PUT", path + "/position", {"x": 6, "y": 6}), ("POST", "/auth/logout", None)):
        answer = stack.stranger.request(method, path, json=body, cookies=session, headers=headers)
        assert_problem(answer, 403)
        assert cors(answer) == {}
    assert stack.api.ok("GET", f"/plants/{plant['id']}") == plant, "nothing has changed"
    assert stack.stranger.get("/auth/me", cookies=session).status_code == 200, "and nobody was signed out"


@pytest.mark.parametrize("headers", EVIL.values(), ids=EVIL)
def test_another_sites_page_can_sign_nobody_in(member, headers):
    answer = member.log_in(headers=headers)
    assert_problem(answer, 403)
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("headers", EVIL.values(), ids=EVIL)
def test_reading_and_api_tokens_are_not_affected(stack, session, headers):
    assert stack.stranger.get("/plants", cookies=session, headers=headers).status_code == 200
    assert stack.stranger.request("HEAD", "/plants", cookies=session, headers=headers).status_code == 200
    plant = stack.api.ok("POST", "/plants", 201, json={"name": "By a script"}, headers=headers)
    stack.api.ok("DELETE", f"/plants/{plant['id']}", 204, headers=headers)


def test_only_a_bearer_token_shows_that_no_cookie_counts(stack, member):
    """A browser sends `Authorization: Basic` along by itself, once it knows a name and password."""
    session = member.session()
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example", "Authorization": "Basic eDp5"}
    assert_problem(stack.stranger.post("/auth/logout", cookies=session, headers=headers), 403)
    assert stack.stranger.get("/auth/me", cookies=session).status_code == 200


@pytest.mark.parametrize("through", ["backend", "nginx"])
def test_our_own_page_may_and_so_may_a_script(stack, session, through):
    api = (stack.stranger if through == "backend" else stack.web).as_(None)
    own = origin_of(api)
    for headers in ({}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": own},
                    {"Origin": own, "Sec-Fetch-Site": "same-origin"}, {"Origin": own.upper()},
                    {"Origin": stack.settings["PLANTOPS_URL"]}):
        plant = api.ok("POST", "/plants", 201, json={"name": "Ours"}, cookies=session, headers=headers)
        api.ok("DELETE", f"/plants/{plant['id']}", 204, cookies=session, headers=headers)


def test_our_own_page_may_under_every_name_this_machine_has(stack, session):
    parts = urlsplit(stack.settings["PLANTOPS_URL"])
    for name in ("localhost", "127.0.0.1", "plants.home.arpa"):
        host = f"{name}:{parts.port}"
        plant = stack.web.as_(None).ok("POST", "/plants", 201, json={"name": "Ours"}, cookies=session, headers={
            "Host": host, "Origin": f"http://{host}"})
        stack.api.ok("DELETE", f"/plants/{plant['id']}", 204)
        assert_problem(stack.web.as_(None).post("/plants", json={"name": "Evil"}, cookies=session, headers={
            "Host": host, "Origin": "http://elsewhere.home.arpa"}), 403)


def test_our_own_page_may_behind_a_proxy_that_changes_the_host(stack, session):
    headers = {"X-Forwarded-Host": "plants.example.org", "Origin": "https://plants.example.org"}
    plant = stack.stranger.ok("POST", "/plants", 201, json={"name": "Ours"}, cookies=session, headers=headers)
    stack.api.ok("DELETE", f"/plants/{plant['id']}", 204)
    assert_problem(stack.stranger.post("/plants", json={"name": "Evil"}, cookies=session, headers={
        **headers, "Origin": "https://evil.example"}), 403)


def test_a_public_address_counts_as_our_own(stack, session):
    with stack.serve(PUBLIC_URL="https://Plants.example.org:8443/dashboard", MQTT_CLIENT_ID="public") as served:
        served.ready()
        api = served.api.as_(None)
        own = {"Origin": "https://plants.example.org:8443"}
        plant = api.ok("POST", "/plants", 201, json={"name": "Ours"}, cookies=session, headers=own)
        api.ok("DELETE", f"/plants/{plant['id']}", 204, cookies=session, headers=own)
        for other in ("https://plants.example.org", "http://plants.example.org:8443"):
            assert_problem(api.post("/plants", json={"name": "Evil"}, cookies=session, headers={"Origin": other}), 403)


@pytest.mark.parametrize("method, path", [
    ("GET", "/plants"), ("GET", "/nothing"), ("POST", "/plants"), ("OPTIONS", "/plants"), ("GET", "/openapi.json")])
def test_nothing_is_shown_to_pages_of_other_sites_unless_asked_for(stack, session, method, path):
    for api in (stack.stranger, stack.web.as_(None)):
        answer = api.request(method, path, cookies=session, headers={
            "Origin": FRIEND, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"})
        assert cors(answer) == {}, answer.headers


@pytest.mark.parametrize("origin", [FRIEND, SECOND])
def test_a_browser_that_asks_first_is_told_what_a_friends_page_may(friendly, origin):
    for path in ("/plants", "/auth/me", f"/plants/{'0' * 8}-0000-7000-8000-{'0' * 12}"):
        answer = friendly.request("OPTIONS", path, headers={
            "Origin": origin, "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization, content-type"})
        assert (answer.status_code, answer.content) == (204, b"")
        allowed = cors(answer)
        assert allowed["access-control-allow-origin"] == origin
        assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= set(allowed["access-control-allow-methods"].split(", "))
        assert {"authorization", "content-type", "x-correlation-id"} <= set(
            allowed["access-control-allow-headers"].lower().split(", "))
        assert "access-control-allow-credentials" not in allowed and "*" not in str(allowed)
        assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", [
    "https://evil.example", "http://friend.example", "https://friend.example:8443", "https://sub.friend.example",
    "https://friend.example.evil.example", "null", "", "*", "https://evil.example, https://friend.example"])
def test_other_pages_are_shown_nothing(friendly, session, origin):
    for method in ("OPTIONS", "GET", "POST"):
        answer = friendly.request(method, "/plants", cookies=session, headers={
            "Origin": origin, "Access-Control-Request-Method": "POST"}, json={} if method == "POST" else None)
        assert cors(answer) == {}, answer.headers
        assert answer.headers["Vary"] == "Origin"
        assert method != "POST" or answer.status_code == 403


@pytest.mark.parametrize("origin", [FRIEND, SECOND])
def test_a_friends_page_reads_and_changes_with_an_api_token(stack, friendly, origin):
    with_token = {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Authorization": f"Bearer {stack.api.token}"}
    for answer in (friendly.get("/plants", headers=with_token),
                   friendly.post("/plants", headers=with_token, json={"name": "A friend's"}),
                   friendly.get("/plants", headers={"Origin": origin}),
                   friendly.get("/nothing", headers=with_token),
                   friendly.post("/plants", headers=with_token, json={})):
        assert answer.status_code in (200, 201, 401, 404, 422)
        shown = cors(answer)
        assert shown["access-control-allow-origin"] == origin, "errors have to be readable, too"
        assert "access-control-allow-credentials" not in shown
        assert {"x-correlation-id", "retry-after"} <= set(shown["access-control-expose-headers"].lower().split(", "))
        assert answer.headers["Vary"] == "Origin"


def test_a_script_without_a_page_gets_an_answer_that_caches_can_keep_apart(friendly):
    answer = friendly.get("/openapi.json")
    assert cors(answer) == {} and answer.headers["Vary"] == "Origin"


def test_signing_in_from_a_friends_page_gives_that_page_no_cookie_to_use(friendly, member):
    answer = log_in(friendly, member.email, member.password, headers={"Origin": FRIEND})
    assert "access-control-allow-credentials" not in cors(answer)
    if answer.status_code == 200:
        assert "SameSite=Strict" in answer.headers["Set-Cookie"] and COOKIE not in answer.text


@pytest.mark.parametrize("origins", ["*", "https://friend.example/", "https://friend.example/path", "friend.example",
                                     "null", f"{FRIEND},*", "ftp://friend.example", "https://"])
def test_what_is_no_origin_cannot_be_set(stack, origins):
    done = stack.program("serve", CORS_ORIGINS=origins)
    assert done.returncode == 78
    assert "CORS_ORIGINS" in done.stderr and "friend.example" not in done.stdout + done.stderr
