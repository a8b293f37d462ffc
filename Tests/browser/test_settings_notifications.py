"""Settings: channels, tried against a server that plays Discord and webhooks, and the rules of alerts."""

import uuid

import pytest
from playwright.sync_api import expect

from browsing.things import make_plant
from support.discord import failing


@pytest.fixture
def channels(signed_in):
    signed_in.goto("/settings/channels")
    expect(signed_in.get_by_role("heading", level=1)).to_have_text("Notifications")
    return signed_in


def fill_in(page, name, kind="Webhook", address=""):
    page.get_by_role("button", name="Add a channel").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(kind, exact=True).click()
    dialog.get_by_label("Name", exact=True).fill(name)
    dialog.get_by_label("Address", exact=True).fill(address)
    return dialog


def some_name():
    return f"Channel {uuid.uuid4().hex[:6]}"


def card(page, name):
    return page.get_by_role("region", name=name)


def add(page, name, hook):
    """A webhook, made in the page; gives its secret."""
    dialog = fill_in(page, name, address=hook.url)
    dialog.get_by_role("button", name="Add a channel").click()
    expect(dialog.get_by_text("shown this once")).to_be_visible()
    secret = dialog.locator("code").first.inner_text()
    dialog.get_by_role("button", name="I have kept it").click()
    expect(card(page, name)).to_be_visible()
    return secret


def test_a_channel_is_set_and_tested(channels, inbox):
    hook, name = inbox.hook(), some_name()
    secret = add(channels, name, hook)
    channels.get_by_role("button", name=f"Send a test to {name}").click()
    expect(card(channels, name)).to_contain_text("The test message arrived after")
    (message,) = hook.received
    assert message.json["kind"] == "test" and message.is_signed_with(secret)
    content = channels.content()
    assert secret not in content and hook.token not in content


def test_a_channel_that_fails_says_why(channels, inbox, watch):
    hook, name = inbox.hook(), some_name()
    add(channels, name, hook)
    hook.always(failing(500))
    watch.allow(502, "/api/channels/.*/test")
    channels.get_by_role("button", name=f"Send a test to {name}").click()
    alert = card(channels, name).get_by_role("alert").first
    expect(alert).to_contain_text("The test message did not arrive:")
    expect(alert).to_contain_text("500")


