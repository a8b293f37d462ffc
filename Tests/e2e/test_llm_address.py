"""Where a language model may be asked, and that a key goes to nobody but the server it was given for."""

import json
import socket

import pytest

from support.api import assert_problem
from support.care import SETTINGS, analyze, ask, said, settings, use
from support.llm import MODELS, PROVIDERS, Models, Redirect, Said, advice

KEY = "sk-test-0123456789abcdef"
PUBLIC = "https://93.184.215.14/v1"


@pytest.fixture
def plant(advised):
    return advised.api.plant()["id"]


@pytest.fixture(params=PROVIDERS)
def provider(request):
    return request.param


def put(stack, **body):
    return stack.api.put(SETTINGS, json=body)


def pointers(answer):
    return sorted(error["pointer"] for error in assert_problem(answer, 422)["errors"])


@pytest.mark.parametrize("url", [
    # What tells a machine in a cloud its credentials, in every spelling.
    "http://169.254.169.254/latest/meta-data", "https://169.254.169.254/", "http://169.254.1.1/", "http://2852039166/",
    "http://0xa9fea9fe/", "http://0251.0376.0251.0376/", "http://169.254.43518/", "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/", "http://[fe80::1]/", "https://[fe80::1]/", "http://[fe80::1%25eth0]/",
    "http://[64:ff9b::a9fe:a9fe]/", "http://[2002:a9fe:a9fe::]/", "http://①⑥⑨.②⑤④.①⑥⑨.②⑤④/", "http://[fd00:ec2::254]/",
    # Nobody in particular.
    "http://0.0.0.0:11434/v1", "http://0/", "http://[::]/", "http://224.0.0.1/", "https://239.255.255.250/", "http://[ff02::1]/",
    "http://255.255.255.255/", "http://240.0.0.1/",
    # A key for everybody on the way.
    "http://93.184.215.14/v1", "http://1.1.1.1/", "http://[2606:4700:4700::1111]/v1",
    # No base of an API at all.
    "https://user:pass@93.184.215.14/v1", "https://user@93.184.215.14/", "http://127.0.0.1@93.184.215.14/", "https://93.184.215.14/v1#part",
    "https://93.184.215.14/v1?key=x", "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:70/", "javascript:alert(1)",
    "//127.0.0.1/x", "/v1", "127.0.0.1:11434", "localhost", "nonsense", "", "http://", "http:///v1", "http://:80/v1",
    "http://127.0.0.1:0/", "http://127.0.0.1:99999/", "http://127.0.0.1:x/", "http://127.0.0.1/\nHost: evil",
    "http://127.0.0.1\\@93.184.215.14/", "http://127.0.0.1/\u0000", "https://93.184.215.14/" + "x" * 5000,
])
def test_where_no_model_is_ever_asked(advised, provider, url):
    answer = put(advised, provider=provider, api_key=KEY, base_url=url)
    assert pointers(answer) == ["/base_url"]
    assert KEY not in answer.text and settings(advised)["provider"] is None


@pytest.mark.parametrize("url, shown", [
    ("https://93.184.215.14/v1", None), ("https://93.184.215.14", None), ("https://[2606:4700:4700::1111]/openai/v1", None),
    ("http://127.0.0.1:11434/v1", None), ("http://127.1.2.3:8080", None), ("http://10.0.0.5:11434/v1", None),
    ("http://172.16.3.4/v1", None), ("http://192.168.1.10:11434/v1", None), ("http://[::1]:8080/v1", None),
    ("http://[fd12:3456::1]:8080/v1", None), ("https://192.168.1.10:8443/v1", None), ("http://localhost:11434/v1", None),
    ("http://127.0.0.1:11434/v1/", "http://127.0.0.1:11434/v1"), ("HTTP://LocalHost:11434/v1", "http://localhost:11434/v1"),
])
def test_a_public_server_by_https_and_one_at_home_by_both(advised, provider, url, shown):
    answer = put(advised, provider=provider, api_key=KEY, base_url=url)
    assert answer.status_code == 200 and answer.json()["base_url"] == (shown or url), answer.text


