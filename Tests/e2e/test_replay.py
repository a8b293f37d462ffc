"""What would have fired in the past, compared with a model that is told nothing of how the program does it."""

import math
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from support.alerts import MINUTE, SECOND, alerts
from support.api import assert_problem
from support.device import Device
from support.times import now_us, parse, rfc3339

HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE
STEP = 5 * MINUTE
NOBODY = "01890000-0000-7000-8000-000000000000"
# One more reading may be asked for before a jump is believed; the model does not know.
TOLERANCE = 3 * STEP


@pytest.fixture
def history(stack):
    """A plant whose past is written straight into the table; what it is given is [(microseconds, {metric: value})]."""
    made = []

    def make(readings, thresholds):
        plant = stack.api.plant(thresholds=thresholds)
        device = Device(stack, plant["id"])
        made.append(device)
        metrics = sorted({metric for _, values in readings for metric in values})
        rows = stack.home / f"{device.id}.csv"
        rows.write_text("".join(
            ",".join([rfc3339(at), device.id, plant["id"], *(str(values.get(metric, "")) for metric in metrics), "device",
                      rfc3339(at)]) + "\n" for at, values in readings))
        stack.sql(f"SELECT telemetry_ensure_partitions('{rfc3339(readings[0][0])}', now())")
        stack.psql(f"\\copy telemetry (time, device_id, plant_id, {', '.join(metrics)}, time_source, received_at) "
                   f"FROM '{rows}' WITH (FORMAT csv)")
        rows.unlink()
        return plant

    yield make
    for device in made:
        stack.sql(f"DELETE FROM telemetry WHERE device_id = '{device.id}'")
        stack.api.delete(f"/devices/{device.id}")


def replay(stack, plant, **body):
    answer = stack.api.ok("POST", f"/plants/{plant['id']}/thresholds/replay", 200, json=body, timeout=60)
    assert answer.keys() == {"days", "would_have_fired", "by_metric", "episodes"}
    assert answer["would_have_fired"] == len(answer["episodes"]) == sum(answer["by_metric"].values())
    for episode in answer["episodes"]:
        assert episode.keys() == {"metric", "direction", "severity", "from", "to"}
    times = [parse(episode["from"]) for episode in answer["episodes"]]
    assert times == sorted(times)
    return answer


def model(readings, metric, low=None, high=None, band=0.0, lasting=120 * SECOND):
    """[(direction, since when beyond, since when back or None)]: beyond for so long, then back by the band for so long."""
    found = []
    for direction, limit, sign in (("min", low, 1), ("max", high, -1)):
        if limit is None:
            continue
        since = back = None
        firing = False
        for at, values in readings:
            if metric not in values:
                continue
            distance = sign * (values[metric] - limit)
            if distance < 0:
                since, back = since or at, None
                if not firing and at - since >= lasting:
                    firing = True
                    found.append([direction, since, None])
            elif distance >= band:
                if not firing:
                    since = None
                    continue
                back = back or at
                if at - back >= lasting:
                    found[-1][2] = at
                    firing, since, back = False, None, None
            else:
                back = None
    return sorted(found, key=lambda one: one[1])


def assert_same(episodes, expected, metric):
    got = [one for one in episodes if one["metric"] == metric]
    assert [one["direction"] for one in got] == [direction for direction, _, _ in expected]
    for one, (_, begin, end) in zip(got, expected):
        assert abs(parse(one["from"]) - begin) <= TOLERANCE, f"{one} instead of {rfc3339(begin)}"
        assert (one["to"] is None) == (end is None), one
        assert end is None or abs(parse(one["to"]) - end) <= TOLERANCE, f"{one} instead of {rfc3339(end)}"


