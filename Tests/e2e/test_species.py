"""Species: the built-in ones, one's own, what they suggest, and their way in and out as comma-separated values."""

import csv
import io
import uuid

import pytest

from support.api import UUID_V7, assert_problem
from support.people import Person

CSV = {"Content-Type": "text/csv"}
MONSTERA = {
    "soil_moisture": {"min": 25, "max": 75}, "humidity": {"min": 40, "max": 70}, "temperature": {"min": 15, "max": None},
    "light_level": {"min": 270, "max": None}}


def name():
    """Of a species that no other test knows, and no search finds by mistake."""
    return f"Testus {uuid.uuid4().hex}"


def make(stack, scientific_name=None, **fields):
    return stack.api.ok("POST", "/species", 201, json={"scientific_name": scientific_name or name(), **fields})


def found(stack, text, **query):
    answer = stack.api.ok("GET", "/species", params={"q": text, "limit": 500, **query})
    assert answer["total"] == len(answer["species"])
    return [species["scientific_name"] for species in answer["species"]]


def bring(stack, text, *statuses):
    data = text if isinstance(text, bytes) else text.encode()
    return stack.api.ok("POST", "/species/import", *statuses, data=data, headers=CSV)


def mistakes(stack, text):
    data = text if isinstance(text, bytes) else text.encode()
    answer = stack.api.post("/species/import", data=data, headers=CSV)
    return {error["pointer"]: error["detail"] for error in assert_problem(answer, 422)["errors"]}


def export(stack, query=""):
    answer = stack.api.get(f"/species/export.csv{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/csv; charset=utf-8")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="species.csv"'
    assert answer.content.count(b"\n") == answer.content.count(b"\r\n") > 0
    return answer.content.decode()


@pytest.fixture
def own(fresh_stack):
    """Where no other test adds species."""
    return fresh_stack


# The library.


def test_the_library_comes_with_51_species_and_says_what_they_want(stack):
    answer = stack.api.ok("GET", "/species?source=builtin&limit=500")
    assert answer["total"] == len(answer["species"]) == 51
    names = [species["scientific_name"] for species in answer["species"]]
    assert names == sorted(names)
    for species in answer["species"]:
        assert (species["id"], species["source"], species["own_thresholds"]) == (None, "builtin", {})
        assert {"soil_moisture", "humidity", "light_level"} <= species["thresholds"].keys()
    (monstera,) = [species for species in answer["species"] if species["scientific_name"] == "Monstera deliciosa"]
    assert monstera == {
        "id": None, "source": "builtin", "scientific_name": "Monstera deliciosa", "common_name": "Swiss cheese plant",
        "light": "shade", "water": "moderate", "usda_zone_min": 10, "thresholds": MONSTERA, "own_thresholds": {}}


@pytest.mark.parametrize("text, first", [
    ("monstra delicosa", "Monstera deliciosa"), ("SWISS cheese", "Monstera deliciosa"), ("peace lilly", "Spathiphyllum wallisii"),
    ("calatea", "Goeppertia orbifolia"), ("kalanchoé", "Kalanchoe blossfeldiana"), ("zz", "Zamioculcas zamiifolia"),
    ("bird's-nest", "Asplenium nidus"), ("fidle leaf", "Ficus lyrata")])
def test_a_species_is_found_by_either_name_also_misspelt(stack, text, first):
    assert found(stack, text)[0] == first


@pytest.mark.parametrize("text", ["xqzvbn", "!!!", "%", "' OR '1'='1", "Monstera qwertz", "%00"])
def test_nonsense_finds_nothing(stack, text):
    assert found(stack, text) == []


def test_pages_of_a_search_cover_everything_once(stack):
    everything = found(stack, "p", source="builtin")
    pages = [stack.api.ok("GET", f"/species?q=p&source=builtin&limit=4&offset={offset}")
             for offset in range(0, len(everything) + 4, 4)]
    assert [species["scientific_name"] for page in pages for species in page["species"]] == everything
    assert {page["total"] for page in pages} == {len(everything)} and len(everything) > 8
    assert found(stack, "", source="builtin") == found(stack, " ", source="builtin") != []


