"""A language model's key is looked for in all places where it must not be, and goes with the encryption key."""

import json
import re
import secrets
import subprocess

import pytest
import requests

from support.api import assert_problem
from support.care import SETTINGS, Caller, analyze, ask, dump, logs, measured_pot, settings, traces, use
from support.llm import PROVIDERS, SAYS, Answer, Dropped, Failing, Hanging, Redirect, Said
from support.people import tables_with


def assert_nowhere(text, *keys):
    for key in keys:
        assert traces(text, key) == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_key_is_nowhere_in_the_clear(advised, models, provider):
    model = models.model(provider)
    pot = measured_pot(advised)
    told = []

    def ask_for(method, path, api=None, **options):
        answer = (api or advised.api).request(method, path, timeout=45, **options)
        told.append(answer.text + str(answer.headers))
        return answer

    use(advised, model)
    for answer in (Said(), Failing(401), Failing(400), Failing(429, Retry_After=1), Failing(500), Redirect(f"/?{model.key}"),
                   Redirect(f"http://{model.key}.invalid/"), Dropped(), Said(f"your key is {model.key}"), Answer(200, b"{"),
                   Answer(200, model.key.encode(), {"X-Key": model.key}), Answer(401, model.key.encode()),
                   Answer(200, b"", {"Content-Type": model.key})):
        model.always(answer)
        ask_for("POST", f"/plants/{pot.id}/analyze", json={"refresh": True})
        ask_for("POST", SETTINGS + "/test")
        ask_for("GET", SETTINGS)
    for api in (advised.api, advised.web):
        for path in (SETTINGS, f"/plants/{pot.id}", f"/plants/{pot.id}/care-plan", f"/plants/{pot.id}/care-plans",
                     "/audit?limit=500", "/health", "/openapi.json", "/system/storage", "/channels", "/settings/alerts"):
            ask_for("GET", path, api)
    ask_for("GET", "/health", advised.stranger)
    # What is refused is not repeated either.
    for body in ({"api_key": model.key + "\n"}, {"api_key": model.key, "provider": model.key}, {"model": 1, "api_key": model.key},
                 {"api_key": [model.key]}, {"api_key": {"x": model.key}}, {"base_url": f"ftp://{model.key}/"},
                 {"base_url": f"https://{model.key}@example.org/"}, {"monthly_token_budget": model.key}):
        assert_problem(ask_for("PUT", SETTINGS, json=body), 422)
    for data in ('{"api_key": "' + model.key, f"api_key={model.key}", '{"' + model.key + '": 1'):
        assert ask_for("PUT", SETTINGS, data=data, headers={"Content-Type": "application/json"}).status_code == 400
    ask_for("PUT", SETTINGS, data=f"api_key={model.key}", headers={"Content-Type": "text/plain"})
    # Somebody leaves in the middle of it.
    hanging, asked = model.always(Hanging()), len(model.received)
    caller = Caller(advised.api, pot.id, refresh=True)
    request = model.wait_for(asked + 1)[asked]
    caller.hang_up()
    assert request.hung_up.wait(10)
    hanging.release()
    told.append(requests.get(advised.api.base + "/metrics", timeout=20).text)
    log, database = logs(advised), dump(advised)
    assert settings(advised)["api_key_masked"] == "…" + model.key[-4:]
    assert '"llm.update"' in "".join(told) and "llm_settings" in database and pot.id in log, "there is something to look in"
    for text in (*told, log, database):
        assert_nowhere(text, model.key)
        assert SAYS not in text, "nor what a server said that refused"
    for request in model.received:
        assert_nowhere(request.body.decode(), model.key)
        assert request.key == model.key
    assert tables_with(advised, model.key) == []


def test_no_key_of_any_test_is_in_the_logs_or_in_the_database(advised, models):
    """Whatever was run before: one does not have to have thought of it."""
    model = models.model("anthropic")
    use(advised, model)
    for text in (logs(advised), dump(advised), json.dumps(advised.api.ok("GET", "/audit?limit=500"))):
        for key in models.keys:
            assert not [form for form in (key, key.encode().hex()) if form in text]


def test_nobody_sees_it_among_the_processes(advised, models):
    model = models.model("openai")
    use(advised, model)
    pid = advised.pid("backend")
    for name in ("cmdline", "environ"):
        assert model.key.encode() not in open(f"/proc/{pid}/{name}", "rb").read()
    assert model.key not in subprocess.run(["ps", "axww"], capture_output=True, text=True).stdout


def test_it_is_sealed_and_goes_with_the_encryption_key(advised, models):
    model = models.model("anthropic")
    use(advised, model)
    plant = advised.api.plant()["id"]
    key = advised.home / "secrets" / "ENCRYPTION_KEY"
    old = key.read_text().strip()

    def restart(old_keys):
        advised.environment["ENCRYPTION_KEYS_OLD"] = old_keys
        advised.restart("backend")
        advised.ready()
        advised._environ = None

    def works():
        before = len(model.received)
        plan = analyze(advised, plant, refresh=True)
        assert (plan["source"], model.received[before].key) == ("anthropic", model.key)

    def rotate():
        done = advised.program("keys", "rotate")
        assert_nowhere(done.stdout + done.stderr, model.key)
        counts = {column: (int(anew), int(current), int(lost)) for column, anew, current, lost in re.findall(
            r"^(\S+): (\d+) sealed anew, (\d+) were under the current key, (\d+) cannot be opened$", done.stdout, re.M)}
        return done.returncode, counts["llm_settings.api_key"]

    try:
        assert rotate() == (0, (0, 1, 0))
        key.write_text(secrets.token_hex(32))
        restart(old)
        works()
        assert rotate() == (0, (1, 0, 0))
        assert rotate() == (0, (0, 1, 0))
        restart("")
        works()
        # Of a lost key, the rest does not suffer.
        newer = key.read_text().strip()
        key.write_text(secrets.token_hex(32))
        restart("")
        assert settings(advised)["api_key_set"] is True
        before = len(model.received)
        answer = ask(advised.api, plant, json={"refresh": True})
        assert (answer.status_code, answer.json()["source"]) == (200, "builtin")
        assert "key" in answer.json()["note"].lower() and len(model.received) == before
        assert "key" in assert_problem(advised.api.post(SETTINGS + "/test"), 502)["detail"].lower()
        assert rotate()[1] == (0, 0, 1)
        # Given again, it works again.
        assert advised.api.put(SETTINGS, json={"api_key": model.key}).status_code == 200
        works()
        key.write_text(newer)
    finally:
        restart("")


def test_a_key_in_anothers_place_is_not_taken_for_its_own(advised, models):
    """Sealed for a channel, a value is no key of a language model."""
    model = models.model("anthropic")
    use(advised, model)
    advised.api.ok("POST", "/channels", 201, json={"kind": "webhook", "name": "W", "url": "https://93.184.215.14/x"})
    advised.sql("UPDATE llm_settings SET api_key = (SELECT url FROM channels LIMIT 1)")
    try:
        plan = analyze(advised, advised.api.plant()["id"])
        assert plan["source"] == "builtin" and plan["note"] and model.received == []
    finally:
        for channel in advised.api.ok("GET", "/channels")["channels"]:
            advised.api.ok("DELETE", f"/channels/{channel['id']}", 204)
