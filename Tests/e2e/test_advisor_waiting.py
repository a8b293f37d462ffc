"""What happens while a language model thinks: who asks meanwhile, what stops, and how long it may take. Who hangs up is in
test_advisor_hanging_up.py."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from support.api import assert_problem
from support.care import (
    SETTINGS, analyze, ask, measured_pot, plans_of, settings, thinking, use, waiting_at)
from support.llm import PROVIDERS, Hanging, Said, Trickle
from support.waiting import wait_until


@pytest.fixture
def model(advised, models):
    with thinking(advised, models) as model:
        yield model


@pytest.fixture
def pot(advised):
    return measured_pot(advised)


@pytest.fixture
def pool():
    with ThreadPoolExecutor(16) as pool:
        yield pool


# Who asks meanwhile.


def test_who_asks_meanwhile_is_given_the_same_answer(advised, model, pot, pool):
    before, neighbour = waiting_at(advised), measured_pot(advised)
    first = pool.submit(analyze, advised, pot.id)
    model.wait_for(1)
    others = [pool.submit(analyze, advised, pot.id, refresh=refresh) for refresh in (True, False, True)]
    # Another plant is another matter.
    elsewhere = pool.submit(analyze, advised, neighbour.id)
    model.wait_for(2)
    wait_until(lambda: waiting_at(advised) >= before + 5, 10, "five wait")
    # nginx keeps connections: these two cannot be counted.
    others += [pool.submit(analyze, advised, pot.id, api=advised.web) for _ in range(2)]
    for _ in range(10):
        advised.web.ok("GET", f"{pot.path}/history?hours=24")
    model.release()
    plans = [future.result() for future in [first, *others]]
    assert {plan["id"] for plan in plans} == {plans[0]["id"]} and {plan["source"] for plan in plans} == {"anthropic"}
    assert elsewhere.result()["plant_id"] == neighbour.id
    assert len(model.received) == 2 and plans_of(advised, pot.id)["total"] == 1


def test_another_backend_says_that_it_is_being_thought_about(advised, model, pot, pool):
    with advised.serve(MQTT_CLIENT_ID="advisor-second") as served:
        served.ready()
        first = pool.submit(analyze, advised, pot.id)
        model.wait_for(1)
        for refresh in (False, True):
            answer = ask(served.api, pot.id, json={"refresh": refresh})
            assert_problem(answer, 409)
            assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert len(model.received) == 1
        model.release()
        made = first.result()
        assert analyze(advised, pot.id, api=served.api)["id"] == made["id"], "and then it has it"


def test_at_most_four_are_asked_at_once_and_all_are_answered(advised, model, pool):
    pots = [measured_pot(advised) for _ in range(6)]
    before = waiting_at(advised)
    futures = [pool.submit(analyze, advised, one.id) for one in pots]
    model.wait_for(4)
    # The others would have come by now: they were all asked for at the same time. What comes out of another request is
    # what they had time for.
    wait_until(lambda: waiting_at(advised) >= before + 6, 10, "six wait")
    for _ in range(20):
        advised.api.ok("GET", f"/plants/{pots[0].id}/history?hours=24")
    assert len(model.received) == model.busy() == 4
    model.release()
    assert {future.result()["source"] for future in futures} == {"anthropic"} and len(model.received) == 6


def test_no_connection_of_the_database_is_held_meanwhile(advised, model, pool):
    pots = [measured_pot(advised) for _ in range(4)]
    with advised.serve(DB_POOL_SIZE="1", MQTT_CLIENT_ID="advisor-narrow") as served:
        served.ready()
        futures = [pool.submit(analyze, advised, one.id, api=served.api) for one in pots]
        model.wait_for(4)
        for one in pots:
            served.api.ok("GET", f"/plants/{one.id}", 200, timeout=10)
            served.api.ok("GET", f"/plants/{one.id}/care-plans", 200, timeout=10)
            served.api.ok("POST", f"/plants/{one.id}/health-check", 200, timeout=10)
        served.api.ok("PUT", SETTINGS, 200, json={"automatic": False}, timeout=10)
        assert served.api.get("/ready", timeout=10).status_code == 200
        assert advised.value("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'") == 0
        assert model.busy() == 4
        model.release()
        assert {future.result()["source"] for future in futures} == {"anthropic"}


# What stops.


def test_a_program_that_is_stopped_does_not_wait_for_the_model(advised, model, pot, pool):
    with advised.serve(MQTT_CLIENT_ID="advisor-stopped") as served:
        served.ready()
        future = pool.submit(ask, served.api, pot.id)
        (request,) = model.wait_for(1)
        begun = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(timeout=10) == 0, served.output()[-2000:]
        assert time.monotonic() - begun < 10
        assert request.hung_up.wait(5)
        try:
            assert_problem(future.result(), 503)
        except requests.ConnectionError:
            pass  # That is what a server looks like that is gone.
    model.always(Said())
    assert analyze(advised, pot.id)["source"] == "anthropic", "the claim of the one that stopped does not stay"


def test_a_plant_that_is_deleted_meanwhile_is_gone(advised, model, pot, pool):
    future = pool.submit(ask, advised.api, pot.id)
    model.wait_for(1)
    advised.api.ok("DELETE", pot.path, 204)
    model.release()
    assert_problem(future.result(), 404)


def test_settings_that_are_taken_away_meanwhile_stop_nobody(advised, model, pot, pool):
    future = pool.submit(analyze, advised, pot.id)
    model.wait_for(1)
    advised.api.ok("DELETE", SETTINGS, 204)
    model.release()
    assert future.result()["source"] == "anthropic"
    shown = settings(advised)
    assert (shown["provider"], shown["last_error"], shown["usage"]["requests"]) == (None, None, 1)
    assert analyze(advised, pot.id)["source"] == "builtin"


def test_without_the_database_nobody_waits_for_ever(advised, model, pot, pool):
    future = pool.submit(ask, advised.api, pot.id)
    model.wait_for(1)
    advised.stop("postgres")
    try:
        model.release()
        answer = future.result()
        assert_problem(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
        assert_problem(ask(advised.api, pot.id), 503)
    finally:
        advised.start("postgres")
        advised.ready()
    # Its claim could not be given back, and ends by itself.
    answer = ask(advised.api, pot.id)
    assert answer.status_code == 200 or 1 <= int(answer.headers["Retry-After"]) <= 60
    assert analyze(advised, measured_pot(advised).id)["source"] == "anthropic"


def test_a_backend_that_is_killed_is_waited_for_no_longer_than_a_minute(advised, model, pot, pool):
    with advised.serve(MQTT_CLIENT_ID="advisor-killed") as served:
        served.ready()
        future = pool.submit(ask, served.api, pot.id)
        model.wait_for(1)
        served.process.kill()
        with pytest.raises(requests.RequestException):
            future.result()
    model.always(Said())
    seconds = int(ask(advised.api, pot.id).headers["Retry-After"])
    assert 1 <= seconds <= 60
    # As if that had passed.
    advised.sql(f"UPDATE care_state SET claimed_until = now() - interval '1 second' WHERE plant_id = '{pot.id}'")
    assert analyze(advised, pot.id)["source"] == "anthropic"


# How long it may take.


def test_after_half_a_minute_the_plan_is_built_in_whoever_is_asked_and_however_it_dawdles(advised, models, pool):
    """Silent, or never done: both at the same time, and the test button and nginx with them."""
    dawdling, futures = {}, {}
    for provider, answer, api in (("anthropic", Trickle(), advised.web), ("openai", Hanging(), advised.api)):
        model = dawdling[provider] = models.model(provider)
        model.always(answer)
        use(advised, model)
        # What is being asked goes on as it began.
        futures[provider] = pool.submit(timed, analyze, advised, measured_pot(advised).id, api=api)
        model.wait_for(1)
    trial = pool.submit(timed, advised.api.post, SETTINGS + "/test", timeout=45)
    dawdling["openai"].wait_for(2)
    for provider in PROVIDERS:
        plan, seconds = futures[provider].result()
        assert (plan["source"], plan["model"]) == ("builtin", None) and "30" in plan["note"], plan["note"]
        assert 25 < seconds < 35
    answer, seconds = trial.result()
    assert "30" in assert_problem(answer, 502)["detail"] and 25 < seconds < 35
    for model in dawdling.values():
        for request in model.received:
            assert request.hung_up.wait(5)
    assert [len(model.received) for model in dawdling.values()] == [1, 2], "nobody is asked once more"
    assert "30" in settings(advised)["last_error"]["text"]


def timed(call, *arguments, **options):
    begun = time.monotonic()
    return call(*arguments, **options), time.monotonic() - begun
