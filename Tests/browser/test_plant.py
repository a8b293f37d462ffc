"""The page of one plant: how it is, what was done for it, what to do."""

import re
import uuid

import pytest
from playwright.sync_api import expect

from browsing.accessibility import assert_accessible, assert_fits, focused
from browsing.things import make_plant, tell

SOIL = {"soil_moisture": {"min": 20, "max": 80}}
NOBODY = "01890000-0000-7000-8000-000000000000"


@pytest.fixture(autouse=True)
def at_once(stack):
    """Alerts fire on the first reading."""
    stack.api.ok("PUT", "/settings/alerts", 200, json={"for_seconds": 0})


@pytest.fixture
def potted(stack, planted):
    """A plant with limits, and a device in it that has told one reading."""
    stack.api.ok("PUT", f"/plants/{planted.plant['id']}", 200, json={"thresholds": SOIL})
    tell(planted, soil_moisture=45, temperature=21.5, humidity=55, light_level=900)
    return planted


def open_plant(page, plant):
    page.goto(f"/plants/{plant['id']}")
    expect(page.get_by_role("heading", level=1, name=plant["name"])).to_be_visible()
    return page


def value(page, metric):
    return page.locator(f'.value[data-metric="{metric}"] .value-figure')


def card(page, title):
    return page.locator("section.card").filter(has=page.get_by_role("heading", level=2, name=title, exact=True))


def test_a_reading_arrives_and_moves_values_and_status(signed_in, potted):
    page = open_plant(signed_in, potted.plant)
    expect(value(page, "soil_moisture")).to_have_text("45 %")
    expect(page.locator(".plant-status")).to_contain_text("Well")
    tell(potted, soil_moisture=62, temperature=24, humidity=50, light_level=1200, leaf_wetness=12)
    expect(value(page, "soil_moisture")).to_have_text("62 %")
    # Derived from them, and a metric that only this device knows.
    expect(value(page, "vpd_kpa")).to_contain_text("kPa")
    expect(value(page, "leaf_wetness")).to_contain_text("12")


def test_an_alert_is_shown_with_its_reason_and_acknowledged(signed_in, potted):
    page = open_plant(signed_in, potted.plant)
    tell(potted, soil_moisture=5)
    expect(page.locator(".plant-status")).to_contain_text("Soil moisture is too low: 5 %, at least 20 % wanted")
    alerts = card(page, "Open alerts")
    expect(alerts).to_contain_text("Soil moisture 5 %, below 20 %")
    # The chart has its mark, in words below it.
    chart = page.get_by_role("figure", name="Soil moisture")
    chart.get_by_text("1 mark", exact=True).click()
    expect(chart.locator(".mark-list")).to_contain_text("Soil moisture 5 %")
    alerts.get_by_role("button", name="Acknowledge").click()
    expect(alerts).to_contain_text("seen by")
    expect(alerts.get_by_role("button", name="Acknowledge")).to_have_count(0)
    tell(potted, soil_moisture=50)
    expect(alerts).to_have_count(0)


def test_snooze_holds_until_it_is_ended(signed_in, stack, potted):
    page = open_plant(signed_in, potted.plant)
    page.get_by_role("button", name="Snooze").click()
    page.get_by_role("dialog").get_by_role("button", name="8 hours").click()
    expect(page.locator(".plant-snoozed")).to_contain_text("Snoozed until")
    assert stack.api.ok("GET", f"/plants/{potted.plant['id']}")["snoozed_until"]
    page.get_by_role("button", name="Snooze").click()
    page.get_by_role("dialog").get_by_role("button", name="Tell again").click()
    expect(page.locator(".plant-snoozed")).to_have_count(0)
    assert stack.api.ok("GET", f"/plants/{potted.plant['id']}")["snoozed_until"] is None


def test_a_plant_is_renamed_and_moved(signed_in, stack, potted):
    page = open_plant(signed_in, potted.plant)
    page.get_by_role("button", name="Change", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("  ")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("This is needed.")).to_be_visible()
    dialog.get_by_label("Name").fill("Big leaf")
    dialog.get_by_label("Room").fill("Study")
    dialog.get_by_label("Light comes from").select_option("white_led")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Big leaf")
    expect(page.locator(".plant-place")).to_contain_text("Study")
    plant = stack.api.ok("GET", f"/plants/{potted.plant['id']}")
    assert (plant["name"], plant["room"], plant["light_source"]) == ("Big leaf", "Study", "white_led")
    assert plant["species"] == "Monstera deliciosa"


def test_waterings_and_notes_are_entered_and_deleted(signed_in, stack, potted):
    page = open_plant(signed_in, potted.plant)
    done = card(page, "What was done")
    done.get_by_role("button", name="Enter something").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Amount in ml").fill("a lot")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("Enter a number.")).to_be_visible()
    dialog.get_by_label("Amount in ml").fill("250")
    dialog.get_by_role("button", name="Save").click()
    expect(done).to_contain_text("Watering, 250 ml")

    done.get_by_role("button", name="Enter something").click()
    dialog.get_by_text("Note", exact=True).first.click()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("This is needed.")).to_be_visible()
    dialog.get_by_label("Note", exact=True).last.fill("A new leaf")
    dialog.get_by_role("button", name="Save").click()
    expect(done).to_contain_text("A new leaf")

    done.get_by_role("button", name="Delete: Watering, 250 ml").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(done).not_to_contain_text("250")
    events = stack.api.ok("GET", f"/plants/{potted.plant['id']}/events")["events"]
    assert [(event["kind"], event["note"]) for event in events] == [("note", "A new leaf")]


