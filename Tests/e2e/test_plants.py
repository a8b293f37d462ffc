"""Plants: made, changed, listed, moved and removed."""

from concurrent.futures import ThreadPoolExecutor

from support.api import UUID_V7
from support.device import Device, reading
from support.waiting import wait_until


def test_a_plant_comes_back_as_it_was_made(stack):
    made = stack.api.plant(
        "Fíkus \U0001F331", room="Living room", position={"x": 1.5, "y": -2}, thresholds={"soil_moisture": {"min": 30, "max": 70}})
    assert UUID_V7.match(made["id"])
    assert made == stack.api.ok("GET", f"/plants/{made['id']}")
    assert made["name"] == "Fíkus \U0001F331"
    assert (made["room"], made["position"]) == ("Living room", {"x": 1.5, "y": -2})
    assert made["thresholds"] == {"soil_moisture": {"min": 30, "max": 70}}
    assert (made["status"], made["device_count"], made["latest_telemetry"], made["derived"]) == ("unknown", 0, None, {})
    assert made["created_at"].endswith("Z") and made["updated_at"] == made["created_at"]


def test_absent_fields_stay_and_null_clears(stack):
    path = "/plants/" + stack.api.plant(room="Hall", thresholds={"co2": {"max": 900}, "humidity": {"min": 40, "max": 60}})["id"]
    changed = stack.api.ok("PUT", path, json={"name": "Other"})
    assert (changed["name"], changed["room"], changed["species"]) == ("Other", "Hall", "Monstera deliciosa")
    changed = stack.api.ok("PUT", path, json={"room": None, "thresholds": {"co2": None, "humidity": {"max": None}}})
    assert (changed["name"], changed["room"]) == ("Other", None)
    assert changed["thresholds"] == {"humidity": {"min": 40, "max": None}}
    assert changed == stack.api.ok("GET", path)
    assert changed["updated_at"] != changed["created_at"]
    assert stack.api.put(path, json={"name": None}).status_code == 422
    assert stack.api.put(path, json={"thresholds": {"humidity": {"max": 30}}}).status_code == 422
    assert stack.api.ok("GET", path) == changed, "a refused change changes nothing"


def test_a_plant_is_moved_in_the_room(stack, plant):
    moved = stack.api.ok("PUT", f"/plants/{plant['id']}/position", json={"x": 3, "y": 4})
    assert moved["position"] == {"x": 3, "y": 4}
    assert stack.api.ok("PUT", f"/plants/{plant['id']}", json={"position": None})["position"] is None


def test_deleting_a_plant_frees_its_devices(stack, planted):
    assert [d["id"] for d in stack.api.ok("GET", f"/plants/{planted.plant}/devices")["devices"]] == [planted.id]
    stack.api.ok("DELETE", f"/plants/{planted.plant}", 204)
    assert stack.api.get(f"/plants/{planted.plant}").status_code == 404
    assert stack.api.ok("GET", f"/devices/{planted.id}")["plant_id"] is None


def test_status_and_derived_values_follow_the_newest_reading(stack, planted):
    path = f"/plants/{planted.plant}"
    stack.api.ok("PUT", path, json={"thresholds": {"soil_moisture": {"min": 30, "max": 70}}})
    for moisture, status in [(50, "ok"), (28, "warning"), (5, "critical")]:
        planted.publish(reading(soil_moisture=moisture, temperature=25, humidity=50))
        wait_until(lambda: (stack.api.ok("GET", path)["latest_telemetry"] or {}).get("soil_moisture") == moisture, 10,
                   "the new value")
        assert stack.api.ok("GET", path)["status"] == status
    derived = stack.api.ok("GET", path)["derived"]
    assert abs(derived["vpd_kpa"] - 1.584) < 0.001
    assert abs(derived["dew_point_celsius"] - 13.86) < 0.01


def test_pages_cover_everything_once(fresh_stack):
    made = [fresh_stack.api.plant(f"Plant {n}")["id"] for n in range(7)]
    seen = []
    for offset in range(0, 9, 3):
        page = fresh_stack.api.ok("GET", f"/plants?limit=3&offset={offset}")
        assert page["total"] == 7
        seen += [plant["id"] for plant in page["plants"]]
    assert seen == made
    assert fresh_stack.api.ok("GET", "/plants?offset=1000") == {"plants": [], "total": 7}
    assert fresh_stack.api.ok("GET", "/devices") == {"devices": [], "total": 0}


def test_a_list_takes_one_statement_however_long_it_is(fresh_stack):
    for n in range(20):
        Device(fresh_stack, fresh_stack.api.plant(f"Plant {n}")["id"])
    (configuration,) = fresh_stack.home.glob("services/postgres/postgresql.conf")
    with open(configuration, "a") as file:
        file.write("\nlog_statement = 'all'\nlog_line_prefix = '%a '\n")
    fresh_stack.restart("postgres")
    fresh_stack.ready()

    def statements(path):
        def logged():
            # Who asks is looked up in one statement before.
            return [line for line in fresh_stack.log("postgres").splitlines()
                    if "plantops" in line and " execute " in line and "SELECT u.id, u.email" not in line]

        def of_one_request():
            before = len(logged())
            fresh_stack.api.ok("GET", path)
            return len(logged()) - before

        # Now and then the watch over the database, the housekeeping and others ask in between.
        return min(of_one_request() for _ in range(6))

    fresh_stack.stop("mosquitto")  # Fewer others ask.
    assert statements("/plants?limit=1") == 1
    assert statements("/plants?limit=20") == 1
    assert statements("/devices?limit=20") == 1


def test_many_people_changing_a_plant_at_once_lose_nothing(stack, plant):
    metrics = ["soil_moisture", "temperature", "humidity", "co2", "pressure", "battery", "my_metric", "other_metric"]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: stack.api.ok(
            "PUT", f"/plants/{plant['id']}", json={"thresholds": {name: {"min": 10 if name != "pressure" else 400}}}), metrics))
    assert set(stack.api.ok("GET", f"/plants/{plant['id']}")["thresholds"]) == set(metrics)
