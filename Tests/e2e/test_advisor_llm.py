"""Care plans that a language model writes: how it is asked, what is made of its answer, and what when there is none."""

import json
import re
from datetime import date, timedelta

import pytest

from support.care import added, analyze, evidence, measured_pot, plan_of, plans_of, said, settings, use
from support.llm import MODELS, PROVIDERS, SAYS, Answer, Dropped, Failing, Huge, Said, advice
from support.stack import free_port
from support.times import now_us, parse


@pytest.fixture(params=PROVIDERS)
def model(request, advised, models):
    """Asked from now on."""
    model = models.model(request.param)
    use(advised, model)
    return model


@pytest.fixture
def pot(advised):
    return measured_pot(advised)


# Asked.


def test_what_the_model_says_is_the_plan(advised, model, pot):
    text = advice()
    model.always(Said(text))
    plan = analyze(advised, pot.id)
    assert said(plan) == text
    assert (plan["source"], plan["model"], plan["note"], plan["cached"]) == (
        model.provider, MODELS[model.provider], None, False)
    assert (plan["reason"], plan["changes"], plan["feedback"]) == ("requested", [], [])
    assert evidence(plan)["soil_moisture.now"]["value"] == 45
    assert {**plan_of(advised, pot.id), "cached": False} == plan
    assert settings(advised)["last_error"] is None


def test_how_it_is_asked(advised, model, pot):
    plan = analyze(advised, pot.id)
    (request,) = model.received
    body = request.json
    assert request.method == "POST" and request.path == model.path
    assert request.headers["Content-Type"].split(";")[0] == "application/json"
    assert re.fullmatch(r"PlantOps/\S+", request.headers["User-Agent"])
    assert body["model"] == MODELS[model.provider] and request.most_tokens == 2000
    assert not body.get("stream") and "temperature" not in body and model.key not in request.body.decode()
    assert len(request.body) < 60_000
    if model.provider == "anthropic":
        assert (request.headers["x-api-key"], request.headers["anthropic-version"]) == (model.key, "2023-06-01")
        assert request.headers["Authorization"] is None
        (tool,) = body["tools"]
        assert tool["name"] == "care_plan" and body["tool_choice"] == {"type": "tool", "name": "care_plan"}
        schema = tool["input_schema"]
    else:
        assert request.headers["Authorization"] == f"Bearer {model.key}" and request.headers["x-api-key"] is None
        assert body["response_format"]["type"] == "json_schema" and body["response_format"]["json_schema"]["strict"] is True
        schema = body["response_format"]["json_schema"]["schema"]
    assert set(schema["required"]) == set(schema["properties"]) == set(advice()) and schema["additionalProperties"] is False
    assert schema["properties"]["watering"]["required"] and request.system and request.user
    # What it may rest on is what is shown as evidence.
    for fact in plan["evidence"]:
        assert json.dumps(fact["id"]) in request.user.replace('\\"', '"'), fact["id"]
    # And nothing of the house's people.
    for private in (advised.settings["PLANTOPS_ADMIN_EMAIL"], pot.device.id, pot.device.mac, pot.id):
        assert private not in request.body.decode()


def test_a_model_of_ones_own_choice(advised, model, pot):
    use(advised, model, model="qwen3:8b-q4_K_M")
    plan = analyze(advised, pot.id)
    assert (plan["model"], model.received[0].json["model"]) == ("qwen3:8b-q4_K_M", "qwen3:8b-q4_K_M")


def test_the_same_input_is_not_asked_for_again_unless_that_is_wanted(advised, model, pot):
    first = analyze(advised, pot.id)
    assert {**analyze(advised, pot.id), "cached": False} == first and len(model.received) == 1
    anew = analyze(advised, pot.id, refresh=True)
    assert anew["id"] != first["id"] and len(model.received) == 2
    pot.tell(soil_moisture=12)
    changed = analyze(advised, pot.id)
    assert changed["cached"] is False and len(model.received) == 3 and changed["changes"]
    # Another model may see it otherwise.
    use(advised, model, model="other")
    assert analyze(advised, pot.id)["model"] == "other"
    assert analyze(advised, pot.id)["cached"] is True and len(model.received) == 4