@pytest.mark.parametrize("query, pointers", [
    ("q=" + "x" * 101, ["?q"]), ("limit=0&offset=-1&source=mine", ["?source", "?limit", "?offset"]), ("limit=501", ["?limit"])])
def test_what_is_wrong_with_a_query_is_said_at_once(stack, query, pointers):
    problem = assert_problem(stack.api.get(f"/species?{query}"), 422)
    assert [error["pointer"] for error in problem["errors"]] == pointers


# One's own.


def test_a_species_of_ones_own_comes_back_as_it_was_made(stack):
    answer = stack.api.post("/species", json={
        "scientific_name": f" {(wanted := name())} ", "common_name": "Ölbaum 🌱", "light": "full", "water": "low",
        "usda_zone_min": 8, "thresholds": {"temperature": {"min": -5}, "soil_moisture": {"max": 50}}})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert UUID_V7.match(made["id"]) and answer.headers["Location"] == f"/api/species/{made['id']}"
    assert made == {
        "id": made["id"], "source": "own", "scientific_name": wanted, "common_name": "Ölbaum 🌱", "light": "full",
        "water": "low", "usda_zone_min": 8, "thresholds": {
            "temperature": {"min": -5, "max": None}, "soil_moisture": {"min": 10, "max": 50},
            "humidity": {"min": 40, "max": 70}, "light_level": {"min": 3230, "max": None}},
        "own_thresholds": {"temperature": {"min": -5, "max": None}, "soil_moisture": {"min": 10, "max": 50}}}
    assert stack.api.ok("GET", f"/species/{made['id']}") == made
    assert found(stack, wanted.upper()) == [wanted]
    bare = make(stack)
    assert [bare[key] for key in ("common_name", "light", "water", "usda_zone_min", "own_thresholds")] == [None] * 4 + [{}]


def test_absent_fields_stay_and_null_clears(stack):
    made = make(stack, common_name="Tree", light="shade", water="high", usda_zone_min=11,
                thresholds={"co2": {"max": 900}, "soil_moisture": {"min": 50}})
    path = f"/species/{made['id']}"
    assert stack.api.ok("PUT", path, json={}) == made
    assert stack.api.ok("PUT", path, json=made) == made, "an answer sent back changes nothing"
    changed = stack.api.ok("PUT", path, json={"light": "full", "usda_zone_min": None, "thresholds": {"soil_moisture": None}})
    assert (changed["light"], changed["usda_zone_min"], changed["common_name"]) == ("full", None, "Tree")
    assert changed["own_thresholds"] == {"co2": {"min": None, "max": 900}}
    assert changed["thresholds"] == {
        "co2": {"min": None, "max": 900}, "soil_moisture": {"min": 40, "max": 85}, "humidity": {"min": 40, "max": 70},
        "light_level": {"min": 3230, "max": None}}
    assert stack.api.ok("PUT", path, json={"thresholds": None})["own_thresholds"] == {}
    cleared = stack.api.ok("PUT", path, json={"common_name": None, "light": None, "water": None})
    assert cleared["thresholds"] == {"humidity": {"min": 40, "max": 70}}
    before = stack.api.ok("GET", path)
    assert_problem(stack.api.put(path, json={"water": "low", "thresholds": {"soil_moisture": {"min": 60}}}), 422)
    assert stack.api.ok("GET", path) == before, "a refused change changes nothing"


