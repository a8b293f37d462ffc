"""The page of all plants, as somebody uses it who has a few of them."""

import re

import pytest
from playwright.sync_api import expect

from browsing.accessibility import assert_accessible, assert_fits, focused
from browsing.things import make_device, make_plant, tell, tell_past
from support.waiting import wait_until

LIMITS = {"soil_moisture": {"min": 20, "max": 60}}


def plants_of(stack):
    return stack.api.ok("GET", "/plants?limit=500")["plants"]


def clear(stack):
    for plant in plants_of(stack):
        stack.api.ok("DELETE", f"/plants/{plant['id']}", 204)


@pytest.fixture
def garden(stack):
    """A thirsty one, a happy one, and one that nobody measures; by name: plants and devices."""
    clear(stack)
    plants = {
        "Monty": make_plant(stack, "Monty", room="Hall", thresholds=LIMITS),
        "Épine": make_plant(stack, "Épine", "Aloe vera", room="Kitchen", thresholds=LIMITS),
        "New one": make_plant(stack, "New one", None),
    }
    devices = {}
    try:
        for name, moisture in (("Monty", 10), ("Épine", 40)):
            devices[name] = make_device(stack, plants[name])
            tell(devices[name], soil_moisture=moisture, temperature=21)
        yield plants, devices
    finally:
        for device in devices.values():
            device.close()
        clear(stack)


def card(page, name):
    return page.get_by_role("article").filter(has=page.get_by_role("heading", name=name, exact=True))


def suggestions(dialog):
    """Of the species; other fields have options as well."""
    return dialog.get_by_role("listbox", name="Species found").get_by_role("option")


def names(page):
    return page.get_by_role("article").get_by_role("heading").all_inner_texts()


def test_each_card_says_in_words_how_its_plant_is(signed_in, garden):
    signed_in.goto("/")
    expect(signed_in.get_by_text("3 plants, 1 needs care")).to_be_visible()
    thirsty = card(signed_in, "Monty")
    expect(thirsty).to_contain_text("Critical")
    expect(thirsty).to_contain_text("Soil moisture 10\u00a0%, below 20\u00a0%")
    expect(thirsty).to_contain_text("too low")
    expect(thirsty).to_contain_text("Hall")
    expect(thirsty).to_contain_text("just now")
    happy = card(signed_in, "Épine")
    expect(happy).to_contain_text("Well")
    expect(happy).to_contain_text("Everything within its limits")
    expect(happy).not_to_contain_text("too low")
    new = card(signed_in, "New one")
    expect(new).to_contain_text("No device measures it yet")
    expect(new).to_contain_text("No reading yet")
    # Care first.
    assert names(signed_in) == ["Monty", "New one", "Épine"]
    card(signed_in, "Monty").get_by_role("link", name="Monty").click()
    expect(signed_in).to_have_url(re.compile(f"/plants/{garden[0]['Monty']['id']}$"))


def test_an_open_alert_is_on_the_card_and_goes_with_its_cause(signed_in, stack, garden):
    plants, devices = garden
    before = stack.api.ok("GET", "/settings/alerts")
    stack.api.ok("PUT", "/settings/alerts", json={"for_seconds": 0})
    try:
        signed_in.goto("/")
        expect(card(signed_in, "Monty")).to_be_visible()
        tell(devices["Monty"], soil_moisture=9)
        link = card(signed_in, "Monty").get_by_role("link", name="1 alert")
        expect(link).to_have_attribute("href", re.compile(plants["Monty"]["id"]))
        tell(devices["Monty"], soil_moisture=45)
        expect(link).to_have_count(0)
        expect(card(signed_in, "Monty")).to_contain_text("Well")
    finally:
        stack.api.ok("PUT", "/settings/alerts", json={"for_seconds": before["for_seconds"]})


def test_a_snoozed_plant_says_so(signed_in, stack, garden):
    signed_in.goto("/")
    expect(card(signed_in, "Monty")).not_to_contain_text("Snoozed")
    stack.api.ok("POST", f"/plants/{garden[0]['Monty']['id']}/snooze", json={"minutes": 60})
    expect(card(signed_in, "Monty")).to_contain_text("Snoozed")


