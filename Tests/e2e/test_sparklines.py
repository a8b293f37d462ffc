"""Small curves of many plants in one answer, and what a page needs to know of the installation."""

import pytest

from support.api import assert_problem
from support.device import Device
from support.times import now_us, parse, rfc3339
from support.waiting import wait_until

MINUTE = 60_000_000
# What came late is shown when it has been summarized.
SUMMARIZED = 90


def curves(stack, **parameters):
    """Of all plants, by id."""
    answer = stack.api.ok("GET", "/plants/sparklines", params={"limit": 500, **parameters})
    return answer, {plant["id"]: plant["values"] for plant in answer["plants"]}


def whole(answer):
    """How many steps its span has; it has whole ones only."""
    span, step = parse(answer["to"]) - parse(answer["from"]), answer["step_seconds"] * 1_000_000
    assert span % step == 0 and parse(answer["to"]) % step == 0
    return span // step


@pytest.fixture
def pot(stack):
    plant = stack.api.plant()
    with Device(stack, plant["id"]) as first, Device(stack, plant["id"]) as second:
        yield plant["id"], first, second


def test_of_every_plant_there_is_a_curve_in_the_order_of_the_list(stack, plant):
    listed = stack.api.ok("GET", "/plants", params={"limit": 500})
    answer, found = curves(stack)
    assert [one["id"] for one in answer["plants"]] == [one["id"] for one in listed["plants"]]
    assert answer["total"] == listed["total"]
    assert (answer["metric"], answer["unit"], answer["step_seconds"]) == ("soil_moisture", "%", 1800)
    assert whole(answer) == 48 and parse(answer["from"]) < now_us() < parse(answer["to"])
    assert found[plant["id"]] == [None] * 48
    page, _ = curves(stack, limit=1, offset=listed["total"] - 1)
    assert [one["id"] for one in page["plants"]] == [listed["plants"][-1]["id"]] and page["total"] == listed["total"]
    beyond, _ = curves(stack, offset=listed["total"] + 5)
    assert beyond["plants"] == [] and beyond["total"] == listed["total"]


def test_a_value_is_the_mean_of_what_was_measured_in_its_step(stack, pot):
    plant, first, second = pot
    answer, _ = curves(stack)
    begin, step = parse(answer["from"]), answer["step_seconds"] * 1_000_000
    at = [begin + 10 * step + MINUTE, begin + 10 * step + 2 * MINUTE, begin + 20 * step]
    first.publish([{"timestamp": rfc3339(us), "soil_moisture": value} for us, value in zip(at, (40, 42, 30))])
    second.publish({"timestamp": rfc3339(at[0]), "soil_moisture": 61, "temperature": 21.5})
    now = now_us()
    first.publish({"timestamp": rfc3339(now), "soil_moisture": 55.5})
    first.stored(4)
    second.stored(1)

    def values():
        again, found = curves(stack)
        assert len(found[plant]) == 48
        # A step may have ended meanwhile.
        moved = (parse(again["from"]) - begin) // step
        newest = found[plant][(now - parse(again["from"])) // step]
        return {index + moved: value for index, value in enumerate(found[plant]) if value is not None}, newest

    assert values()[1] == 55.5, "what was not summarized yet is there"
    wait_until(lambda: len(values()[0]) == 3, SUMMARIZED, "what came late")
    shown, _ = values()
    assert (shown[10], shown[20]) == (51, 30), "each device counts the same"
    answer, found = curves(stack, metric="temperature")
    assert answer["unit"] == "°C" and [value for value in found[plant] if value is not None] == [21.5]


SPANS = [(1, 300), (5, 300), (6, 600), (12, 900), (24, 1800), (48, 3600), (168, 10_800)]


@pytest.fixture(scope="module")
def spanned(stack):
    """For each span a plant and the answer from before its readings came, so that one wait is enough for all of them."""
    plants = {}
    for hours, step in SPANS:
        plant = stack.api.plant()["id"]
        # Of long steps the one under way may have just begun, so the span says itself where its first one is.
        answer, _ = curves(stack, hours=hours)
        oldest = parse(answer["from"]) + step * 1_000_000 + MINUTE
        with Device(stack, plant) as device:
            device.publish([{"timestamp": rfc3339(now_us()), "soil_moisture": 44.4},
                            {"timestamp": rfc3339(oldest), "soil_moisture": 11.1}])
            device.stored(2)
        plants[hours] = plant, answer
    return plants


@pytest.mark.parametrize("hours, step", SPANS)
def test_steps_grow_with_the_span(stack, spanned, hours, step):
    plant, answer = spanned[hours]
    assert answer["step_seconds"] == step and whole(answer) == -(-hours * 3600 // step) <= 60

    def known():
        return [value for value in curves(stack, hours=hours)[1][plant] if value is not None]

    assert known()[-1] == 44.4
    wait_until(lambda: known() == [11.1, 44.4], SUMMARIZED, "what came late, too")


@pytest.mark.parametrize("parameters, pointer", [
    ({"hours": 0}, "?hours"), ({"hours": 169}, "?hours"), ({"hours": "day"}, "?hours"), ({"metric": "mood"}, "?metric"),
    ({"metric": "vpd"}, "?metric"), ({"metric": "moisture"}, "?metric"), ({"limit": 501}, "?limit")])
def test_what_cannot_be_answered_is_refused(stack, parameters, pointer):
    problem = assert_problem(stack.api.get("/plants/sparklines", params=parameters), 422)
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_nothing_but_asking_can_be_done_with_them(stack):
    for method in ("PUT", "DELETE", "POST"):
        answer = stack.api.request(method, "/plants/sparklines", json={})
        assert answer.status_code in (404, 405), f"{method}: {answer.status_code} {answer.text}"


def test_what_devices_need_to_connect_is_told_to_whoever_is_signed_in(stack, device):
    told = stack.api.as_(stack.make_token("viewer")).ok("GET", "/system/connection")
    for name in ("mqtt_host", "mqtt_port", "ca_certificate"):
        assert told[name] == device.registration[name]
    assert told["enrollment_mode"] == "token" and told["sign_in_required"] is True
    assert told["time_zone"] == stack.api.ok("GET", "/settings/alerts")["time_zone"]
    assert told["version"] == stack.api.ok("GET", "/health")["version"]
    days = stack.api.ok("GET", "/health")["components"]["certificate"]["days_left"]
    assert (parse(told["broker_certificate_expires_at"]) - now_us()) // (86_400 * 1_000_000) == days