def a_month():
    """Days with a warm noon, hot every seventh; soil that dries for five days and is watered; and a bit of noise."""
    begin = now_us() - 30 * DAY + 2 * HOUR
    readings = []
    for n in range((now_us() - begin) // STEP):
        at = begin + n * STEP
        day = n * STEP / DAY
        noise = (n * 7919 % 101 - 50) / 500
        amplitude = 14 if int(day) % 7 == 3 else 8
        temperature = 22 + amplitude * math.sin(2 * math.pi * day) + noise
        soil = 60 - 48 * (day / 5 % 1) + noise
        readings.append((at, {"temperature": round(temperature, 3), "soil_moisture": round(soil, 3)}))
    return readings


def test_a_month_is_replayed_as_a_model_says(stack, history):
    readings = a_month()
    plant = history(readings, {"temperature": {"min": 10, "max": 28}, "soil_moisture": {"min": 20}})
    answer = replay(stack, plant)
    assert answer["days"] == 30
    # Back by 5 % of the limit, at most 5 % of the span.
    warm = sorted(model(readings, "temperature", high=28, band=0.9) + model(readings, "temperature", low=10, band=0.5),
                  key=lambda one: one[1])
    dry = model(readings, "soil_moisture", low=20, band=1)
    assert len(warm) >= 30 and 5 <= len(dry) <= 7, "the model sees something"
    assert answer["by_metric"] == {"temperature": len(warm), "soil_moisture": len(dry)}
    assert_same(answer["episodes"], warm, "temperature")
    assert_same(answer["episodes"], dry, "soil_moisture")
    hot = [one for one in answer["episodes"] if one["metric"] == "temperature" and one["direction"] == "max"]
    assert 3 <= sum(one["severity"] == "critical" for one in hot) <= 5, "every seventh day is much too hot"


def test_other_limits_and_fewer_days_can_be_tried_and_the_plants_own_stay(stack, history):
    readings = a_month()
    own = {"soil_moisture": {"min": 20, "max": None}}
    plant = history(readings, own)
    for high, days in ((25, 30), (29, 30), (29, 7), (80, 30), (25, 1)):
        answer = replay(stack, plant, thresholds={"temperature": {"max": high}}, days=days)
        late = [reading for reading in readings if reading[0] >= now_us() - days * DAY]
        expected = model(late, "temperature", high=high, band=high * 0.05)
        assert answer["days"] == days
        if days == 30:
            assert_same(answer["episodes"], expected, "temperature")
        else:
            # One that had begun before may count or not.
            assert abs(answer["would_have_fired"] - len(expected)) <= 1
        assert set(answer["by_metric"]) <= {"temperature"}, "not the plant's own"
    assert replay(stack, plant, thresholds={})["episodes"] == []
    assert stack.api.ok("GET", f"/plants/{plant['id']}")["thresholds"] == own
    assert alerts(stack, plant_id=plant["id"]) == [], "nothing fires for real"


def test_an_episode_that_has_not_ended_has_no_end(stack, history):
    begin = now_us() - 2 * DAY
    readings = [(begin + n * STEP, {"humidity": 50 if n < 300 else 30}) for n in range(570)]
    plant = history(readings, {"humidity": {"min": 40, "max": 60}})
    (episode,) = replay(stack, plant)["episodes"]
    assert (episode["metric"], episode["direction"], episode["severity"], episode["to"]) == ("humidity", "min", "critical", None)
    assert abs(parse(episode["from"]) - readings[300][0]) <= TOLERANCE


def test_silence_ends_nothing_and_a_moment_is_nothing(stack, history):
    begin = now_us() - 3 * DAY
    readings = [(begin + n * STEP, {"humidity": 50 + n % 3 / 10}) for n in range(100)]
    readings[40] = (readings[40][0], {"humidity": 5})  # A spike.
    dry = [(begin + (100 + n) * STEP, {"humidity": 35 + n % 3 / 10}) for n in range(5)]
    later = [(begin + (400 + n) * STEP, {"humidity": 35 + n % 3 / 10}) for n in range(5)]
    fine = [(begin + (405 + n) * STEP, {"humidity": 50 + n % 3 / 10}) for n in range(50)]
    plant = history(readings + dry + later + fine, {"humidity": {"min": 40}})
    (episode,) = replay(stack, plant)["episodes"]
    assert abs(parse(episode["from"]) - dry[0][0]) <= TOLERANCE
    assert abs(parse(episode["to"]) - fine[0][0]) <= TOLERANCE


def test_two_devices_in_one_pot_make_one_episode(stack, history):
    begin = now_us() - 2 * DAY
    readings = [(begin + n * STEP, {"humidity": 30 if 100 <= n < 200 else 50}) for n in range(500)]
    plant = history(readings, {"humidity": {"min": 40}})
    second = Device(stack, plant["id"])
    stack.sql(f"INSERT INTO telemetry (time, device_id, plant_id, humidity, time_source, received_at) "
               f"SELECT time + interval '1 minute', '{second.id}', plant_id, humidity, time_source, received_at "
               f"FROM telemetry WHERE plant_id = '{plant['id']}'")
    assert replay(stack, plant)["by_metric"] == {"humidity": 1}
    stack.sql(f"DELETE FROM telemetry WHERE device_id = '{second.id}'")


def test_light_is_judged_by_whole_days_of_which_two_count(stack, history):
    zone = ZoneInfo(stack.api.ok("GET", "/settings/alerts")["time_zone"])
    midnight = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    first = int((midnight - timedelta(days=14)).timestamp()) * SECOND
    #        bright, one dark day, bright, four dark days, bright; the last day is today
    light = [5000] * 3 + [500] + [5000] * 2 + [500] * 4 + [5000] * 4
    readings = [(first + day * DAY + n * STEP, {"light_level": level if 72 <= n < 216 else 0})
                for day, level in enumerate(light) for n in range(288)]
    plant = history(readings, {"light_level": {"min": 2000}})
    answer = replay(stack, plant)
    assert answer["by_metric"] == {"light_level": 1}
    (episode,) = answer["episodes"]
    assert (episode["metric"], episode["direction"]) == ("light_level", "min")
    assert first + 6 * DAY <= parse(episode["from"]) <= first + 8 * DAY
    assert first + 10 * DAY <= parse(episode["to"]) <= first + 12 * DAY
    assert replay(stack, plant, thresholds={"light_level": {"min": 100}})["episodes"] == []
    assert replay(stack, plant, thresholds={"light_level": {"max": 10_000}})["episodes"] == [], "noon is not a day"
    # Nor does one dark day end what two are needed for.
    assert replay(stack, plant, thresholds={"light_level": {"max": 3000}})["by_metric"] == {"light_level": 2}


def test_a_plant_without_a_past_or_without_limits_has_no_episodes(stack, plant):
    nothing = {"days": 30, "would_have_fired": 0, "by_metric": {}, "episodes": []}
    assert replay(stack, plant) == nothing
    assert replay(stack, plant, thresholds={"soil_moisture": {"min": 20}}, days=365) == {**nothing, "days": 365}


@pytest.mark.parametrize("body, pointers", [
    ({"days": 0}, ["/days"]), ({"days": 366}, ["/days"]), ({"days": 1.5}, ["/days"]), ({"days": "30"}, ["/days"]),
    ({"days": -1}, ["/days"]), ({"days": True}, ["/days"]), ({"thresholds": 5}, ["/thresholds"]),
    ({"thresholds": []}, ["/thresholds"]), ({"thresholds": {"moisture": {"min": 5}}}, ["/thresholds/moisture"]),
    ({"thresholds": {"Soil": {"min": 5}}}, ["/thresholds/Soil"]),
    ({"thresholds": {"soil_moisture": 5}}, ["/thresholds/soil_moisture"]),
    ({"thresholds": {"soil_moisture": {"min": "5"}}}, ["/thresholds/soil_moisture/min"]),
    ({"thresholds": {"soil_moisture": {"min": 101}}}, ["/thresholds/soil_moisture/min"]),
    ({"thresholds": {"soil_moisture": {"min": 50, "max": 40}}}, ["/thresholds/soil_moisture/min"]),
    ({"days": 0, "thresholds": {"soil_moisture": {"max": -1}}}, ["/days", "/thresholds/soil_moisture/max"])])
def test_a_question_that_makes_no_sense_is_refused(stack, plant, body, pointers):
    problem = assert_problem(stack.api.post(f"/plants/{plant['id']}/thresholds/replay", json=body), 422)
    assert sorted(error["pointer"] for error in problem["errors"]) == pointers


def test_a_viewer_may_ask_and_a_plant_has_to_be_there(stack, plant):
    viewer = stack.api.as_(stack.make_token("viewer"))
    path = f"/plants/{plant['id']}/thresholds/replay"
    assert viewer.ok("POST", path, 200, json={"days": 1})["days"] == 1
    assert_problem(stack.stranger.post(path, json={}), 401)
    for nobody in (NOBODY, "nonsense"):
        assert_problem(stack.api.post(f"/plants/{nobody}/thresholds/replay", json={}), 404)
    for data in ("{", "[]", "7"):
        answer = stack.api.post(path, data=data, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422)


def test_a_year_of_readings_every_minute_is_answered_without_growing_and_without_keeping_others_waiting(stack):
    plant = stack.api.plant(thresholds={"soil_moisture": {"min": 20}, "temperature": {"max": 28}})
    device = Device(stack, plant["id"])
    stack.sql("SELECT telemetry_ensure_partitions(now() - interval '366 days', now())")
    stack.sql(f"""INSERT INTO telemetry (time, device_id, plant_id, soil_moisture, temperature, time_source, received_at)
        SELECT now() - n * interval '1 minute', '{device.id}', '{plant['id']}',
               60 - 48 * (n % 7200) / 7200.0, 22 + 8 * sin(2 * pi() * n / 1440.0), 'device', now()
        FROM generate_series(1, 525000) n""", timeout=180)
    try:
        replay(stack, plant, days=1)
        before = stack.memory()
        with ThreadPoolExecutor(3) as pool:
            replays = [pool.submit(replay, stack, plant, days=365) for _ in range(2)]
            asked = 0
            while not all(one.done() for one in replays):
                stack.api.ok("GET", f"/plants/{plant['id']}", 200, timeout=10)
                asked += 1
            first, second = (one.result() for one in replays)
        assert asked > 0 and first == second
        assert 355 <= first["by_metric"]["temperature"] <= 366 and 70 <= first["by_metric"]["soil_moisture"] <= 74
        assert stack.memory() - before < 100 << 20
        through_nginx = stack.web.ok("POST", f"/plants/{plant['id']}/thresholds/replay", 200, json={"days": 365}, timeout=65)
        assert through_nginx["by_metric"] == first["by_metric"]
    finally:
        stack.sql(f"DELETE FROM telemetry WHERE device_id = '{device.id}'", timeout=120)