def test_a_server_that_knows_no_response_format_is_asked_without(advised, models, pot):
    for status in (400, 422):
        model = models.model("openai")
        model.then(Failing(status))
        use(advised, model)
        plan = analyze(advised, pot.id, refresh=True)
        assert plan["source"] == "openai" and plan["note"] is None
        first, second = model.received
        assert "response_format" in first.json and "response_format" not in second.json
        assert second.user.startswith(first.user[:200]) and second.most_tokens == 2000
    model.refuses_formats = True
    model.always(Said("```json\n" + json.dumps(advice()) + "\n```"))
    assert analyze(advised, pot.id, refresh=True)["source"] == "openai"
    # That was the second time, and there is no third.
    model.always(Said("What a lovely plant!"))
    before = len(model.received)
    plan = analyze(advised, pot.id, refresh=True)
    assert plan["source"] == "builtin" and plan["note"] and len(model.received) == before + 2


# Answers that are good in another way.


@pytest.mark.parametrize("wrapped", [
    "%s", "```json\n%s\n```", "```\n%s\n```\n", "Here is the plan:\n\n```json\n%s\n```\nGood luck!", "  \n%s\n "])
def test_json_is_taken_out_of_what_is_around_it(advised, model, pot, wrapped):
    text = advice()
    model.always(Said(wrapped % json.dumps(text, indent=2)))
    assert said(analyze(advised, pot.id)) == text and len(model.received) == 1


def test_what_is_said_is_made_one_line_without_control_characters(advised, model, pot):
    model.always(Said(advice(summary=" Two\nlines\u0007 \u001b[31mof\u0000 it\u2028. ", tips=["a\r\nb", "c"])))
    plan = analyze(advised, pot.id)
    assert plan["source"] == model.provider
    shown = json.dumps([plan["summary"], plan["tips"]], ensure_ascii=False)
    assert not re.search(r"[\x00-\x1f\x7f\u2028]|\\[nru]", shown) and "Two lines" in plan["summary"] and "a b" in plan["tips"]


# Answers that are not.


def without(name):
    return {key: value for key, value in advice().items() if key != name}


def watering(**changes):
    return advice(watering={**advice()["watering"], **changes})


WRONG = {
    "half": (json.dumps(advice())[:200], None), "words": ("I cannot help with that.", None), "nothing": ("", None),
    "list": ("[]", None), "number": (advice(summary=7), "summary"), "text for a list": (advice(tips="Water it."), "tips"),
    "numbers in a list": (advice(alerts=[1, 2]), "alerts"), "missing": (without("humidity"), "humidity"),
    "inner missing": (advice(light={"current": "x", "ideal": "y"}), "recommendation"),
    "list for an object": (advice(temperature=[]), "temperature"), "null": (advice(summary=None), "summary"),
    "no date": (watering(next_date="tomorrow"), "next_date"), "no such day": (watering(next_date="2026-02-30"), "next_date"),
    "long ago": (watering(next_date="2001-01-01"), "next_date"),
    "too far ahead": (watering(next_date=(date.today() + timedelta(days=120)).isoformat()), "next_date"),
}


