"""Care plans without any language model: from what is measured, and nothing else."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.alerts import Pot
from support.api import UUID_V7, assert_problem
from support.care import EVIDENCE, KEYS, NOBODY, analyze, ask, evidence, measured_pot, plan_of, plans_of, said
from support.device import reading
from support.times import now_us, parse
from support.waiting import wait_until

HOUR = 3_600_000_000
CLOCK = re.compile(r"\b\d{1,2}:\d{2}\b")
KINDS = {"measured", "computed", "limit", "species", "event", "state"}
TOPICS = {"plant", "watering", "light", "humidity", "temperature", "device", "other"}
RANGES = ("light", "humidity", "temperature")


@pytest.fixture
def pot(stack):
    """Removed afterwards, so that its device is not missed."""
    made = []

    def make(name=None, **values):
        made.append(measured_pot(stack, name, **values))
        return made[-1]

    yield make
    for one in made:
        one.remove()


def texts(plan):
    return [*plan["watering"].values(), *(text for part in RANGES for text in plan[part].values()), plan["summary"],
            *plan["alerts"], *plan["tips"]]


def assert_sound(plan):
    """The shape is the contract's, and ours besides."""
    assert plan.keys() - {"cached"} == KEYS
    assert plan["watering"].keys() == {"frequency", "amount", "next_date"}
    for part in RANGES:
        assert plan[part].keys() == {"current", "ideal", "recommendation"}
    for text in texts(plan):
        assert text is None or (isinstance(text, str) and text.strip() == text != "" and "\n" not in text), text
    assert plan["summary"] and isinstance(plan["alerts"], list) and isinstance(plan["tips"], list)
    date = plan["watering"]["next_date"]
    assert date is None or re.fullmatch(r"\d{4}-\d{2}-\d{2}", date)
    assert UUID_V7.match(plan["id"]) and abs(parse(plan["generated_at"]) - now_us()) < HOUR
    assert (plan["source"], plan["model"], plan["note"], plan["feedback"]) == ("builtin", None, None, [])
    for fact in plan["evidence"]:
        assert fact.keys() == EVIDENCE
        assert fact["kind"] in KINDS and fact["topic"] in TOPICS, fact
        assert any(fact[name] is not None for name in ("value", "text", "time")), fact
        if fact["kind"] == "measured":
            assert fact["metric"] and fact["value"] is not None and parse(fact["time"]) <= now_us(), fact
    assert list(evidence(plan)) == sorted(evidence(plan))


def test_a_plant_of_which_nothing_is_known_is_given_a_plan_that_says_so(stack, plant):
    answer = ask(stack.api, plant["id"])
    plan = answer.json()
    assert answer.status_code == 200 and plan["plant_id"] == plant["id"]
    assert_sound(plan)
    assert (plan["cached"], plan["changes"], plan["reason"]) == (False, [], "requested")
    assert not [fact for fact in plan["evidence"] if fact["kind"] == "measured"]
    for part in RANGES:
        assert not re.search(r"\d+ (%|°C|lx)", plan[part]["current"]), "what nobody measured has no value"
    # Of its species something is known.
    assert evidence(plan)["species.name"]["text"] == "Monstera deliciosa"


@pytest.mark.parametrize("species", [None, "No such plant at all"])
def test_nor_need_the_species_be_known(stack, species):
    plan = analyze(stack, stack.api.plant("Unknown", species=species)["id"])
    assert_sound(plan)
    assert "species.name" not in evidence(plan)


