"""Answers of a language model's server as nobody would send them who means well: the program stays as it is."""

import json
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from support.care import analyze, measured_pot, said, use
from support.llm import PROVIDERS, Answer, Failing, Said, advice


@pytest.fixture(params=PROVIDERS)
def model(request, advised, models):
    model = models.model(request.param)
    use(advised, model)
    return model


@pytest.fixture
def pot(advised):
    return measured_pot(advised)


@pytest.fixture
def one_model(advised, models):
    """Of either provider: HTTP is the same to both."""
    model = models.model("openai")
    use(advised, model)
    return model


def raw(text):
    """A plan with this JSON, as it stands, for its summary."""
    return json.dumps(advice(summary="HERE")).replace('"HERE"', text)


def nested(depth):
    return '{"summary": ' + "[" * depth + "]" * depth + "}"


class Bare(Answer):
    """Bytes instead of an HTTP answer."""

    def send(self, handler, request):
        handler.close_connection = True
        handler.wfile.write(self.body)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize("answer", [
    Said(nested(500)), Said(nested(100_000)), Said("[" * 200_000), Said("{" * 200_000), Said('{"summary": ' * 20_000),
    Answer(200, b"[" * 250_000), Answer(200, b'{"content":' * 20_000), Answer(200, b'{"content": 1e999, "choices": -1e999}'),
    Said(raw("1e999")), Said(raw("NaN")), Said(raw("99999999999999999999999999")), Said(raw('"' + "x" * 100_000 + '"')),
    Said(advice(tips=["x"] * 20_000)), Said(advice(alerts=["y" * 50_000])), Said(advice(light=[[[]]], tips={})),
    Answer(200, {"content": [None, 1, "x", [], {}], "choices": [None]}), Answer(200, {"content": [{}] * 5000, "choices": []}),
    Answer(200, {"choices": [{"message": {"content": [{"text": 7}]}}], "content": [{"type": "text", "text": 7}]}),
    Answer(204), Answer(206, b"{"), Answer(299, b"")],
    ids=["nested", "deeply", "lists", "objects", "unended", "body-lists", "body-objects", "body-numbers", "infinite", "nan",
         "large", "long", "many", "long-item", "types", "odd", "blocks", "inner", "204", "206", "299"])
def test_what_is_no_plan_gives_the_built_in_one(advised, model, pot, answer):
    model.always(answer)
    plan = analyze(advised, pot.id)
    assert (plan["source"], plan["model"]) == ("builtin", None) and plan["note"]
    assert 1 <= len(model.received) <= 2
    model.always(Said())
    assert analyze(advised, pot.id)["source"] == model.provider, "and is no reason not to ask again"


@pytest.mark.parametrize("answer", [
    Bare(body=b"hello\r\n\r\n"), Bare(body=b""), Bare(body=b"\x00" * 1000), Bare(body=b"HTTP/1.1 999 What\r\n\r\n"),
    Bare(body=b"HTTP/1.1 200 OK\r\nX: " + b"y" * 500_000 + b"\r\n\r\n{}"),
    Bare(body=b"HTTP/1.1 200 OK\r\n" + b"X-Y: z\r\n" * 50_000 + b"\r\n{}"), Bare(body=b"HTTP/1.1 100 Continue\r\n\r\n" * 2000),
    Bare(body=HEAD + b"Content-Length: 5\r\nContent-Length: 7\r\n\r\n{}"), Bare(body=HEAD + b"Content-Length: -1\r\n\r\n{}"),
    Bare(body=HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n{}"), Bare(body=HEAD + b"Content-Length: 500\r\n\r\n{"),
    Bare(body=HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}"),
    Bare(body=HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}"), Bare(body=HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08"),
    Bare(body=b"SSH-2.0-OpenSSH_9.2\r\n"), Bare(body=b"\x16\x03\x01\x02\x00\x01\x00")],
    ids=["text", "nothing", "zeros", "999", "long-header", "many-headers", "continue", "two-lengths", "negative", "overflow",
         "short", "chunk-overflow", "chunk-nonsense", "gzip", "ssh", "tls"])
def test_what_is_no_http_gives_the_built_in_plan(advised, one_model, pot, answer):
    one_model.always(answer)
    plan = analyze(advised, pot.id)
    assert plan["source"] == "builtin" and plan["note"] and "\n" not in plan["note"]
    one_model.always(Said())
    assert analyze(advised, pot.id)["source"] == one_model.provider


@pytest.mark.parametrize("seconds", [-5, "1e300", "nan", "inf", "-inf", 10**30, "Sun, 06 Nov 1994 08:49:37 GMT",
                                     "Fri, 31 Dec 9999 23:59:59 GMT", "", "soon", "9" * 5000])
def test_whatever_it_wants_waited_for(advised, one_model, pot, seconds):
    one_model.always(Failing(429, Retry_After=seconds))
    plan = analyze(advised, pot.id)
    assert plan["source"] == "builtin" and "429" in plan["note"] and len(plan["note"]) < 300
    one_model.always(Said())
    assert analyze(advised, pot.id)["source"] == one_model.provider


@pytest.mark.parametrize("text", ['"\\ud800 half a character"', '"\\udc00\\ud800"', '"\\ufeff\\u200b\\u202e reversed"',
                                  '"\U0001F331 \\ud83c\\udf31"', '"\\u0000\\u0001 null"'])
def test_strange_characters_are_kept_out_or_shown(advised, model, pot, text):
    model.always(Said(raw(text)))
    plan = analyze(advised, pot.id)
    assert plan["source"] in (model.provider, "builtin")
    shown = plan["summary"].encode("utf-8").decode()
    assert not [one for one in shown if ord(one) < 32]
    assert said(advised.api.ok("GET", f"{pot.path}/care-plan"))["summary"] == plan["summary"]


def test_days_are_those_of_the_place(advised, model, pot):
    """Somewhere it is always another day than in Greenwich."""
    now = datetime.now(timezone.utc)
    zone = "Pacific/Kiritimati" if now.hour >= 10 else "Pacific/Pago_Pago"
    today = now.astimezone(ZoneInfo(zone)).date()
    assert today != now.date()
    advised.api.ok("PUT", "/settings/alerts", 200, json={"time_zone": zone})
    try:
        for days, taken in ((-1, False), (0, True), (90, True), (91, False)):
            text = advice(watering={**advice()["watering"], "next_date": (today + timedelta(days)).isoformat()})
            model.always(Said(text))
            plan = analyze(advised, pot.id, refresh=True)
            assert (plan["source"] == model.provider) is taken, (days, plan["note"])
            assert not taken or plan["watering"] == text["watering"]
    finally:
        advised.api.ok("PUT", "/settings/alerts", 200, json={"time_zone": "UTC"})


def test_two_answers_at_once_are_not_the_next_one(advised, model, pot):
    """What comes behind an answer belongs to nobody: each question has a connection of its own."""
    good = json.dumps(getattr(Said(), model.provider)(FakeRequest)).encode()
    evil = json.dumps(getattr(Said(advice(summary="Not asked for.")), model.provider)(FakeRequest)).encode()
    model.then(Bare(body=b"".join(
        HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in (good, evil))))
    assert analyze(advised, pot.id)["source"] == model.provider
    plan = analyze(advised, pot.id, refresh=True)
    assert plan["source"] == model.provider and plan["summary"] != "Not asked for."
    assert len(model.received) == 2


class FakeRequest:
    json = {"model": "m"}