@pytest.mark.parametrize("wrong, named", WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_asked_for_once_more_with_what_was_wrong(advised, model, pot, wrong, named):
    text = advice()
    model.then(Said(wrong), Said(text))
    plan = analyze(advised, pot.id)
    assert said(plan) == text and (plan["source"], plan["note"]) == (model.provider, None)
    told = added(*model.received)
    assert told.strip() and (named is None or named in told), told


def test_all_that_is_wrong_is_said_at_once(advised, model, pot):
    model.then(Said(advice(summary=1, tips=2, light=3)))
    analyze(advised, pot.id)
    told = added(*model.received)
    assert "summary" in told and "tips" in told and "light" in told and "humidity" not in told


@pytest.mark.parametrize("answer", [
    Said("Not what was asked for."), Said(stop="max_tokens"), Answer(200, b"<html>Hello</html>"), Answer(200, b""),
    Answer(200, {"hello": "world"}), Answer(200, {"content": [], "choices": []}), Answer(200, [1]),
    Answer(200, {"content": "x", "choices": {"0": 1}}), Answer(200, b'{"content": [{"type": "tool_use", "input": {"summ'),
    Answer(200, b'{"choices": [{"message": {"content": "\xff\xfe"}}]}')],
    ids=["words", "cut", "html", "empty", "other", "none", "list", "types", "half", "bytes"])
def test_after_two_wrong_answers_the_plan_is_built_in_and_says_why(advised, model, pot, answer):
    model.always(answer)
    plan = analyze(advised, pot.id)
    assert (plan["source"], plan["model"]) == ("builtin", None) and len(plan["note"]) > 20
    assert len(model.received) == 2 and model.key not in json.dumps(plan)
    # It is no answer to whom asks again.
    model.always(Said())
    plan = analyze(advised, pot.id)
    assert (plan["source"], plan["note"], plan["cached"]) == (model.provider, None, False)
    assert plans_of(advised, pot.id)["total"] == 2


# No answer.


@pytest.mark.parametrize("answer, told", [
    (Failing(401), "401"), (Failing(403), "403"), (Failing(404), "404"), (Failing(413), "413"),
    (Failing(429, Retry_After=120), "429"), (Failing(429, Retry_After="soon"), "429"), (Failing(500), "500"),
    (Failing(503, Retry_After=30), "503"), (Failing(529), "529"), (Dropped(), "")],
    ids=["401", "403", "404", "413", "429", "429-soon", "500", "503", "529", "dropped"])
def test_a_refusal_gives_the_built_in_plan_and_says_what_to_do(advised, model, pot, answer, told):
    model.always(answer)
    plan = analyze(advised, pot.id)
    assert len(model.received) == 1, "asked once"
    assert (plan["source"], plan["model"]) == ("builtin", None)
    assert told in plan["note"] and len(plan["note"]) > 20
    everything = json.dumps([plan, plan_of(advised, pot.id), plans_of(advised, pot.id), settings(advised)])
    assert SAYS not in everything and model.key not in everything
    if told in ("401", "403"):
        assert "key" in plan["note"].lower()
    if told == "404":
        assert "model" in plan["note"].lower()
    error = settings(advised)["last_error"]
    assert error.keys() == {"at", "text"} and told in error["text"] and abs(parse(error["at"]) - now_us()) < 60_000_000
    # Who asks again is not held up by it.
    model.always(Said())
    plan = analyze(advised, pot.id)
    assert (plan["source"], plan["note"], plan["cached"]) == (model.provider, None, False)
    assert settings(advised)["last_error"] is None


def test_where_nobody_listens_the_plan_is_built_in(advised, model, pot):
    port = free_port()
    use(advised, model, base_url=f"http://127.0.0.1:{port}/v1")
    plan = analyze(advised, pot.id)
    assert plan["source"] == "builtin" and len(plan["note"]) > 20 and model.received == []


def test_who_has_no_key_is_not_let_in_at_the_providers_own_and_does_not_ask(advised, pot):
    for provider in PROVIDERS:
        advised.api.ok("PUT", "/settings/llm", 200, json={"provider": provider, "base_url": None, "automatic": False})
        plan = analyze(advised, pot.id)
        assert (plan["source"], plan["note"]) == ("builtin", None), "nothing is wrong"
        assert settings(advised)["usage"]["requests"] == 0


@pytest.mark.parametrize("status, chunked", [(200, False), (200, True), (500, False), (401, True)])
def test_an_answer_of_ten_megabytes_is_not_read(advised, model, pot, status, chunked):
    model.always(Huge(status=status, chunked=chunked))
    before = advised.memory()
    plan = analyze(advised, pot.id)
    assert plan["source"] == "builtin" and plan["note"]
    assert 1 <= len(model.received) <= (2 if status == 200 else 1)
    for request in model.received:
        assert request.hung_up.wait(10), "the connection was closed"
        assert request.sent < 8_000_000
    assert advised.memory() - before < 30_000_000
