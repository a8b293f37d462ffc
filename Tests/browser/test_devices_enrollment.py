"""Devices come in: by a token made in the page, or because somebody said yes; against the real broker."""

import re

import pytest
from playwright.sync_api import expect

from browsing.devices import make_token, open_device, row
from browsing.things import tell
from support.device import REFUSED, Device, random_mac


@pytest.fixture
def devices(signed_in):
    signed_in.goto("/devices")
    expect(signed_in.get_by_role("heading", name="Devices", level=1)).to_be_visible()
    return signed_in


def test_a_device_comes_in_with_a_token_and_goes_into_a_plant(devices, stack, plant):
    dialog, token = make_token(devices)
    device = Device(stack, enrollment_token=token, name="Fresh sensor")
    try:
        expect(dialog.get_by_text(f"Fresh sensor ({device.mac}) is here.")).to_be_visible()
        dialog.get_by_role("button", name="Set up").click()
        sensor = devices.get_by_role("dialog", name="Fresh sensor")
        expect(sensor.get_by_text("Being set up")).to_be_visible()
        # Where it stands is what it has to be told first.
        expect(sensor.get_by_role("tab", name="Settings")).to_have_attribute("aria-selected", "true")
        sensor.get_by_label("Name").fill("Window sill")
        sensor.get_by_label("Plant").select_option(label=plant["name"])
        sensor.get_by_label("Expected interval in seconds").fill("120")
        sensor.get_by_role("button", name="Save").click()
        renamed = devices.get_by_role("dialog", name="Window sill")
        # In the dialog: what is outside of it can neither be pressed nor read out.
        expect(renamed.get_by_role("status").filter(has_text="Saved")).to_be_visible()
        stored = stack.api.ok("GET", f"/devices/{device.id}")
        assert (stored["name"], stored["plant_id"], stored["reporting_interval_seconds"]) == ("Window sill", plant["id"], 120)

        device.connect()
        tell(device, soil_moisture=37.4, battery=81, rssi=-58)
        expect(renamed.get_by_text("Online")).to_be_visible()
        renamed.get_by_role("tab", name="Now").click()
        expect(renamed.get_by_text("every 2 minutes")).to_be_visible()
        expect(renamed.locator(".device-readings")).to_contain_text(re.compile(r"Soil moisture\s*37\s%"))
        devices.keyboard.press("Escape")
        # Still open below: it is shown this once, and there may be more devices to come.
        dialog.get_by_role("button", name="Done").click()
        line = row(devices, "Window sill")
        for text in ("Online", plant["name"], "81", "-58", "1.4.2"):
            expect(line).to_contain_text(text)

        # Out of the plant again.
        sensor = open_device(devices, "Window sill", "Settings")
        sensor.get_by_label("Plant").select_option(label="No plant")
        sensor.get_by_role("button", name="Save").click()
        expect(row(devices, "Window sill")).to_contain_text("No plant")
        assert stack.api.ok("GET", f"/devices/{device.id}")["plant_id"] is None
    finally:
        device.close()


def test_the_firmware_and_the_code_say_where_to_go(devices, stack, url):
    dialog, token = make_token(devices, "Fifty", uses="50")
    assert dialog.get_by_role("img", name="QR code with the address and the token").is_visible()
    # This stack is open to this machine alone, and so is its broker: another device would be sent to itself.
    expect(dialog.get_by_text("Devices are told to send to localhost")).to_be_visible()
    dialog.get_by_text("Firmware for an ESP32").first.click()
    firmware = dialog.locator(".firmware code")
    expect(firmware).to_contain_text(f'PLANTOPS = "{url}"')
    expect(firmware).to_contain_text(f'ENROLLMENT_TOKEN = "{token}"')
    expect(firmware).to_contain_text(open(stack.ca).read().strip())
    before = dialog.locator(".qr-dots").get_attribute("d")
    address = dialog.get_by_label("Address of PlantOps")
    for wrong in ("plants.lan", "https://plants.lan/somewhere", "ftp://plants.lan", ""):
        address.fill(wrong)
        expect(dialog.get_by_text("Enter an address without a path")).to_be_visible()
    address.fill("https://plants.lan:8443/")
    expect(dialog.get_by_text("Enter an address without a path")).to_be_hidden()
    expect(firmware).to_contain_text('PLANTOPS = "https://plants.lan:8443"')
    assert dialog.locator(".qr-dots").get_attribute("d") != before
    dialog.get_by_role("button", name="Done").click()
    # Shown that once: nowhere else.
    assert token not in devices.content()
    expect(devices.get_by_text("0 of 50 used")).to_be_visible()


