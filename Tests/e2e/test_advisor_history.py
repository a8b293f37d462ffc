"""Care plans of before, what changed since, and what people thought of them."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.api import assert_problem
from support.care import KEYS, NOBODY, analyze, measured_pot, plan_of, plans_of, use
from support.llm import PROVIDERS
from support.people import Person
from support.times import now_us, parse

ITEMS = ["plan", "watering", "light", "humidity", "temperature"]


@pytest.fixture
def pot(advised):
    return measured_pot(advised)


def judge(stack, plan, api=None, **body):
    return (api or stack.api).put(f"/plants/{plan['plant_id']}/care-plans/{plan['id']}/feedback", json=body)


def verdicts(plan):
    return {one["item"]: one["feedback"] for one in plan["feedback"]}


def pointers(answer):
    return sorted(error["pointer"] for error in assert_problem(answer, 422)["errors"])


# What changed.


def test_the_first_plan_has_nothing_to_differ_from(advised, pot):
    assert analyze(advised, pot.id)["changes"] == []
    assert analyze(advised, pot.id, refresh=True)["changes"] == [], "nor has one that says the same"


@pytest.mark.parametrize("values, words", [
    ({"soil_moisture": 12}, ["oil moisture", "45 %", "12 %"]), ({"temperature": 31}, ["emperature", "22.5 °C", "31 °C"]),
    ({"humidity": 20}, ["umidity", "55 %", "20 %"])])
def test_what_changed_is_said_with_both_values(advised, pot, values, words):
    pot.limit(soil_moisture={"min": 20}, temperature={"max": 28}, humidity={"min": 30})
    analyze(advised, pot.id)
    pot.tell(**{"soil_moisture": 45, "temperature": 22.5, "humidity": 55, **values})
    changes = analyze(advised, pot.id)["changes"]
    said = [text for text in changes if all(word in text for word in words)]
    assert len(said) == 1, changes
    assert len(changes) <= 10 and not [text for text in changes if "\n" in text or not text.strip()]
    assert plan_of(advised, pot.id)["changes"] == changes
    assert plans_of(advised, pot.id)["care_plans"][0]["changes"] == changes


def test_a_limit_that_was_set_is_a_change(advised, pot):
    analyze(advised, pot.id)
    pot.limit(soil_moisture={"min": 50, "max": 80})
    plan = analyze(advised, pot.id)
    assert plan["cached"] is False and [text for text in plan["changes"] if "50 %" in text]
    assert [text for text in plan["alerts"] if "oil moisture" in text]


def test_what_changed_is_said_of_a_models_plan_too(advised, models, pot):
    analyze(advised, pot.id)
    use(advised, models.model("openai"))
    pot.tell(soil_moisture=12)
    plan = analyze(advised, pot.id)
    assert plan["source"] == "openai" and [text for text in plan["changes"] if "45 %" in text and "12 %" in text]


# The plans of before.


def test_plans_are_listed_newest_first_in_pages(advised, pot):
    made = [analyze(advised, pot.id, refresh=True) for _ in range(5)]
    neighbour = analyze(advised, measured_pot(advised).id)
    pages = []
    for offset in (0, 2, 4, 6):
        page = plans_of(advised, pot.id, limit=2, offset=offset)
        assert page.keys() == {"care_plans", "total"} and page["total"] == 5
        pages += page["care_plans"]
    assert [plan["id"] for plan in pages] == [plan["id"] for plan in reversed(made)]
    assert neighbour["id"] not in {plan["id"] for plan in pages}
    for shown, whole in zip(pages, reversed(made)):
        assert shown == {key: whole[key] for key in KEYS - {"evidence"}}
    assert plan_of(advised, pot.id)["id"] == made[-1]["id"]
    for query in ("limit=0", "limit=501", "limit=x", "offset=-1"):
        assert_problem(advised.api.get(f"{pot.path}/care-plans?{query}"), 422)


def test_a_hundred_plans_are_kept_and_those_that_somebody_judged(advised):
    plant = advised.api.plant()["id"]
    first, second = (analyze(advised, plant, refresh=True) for _ in range(2))
    judge(advised, first, feedback="not_helpful")
    with ThreadPoolExecutor(1) as pool:
        made = list(pool.map(lambda _: analyze(advised, plant, refresh=True)["id"], range(104)))
    kept = plans_of(advised, plant, limit=500)
    ids = [plan["id"] for plan in kept["care_plans"]]
    assert kept["total"] == len(ids) <= 101 and ids[:95] == made[::-1][:95]
    assert first["id"] in ids and second["id"] not in ids


# What people thought of them.


def test_parts_of_a_plan_are_judged_and_judged_again(advised, pot):
    plan = analyze(advised, pot.id)
    answer = judge(advised, plan, item="watering", feedback="not_helpful")
    shown = answer.json()
    assert answer.status_code == 200
    assert {key: shown[key] for key in KEYS - {"feedback"}} == {key: plan[key] for key in KEYS - {"feedback"}}
    (one,) = shown["feedback"]
    assert one.keys() == {"item", "feedback", "at", "by"}
    assert (one["item"], one["feedback"]) == ("watering", "not_helpful") and abs(parse(one["at"]) - now_us()) < 60_000_000
    assert one["by"] == advised.settings["PLANTOPS_ADMIN_EMAIL"]
    assert verdicts(judge(advised, plan, item="watering", feedback="done").json()) == {"watering": "done"}
    assert verdicts(judge(advised, plan, feedback="done").json()) == {"watering": "done", "plan": "done"}
    for item in ITEMS:
        judge(advised, plan, item=item, feedback="not_helpful")
    shown = plan_of(advised, pot.id)
    assert verdicts(shown) == dict.fromkeys(ITEMS, "not_helpful") and len(shown["feedback"]) == 5
    assert verdicts(plans_of(advised, pot.id)["care_plans"][0]) == verdicts(shown)
    cleared = judge(advised, plan, item="light", feedback=None).json()
    assert verdicts(cleared) == dict.fromkeys(set(ITEMS) - {"light"}, "not_helpful")
    assert judge(advised, plan, item="light", feedback=None).status_code == 200, "what is not there can be cleared"
    for item in ITEMS:
        judge(advised, plan, item=item, feedback=None)
    assert plan_of(advised, pot.id)["feedback"] == []


def test_feedback_that_cannot_be_is_refused_with_every_reason(advised, pot):
    plan = analyze(advised, pot.id)
    for body, wrong in (
            ({"item": "roots", "feedback": "done"}, ["/item"]), ({"item": 1, "feedback": "done"}, ["/item"]),
            ({"feedback": "great"}, ["/feedback"]), ({"feedback": 1}, ["/feedback"]), ({"feedback": "Done"}, ["/feedback"]),
            ({"item": "summary", "feedback": True}, ["/feedback", "/item"]), ({}, ["/feedback"]),
            ({"item": "light"}, ["/feedback"])):
        assert pointers(judge(advised, plan, **body)) == wrong, body
    path = f"{pot.path}/care-plans/{plan['id']}/feedback"
    assert_problem(advised.api.put(path, data="{", headers={"Content-Type": "application/json"}), 400)
    assert plan_of(advised, pot.id)["feedback"] == []


def test_a_plan_is_judged_under_its_own_plant_only(advised, pot):
    plan, other = analyze(advised, pot.id), measured_pot(advised)
    for plant, wanted in ((other.id, plan["id"]), (pot.id, NOBODY), (NOBODY, plan["id"]), (pot.id, "nothing"), (pot.id, pot.id)):
        answer = judge(advised, {"plant_id": plant, "id": wanted}, feedback="done")
        assert_problem(answer, 404)
    assert plan_of(advised, pot.id)["feedback"] == []


def test_what_a_person_said_stays_when_the_person_goes(advised, pot):
    person = Person(advised, "member")
    plan = analyze(advised, pot.id)
    judge(advised, plan, api=advised.api.as_(person.token("member")["token"]), feedback="done")
    (one,) = plan_of(advised, pot.id)["feedback"]
    assert one["by"] == person.email
    advised.api.ok("DELETE", person.path, 204)
    (one,) = plan_of(advised, pot.id)["feedback"]
    assert (one["feedback"], one["by"]) == ("done", None)


def test_who_says_that_the_watering_is_done_has_watered(advised, pot):
    """Once, whoever else says so and however often."""
    def waterings():
        return advised.api.ok("GET", f"{pot.path}/events?kind=watering", 200)["events"]

    plan = analyze(advised, pot.id)
    for item, verdict in (("plan", "done"), ("light", "done"), ("watering", "not_helpful")):
        judge(advised, plan, item=item, feedback=verdict)
    assert waterings() == []
    judge(advised, plan, item="watering", feedback="done")
    (event,) = waterings()
    assert (event["source"], event["created_by"]) == ("entered", advised.settings["PLANTOPS_ADMIN_EMAIL"])
    assert abs(parse(event["at"]) - now_us()) < 60_000_000
    for verdict in ("done", None, "done"):
        judge(advised, plan, item="watering", feedback=verdict)
    assert waterings() == [event]
    anew = analyze(advised, pot.id)
    assert anew["cached"] is False and [text for text in anew["changes"] if "watered" in text]
    assert [fact for fact in anew["evidence"] if fact["id"] == "watering.last"][0]["time"] == event["at"]


def test_feedback_stays_with_its_plan_and_the_next_one_begins_without(advised, pot):
    plan = analyze(advised, pot.id)
    judge(advised, plan, item="light", feedback="not_helpful")
    anew = analyze(advised, pot.id, refresh=True)
    assert anew["feedback"] == []
    newest, before = plans_of(advised, pot.id)["care_plans"]
    assert (newest["feedback"], verdicts(before)) == ([], {"light": "not_helpful"})
    assert verdicts(judge(advised, plan, item="plan", feedback="done").json()) == {"light": "not_helpful", "plan": "done"}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_model_is_told_what_was_thought_of_its_last_plan(advised, models, pot, provider):
    model = models.model(provider)
    use(advised, model)
    plan = analyze(advised, pot.id)
    judge(advised, plan, item="humidity", feedback="not_helpful")
    analyze(advised, pot.id, refresh=True)
    first, second = model.received
    assert "not_helpful" not in first.user and "not_helpful" in second.user
    assert plan["summary"] not in first.user and plan["summary"] in second.user, "nor what it said then"
    assert advised.settings["PLANTOPS_ADMIN_EMAIL"] not in second.body.decode()
    assert json.loads(second.body)