def test_what_is_said_is_backed_by_values_with_unit_and_time(stack, pot):
    fern = pot(soil_moisture=45, temperature=22.5, humidity=55, light_level=800)
    plan = analyze(stack, fern.id)
    assert_sound(plan)
    facts = evidence(plan)
    for metric, value, unit in [("soil_moisture", 45, "%"), ("temperature", 22.5, "°C"), ("humidity", 55, "% RH"),
                                ("light_level", 800, "lx")]:
        (fact,) = [one for one in plan["evidence"] if one["kind"] == "measured" and one["metric"] == metric]
        assert (fact["value"], fact["unit"]) == (value, unit), fact
        assert parse(fact["time"]) == fern.last
    assert facts["soil_moisture.now"]["topic"] == "watering"
    limits = {(fact["metric"], fact["value"], fact["unit"]) for fact in plan["evidence"] if fact["kind"] == "limit"}
    assert {("soil_moisture", 20, "%"), ("soil_moisture", 80, "%")} <= limits
    for part, value in [("temperature", "22.5 °C"), ("humidity", "55 %"), ("light", "800 lx")]:
        assert value in plan[part]["current"], plan[part]
        assert CLOCK.search(plan[part]["current"]), f"when that was is said: {plan[part]}"
    assert plan["alerts"] == []
    # Whatever number of a unit is said is one of the facts.
    values = {round(fact["value"], 2) for fact in plan["evidence"] if fact["value"] is not None}
    for text in filter(None, texts(plan)):
        for number in re.findall(r"(-?\d+(?:\.\d+)?) (?:%|°C|lx)", text):
            assert float(number) in values, f"{number} of {text!r} is nowhere in {sorted(values)}"


@pytest.mark.parametrize("value, limit", [(12, 20), (93, 80)])
def test_a_value_beyond_its_limit_is_an_alert(stack, pot, value, limit):
    plan = analyze(stack, pot(soil_moisture=value).id)
    assert_sound(plan)
    (alert,) = [text for text in plan["alerts"] if "oil moisture" in text]
    assert f"{value} %" in alert and f"{limit} %" in alert and plan["alerts"][0] == alert
    assert analyze(stack, pot(soil_moisture=value + (20 if value < limit else -20)).id)["alerts"] == []


def test_two_weeks_are_in_the_plan(stack, pot):
    """Soil that dries by 2 points a day, in a room that grew warmer by 6 °C a week ago."""
    fern = Pot(stack)
    end = now_us()
    readings = [reading(end - back * HOUR, soil_moisture=30 + back / 12, temperature=20 + 6 * (back < 168), humidity=50)
                for back in range(14 * 24, -1, -1)]
    fern.device.publish(readings)
    fern.device.stored(len(readings), timeout=60)
    try:
        # What comes late is in the means of hours a minute later at most.
        def mean():
            return evidence(analyze(stack, fern.id, refresh=True)).get("soil_moisture.mean_14d")

        # Over the hours there are: of the last days, the day before yesterday at least is complete by then.
        fact = wait_until(lambda: (found := mean()) and found["hours"] >= 250 and found, 180, "the hours of two weeks", every=2)
        assert (fact["kind"], fact["unit"]) == ("computed", "%") and 40 <= fact["value"] <= 50
        plan = analyze(stack, fern.id)
        assert_sound(plan)
        facts = evidence(plan)
        assert 28 <= facts["soil_moisture.mean_24h"]["value"] <= 34 and facts["soil_moisture.mean_24h"]["hours"] >= 20
        assert -16 <= facts["soil_moisture.change_14d"]["value"] <= -12
        assert 5 <= facts["temperature.change_14d"]["value"] <= 7
    finally:
        fern.remove()


def test_the_same_is_said_of_the_same(stack, pot):
    first, second = pot("Twin"), pot("Twin")
    plans = [analyze(stack, one.id) for one in (first, second)]
    without_times = [re.sub(r"\d{1,2}:\d{2}(:\d{2})?", "…", json.dumps(said(plan))) for plan in plans]
    assert without_times[0] == without_times[1]


def test_the_same_input_is_not_thought_about_again_unless_that_is_wanted(stack, pot):
    fern = pot(soil_moisture=45)
    first = analyze(stack, fern.id)
    again = analyze(stack, fern.id)
    assert (first["cached"], again["cached"]) == (False, True)
    assert {**again, "cached": False} == first
    # A step that means nothing changes nothing.
    fern.tell(soil_moisture=45.3)
    assert analyze(stack, fern.id)["id"] == first["id"]
    anew = analyze(stack, fern.id, refresh=True)
    assert anew["cached"] is False and anew["id"] != first["id"] and anew["changes"] == []
    assert analyze(stack, fern.id)["id"] == anew["id"]
    fern.tell(soil_moisture=12)
    changed = analyze(stack, fern.id)
    assert changed["cached"] is False and changed["id"] != anew["id"] and changed["changes"] and changed["alerts"]
    assert plans_of(stack, fern.id)["total"] == 3
    shown = plan_of(stack, fern.id)
    assert {**shown, "cached": False} == changed


