"""A monthly budget in tokens, and what is counted into it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from support.api import assert_problem
from support.care import SETTINGS, Caller, analyze, measured_pot, settings, use
from support.llm import PROVIDERS, Answer, Dropped, Failing, Hanging, Said
from support.times import now_us, parse
from support.waiting import wait_until


@pytest.fixture(params=PROVIDERS)
def model(request, advised, models):
    model = models.model(request.param)
    use(advised, model)
    return model


@pytest.fixture
def pot(advised):
    return measured_pot(advised)


def counted(stack):
    usage = settings(stack)["usage"]
    return usage["requests"], usage["input_tokens"], usage["output_tokens"]


def limit(stack, tokens):
    return stack.api.ok("PUT", SETTINGS, 200, json={"monthly_token_budget": tokens})


def test_what_the_model_says_it_took_is_counted(advised, model, pot):
    model.then(Said(usage=(1000, 200)), Said("wrong", usage=(2000, 50)), Said(usage=(3000, 400)))
    analyze(advised, pot.id)
    assert counted(advised) == (1, 1000, 200)
    analyze(advised, pot.id, refresh=True)
    assert counted(advised) == (3, 6000, 650), "an answer that is of no use costs as much"
    analyze(advised, pot.id)
    assert counted(advised) == (3, 6000, 650), "what is known is not asked"
    usage = settings(advised)["usage"]
    assert usage["month"] < usage["resets_at"] and 0 < parse(usage["resets_at"]) - now_us() <= 32 * 86_400_000_000


def test_when_it_is_used_up_nobody_is_asked_and_the_plan_says_so(advised, model, pot):
    model.always(Said(usage=(60_000, 40_000)))
    limit(advised, 50_000)
    assert analyze(advised, pot.id)["source"] == model.provider
    plan = analyze(advised, pot.id, refresh=True)
    assert plan["source"] == "builtin" and "budget" in plan["note"].lower()
    # When it begins anew is said.
    assert settings(advised)["usage"]["resets_at"][:10] in plan["note"] or "1" in plan["note"], plan["note"]
    assert "budget" in assert_problem(advised.api.post(SETTINGS + "/test"), 502)["detail"].lower()
    assert len(model.received) == 1 and counted(advised) == (1, 60_000, 40_000)
    # More of it, or none at all, lets one ask again; a plan that had to be built in is no answer then.
    for more in (500_000, None):
        limit(advised, more)
        assert analyze(advised, pot.id, refresh=more is None)["source"] == model.provider
    assert len(model.received) == 3
    # The budget is that of all models together.
    limit(advised, 250_000)
    advised.api.ok("PUT", SETTINGS, 200, json={"model": "other"})
    assert analyze(advised, pot.id)["source"] == "builtin" and len(model.received) == 3


def test_a_month_that_is_over_does_not_count(advised, model, pot):
    model.always(Said(usage=(60_000, 40_000)))
    limit(advised, 50_000)
    analyze(advised, pot.id)
    assert analyze(advised, pot.id, refresh=True)["source"] == "builtin"
    advised.sql("UPDATE llm_usage SET month = month - interval '1 month'")
    assert counted(advised) == (0, 0, 0)
    assert analyze(advised, pot.id, refresh=True)["source"] == model.provider
    assert counted(advised) == (1, 60_000, 40_000)


def test_a_budget_that_an_answer_could_exceed_is_not_begun_with(advised, model, pot):
    limit(advised, 1000)
    plan = analyze(advised, pot.id)
    assert plan["source"] == "builtin" and "budget" in plan["note"].lower()
    assert model.received == [] and counted(advised) == (0, 0, 0)


def test_those_who_ask_at_once_do_not_exceed_it_together(advised, model):
    pots = [measured_pot(advised) for _ in range(4)]
    hanging = model.always(Hanging())
    # As much as one request is taken to need at most, and half of it again.
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(analyze, advised, pots[0].id)
        (request,) = model.wait_for(1)
        need = len(request.user + request.system) // 3 + request.most_tokens
        limit(advised, int(need * 1.5))
        rest = [pool.submit(analyze, advised, one.id) for one in pots[1:]]
        assert [future.result()["source"] for future in rest] == ["builtin"] * 3
        hanging.release()
        assert first.result()["source"] == model.provider
    assert len(model.received) == 1


@pytest.mark.parametrize("answer", [Dropped(), Said(usage=None), Answer(200, b"nothing")],
                         ids=["dropped", "untold", "nonsense"])
def test_what_was_sent_is_counted_if_nobody_says_how_much_it_was(advised, model, pot, answer):
    model.always(answer)
    analyze(advised, pot.id)
    requests, tokens, _ = counted(advised)
    sent = sum(len(request.body) for request in model.received)
    assert requests == len(model.received) and 0 < tokens <= sent


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_what_the_server_did_not_take_costs_nothing(advised, model, pot, status):
    model.always(Failing(status))
    analyze(advised, pot.id)
    assert counted(advised) == (len(model.received), 0, 0)


def test_what_nobody_waited_for_was_asked_all_the_same(advised, model, pot):
    hanging = model.always(Hanging())
    caller = Caller(advised.api, pot.id)
    (request,) = model.wait_for(1)
    caller.hang_up()
    assert request.hung_up.wait(10)
    hanging.release()
    wait_until(lambda: counted(advised)[0] == 1, 10, "it is counted")
    _, asked, answered = counted(advised)
    assert 0 < asked <= len(request.body) and answered == 0
    wait_until(lambda: advised.value("SELECT count(*) FROM llm_reservations") == 0, 10, "nothing is put aside")


@pytest.mark.parametrize("usage", [(-5, -5), (10**15, 3), (2**63, 0), (1.5, 0), ("many", None), (None, None)])
def test_nonsense_about_what_it_took_is_not_believed(advised, model, pot, usage):
    model.always(Strange(usage))
    plan = analyze(advised, pot.id)
    assert plan["source"] == model.provider
    requests, sent, received = counted(advised)
    assert requests == 1 and 0 < sent < 100_000 and 0 <= received < 100_000


class Strange(Said):
    def __init__(self, usage):
        super().__init__()
        self.told = usage

    def anthropic(self, request):
        return {**super().anthropic(request), "usage": {"input_tokens": self.told[0], "output_tokens": self.told[1]}}

    def openai(self, request):
        return {**super().openai(request), "usage": {"prompt_tokens": self.told[0], "completion_tokens": self.told[1]}}