def test_everything_that_is_wrong_is_said_at_once(stack):
    body = {"common_name": "", "light": "bright", "water": 3, "usda_zone_min": 14,
            "thresholds": {"soil_moisture": {"min": 101}, "battery": {"min": 5}, "lux": {"min": 1}, "co2": {"min": 9, "max": 8}}}
    problem = assert_problem(stack.api.post("/species", json=body), 422)
    assert {error["pointer"] for error in problem["errors"]} == {
        "/scientific_name", "/common_name", "/light", "/water", "/usda_zone_min", "/thresholds/soil_moisture/min",
        "/thresholds/battery", "/thresholds/lux", "/thresholds/co2/min"}
    path = f"/species/{make(stack)['id']}"
    for wrong in ({"scientific_name": None}, {"scientific_name": "x" * 101}, {"scientific_name": "a\nb"}, {"thresholds": 3}):
        assert_problem(stack.api.put(path, json=wrong), 422)
    assert_problem(stack.api.post("/species", data="{"), 400)
    assert_problem(stack.api.post("/species", data="a", headers=CSV), 415)
    for method in ("GET", "PUT", "DELETE"):
        for unknown in (uuid.uuid4(), "Monstera"):
            assert_problem(stack.api.request(method, f"/species/{unknown}", json={}), 404)
    for path, right, wrong in (("import", "POST", "GET"), ("export.csv", "GET", "PUT")):
        answer = stack.api.request(wrong, f"/species/{path}", json={})
        assert_problem(answer, 405)
        assert answer.headers["Allow"] == right


def test_a_name_is_there_once(stack):
    made, other = make(stack), make(stack)
    assert_problem(stack.api.post("/species", json={"scientific_name": made["scientific_name"].upper()}), 409)
    path = f"/species/{other['id']}"
    assert_problem(stack.api.put(path, json={"scientific_name": made["scientific_name"].swapcase()}), 409)
    assert stack.api.ok("GET", path) == other
    assert stack.api.ok("PUT", path, json={"scientific_name": other["scientific_name"].upper()})["id"] == other["id"]
    stack.api.ok("DELETE", f"/species/{made['id']}", 204)
    assert_problem(stack.api.delete(f"/species/{made['id']}"), 404)
    make(stack, made["scientific_name"])


def test_ones_own_takes_the_place_of_a_built_in_species_until_it_is_deleted(own):
    made = make(own, "ALOE vera", common_name="Wüstenlilie", water="high")
    assert own.api.ok("GET", "/species")["total"] == 51
    assert found(own, "aloe vera") == ["ALOE vera"]
    assert found(own, "wustenlilie") == ["ALOE vera"]
    assert own.api.ok("GET", "/species?source=own") == {"species": [made], "total": 1}
    assert own.api.ok("GET", "/species?source=builtin")["total"] == 50
    # The text of a plant may be any of its names.
    for text in ("Aloe vera", "aloe", "WÜSTENLILIE".lower()):
        assert own.api.plant(species=text)["suggested_thresholds"]["soil_moisture"] == {"min": 40, "max": 85}
    own.api.ok("DELETE", f"/species/{made['id']}", 204)
    assert found(own, "aloe vera") == ["Aloe vera"]


def test_who_adds_changes_and_removes_species_is_in_the_log(stack):
    made = make(stack)
    stack.api.ok("PUT", f"/species/{made['id']}", json={"light": "full", "thresholds": {"co2": {"max": 900}}})
    stack.api.ok("DELETE", f"/species/{made['id']}", 204)
    entries = stack.api.ok("GET", f"/audit?subject_id={made['id']}")["entries"]
    assert [entry["action"] for entry in entries] == ["species.delete", "species.update", "species.create"]
    assert {entry["subject"]["name"] for entry in entries} == {made["scientific_name"]}
    assert entries[1]["details"].keys() == {"light", "thresholds"}


def test_viewers_look_and_members_change(stack):
    viewer, member = (stack.api.as_(Person(stack, role).token(role)["token"]) for role in ("viewer", "member"))
    made = member.ok("POST", "/species", 201, json={"scientific_name": name()})
    path = f"/species/{made['id']}"
    assert viewer.ok("GET", path) == made
    assert viewer.get("/species/export.csv").status_code == 200
    table = f"scientific_name,light\n{made['scientific_name']},full"
    for answer in (
            viewer.post("/species", json={"scientific_name": name()}), viewer.put(path, json={"light": "full"}),
            viewer.delete(path), viewer.post("/species/import", data=table, headers=CSV)):
        assert_problem(answer, 403)
    assert viewer.ok("GET", path) == made
    assert member.ok("POST", "/species/import", data=table, headers=CSV)["updated"] == 1
    assert viewer.ok("GET", path)["light"] == "full"
    assert_problem(stack.stranger.get("/species/export.csv"), 401)