def test_a_name_of_this_machine_is_asked_with_and_without_a_path(advised, provider, plant):
    """Names are judged when somebody connects: this one leads home."""
    with Models() as server:
        model = server.model(provider, at_root=True)
        for base in (f"http://localhost:{server.port}", f"http://127.0.0.1:{server.port}/v1", f"http://127.0.0.1:{server.port}/"):
            use(advised, model, base_url=base)
            assert advised.api.post(SETTINGS + "/test").json()["ok"] is True, base
        assert analyze(advised, plant)["source"] == provider
        assert len(model.received) == 4 and server.stray == []
        assert model.received[0].headers["Host"] == f"localhost:{server.port}"


@pytest.mark.parametrize("host", [socket.gethostname(), "ip6-localhost", "localhost."])
def test_other_names_of_this_machine_lead_nowhere_else(advised, models, host):
    """Whether or not such a name is known here: the request is for us, or for nobody."""
    model = models.model("openai")
    answer = put(advised, **{**model.settings, "base_url": model.base_url.replace("127.0.0.1", host)})
    if answer.status_code == 200:
        tried = advised.api.post(SETTINGS + "/test", timeout=45)
        assert tried.status_code in (200, 502), tried.text
    else:
        assert pointers(answer) == ["/base_url"]


# A key belongs to the server it was given for.


@pytest.mark.parametrize("change", [
    {"base_url": "https://93.184.215.15/v1"}, {"base_url": "https://93.184.215.14:8443/v1"}, {"base_url": "http://127.0.0.1:443/v1"},
    {"base_url": "http://192.168.1.10/v1"}, {"base_url": None}, {"provider": "anthropic"}, {"base_url": "https://93.184.215.14/other/v1"},
    {"provider": "anthropic", "base_url": PUBLIC}, {"provider": "anthropic", "base_url": None}])
def test_a_key_does_not_follow_to_another_server(advised, change):
    before = advised.api.ok("PUT", SETTINGS, 200, json={"provider": "openai", "base_url": PUBLIC, "api_key": KEY})
    answer = put(advised, **change)
    assert pointers(answer) == ["/api_key"] and "another server" in answer.text and KEY not in answer.text
    assert settings(advised) == before
    shown = put(advised, **change, api_key=None).json()
    assert (shown["api_key_set"], shown["api_key_masked"]) == (False, None)
    # Without one there is nothing to be given away.
    assert put(advised, provider="openai", base_url=PUBLIC).status_code == 200
    assert put(advised, **change).status_code == 200
    assert put(advised, **change, api_key="sk-test-another-one").json()["api_key_masked"] == "…-one"


def test_that_too_is_said_at_once_with_everything_else(advised):
    advised.api.ok("PUT", SETTINGS, 200, json={"provider": "openai", "base_url": PUBLIC, "api_key": KEY})
    assert pointers(put(advised, provider="anthropic", monthly_token_budget=1)) == ["/api_key", "/monthly_token_budget"]


@pytest.mark.parametrize("change", [
    {"base_url": "https://93.184.215.14:443"}, {"provider": "openai", "base_url": PUBLIC},
    {"model": "other"}, {"automatic": False}])
def test_a_key_stays_with_its_server(advised, change):
    advised.api.ok("PUT", SETTINGS, 200, json={"provider": "openai", "base_url": PUBLIC, "api_key": KEY})
    shown = put(advised, **change).json()
    assert (shown["api_key_set"], shown["api_key_masked"]) == (True, "…cdef")


