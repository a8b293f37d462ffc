"""Devices: found, told what to do, given new credentials, shut out, deleted; against the real broker. How they come in:
test_devices_enrollment.py."""

import json
import re

import pytest
from playwright.sync_api import expect

from browsing.accessibility import assert_accessible, assert_fits, assert_focus, both_themes, focused
from browsing.devices import make_token, open_device, row
from browsing.things import make_device, make_plant, tell
from support.device import REFUSED
from support.people import Person
from support.waiting import wait_until


@pytest.fixture
def devices(signed_in):
    signed_in.goto("/devices")
    expect(signed_in.get_by_role("heading", name="Devices", level=1)).to_be_visible()
    return signed_in


def test_wrong_settings_are_refused_and_change_nothing(devices, stack, device, watch):
    name = stack.api.ok("GET", f"/devices/{device.id}")["name"]
    devices.goto(f"/devices?device={device.id}")
    dialog = devices.get_by_role("dialog", name=name)
    dialog.get_by_role("tab", name="Settings").click()
    dialog.get_by_label("Name").fill("   ")
    dialog.get_by_label("Expected interval in seconds").fill("1.5")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("This is needed.")).to_be_visible()
    expect(dialog.get_by_text("Enter a whole number.")).to_be_visible()
    dialog.get_by_label("Expected interval in seconds").fill("86401")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("between 1 and 86,400")).to_be_visible()
    dialog.get_by_role("tab", name="Commands").click()
    dialog.get_by_label("Measure every … seconds").fill("0")
    dialog.get_by_role("button", name="Send").click()
    expect(dialog.get_by_text("between 1 and 86,400")).to_be_visible()
    assert not [r for r in watch.requests if r.method in ("POST", "PATCH") and device.id in r.url]
    assert stack.api.ok("GET", f"/devices/{device.id}")["name"] == name


def test_what_the_server_refuses_stands_beside_its_field(devices, device, stack, watch):
    watch.allow(422, f"/api/devices/{device.id}")
    devices.route(f"**/api/devices/{device.id}", lambda route: route.fulfill(
        status=422, content_type="application/problem+json", body=json.dumps({
            "type": "about:blank", "title": "Unprocessable Content", "status": 422, "detail": "1 field is wrong",
            "instance": "/api", "correlation_id": "x", "errors": [{"pointer": "/name", "detail": "is taken"}]}),
    ) if route.request.method == "PATCH" else route.continue_())
    devices.goto(f"/devices?device={device.id}")
    dialog = devices.get_by_role("dialog")
    dialog.get_by_role("tab", name="Settings").click()
    dialog.get_by_label("Name").fill("Another")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.locator(".field-error")).to_have_text("is taken")
    expect(dialog.get_by_role("alert")).to_contain_text("is taken")


def test_a_device_goes_offline_by_its_last_will(devices, stack):
    device = make_device(stack, name="Mortal")
    connection = device.open(client_id=f"mortal-{device.id}")
    device.close()
    connection.client.will_set(f"devices/{device.id}/status", "offline", 1, True)
    connection.connect()
    connection.publish(f"devices/{device.id}/telemetry", {"soil_moisture": 40})
    expect(row(devices, "Mortal")).to_contain_text("Online")
    # Without a farewell.
    connection.client.loop_stop()
    connection.client.socket().close()
    expect(row(devices, "Mortal")).to_contain_text("Offline")
    expect(devices.locator(".page-lead")).to_be_visible()
    devices.get_by_label("Show").select_option("offline")
    expect(row(devices, "Mortal")).to_be_visible()


def test_new_credentials_end_the_old_ones(devices, stack, device):
    before = dict(device.registration)
    devices.goto(f"/devices?device={device.id}")
    dialog = devices.get_by_role("dialog").first
    dialog.get_by_role("tab", name="Access").click()
    dialog.get_by_role("button", name="Rotate credentials").click()
    confirm = devices.get_by_role("dialog", name=re.compile("^New credentials for"))
    confirm.get_by_role("button", name="Cancel").click()
    assert device.connection.disconnects == [], "asking is not doing"
    dialog.get_by_role("button", name="Rotate credentials").click()
    confirm.get_by_role("button", name="Rotate credentials").click()
    expect(dialog.get_by_role("heading", name="The new credentials")).to_be_focused()
    shown = dict(zip(dialog.locator(".shown-once dt").all_inner_texts(), dialog.locator(".shown-once dd").all_inner_texts()))
    assert shown["User name"] == device.id and shown["Broker"] == f"localhost:{stack.mqtt_port}"
    wait_until(lambda: device.connection.disconnects, what="the broker ends the session under the old password")
    device.close()
    with device.open(password=before["mqtt_password"]) as old:
        assert old.connect() >= REFUSED
    device.registration["mqtt_password"] = shown["Password"]
    device.connect(client_id=shown["Client id"])
    tell(device, soil_moisture=21)
    dialog.get_by_role("button", name="I have it").click()
    assert shown["Password"] not in devices.content()