# Suggestions for plants.


def test_a_plant_is_told_what_its_species_suggests_and_nothing_is_applied(stack):
    plant = stack.api.plant(species="monstera DELICIOSA")
    assert plant["suggested_thresholds"] == MONSTERA
    assert (plant["thresholds"], plant["status"]) == ({}, "unknown")
    path = f"/plants/{plant['id']}"
    assert stack.api.ok("GET", path) == plant
    assert stack.api.ok("PUT", path, json={"species": "Swiss cheese plant"})["suggested_thresholds"] == MONSTERA
    # They are editable: taken over in part, and changed.
    changed = stack.api.ok("PUT", path, json={"thresholds": {**plant["suggested_thresholds"], "humidity": {"min": 33}}})
    assert changed["thresholds"] == {**MONSTERA, "humidity": {"min": 33, "max": None}}
    assert changed["suggested_thresholds"] == MONSTERA
    for text in ("Monstera", "a gift of my aunt", "%", None):
        changed = stack.api.ok("PUT", path, json={"species": text})
        assert (changed["species"], changed["suggested_thresholds"]) == (text, None)
    moved = stack.api.ok("PUT", f"{path}/position", json={"x": 1, "y": 2})
    assert moved["suggested_thresholds"] is None


def test_a_plants_suggestion_follows_a_species_of_ones_own(stack):
    scientific = name()
    plant = stack.api.plant(species=scientific.upper())
    assert plant["suggested_thresholds"] is None
    made = make(stack, scientific, light="full", thresholds={"co2": {"max": 1500}})
    path = f"/plants/{plant['id']}"
    assert stack.api.ok("GET", path)["suggested_thresholds"] == made["thresholds"]
    listed = {p["id"]: p for p in stack.api.ok("GET", "/plants?limit=500")["plants"]}
    assert listed[plant["id"]]["suggested_thresholds"] == made["thresholds"]
    snoozed = stack.api.ok("POST", f"/plants/{plant['id']}/snooze", json={"minutes": 1})
    assert snoozed["suggested_thresholds"] == made["thresholds"]
    stack.api.ok("DELETE", f"/species/{made['id']}", 204)
    assert stack.api.ok("GET", path)["suggested_thresholds"] is None


# Comma-separated values.


def test_export_and_import_go_round(own):
    make(own, "Olea europaea", common_name="Olive, \"Ölbaum\"", light="full", usda_zone_min=8,
         thresholds={"temperature": {"min": -5.5, "max": 35}, "co2": {"max": 900}})
    make(own, "=HYPERLINK(\"http://evil.example\")", common_name="'-1", water="low")
    make(own, "Monstera deliciosa", common_name=None, water="high")
    library = own.api.ok("GET", "/species?limit=500")
    everything, mine = export(own), export(own, "?source=own")
    rows = list(csv.DictReader(io.StringIO(everything, newline="")))
    assert len(rows) == 53 and len(list(csv.DictReader(io.StringIO(mine, newline="")))) == 3
    (olive,) = [row for row in rows if row["scientific_name"] == "Olea europaea"]
    assert (olive["common_name"], olive["temperature_min"], olive["temperature_max"], olive["co2_max"], olive["co2_min"]) == (
        "Olive, \"Ölbaum\"", "-5.5", "35", "900", "")
    assert not any(value.startswith(tuple("=+@")) for row in rows for value in row.values())

    assert bring(own, everything) == {"created": 0, "updated": 0, "unchanged": 53}
    assert own.api.ok("GET", "/species?limit=500") == library
    for species in own.api.ok("GET", "/species?source=own")["species"]:
        own.api.ok("DELETE", f"/species/{species['id']}", 204)
    assert own.api.ok("GET", "/species")["total"] == 51
    assert bring(own, mine.replace("\r\n", "\n").encode("utf-8-sig")) == {"created": 3, "updated": 0, "unchanged": 0}
    assert export(own) == everything

    def without_ids(page):
        return [{**species, "id": bool(species["id"])} for species in page["species"]]

    again = own.api.ok("GET", "/species?limit=500")
    assert without_ids(again) == without_ids(library)
    # And it is still there after a restart.
    own.restart("backend")
    own.ready()
    assert own.api.ok("GET", "/species?limit=500") == again
    assert own.api.plant(species="Olea europaea")["suggested_thresholds"]["temperature"] == {"min": -5.5, "max": 35}