def test_wrong_input_is_said_at_its_field_and_nothing_typed_is_lost(channels, watch):
    name = some_name()
    dialog = fill_in(channels, "", address="")
    submit = dialog.get_by_role("button", name="Add a channel")
    submit.click()
    for label in ("Name", "Address"):
        expect(dialog.get_by_label(label, exact=True)).to_have_attribute("aria-invalid", "true")
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    dialog.get_by_label("Name", exact=True).fill(name)
    dialog.get_by_label("Address", exact=True).fill("http://192.168.1.7/hook")
    watch.allow(422, "/api/channels")
    submit.click()
    expect(dialog.get_by_label("Address", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(dialog.get_by_label("Name", exact=True)).to_have_value(name)
    expect(dialog.get_by_label("Name", exact=True)).not_to_have_attribute("aria-invalid", "true")


def test_only_what_was_changed_is_sent(channels, stack, inbox):
    make_plant(stack, "Fern", room="Bathroom")
    hook, name = inbox.hook(), some_name()
    add(channels, name, hook)
    # The plant has come by the stream of events.
    channels.get_by_role("button", name=f"Change {name}").click()
    dialog = channels.get_by_role("dialog")
    dialog.get_by_text("Some rooms", exact=True).click()
    dialog.get_by_label("Bathroom").check()
    dialog.get_by_text("Only what is critical", exact=True).click()
    with channels.expect_request(lambda request: request.method == "PUT") as sent:
        dialog.get_by_role("button", name="Save").click()
    assert sent.value.post_data_json == {"rooms": ["Bathroom"], "min_severity": "critical"}
    expect(card(channels, name)).to_contain_text("Only what is critical, only of Bathroom")
    channels.get_by_role("button", name=f"Send a test to {name}").click()
    expect(card(channels, name)).to_contain_text("arrived")
    assert len(hook.received) == 1


def test_a_channel_is_switched_off_and_on_and_deleted(channels, stack, inbox):
    name = some_name()
    add(channels, name, inbox.hook())
    channels.get_by_role("button", name=f"Switch off {name}").click()
    expect(card(channels, name)).to_contain_text("Switched off")
    channels.reload()
    expect(card(channels, name)).to_contain_text("Switched off")
    channels.get_by_role("button", name=f"Switch on {name}").click()
    expect(channels.get_by_role("button", name=f"Switch off {name}")).to_be_visible()
    channels.get_by_role("button", name=f"Delete {name}").click()
    channels.get_by_role("dialog").get_by_role("button", name="Delete the channel").click()
    expect(card(channels, name)).to_have_count(0)
    assert name not in [channel["name"] for channel in stack.api.ok("GET", "/channels", params={"limit": 500})["channels"]]


def test_quiet_hours_of_its_own(channels, stack, inbox):
    name = some_name()
    add(channels, name, inbox.hook())
    channels.get_by_role("button", name=f"Change {name}").click()
    dialog = channels.get_by_role("dialog")
    dialog.get_by_text("Its own", exact=True).click()
    dialog.get_by_label("From").fill("20:30")
    dialog.get_by_label("Until").fill("06:15")
    dialog.get_by_label("Time zone").select_option("Europe/Lisbon")
    dialog.get_by_role("button", name="Save").click()
    expect(card(channels, name)).to_contain_text("20:30 to 06:15 (Europe/Lisbon)")
    (saved,) = [channel for channel in stack.api.ok("GET", "/channels", params={"limit": 500})["channels"] if channel["name"] == name]
    assert saved["quiet_hours"] == {"from": "20:30", "to": "06:15", "time_zone": "Europe/Lisbon"}


@pytest.fixture
def rules(signed_in):
    signed_in.goto("/settings/alerts")
    expect(signed_in.get_by_role("button", name="Save")).to_be_visible()
    return signed_in


def test_alert_rules_with_quiet_hours_survive_a_reload(rules, stack):
    rules.get_by_label("How long a value has to be wrong, in seconds").fill("300")
    expect(rules.get_by_text("That is 5 minutes.")).to_be_visible()
    rules.get_by_label("How far it has to come back, in percent").fill("7,5")
    rules.get_by_label("Keep quiet at night").check()
    rules.get_by_label("From").fill("21:45")
    rules.get_by_label("Until").fill("06:30")
    rules.get_by_label("Time zone", exact=True).select_option("Europe/Vienna")
    rules.get_by_label("Tell all of the night in the morning").check()
    rules.get_by_role("button", name="Save").click()
    expect(rules.get_by_text("The rules for alerts were saved.")).to_be_visible()
    saved = stack.api.ok("GET", "/settings/alerts")
    assert saved["for_seconds"] == 300 and saved["hysteresis_percent"] == 7.5 and saved["digest"] is True
    assert saved["quiet_hours"] == {"from": "21:45", "to": "06:30", "time_zone": "Europe/Vienna"}
    rules.reload()
    expect(rules.get_by_label("How long a value has to be wrong, in seconds")).to_have_value("300")
    expect(rules.get_by_label("From")).to_have_value("21:45")
    rules.get_by_label("Keep quiet at night").uncheck()
    rules.get_by_role("button", name="Save").click()
    expect(rules.get_by_text("The rules for alerts were saved.")).to_be_visible()
    assert stack.api.ok("GET", "/settings/alerts")["quiet_hours"] is None


def test_wrong_rules_are_said_at_their_fields(rules, stack):
    before = stack.api.ok("GET", "/settings/alerts")
    seconds = rules.get_by_label("How long a value has to be wrong, in seconds")
    minutes = rules.get_by_label("Rest between two messages of the same thing, in minutes")
    seconds.fill("soon")
    minutes.fill("20000")
    rules.get_by_label("Keep quiet at night").check()
    rules.get_by_label("From").fill("22:00")
    rules.get_by_label("Until").fill("22:00")
    rules.get_by_role("button", name="Save").click()
    for field in (seconds, minutes, rules.get_by_label("Until")):
        expect(field).to_have_attribute("aria-invalid", "true")
    # Whoever sent it is taken to the first of them, and sees it: not under the bar.
    expect(seconds).to_be_focused()
    bar = rules.locator(".top-bar").bounding_box()
    assert seconds.bounding_box()["y"] >= bar["y"] + bar["height"]
    assert stack.api.ok("GET", "/settings/alerts") == before


def test_what_was_typed_survives_a_server_that_is_away(rules, stack, watch):
    seconds = rules.get_by_label("How long a value has to be wrong, in seconds")
    seconds.fill("240")
    watch.allow_outage()
    stack.stop("backend")
    try:
        rules.get_by_role("button", name="Save").click()
        expect(rules.get_by_text("The server cannot be reached. Nothing was changed")).to_be_visible()
        expect(seconds).to_have_value("240")
    finally:
        stack.start("backend")
        stack.ready()
    expect(rules.get_by_role("status").filter(has_text="Live")).to_be_visible(timeout=60_000)
    expect(seconds).to_have_value("240")
    rules.get_by_role("button", name="Save").click()
    expect(rules.get_by_text("The rules for alerts were saved.")).to_be_visible()
    assert stack.api.ok("GET", "/settings/alerts")["for_seconds"] == 240