def test_a_command_reaches_the_device_and_its_result_the_page(devices, device):
    commands, results = f"devices/{device.id}/commands", f"devices/{device.id}/commands/result"
    device.connection.subscribe(commands)
    devices.goto(f"/devices?device={device.id}")
    dialog = devices.get_by_role("dialog").first
    dialog.get_by_role("tab", name="Commands").click()

    def received(number):
        wait_until(lambda: len(device.connection.received) >= number, what=f"command {number} arrives")
        return json.loads(device.connection.received[number - 1].payload)

    dialog.get_by_role("button", name="Identify").click()
    first = received(1)
    assert first["command"] == "identify"
    device.connection.publish(results, {"id": first["id"], "ok": True, "detail": "blinked twice"})
    expect(dialog.locator(".device-commands li").first).to_contain_text("Done")
    expect(dialog.locator(".device-commands li").first).to_contain_text("blinked twice")

    dialog.get_by_label("Measure every … seconds").fill("300")
    dialog.get_by_role("button", name="Send").click()
    second = received(2)
    assert (second["command"], second["args"]) == ("set_interval", {"seconds": 300})
    device.connection.publish(results, {"id": second["id"], "ok": False, "detail": "too often"})
    expect(dialog.locator(".device-commands li").first).to_contain_text("Failed")

    dialog.get_by_role("button", name="Restart").click()
    devices.get_by_role("dialog", name=re.compile("^Restart")).get_by_role("button", name="Restart").click()
    assert received(3)["command"] == "reboot"


def test_who_is_switched_off_is_out_at_once(devices, stack, device):
    devices.goto(f"/devices?device={device.id}")
    dialog = devices.get_by_role("dialog").first
    dialog.get_by_role("tab", name="Settings").click()
    dialog.get_by_label("May connect").uncheck()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("Switched off").first).to_be_visible()
    wait_until(lambda: device.connection.disconnects, what="its session ends")
    dialog.get_by_role("tab", name="Commands").click()
    expect(dialog.get_by_role("button", name="Identify")).to_have_count(0)


def test_a_deleted_device_is_shut_out_and_its_readings_stay(devices, stack, plant):
    device = make_device(stack, plant, name="Leaving")
    tell(device, soil_moisture=44)
    device.stored(1)
    try:
        dialog = open_device(devices, "Leaving", "Access")
        dialog.get_by_role("button", name="Delete device").click()
        confirm = devices.get_by_role("dialog", name="Delete Leaving?")
        expect(confirm).to_contain_text("Its readings stay")
        confirm.get_by_role("button", name="Delete device").click()
        expect(row(devices, "Leaving")).to_have_count(0)
        expect(devices.get_by_role("dialog")).to_have_count(0)
        wait_until(lambda: device.connection.disconnects, what="its session ends")
        assert device.count() == 1
        history = stack.api.ok("GET", f"/plants/{plant['id']}/history?hours=1&resolution=raw&metrics=soil_moisture")
        assert history["series"]["soil_moisture"]["avg"] == [44]
    finally:
        device.close()


def test_search_filter_and_order_stay_in_the_address(devices, stack):
    plant = make_plant(stack, "Zebra plant")
    low, high = make_device(stack, plant, name="Alpha probe"), make_device(stack, name="Beta probe")
    try:
        tell(low, battery=9)
        tell(high, battery=90)
        devices.get_by_label("Search").fill("probe")
        names = devices.locator("tbody .device-name")
        expect(names).to_have_text(["Alpha probe", "Beta probe"])
        expect(row(devices, "Alpha probe")).to_contain_text("very low")
        battery = devices.get_by_role("columnheader", name="Battery")
        battery.get_by_role("button").click()
        expect(battery).to_have_attribute("aria-sort", "ascending")
        expect(names).to_have_text(["Alpha probe", "Beta probe"])
        battery.get_by_role("button").click()
        expect(battery).to_have_attribute("aria-sort", "descending")
        expect(names).to_have_text(["Beta probe", "Alpha probe"])
        devices.reload()
        expect(names).to_have_text(["Beta probe", "Alpha probe"])
        devices.get_by_label("Show").select_option("no_plant")
        expect(names).to_have_text(["Beta probe"])
        devices.get_by_label("Search").fill("zebra")
        expect(devices.get_by_role("heading", name="No device matches that")).to_be_visible()
        devices.get_by_role("button", name="Show all").click()
        expect(row(devices, "Alpha probe")).to_be_visible()
    finally:
        low.close()
        high.close()