def test_many_who_ask_at_once_are_given_one_plan(stack, pot):
    fern = pot()
    with ThreadPoolExecutor(8) as pool:
        plans = list(pool.map(lambda _: analyze(stack, fern.id), range(8)))
    assert len({plan["id"] for plan in plans}) == 1
    assert plans_of(stack, fern.id)["total"] == 1


def test_who_wants_a_new_one_gets_it_though_others_are_content(stack, pot):
    fern = pot()
    known = {analyze(stack, fern.id)["id"]}
    with ThreadPoolExecutor(8) as pool:
        for _ in range(10):
            others = [pool.submit(analyze, stack, fern.id) for _ in range(6)]
            plan = analyze(stack, fern.id, refresh=True)
            assert plan["cached"] is False and plan["id"] not in known
            known |= {plan["id"], *(future.result()["id"] for future in others)}


def test_it_is_the_same_through_nginx(stack, pot):
    fern = pot()
    plan = analyze(stack, fern.id, api=stack.web)
    assert_sound(plan)
    path = f"/plants/{fern.id}"
    for of in ("care-plan", "care-plans"):
        assert stack.web.ok("GET", f"{path}/{of}", 200) == stack.api.ok("GET", f"{path}/{of}", 200)


@pytest.mark.parametrize("options", [{}, {"json": {}}, {"json": {"refresh": False}}, {"json": {"refresh": None}}],
                         ids=["none", "empty", "false", "null"])
def test_a_body_is_not_needed(stack, plant, options):
    first = ask(stack.api, plant["id"], **options)
    assert first.status_code == 200, first.text
    assert ask(stack.api, plant["id"], **options).json()["cached"] is True


def test_a_body_that_cannot_be_is_refused(stack, plant):
    for wrong in (1, "yes", [], {}):
        problem = assert_problem(ask(stack.api, plant["id"], json={"refresh": wrong}), 422)
        assert [error["pointer"] for error in problem["errors"]] == ["/refresh"]
    assert_problem(ask(stack.api, plant["id"], data="{", headers={"Content-Type": "application/json"}), 400)
    assert_problem(stack.api.get(f"/plants/{plant['id']}/care-plan"), 404)


def test_there_is_no_plan_before_the_first_and_none_of_unknown_plants(stack, plant):
    path = f"/plants/{plant['id']}"
    assert "analyze" in assert_problem(stack.api.get(path + "/care-plan"), 404)["detail"]
    assert stack.api.ok("GET", path + "/care-plans", 200) == {"care_plans": [], "total": 0}
    for nobody in (NOBODY, "nothing"):
        assert_problem(ask(stack.api, nobody), 404)
        assert_problem(stack.api.get(f"/plants/{nobody}/care-plan"), 404)
        assert_problem(stack.api.get(f"/plants/{nobody}/care-plans"), 404)
        assert_problem(stack.api.put(f"/plants/{nobody}/care-plans/{NOBODY}/feedback", json={"feedback": "done"}), 404)


def test_who_only_looks_reads_plans_and_makes_none(stack, plant):
    path = f"/plants/{plant['id']}"
    viewer, member = (stack.api.as_(stack.make_token(role)) for role in ("viewer", "member"))
    assert_problem(ask(viewer, plant["id"]), 403)
    assert_problem(viewer.get(path + "/care-plan"), 404)
    made = analyze(stack, plant["id"], api=member)
    assert viewer.ok("GET", path + "/care-plan", 200)["id"] == made["id"]
    assert viewer.ok("GET", path + "/care-plans", 200)["total"] == 1
    assert_problem(viewer.put(f"{path}/care-plans/{made['id']}/feedback", json={"feedback": "done"}), 403)


def test_plans_go_with_their_plant(stack, plant):
    analyze(stack, plant["id"])
    stack.api.ok("DELETE", f"/plants/{plant['id']}", 204)
    assert_problem(stack.api.get(f"/plants/{plant['id']}/care-plan"), 404)
    assert stack.value(f"SELECT count(*) FROM care_plans WHERE plant_id = '{plant['id']}'") == 0