def test_a_token_that_was_ended_lets_nobody_in(devices, stack):
    dialog, token = make_token(devices, "Mistake")
    dialog.get_by_role("button", name="Done").click()
    devices.get_by_role("button", name="End the token “Mistake”").click()
    confirm = devices.get_by_role("dialog", name="End the token “Mistake”")
    confirm.get_by_role("button", name="End", exact=True).click()
    expect(devices.get_by_role("button", name="End the token “Mistake”")).to_have_count(0)
    answer = stack.stranger.post("/devices/register", json={"mac_address": random_mac(), "enrollment_token": token})
    assert answer.status_code == 403


def test_wrong_input_for_a_token_is_refused_before_it_is_sent(devices, watch):
    devices.get_by_role("button", name="Enroll a device").click()
    dialog = devices.get_by_role("dialog", name="Enroll a device")
    dialog.get_by_label("For how many devices").fill("0")
    dialog.get_by_label("Good for hours").fill("a day")
    dialog.get_by_role("button", name="Make a token").click()
    for label, said in (("What is it for?", "This is needed."), ("For how many devices", "between 1 and 1,000,000"),
                        ("Good for hours", "Enter a whole number.")):
        field = dialog.get_by_label(label)
        expect(field).to_have_attribute("aria-invalid", "true")
        assert said in devices.locator(f"[id='{field.get_attribute('aria-describedby').split()[-1]}']").inner_text()
    assert not [r for r in watch.requests if r.method == "POST" and "enrollment-tokens" in r.url]


def test_a_device_that_waits_is_approved_and_another_turned_away(devices, stack):
    with stack.serve(ENROLLMENT_MODE="approval", MQTT_CLIENT_ID="approver") as other:
        other.ready()
        asked = {}
        for name in ("Welcome", "Unknown"):
            mac = random_mac()
            asked[name] = other.api.as_(None).ok("POST", "/devices/register", 201, json={"mac_address": mac, "name": name})
            asked[name]["mac"] = mac
    expect(devices.get_by_role("heading", name="2 devices wait for approval")).to_be_visible()
    item = devices.locator(".device-waiting").get_by_role("listitem").filter(has=devices.get_by_role("heading", name="Welcome"))
    expect(item).to_contain_text(asked["Welcome"]["mac"])
    expect(item).to_contain_text("127.0.0.1")
    expect(item).to_contain_text("A new device asks to be let in.")

    device = Device.__new__(Device)
    device.stack, device.mac, device.connection = stack, asked["Welcome"]["mac"], None
    device.registration = asked["Welcome"]
    with device.open() as early:
        assert early.connect() >= REFUSED, "nobody has said yes"
    item.get_by_role("button", name="Approve Welcome").click()
    expect(item).to_have_count(0)
    try:
        device.connect()
        tell(device, soil_moisture=50)
        expect(row(devices, "Welcome")).to_contain_text("Online")
    finally:
        device.close()

    devices.get_by_role("button", name="Reject Unknown").click()
    confirm = devices.get_by_role("dialog", name="Reject Unknown")
    confirm.get_by_role("button", name="Reject", exact=True).click()
    expect(devices.locator(".device-waiting")).to_have_count(0)
    expect(row(devices, "Unknown")).to_have_count(0)
    assert stack.api.get(f"/devices/{asked['Unknown']['device_id']}").status_code == 404
