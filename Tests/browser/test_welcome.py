"""The first steps on a system that has nothing in it yet."""

import re

import pytest
from playwright.sync_api import expect

from browsing.accessibility import assert_accessible, assert_fits
from browsing.things import make_device, make_plant, tell


@pytest.fixture(autouse=True)
def empty(stack):
    """As after the installation."""
    def clear():
        for plant in stack.api.ok("GET", "/plants?limit=500")["plants"]:
            stack.api.ok("DELETE", f"/plants/{plant['id']}")
        for device in stack.api.ok("GET", "/devices?limit=500")["devices"]:
            stack.api.ok("DELETE", f"/devices/{device['id']}")
        for channel in stack.api.ok("GET", "/channels")["channels"]:
            stack.api.ok("DELETE", f"/channels/{channel['id']}")
    clear()
    yield
    clear()


def step(page, title):
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=re.compile(f"^{title}")))


def welcome(page):
    return page.get_by_role("heading", name="Welcome")


def test_the_guide_leads_to_the_first_reading(signed_in, stack, inbox):
    signed_in.goto("/")
    expect(welcome(signed_in)).to_be_visible()
    plant_step, device_step = step(signed_in, "Make a plant"), step(signed_in, "Let a device in")
    reading_step, channel_step = step(signed_in, "Wait for the first reading"), step(signed_in, "Be told")
    expect(plant_step.get_by_role("heading")).to_have_text(re.compile(r"\(next\)"))
    expect(device_step.get_by_role("heading")).to_have_text(re.compile(r"\(later\)"))

    plant_step.get_by_role("button", name="Add a plant").click()
    dialog = signed_in.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Firstling")
    dialog.get_by_role("combobox", name="Species").fill("aleo vera")
    dialog.get_by_role("option", name=re.compile("Aloe vera")).click()
    expect(dialog.get_by_label("Use the suggested limits")).to_be_checked()
    dialog.get_by_role("button", name="Add it").click()
    expect(plant_step).to_contain_text("Firstling is here.")
    expect(plant_step.get_by_role("heading")).to_have_text(re.compile(r"\(done\)"))

    expect(device_step.get_by_role("link", name="To the devices")).to_have_attribute("href", "/devices")
    (plant,) = stack.api.ok("GET", "/plants")["plants"]
    # What the device's firmware does.
    device = make_device(stack)
    try:
        expect(device_step).to_contain_text("is let in. Now say which plant it stands in.")
        stack.api.ok("POST", f"/devices/{device.id}/provision", json={"plant_id": plant["id"]})
        expect(device_step.get_by_role("heading")).to_have_text(re.compile(r"\(done\)"))
        expect(reading_step).to_contain_text("Waiting for it")
        tell(device, soil_moisture=45)
        expect(reading_step).to_contain_text("A reading has arrived: 45\u00a0%")
        expect(reading_step.get_by_role("link", name="Look at Firstling")).to_be_visible()

        # Somebody who looks at another page meanwhile comes back to the guide, until they leave it.
        channel_step.get_by_role("link", name="Set up a channel").click()
        expect(signed_in).to_have_url(re.compile("/settings/channels$"))
        stack.api.ok("POST", "/channels", 201, json={
            "kind": "webhook", "name": "Our chat", "url": inbox.hook().url, "min_severity": "warning"})
        signed_in.get_by_role("link", name="Plants", exact=True).click()
        expect(channel_step).to_contain_text("You are told through Our chat.")
        signed_in.get_by_role("button", name="To your plants").click()
        expect(signed_in.get_by_role("article")).to_contain_text("Firstling")
        signed_in.reload()
        expect(signed_in.get_by_role("article")).to_contain_text("Firstling")
    finally:
        device.close()


def test_the_guide_can_be_left_and_comes_back(browse, sign_in, stack):
    page = sign_in(browse())
    page.goto("/")
    expect(welcome(page)).to_be_visible()
    page.get_by_role("button", name="Later").click()
    expect(page.get_by_role("heading", name="No plants yet")).to_be_visible()
    page.get_by_role("button", name="First steps").click()
    expect(welcome(page)).to_be_visible()
    page.get_by_role("button", name="Later").click()
    page.reload()
    expect(page.get_by_role("heading", name="No plants yet")).to_be_visible()
    # Another visit.
    other = sign_in(browse())
    other.goto("/")
    expect(welcome(other)).to_be_visible()
    # Not for who has readings already.
    plant = make_plant(stack, "Long there")
    with make_device(stack, plant) as device:
        tell(device, soil_moisture=50)
        third = sign_in(browse())
        third.goto("/")
        expect(third.get_by_role("article")).to_contain_text("Long there")
        expect(welcome(third)).to_have_count(0)


def test_who_may_only_look_is_told_what_there_will_be(browse, stack, sign_in):
    stack.api.ok("POST", "/users", 201, json={"email": "viewer@example.org", "password": "looks but does not touch", "role": "viewer"})
    page = sign_in(browse(), "viewer@example.org", "looks but does not touch")
    page.goto("/")
    expect(page.get_by_text("There is nothing to see yet.")).to_be_visible()
    expect(page.get_by_role("button", name="Add a plant")).to_have_count(0)
    expect(page.get_by_role("link", name="Set up a channel")).to_have_count(0)
    plant = make_plant(stack, "Of others")
    with make_device(stack, plant) as device:
        tell(device, soil_moisture=52)
        expect(step(page, "Wait for the first reading")).to_contain_text("A reading has arrived: 52\u00a0%")


def test_the_guide_is_accessible_and_fits_a_phone(signed_in, signed_in_phone):
    for page in (signed_in, signed_in_phone):
        page.goto("/")
        expect(welcome(page)).to_be_visible()
        assert_accessible(page)
        assert_fits(page)