def test_a_new_key_is_used_from_then_on(advised, models, plant):
    model = models.model("openai")
    use(advised, model)
    analyze(advised, plant)
    advised.api.ok("PUT", SETTINGS, 200, json={"api_key": KEY})
    analyze(advised, plant, refresh=True)
    advised.api.ok("PUT", SETTINGS, 200, json={"api_key": None})
    assert analyze(advised, plant, refresh=True)["source"] == "openai"
    assert [request.headers["Authorization"] for request in model.received] == [f"Bearer {model.key}", f"Bearer {KEY}", None]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_nobody_else_is_given_the_key(advised, models, provider, plant, status):
    model = models.model(provider)
    use(advised, model)
    with Models() as elsewhere:
        other = elsewhere.model(provider)
        same = models.model(provider)
        for to in (elsewhere.url + other.path, models.url + same.path):
            model.then(Redirect(to, status))
            plan = analyze(advised, plant, refresh=True)
            assert (plan["source"], plan["model"]) == ("builtin", None) and str(status) in plan["note"]
        assert elsewhere.connections == 0 and same.received == [] and len(model.received) == 2


# What the operator sets.


def test_the_operators_servers_are_asked_when_nothing_else_is_said(advised, models, provider, plant):
    name = f"{provider.upper()}_BASE_URL"
    model = models.model(provider)
    text = advice()
    model.always(Said(text))
    with advised.serve(**{name: model.base_url}, MQTT_CLIENT_ID=f"operator-{provider}") as served:
        served.ready()
        served.api.ok("PUT", SETTINGS, 200, json={"provider": provider, "automatic": False})
        plan = analyze(advised, plant, api=served.api)
        assert (plan["source"], plan["model"], said(plan)) == (provider, MODELS[provider], text), "no key is needed there"
        (request,) = model.received
        assert request.headers["x-api-key"] is request.headers["Authorization"] is None
        served.api.ok("PUT", SETTINGS, 200, json={"api_key": KEY})
        analyze(advised, plant, refresh=True, api=served.api)
        assert model.received[1].key == KEY
        assert name not in served.output() or KEY not in served.output()


def test_the_operator_may_use_servers_that_others_may_not(advised):
    with advised.serve(OPENAI_BASE_URL="http://93.184.215.14:8080/v1", MQTT_CLIENT_ID="operator-plain") as served:
        served.ready()
        for url, status in (("http://93.184.215.14:8080/other", 200), ("http://93.184.215.14/v1", 422),
                            ("http://93.184.215.15:8080/v1", 422)):
            body = {"provider": "openai", "base_url": url}
            assert served.api.put(SETTINGS, json=body).status_code == status, url


@pytest.mark.parametrize("url", ["hush", "ftp://127.0.0.1/hush", "https://user:hush@example.org/", "http://",
                                 "https://example.org/?hush", "https://example.org/#hush", "127.0.0.1:11434/hush"])
@pytest.mark.parametrize("name", ["ANTHROPIC_BASE_URL", "OPENAI_BASE_URL"])
def test_an_operators_address_that_cannot_be_is_said_by_name_and_the_status_is_78(stack, name, url):
    done = stack.program("serve", **{name: url})
    assert done.returncode == 78
    assert name in done.stderr and "hush" not in done.stdout + done.stderr


def test_what_was_set_for_the_operators_server_waits_when_that_is_gone(advised, models, plant):
    """A key that was given for one server is not sent to Anthropic's because a variable is missing."""
    model = models.model("anthropic")
    with advised.serve(ANTHROPIC_BASE_URL="http://93.184.215.14/", MQTT_CLIENT_ID="operator-gone") as served:
        served.ready()
        served.api.ok("PUT", SETTINGS, 200, json={**model.settings, "base_url": "http://93.184.215.14/"})
    answer = ask(advised.api, plant)
    assert (answer.status_code, answer.json()["source"]) == (200, "builtin")
    assert answer.json()["note"] and model.key not in json.dumps(answer.json())
    assert_problem(advised.api.post(SETTINGS + "/test", timeout=45), 502)
