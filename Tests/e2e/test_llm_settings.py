"""Which language model is asked: given, shown, tried and taken away. That nobody reads the key is in test_llm_key.py."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.api import CORRELATION, assert_problem
from support.care import SETTINGS, analyze, settings, use
from support.llm import MODELS, PROVIDERS, SAYS, Answer, Dropped, Failing, Redirect, Said
from support.stack import free_port
from support.times import now_us, parse

KEYS = {"provider", "model", "base_url", "api_key_set", "api_key_masked", "updated_at", "monthly_token_budget", "automatic",
        "usage", "defaults", "last_error"}
USAGE = {"month", "input_tokens", "output_tokens", "requests", "resets_at"}
# Not a name, so that nobody has to be asked for its address; and nothing is sent there.
PUBLIC = "https://93.184.215.14/v1"
KEY = "sk-test-0123456789abcdef"


def put(stack, **body):
    return stack.api.put(SETTINGS, json=body)


def given(stack, **body):
    return stack.api.ok("PUT", SETTINGS, 200, json=body)


def pointers(answer):
    return sorted(error["pointer"] for error in assert_problem(answer, 422)["errors"])


def try_out(stack, api=None):
    return (api or stack.api).post(SETTINGS + "/test", timeout=45)


@pytest.fixture(params=PROVIDERS)
def model(request, models):
    return models.model(request.param)


# Given, shown, changed and taken away.


def test_without_settings_there_is_no_model(advised):
    shown = settings(advised)
    assert shown.keys() == KEYS and shown["usage"].keys() == USAGE
    assert {key: shown[key] for key in ("provider", "model", "base_url", "api_key_set", "api_key_masked", "updated_at",
                                        "last_error")} == {
        "provider": None, "model": None, "base_url": None, "api_key_set": False, "api_key_masked": None, "updated_at": None,
        "last_error": None}
    assert shown["defaults"] == MODELS
    assert [shown["usage"][name] for name in ("input_tokens", "output_tokens", "requests")] == [0, 0, 0]
    assert parse(shown["usage"]["resets_at"]) > now_us()


def test_what_is_not_said_is_as_described(advised):
    shown = given(advised, provider="anthropic", api_key=KEY)
    assert shown.keys() == KEYS
    assert (shown["provider"], shown["model"], shown["base_url"], shown["api_key_set"], shown["api_key_masked"]) == (
        "anthropic", None, None, True, "…cdef")
    assert (shown["monthly_token_budget"], shown["automatic"], shown["last_error"]) == (500_000, True, None)
    assert abs(parse(shown["updated_at"]) - now_us()) < 60_000_000
    assert settings(advised) == shown


def test_settings_come_back_as_they_were_given_but_masked(advised):
    answer = put(advised, provider="openai", model="llama3.2:3b ü", base_url="http://127.0.0.1:11434/v1", api_key=KEY,
                 monthly_token_budget=1000, automatic=False)
    shown = answer.json()
    assert (answer.status_code, shown["provider"], shown["model"], shown["base_url"]) == (
        200, "openai", "llama3.2:3b ü", "http://127.0.0.1:11434/v1")
    assert (shown["monthly_token_budget"], shown["automatic"], shown["api_key_masked"]) == (1000, False, "…cdef")
    assert KEY not in answer.text and KEY not in advised.api.get(SETTINGS).text


def test_absent_fields_stay_and_null_clears(advised):
    made = given(advised, provider="openai", model="m", base_url=PUBLIC, api_key=KEY, monthly_token_budget=5000, automatic=False)
    changed = given(advised, model="other")
    assert {**changed, "updated_at": 0} == {**made, "model": "other", "updated_at": 0}
    assert parse(changed["updated_at"]) > parse(made["updated_at"])
    changed = given(advised, model=None, monthly_token_budget=None, automatic=None, api_key=None)
    assert (changed["model"], changed["monthly_token_budget"], changed["base_url"]) == (None, None, PUBLIC)
    assert (changed["api_key_set"], changed["api_key_masked"]) == (False, None)
    assert given(advised, base_url=None)["base_url"] is None


@pytest.mark.parametrize("key, masked", [("k", "…"), ("x" * 11, "…"), ("abcdefghwxyz", "…wxyz"), ("~" * 500, "…~~~~")])
def test_a_short_key_shows_nothing_of_itself(advised, key, masked):
    shown = given(advised, provider="openai", base_url=PUBLIC, api_key=key)
    assert (shown["api_key_set"], shown["api_key_masked"]) == (True, masked)


GOOD = {"provider": "openai", "base_url": PUBLIC, "api_key": KEY}


@pytest.mark.parametrize("change, wrong", [
    ({"provider": None}, ["/provider"]), ({"provider": "mistral"}, ["/provider"]), ({"provider": "OpenAI"}, ["/provider"]),
    ({"provider": "builtin"}, ["/provider"]), ({"provider": 1}, ["/provider"]), ({"model": ""}, ["/model"]),
    ({"model": "x" * 201}, ["/model"]), ({"model": 7}, ["/model"]), ({"base_url": ""}, ["/base_url"]),
    ({"base_url": 7}, ["/base_url"]), ({"api_key": ""}, ["/api_key"]), ({"api_key": 7}, ["/api_key"]),
    ({"api_key": "x" * 501}, ["/api_key"]), ({"api_key": "two\nlines of it"}, ["/api_key"]),
    ({"api_key": "sk-test-\u00fc-0123"}, ["/api_key"]), ({"api_key": "sk\x00test-0123456"}, ["/api_key"]),
    ({"monthly_token_budget": 999}, ["/monthly_token_budget"]),
    ({"monthly_token_budget": 1_000_000_001}, ["/monthly_token_budget"]),
    ({"monthly_token_budget": "many"}, ["/monthly_token_budget"]),
    ({"monthly_token_budget": 1000.5}, ["/monthly_token_budget"]),
    ({"automatic": "yes"}, ["/automatic"]),
    ({"provider": "x", "model": 1, "base_url": "x", "api_key": 2, "monthly_token_budget": 3, "automatic": 4},
     ["/api_key", "/automatic", "/base_url", "/model", "/monthly_token_budget", "/provider"]),
])
def test_settings_that_cannot_be_are_refused_with_every_reason(advised, change, wrong):
    answer = put(advised, **{**GOOD, **change})
    assert pointers(answer) == wrong and "sk-test" not in answer.text and "lines of" not in answer.text
    assert settings(advised)["provider"] is None
    made = given(advised, **GOOD)
    assert pointers(put(advised, **change)) == wrong
    assert settings(advised) == made


def test_somebody_has_to_be_named_first(advised):
    assert pointers(put(advised)) == pointers(put(advised, api_key=KEY, model="m")) == ["/provider"]
    assert_problem(advised.api.put(SETTINGS, data="{", headers={"Content-Type": "application/json"}), 400)


def test_only_members_see_and_change_the_settings(advised, models):
    viewer, member = (advised.api.as_(advised.make_token(role)) for role in ("viewer", "member"))
    model = models.model("openai")
    for api, status in ((viewer, 403), (advised.stranger, 401)):
        for method, path in (("GET", SETTINGS), ("PUT", SETTINGS), ("DELETE", SETTINGS), ("POST", SETTINGS + "/test")):
            assert_problem(api.request(method, path, json=model.settings), status)
    assert member.ok("PUT", SETTINGS, 200, json=model.settings)["provider"] == "openai"
    assert member.ok("POST", SETTINGS + "/test", 200)["ok"] is True
    member.ok("DELETE", SETTINGS, 204)
    assert len(model.received) == 1


def test_settings_that_are_taken_away_are_gone_and_plans_stay(advised, models, plant_of_advised):
    use(advised, models.model("openai"))
    plan = analyze(advised, plant_of_advised)
    assert plan["source"] == "openai"
    usage = settings(advised)["usage"]
    advised.api.ok("DELETE", SETTINGS, 204)
    shown = settings(advised)
    assert (shown["provider"], shown["base_url"], shown["api_key_set"], shown["usage"]) == (None, None, False, usage)
    assert advised.api.ok("GET", f"/plants/{plant_of_advised}/care-plan")["id"] == plan["id"]
    assert advised.value("SELECT count(*) FROM llm_settings") == 0
    advised.api.ok("DELETE", SETTINGS, 204)
    anew = analyze(advised, plant_of_advised)
    assert (anew["source"], anew["note"], anew["cached"]) == ("builtin", None, False)


@pytest.fixture
def plant_of_advised(advised):
    return advised.api.plant()["id"]


def test_who_changes_it_at_once_does_not_mix_it_up(advised, models):
    """A key stays with the address it came with, whoever comes first."""
    candidates = [models.model(provider) for provider in PROVIDERS * 5]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda one: put(advised, **one.settings), candidates))
    assert [answer.status_code for answer in answers] == [200] * 10
    assert advised.value("SELECT count(*) FROM llm_settings") == 1
    assert try_out(advised).json()["ok"] is True
    ((request, asked),) = [(one.received[0], one) for one in candidates if one.received]
    assert request.key == asked.key and settings(advised)["base_url"] == asked.base_url


# Tried.


def test_a_model_that_answers_is_told_of_with_how_long_that_took(advised, model):
    use(advised, model)
    for api, name in ((advised.api, None), (advised.web, "my-model")):
        given(advised, model=name)
        answer = try_out(advised, api).json()
        assert answer.keys() == {"ok", "model", "milliseconds"}
        assert (answer["ok"], answer["model"]) == (True, name or MODELS[model.provider]) and 0 <= answer["milliseconds"] < 30_000
    first, second = model.received
    assert (first.json["model"], second.json["model"]) == (MODELS[model.provider], "my-model")
    assert first.key == model.key and first.most_tokens <= 16 and len(first.body) < 2000
    usage = settings(advised)["usage"]
    assert (usage["requests"], usage["input_tokens"], usage["output_tokens"]) == (2, 2400, 600)


@pytest.mark.parametrize("answer, word", [
    (Failing(401), "401"), (Failing(403), "403"), (Failing(404), "404"), (Failing(429, Retry_After=7), "429"),
    (Failing(500), "500"), (Failing(529), "529"), (Redirect("/elsewhere", 302), "302"), (Answer(200, b"<html>Hello"), ""),
    (Answer(200, {"hello": "world"}), ""), (Dropped(), "")],
    ids=["401", "403", "404", "429", "500", "529", "302", "html", "other", "dropped"])
def test_a_model_that_does_not_answer_well_is_told_of_with_why(advised, model, answer, word):
    use(advised, model)
    model.always(answer)
    said = try_out(advised)
    problem = assert_problem(said, 502)
    assert word in problem["detail"] and len(problem["detail"]) > 20
    assert SAYS not in said.text and model.key not in said.text
    assert len(model.received) == 1
    if answer.status in (401, 403):
        assert "key" in problem["detail"].lower()
    if answer.status == 404:
        assert "model" in problem["detail"].lower()
    # And then it does.
    model.always(Said())
    assert try_out(advised).json()["ok"] is True


def test_where_nobody_listens_is_told_of(advised, models):
    port = free_port()
    given(advised, provider="openai", base_url=f"http://127.0.0.1:{port}/v1")
    assert str(port) in assert_problem(try_out(advised), 502)["detail"]


def test_without_a_model_there_is_nothing_to_try(advised):
    assert_problem(try_out(advised), 409)
    # Who has no key is not let in at Anthropic's or OpenAI's own, and need not ask.
    for provider in PROVIDERS:
        given(advised, provider=provider)
        assert_problem(try_out(advised), 409)
        assert settings(advised)["usage"]["requests"] == 0


# Written down.


def test_what_is_done_to_the_settings_is_in_the_audit_log_without_the_key(advised, models):
    def line(answer, action):
        entries = advised.api.ok("GET", "/audit?limit=100")["entries"]
        (found,) = [entry for entry in entries if entry["correlation_id"] == answer.headers[CORRELATION]]
        assert found["action"] == action
        assert model.key not in json.dumps(entries) and model.key[8:30] not in json.dumps(entries)
        return found

    model = models.model("anthropic")
    found = line(put(advised, **model.settings), "llm.update")
    assert "anthropic" in json.dumps(found["details"])
    found = line(put(advised, model="another-model", api_key="sk-test-" + "n" * 20), "llm.update")
    assert "another-model" in json.dumps(found["details"]) and "nnnn" not in json.dumps(found)
    line(try_out(advised), "llm.test")
    line(advised.api.delete(SETTINGS), "llm.delete")


def test_settings_survive_a_restart(advised, model):
    before = use(advised, model, model="kept")
    advised.restart("backend")
    advised.ready()
    assert settings(advised) == before
    assert try_out(advised).json()["model"] == "kept"
    assert [request.key for request in model.received] == [model.key]