def test_a_reading_moves_its_card_and_no_other(signed_in, garden):
    signed_in.goto("/")
    expect(card(signed_in, "Épine")).to_contain_text("40\u00a0%")
    signed_in.evaluate("""() => {
        window.touched = [];
        for (const card of document.querySelectorAll("[data-plant]")) {
            new MutationObserver(() => window.touched.push(card.querySelector("h2").textContent))
                .observe(card, { subtree: true, childList: true, characterData: true, attributes: true });
        }
    }""")
    tell(garden[1]["Épine"], soil_moisture=14)
    expect(card(signed_in, "Épine")).to_contain_text("Soil moisture 14\u00a0%, below 20\u00a0%")
    expect(card(signed_in, "Épine")).to_contain_text("Needs care")
    expect(signed_in.get_by_text("3 plants, 2 need care")).to_be_visible()
    # Still there: the page was not loaded anew.
    assert set(signed_in.evaluate("window.touched")) == {"Épine"}


def test_the_line_of_a_day_has_its_gap_and_is_told_in_words(stack, signed_in, garden):
    # Hours 10 to 6 before now are missing.
    tell_past(garden[1]["Épine"], 20 * 60, 30, lambda ago: {"soil_moisture": 30 + ago / 60} if ago > 600 or ago < 360 else {
        "temperature": 20})

    def known():
        curves = stack.api.ok("GET", "/plants/sparklines")["plants"]
        (values,) = [curve["values"] for curve in curves if curve["id"] == garden[0]["Épine"]["id"]]
        return sum(value is not None for value in values)

    wait_until(lambda: known() > 30, 90, "what came late is summarized")
    signed_in.goto("/")
    line = card(signed_in, "Épine").get_by_role("img", name=re.compile("Soil moisture in the last 24 hours"))
    expect(line).to_have_accessible_name(re.compile(r"from 50\s%.* to 40\s%.* lowest 3\d\s%"))
    path = line.locator(".sparkline-line").get_attribute("d")
    assert path.count("M") == 2, path
    assert path.count("L") > 15, path


def test_search_filter_and_order_are_in_the_address(signed_in, garden):
    signed_in.goto("/")
    expect(signed_in.get_by_role("article")).to_have_count(3)
    search = signed_in.get_by_role("searchbox")
    # Without accents and capitals.
    search.fill("epine KITCH")
    expect(signed_in.get_by_role("article")).to_have_count(1)
    expect(signed_in.get_by_role("status").filter(has_text="1 of 3 plants")).to_be_visible()
    signed_in.reload()
    expect(signed_in.get_by_role("article")).to_have_count(1)
    expect(search).to_have_value("epine KITCH")
    search.fill("nothing like it")
    expect(signed_in.get_by_role("heading", name="No plant is like that")).to_be_visible()
    signed_in.get_by_role("button", name="Show all").click()
    expect(signed_in.get_by_role("article")).to_have_count(3)

    signed_in.get_by_label("Room", exact=True).select_option("Hall")
    expect(signed_in.get_by_role("article")).to_have_count(1)
    signed_in.get_by_label("Room", exact=True).select_option("")
    signed_in.get_by_role("button", name=re.compile("^Critical")).click()
    expect(signed_in.get_by_role("article")).to_have_count(1)
    signed_in.get_by_role("button", name=re.compile("^All")).click()

    for order, expected in {
        "name": ["Épine", "Monty", "New one"], "driest": ["Monty", "Épine", "New one"],
        "room": ["Monty", "Épine", "New one"], "newest": ["New one", "Épine", "Monty"],
    }.items():
        signed_in.get_by_label("Order", exact=True).select_option(order)
        expect(signed_in.get_by_role("article").get_by_role("heading")).to_have_text(expected)
    signed_in.get_by_role("radio", name="List").check(force=True)
    signed_in.reload()
    expect(signed_in).to_have_url(re.compile(r"\?sort=newest&view=list$"))
    expect(signed_in.get_by_role("article").get_by_role("heading")).to_have_text(["New one", "Épine", "Monty"])
    expect(card(signed_in, "Monty")).to_contain_text("Soil moisture 10\u00a0%, below 20\u00a0%")