def test_a_viewer_looks_and_changes_nothing(page, sign_in, stack, device):
    viewer = Person(stack, "viewer")
    sign_in(page, viewer.email, viewer.password)
    page.goto(f"/devices?device={device.id}")
    dialog = page.get_by_role("dialog").first
    expect(dialog.get_by_role("tab")).to_have_text(["Now", "Commands"])
    dialog.get_by_role("tab", name="Commands").click()
    expect(dialog.get_by_role("button", name="Identify")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Enroll a device")).to_have_count(0)
    expect(page.get_by_role("heading", name="Enrollment tokens")).to_have_count(0)


def test_by_keyboard_alone(devices, stack):
    device = make_device(stack, name="Keyboard probe")
    try:
        tell(device, soil_moisture=40)
        devices.get_by_label("Search").focus()
        devices.keyboard.type("keyboard")
        expect(devices.locator("tbody tr")).to_have_count(1)
        # Before, it would open at its settings: it has just come in.
        expect(devices.locator("tbody tr")).to_contain_text("Online")
        for _ in range(20):
            devices.keyboard.press("Tab")
            if focused(devices) == "a Keyboard probe":
                break
        assert_focus(devices, "a Keyboard probe")
        devices.keyboard.press("Enter")
        dialog = devices.get_by_role("dialog", name="Keyboard probe")
        expect(dialog).to_be_visible()
        wait_until(lambda: devices.evaluate("document.activeElement.closest('dialog') !== null"), what="the focus is in the dialog")
        dialog.get_by_role("tab", name="Now").focus()
        devices.keyboard.press("ArrowRight")
        assert_focus(devices, "tab Settings")
        expect(dialog.get_by_label("Name")).to_have_value("Keyboard probe")
        devices.keyboard.press("ArrowRight")
        devices.keyboard.press("ArrowRight")
        assert_focus(devices, "tab Access")
        devices.keyboard.press("Tab")
        assert_focus(devices, "button Rotate credentials")
        devices.keyboard.press("Enter")
        expect(devices.get_by_role("dialog", name="New credentials for Keyboard probe?")).to_be_visible()
        # One at a time.
        devices.keyboard.press("Escape")
        expect(devices.get_by_role("dialog", name="New credentials for Keyboard probe?")).to_have_count(0)
        assert_focus(devices, "button Rotate credentials")
        devices.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        assert_focus(devices, "a Keyboard probe")
    finally:
        device.close()


def test_readable_for_everybody(devices, stack, plant):
    device = make_device(stack, plant, name="Readable")
    try:
        tell(device, soil_moisture=40, battery=8, rssi=-91)
        expect(row(devices, "Readable")).to_contain_text("very low")
        assert_accessible(devices)
        dialog = open_device(devices, "Readable")
        expect(dialog.locator(".device-readings")).to_be_visible()
        for part in ("Now", "Settings", "Commands", "Access"):
            dialog.get_by_role("tab", name=part).click()
            for _ in both_themes(devices):
                assert_accessible(devices, themes=False)
        devices.keyboard.press("Escape")
        made, _ = make_token(devices, "Readable")
        made.get_by_text("Firmware for an ESP32").first.click()
        assert_accessible(devices)
    finally:
        device.close()


def test_fits_a_phone(signed_in_phone, stack, plant):
    device = make_device(stack, plant, name="A device with quite a long name, as people give them")
    page = signed_in_phone
    try:
        tell(device, soil_moisture=40, battery=8, rssi=-91)
        page.goto("/devices")
        expect(page.get_by_role("table")).to_have_count(0)
        expect(page.get_by_role("link", name=re.compile("^A device with"))).to_be_visible()
        assert_fits(page)
        page.get_by_role("link", name=re.compile("^A device with")).tap()
        dialog = page.get_by_role("dialog")
        for part in ("Settings", "Commands", "Access", "Now"):
            dialog.get_by_role("tab", name=part).tap()
            assert_fits(page)
            assert dialog.evaluate("e => e.scrollWidth <= e.clientWidth"), f"{part} hangs over"
        page.keyboard.press("Escape")
        made, _ = make_token(page, "Phone")
        made.get_by_text("Firmware for an ESP32").first.tap()
        assert_fits(page)
        assert made.evaluate("e => e.scrollWidth <= e.clientWidth")
    finally:
        device.close()