def test_a_care_plan_is_asked_for_and_judged(signed_in, stack, potted):
    page = open_plant(signed_in, potted.plant)
    care = card(page, "Care plan")
    care.get_by_role("button", name="Ask for a care plan").click()
    expect(care.locator(".care-summary")).to_have_attribute("lang", "en")
    expect(care).to_contain_text("By the built-in advisor")
    watering = care.get_by_role("group", name="Feedback: Watering")
    watering.get_by_role("button", name="Done").click()
    expect(watering.get_by_role("button", name="Done")).to_have_attribute("aria-pressed", "true")
    path = f"/plants/{potted.plant['id']}/care-plan"
    assert [(one["item"], one["feedback"]) for one in stack.api.ok("GET", path)["feedback"]] == [("watering", "done")]
    watering.get_by_role("button", name="Done").click()
    expect(watering.get_by_role("button", name="Done")).to_have_attribute("aria-pressed", "false")
    care.get_by_text(re.compile(r"What it rests on")).click()
    expect(care.locator(".care-evidence li").first).to_be_visible()
    care.get_by_text("Earlier plans").click()
    expect(care.get_by_text("There are no earlier plans.")).to_be_visible()


def test_a_health_check_says_how_it_is(signed_in, potted):
    page = open_plant(signed_in, potted.plant)
    health = card(page, "Health check")
    health.get_by_role("button", name="Check now").click()
    expect(health.locator(".health-summary [lang=en]")).not_to_be_empty()
    expect(health).to_contain_text("Checked")


def test_devices_and_forecast_are_told(signed_in, potted):
    page = open_plant(signed_in, potted.plant)
    expect(card(page, "Devices")).to_contain_text("Online")
    expect(card(page, "Time to dry")).to_contain_text("Not enough is known yet to tell.")


def test_a_plant_is_deleted_after_a_question(signed_in, stack, watch):
    plant = make_plant(stack, "Short-lived")
    page = open_plant(signed_in, plant)
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete this plant").click()
    expect(page).to_have_url(re.compile(r"/$"))
    assert plant["id"] not in [one["id"] for one in stack.api.ok("GET", "/plants?limit=500")["plants"]]


def test_a_plant_that_is_deleted_elsewhere_says_so(signed_in, stack, watch):
    plant = make_plant(stack, "Somebody's")
    page = open_plant(signed_in, plant)
    # What is asked for at that moment finds nothing.
    watch.allow(404, plant["id"])
    stack.api.ok("DELETE", f"/plants/{plant['id']}", 204)
    expect(page.get_by_role("heading", level=1)).to_have_text("This plant was deleted")


def test_a_wrong_address_says_so(signed_in):
    signed_in.goto(f"/plants/{NOBODY}")
    expect(signed_in.get_by_role("heading", level=1)).to_have_text("There is no such plant")
    signed_in.get_by_role("link", name="To the overview").click()
    expect(signed_in).to_have_url(re.compile(r"/$"))


def test_a_viewer_changes_nothing(page, stack, sign_in, potted):
    email, password = f"{uuid.uuid4().hex[:8]}@example.org", "look but do not touch"
    stack.api.ok("POST", "/users", 201, json={"email": email, "password": password, "role": "viewer"})
    tell(potted, soil_moisture=5)
    open_plant(sign_in(page, email, password), potted.plant)
    expect(card(page, "Open alerts")).to_contain_text("Soil moisture")
    expect(card(page, "Limits").get_by_role("table")).to_contain_text("20 to 80 %")
    for name in ("Snooze", "Change", "Delete", "Acknowledge", "Enter something", "Save limits", "Ask for a care plan"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    # Looking is theirs, too.
    card(page, "Health check").get_by_role("button", name="Check now").click()
    expect(card(page, "Health check").locator(".health-summary")).to_be_visible()


def test_it_can_be_read_by_everybody(signed_in, stack, potted):
    stack.api.ok("POST", f"/plants/{potted.plant['id']}/events", 201, json={"kind": "watering", "amount_ml": 100})
    stack.api.ok("POST", f"/plants/{potted.plant['id']}/analyze", 200, json={})
    tell(potted, soil_moisture=5)
    page = open_plant(signed_in, potted.plant)
    expect(page.locator(".plot canvas").first).to_be_visible()
    expect(card(page, "Care plan").locator(".care-summary")).to_be_visible()
    expect(page.locator(".replay-count")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Enter something").click()
    assert_accessible(page)


def test_it_fits_a_phone(signed_in_phone, potted):
    page = open_plant(signed_in_phone, potted.plant)
    expect(page.locator(".plot canvas").first).to_be_visible()
    assert_fits(page)
    assert_accessible(page)


def test_everything_is_reached_by_keyboard(signed_in, potted):
    page = open_plant(signed_in, potted.plant)
    expect(page.locator(".plot canvas").first).to_be_visible()
    reached = []
    for _ in range(70):
        page.keyboard.press("Tab")
        reached.append(focused(page))
    for control in ("button Snooze", "button Change", "button Delete", "button Choose charts", "button Zoom in", "img Soil moisture",
                    "input Minimum", "button Take over all", "button Enter something", "button Check now"):
        assert any(one.startswith(control) for one in reached), f"{control} is not reached: {reached}"


def test_it_speaks_german_and_fahrenheit(browse, sign_in, potted):
    page = sign_in(browse(locale="de-DE"))
    page.add_init_script("localStorage.setItem('plantops.temperature', 'fahrenheit')")
    open_plant(page, potted.plant)
    expect(card(page, "Jetzt")).to_contain_text("Bodenfeuchte")
    expect(value(page, "temperature")).to_have_text("70,7 °F")
    expect(card(page, "Verlauf").get_by_role("figure", name="Temperatur")).to_contain_text("°F")