def test_a_table_adds_and_changes_by_name_and_only_what_it_speaks_of(stack):
    made, fresh = make(stack, light="shade", water="low", common_name="Before"), name()
    text = f"water,scientific_name,soil_moisture_min,common_name\r\nhigh,{made['scientific_name'].upper()},,\r\n,{fresh},12.5,\"New\"\r\n"
    assert bring(stack, text) == {"created": 1, "updated": 1, "unchanged": 0}
    changed = stack.api.ok("GET", f"/species/{made['id']}")
    assert changed == {**made, "water": "high", "common_name": None, "own_thresholds": {"soil_moisture": {"min": None, "max": 85}},
                       "thresholds": {**made["thresholds"], "soil_moisture": {"min": None, "max": 85}}}
    (new,) = stack.api.ok("GET", "/species", params={"q": fresh})["species"]
    assert (new["common_name"], new["own_thresholds"]) == ("New", {"soil_moisture": {"min": 12.5, "max": None}})


def test_everything_that_is_wrong_with_a_table_is_said_by_line_and_nothing_is_imported(stack):
    good = name()
    wrong = mistakes(stack, f"scientific_name,light,water,usda_zone_min,co2_min,co2_max\n{good},full,low,9,,\n"
                            f"{name()},bright,wet,99,nan,\n{name()},full\n{good},,,,,\n,,,,,\n{name()},,,,9,\"8")
    assert wrong.keys() == {"/3/light", "/3/water", "/3/usda_zone_min", "/3/co2_min", "/4", "/5/scientific_name",
                            "/6/scientific_name", "/7"}
    assert wrong["/3/light"] == "line 3, light: must be one of shade, partial, full"
    assert mistakes(stack, f"scientific_name,co2_min,co2_max\n{good},9,8") == {
        "/2/co2_min": "line 2, co2_min: must be below max (8)"}
    assert mistakes(stack, "scientific_name,colour,light,light\n").keys() == {"/1/colour", "/1/light"}
    assert mistakes(stack, "light\nfull").keys() == {"/1/scientific_name"}
    assert "commas" in mistakes(stack, f"scientific_name;light\n{good};full")["/1/scientific_name;light"]
    assert "UTF-8" in mistakes(stack, b"scientific_name\n\xfcber")["/2"]
    assert mistakes(stack, "").keys() == {"/1"}
    assert len(mistakes(stack, "scientific_name,light\n" + "".join(f"a{n},x\n" for n in range(500)))) == 100
    assert found(stack, good) == []


def test_a_table_has_its_type_and_its_size(stack):
    good = f"scientific_name\n{name()}"
    for media in ("application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/csvx"):
        assert_problem(stack.api.post("/species/import", data=good, headers={"Content-Type": media}), 415)
    assert_problem(stack.api.post("/species/import", data="scientific_name\n" + "x" * (1 << 20), headers=CSV), 413)
    answer = stack.api.post("/species/import", data=good, headers={"Content-Type": "Text/CSV; charset=UTF-8"})
    assert answer.status_code == 200 and answer.json()["created"] == 1
    many = "scientific_name\n" + "".join(f"Genus x{n}\n" for n in range(2001))
    assert_problem(stack.api.post("/species/import", data=many, headers=CSV), 409)
    assert found(stack, "Genus x1") == []


def test_the_way_through_nginx_is_the_same(stack):
    made = make(stack)
    through = stack.web.as_(stack.api.token)
    table = f"scientific_name,light\n{made['scientific_name']},partial"
    assert through.ok("POST", "/species/import", data=table, headers=CSV)["updated"] == 1
    assert made["scientific_name"] in through.get("/species/export.csv?source=own").text
    assert through.ok("GET", f"/species/{made['id']}")["light"] == "partial"