def test_a_plant_is_added_by_a_misspelt_species_with_the_keyboard_alone(signed_in, stack, garden):
    signed_in.goto("/")
    add = signed_in.get_by_role("button", name="Add a plant")
    expect(add).to_be_visible()
    add.focus()
    signed_in.keyboard.press("Enter")
    dialog = signed_in.get_by_role("dialog", name="Add a plant")
    expect(dialog.get_by_label("Name")).to_be_focused()
    signed_in.keyboard.type("In the hall")
    signed_in.keyboard.press("Tab")
    species = dialog.get_by_role("combobox", name="Species")
    expect(species).to_be_focused()
    signed_in.keyboard.type("monstrea delicosa")
    expect(dialog.get_by_role("option", name=re.compile("Monstera deliciosa"))).to_be_visible()
    signed_in.keyboard.press("ArrowDown")
    expect(suggestions(dialog).and_(dialog.get_by_role("option", selected=True))).to_contain_text("Monstera deliciosa")
    signed_in.keyboard.press("Enter")
    expect(species).to_have_value("Monstera deliciosa")
    expect(suggestions(dialog)).to_have_count(0)
    expect(dialog.get_by_label("Use the suggested limits")).to_be_checked()
    expect(dialog.get_by_role("list", name="Suggested limits")).to_contain_text("25 to 75\u00a0%")
    while "Room" not in focused(signed_in):
        signed_in.keyboard.press("Tab")
    signed_in.keyboard.type("Hall")
    signed_in.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(card(signed_in, "In the hall")).to_contain_text("Monstera deliciosa")
    (made,) = [plant for plant in plants_of(stack) if plant["name"] == "In the hall"]
    assert made["thresholds"]["soil_moisture"] == {"min": 25, "max": 75}
    assert (made["species"], made["room"]) == ("Monstera deliciosa", "Hall")


def test_what_the_library_does_not_know_is_kept_without_limits(signed_in, stack, garden):
    signed_in.goto("/")
    signed_in.get_by_role("button", name="Add a plant").click()
    dialog = signed_in.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Stranger")
    species = dialog.get_by_role("combobox", name="Species")
    species.click()
    # All there are, to choose from.
    expect(suggestions(dialog).nth(20)).to_be_attached()
    signed_in.keyboard.press("Escape")
    expect(suggestions(dialog)).to_have_count(0)
    expect(dialog).to_be_visible()
    species.fill("Qqxxzz wwyy")
    expect(dialog.get_by_text("The library does not know it.")).to_be_visible()
    dialog.get_by_role("button", name="Add it").click()
    expect(card(signed_in, "Stranger")).to_contain_text("Qqxxzz wwyy")
    (made,) = [plant for plant in plants_of(stack) if plant["name"] == "Stranger"]
    assert made["thresholds"] == {}


def test_a_plant_without_a_name_is_refused_beside_the_field(signed_in, stack, garden):
    signed_in.goto("/")
    signed_in.get_by_role("button", name="Add a plant").click()
    dialog = signed_in.get_by_role("dialog")
    name = dialog.get_by_label("Name")
    name.fill("   ")
    dialog.get_by_role("button", name="Add it").click()
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(name).to_have_accessible_description(re.compile("This is needed"))
    assert len(plants_of(stack)) == 3
    signed_in.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(signed_in.get_by_role("button", name="Add a plant")).to_be_focused()


def test_who_may_only_look_is_not_offered_more(browse, stack, sign_in, garden):
    stack.api.ok("POST", "/users", 201, json={"email": "viewer@example.org", "password": "looks but does not touch", "role": "viewer"})
    page = sign_in(browse(), "viewer@example.org", "looks but does not touch")
    page.goto("/")
    expect(card(page, "Monty")).to_be_visible()
    expect(page.get_by_role("button", name="Add a plant")).to_have_count(0)


def test_numbers_and_words_are_german_in_german(browse, sign_in, garden):
    page = sign_in(browse(locale="de-DE"))
    page.goto("/")
    expect(card(page, "Monty")).to_contain_text("Bodenfeuchte 10\u00a0%")
    expect(card(page, "Monty")).to_contain_text("21,0\u00a0°C")
    expect(page.get_by_text("3 Pflanzen, 1 braucht Pflege")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/?view=list"])
def test_the_page_is_accessible_and_fits_a_phone(signed_in, signed_in_phone, garden, path):
    signed_in.goto(path)
    expect(signed_in.get_by_role("article")).to_have_count(3)
    assert_accessible(signed_in)
    signed_in_phone.goto(path)
    expect(signed_in_phone.get_by_role("article")).to_have_count(3)
    assert_fits(signed_in_phone)
    signed_in_phone.get_by_role("button", name="Add a plant").click()
    signed_in_phone.get_by_role("combobox", name="Species").fill("aloe")
    expect(suggestions(signed_in_phone).first).to_be_visible()
    assert_fits(signed_in_phone)
    assert_accessible(signed_in_phone)
