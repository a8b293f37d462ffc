"""Alerts: they come and go by themselves, somebody says that he has seen to them, and what is over is looked up."""

import json
import re

import pytest
from playwright.sync_api import expect

from browsing.accessibility import assert_accessible, assert_fits, assert_focus, focused
from browsing.things import make_device, make_plant, tell
from support.discord import gone
from support.people import Person
from support.waiting import wait_until


@pytest.fixture(scope="module", autouse=True)
def at_once(stack):
    """The first reading beyond a limit is an alert, the first one back ends it."""
    stack.api.ok("PUT", "/settings/alerts", json={"for_seconds": 0, "cooldown_minutes": 0})


class Pot:
    """A plant that wants at least 20 % of moisture, and its device. Leaves no open alert behind."""

    def __init__(self, stack, name="Monstera", **fields):
        self.stack = stack
        self.plant = make_plant(stack, name, thresholds={"soil_moisture": {"min": 20}}, **fields)
        self.device = make_device(stack, self.plant, name=f"{name}'s sensor")

    @property
    def id(self):
        return self.plant["id"]

    def dry(self, value=18):
        tell(self.device, soil_moisture=value)
        return wait_until(lambda: self.alerts("firing"), what="the alert fires")[0]

    def fine(self):
        tell(self.device, soil_moisture=60)
        wait_until(lambda: not self.alerts("open"), what="the alert is over")

    def alerts(self, state):
        return self.stack.api.ok("GET", f"/alerts?state={state}&plant_id={self.id}")["alerts"]

    def close(self):
        self.device.close()
        self.stack.api.ok("DELETE", f"/devices/{self.device.id}")
        self.stack.api.ok("DELETE", f"/plants/{self.id}")


@pytest.fixture
def pots(stack):
    """`pots(name)` makes one."""
    made = []

    def make(name="Monstera", **fields):
        made.append(Pot(stack, name, **fields))
        return made[-1]

    yield make
    for pot in made:
        pot.close()


@pytest.fixture
def alerts(signed_in):
    signed_in.goto("/alerts")
    expect(signed_in.get_by_role("heading", name="Alerts", level=1)).to_be_visible()
    return signed_in


def item(page, name):
    return page.locator(".open-alert").filter(has=page.get_by_role("heading", name=name))


def past(page, text):
    return page.locator(".alert-day li").filter(has_text=text)


def test_an_alert_comes_is_acknowledged_and_goes_by_itself(alerts, stack, pots):
    pot = pots(room="Kitchen")
    expect(alerts.get_by_role("heading", name="All is well")).to_be_visible()
    alert = pot.dry(18)
    mine = item(alerts, "Monstera")
    expect(mine).to_contain_text("Soil moisture 18 %, below 20 %")
    expect(mine).to_contain_text("Warning")
    expect(mine).to_contain_text("began just now")
    expect(mine).to_contain_text("Kitchen")
    expect(alerts.get_by_role("link", name=re.compile(r"Alerts.*1 open alert"))).to_be_visible()
    mine.get_by_role("button", name="Acknowledge: Monstera: soil moisture 18 %, below 20 %").click()
    expect(mine).to_contain_text(f"Acknowledged by {stack.settings['PLANTOPS_ADMIN_EMAIL']}")
    expect(mine.get_by_role("button", name="Acknowledge")).to_have_count(0)
    wait_until(lambda: stack.api.ok("GET", f"/alerts/{alert['id']}")["acknowledged_at"], what="it is acknowledged")

    # It grows worse: that asks for a new acknowledgement.
    tell(pot.device, soil_moisture=2)
    expect(mine).to_contain_text("Soil moisture 2 %")
    expect(mine).to_contain_text("Critical")
    expect(mine.get_by_role("button", name="Acknowledge")).to_be_visible()

    pot.fine()
    expect(item(alerts, "Monstera")).to_have_count(0)
    expect(alerts.get_by_role("heading", name="All is well")).to_be_visible()
    expect(past(alerts, "Monstera: soil moisture was below 20 %")).to_contain_text("Well again")


def test_an_acknowledgement_is_shown_at_once_and_taken_back_when_it_fails(alerts, pots, watch):
    watch.allow(503, "/acknowledge$")
    pot = pots("Calathea")
    pot.dry()
    held = []
    alerts.route("**/acknowledge", lambda route: held.append(route))
    mine = item(alerts, "Calathea")
    mine.get_by_role("button", name="Acknowledge").click()
    expect(mine).to_contain_text("Acknowledged by")
    wait_until(lambda: alerts.evaluate("1") and held, what="the request is on its way")
    held[0].fulfill(status=503, headers={"Retry-After": "5"}, content_type="application/problem+json", body=json.dumps(
        {"type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": "the database is away",
         "instance": "/api", "correlation_id": "x"}))
    expect(mine.get_by_role("button", name="Acknowledge")).to_be_visible()
    expect(mine).not_to_contain_text("Acknowledged by")
    expect(alerts.get_by_role("status").filter(has_text="Not acknowledged: Calathea")).to_be_visible()
    assert pot.alerts("firing")[0]["acknowledged_at"] is None


def test_all_that_is_shown_is_acknowledged_and_nothing_else(alerts, pots):
    ours, theirs = [pots("Ficus"), pots("Fittonia")], pots("Aloe")
    for pot in [*ours, theirs]:
        pot.dry()
    expect(alerts.locator(".open-alert")).to_have_count(3)
    alerts.goto(f"/alerts?plant={theirs.id}")
    expect(alerts.locator(".open-alert")).to_have_count(1)
    expect(alerts.get_by_text("Only: Aloe")).to_be_visible()
    expect(alerts.get_by_role("button", name="Acknowledge all shown")).to_have_count(0)
    item(alerts, "Aloe").get_by_role("button", name="Acknowledge").click()
    expect(item(alerts, "Aloe")).to_contain_text("Acknowledged by")
    alerts.get_by_role("button", name="Show all").click()
    expect(alerts.get_by_text("3 alerts, 2 of them not acknowledged")).to_be_visible()
    # What nobody has seen to comes first.
    expect(alerts.locator(".open-alert h3").last).to_have_text("Aloe")
    alerts.get_by_role("button", name="Acknowledge all shown").click()
    expect(alerts.get_by_text("3 alerts, 0 of them not acknowledged")).to_be_visible()
    for pot in ours:
        assert pot.alerts("firing")[0]["acknowledged_at"]


def test_the_history_is_filtered_by_the_address_and_goes_on(alerts, stack, pots):
    pot, other = pots("Orchid"), pots("Palm")
    other.dry()
    other.fine()
    for _ in range(22):
        tell(pot.device, soil_moisture=10)
        tell(pot.device, soil_moisture=60)
    wait_until(lambda: len(pot.alerts("resolved")) == 22, what="22 alerts are over")
    alerts.goto(f"/alerts?plant={pot.id}")
    rows = alerts.locator(".alert-day li")
    expect(rows).to_have_count(20)
    expect(alerts.get_by_text("20 of 22")).to_be_visible()
    alerts.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(22)
    expect(alerts.get_by_role("button", name="Show more")).to_have_count(0)
    expect(past(alerts, "Palm")).to_have_count(0)

    # One more, live.
    pot.dry(10)
    pot.fine()
    expect(alerts.get_by_text("of 23")).to_be_visible()

    history = alerts.locator(".alert-history")
    history.get_by_label("Plant").select_option(label="Palm")
    expect(past(alerts, "Palm")).to_have_count(1)
    expect(rows).to_have_count(1)
    history.get_by_label("Kind").select_option("battery_low")
    expect(alerts.get_by_text("Nothing has happened that would be shown here.")).to_be_visible()
    alerts.reload()
    expect(history.get_by_label("Kind")).to_have_value("battery_low")
    expect(history.get_by_label("Plant")).to_have_value(other.id)
    history.get_by_label("Kind").select_option("")
    expect(rows).to_have_count(1)
    history.get_by_label("Device").select_option(label="Orchid's sensor")
    expect(rows).to_have_count(0)
    # A word that is none of ours is none.
    alerts.goto("/alerts?kind=nonsense&plant=nobody&from=2026-02-31")
    expect(rows).to_have_count(20)
    expect(history.get_by_label("From")).to_have_value("")


def test_the_history_begins_at_a_day(alerts, stack, pots):
    pot = pots("Yucca")
    pot.dry()
    pot.fine()
    stack.sql(f"UPDATE alerts SET started_at = started_at - interval '9 days', fired_at = fired_at - interval '9 days', "
               f"resolved_at = resolved_at - interval '9 days' WHERE plant_id = '{pot.id}'")
    pot.dry()
    pot.fine()
    alerts.goto(f"/alerts?plant={pot.id}")
    rows = alerts.locator(".alert-day li")
    expect(rows).to_have_count(2)
    expect(alerts.locator(".alert-day")).to_have_count(2)
    day = alerts.evaluate("new Date(Date.now() - 2 * 86400e3).toISOString().slice(0, 10)")
    alerts.locator(".alert-history").get_by_label("From").fill(day)
    expect(rows).to_have_count(1)
    assert f"from={day}" in alerts.url
    # Typed, it is the year 2 for a moment.
    field = alerts.locator(".alert-history").get_by_label("From")
    field.fill("")
    expect(rows).to_have_count(2)
    field.press_sequentially("01012025")
    expect(field).to_have_value("2025-01-01")
    alerts.wait_for_url("**from=2025-01-01**")


def test_details_tell_who_was_told_and_what_went_wrong(alerts, stack, inbox, pots):
    hook, deaf = inbox.hook(), inbox.hook()
    deaf.always(gone())
    channels = [stack.api.ok("POST", "/channels", 201, json={"kind": "webhook", "name": name, "url": one.url})
                for name, one in (("Good ears", hook), ("No ears", deaf))]
    try:
        pot = pots("Begonia")
        pot.dry()
        item(alerts, "Begonia").get_by_role("link", name=re.compile("^Details")).click()
        dialog = alerts.get_by_role("dialog", name="Alert")
        expect(dialog).to_contain_text("Begonia: Soil moisture 18 %, below 20 %")
        hook.wait_for(1)
        deaf.wait_for(1)
        wait_until(lambda: {n["state"] for n in stack.api.ok("GET", f"/alerts/{pot.alerts('open')[0]['id']}")["notifications"]}
                   == {"sent", "failed"}, what="both are told of, one in vain")
        alerts.reload()
        told = alerts.get_by_role("dialog", name="Alert").locator(".alert-told li")
        expect(told.filter(has_text="Good ears")).to_contain_text("Sent")
        expect(told.filter(has_text="No ears")).to_contain_text("Failed")
        expect(told.filter(has_text="No ears").locator(".alert-told-error")).to_contain_text("404")
    finally:
        for channel in channels:
            stack.api.ok("DELETE", f"/channels/{channel['id']}")


def test_a_plant_is_snoozed_and_told_of_again(alerts, stack, pots):
    pot = pots("Dracaena")
    pot.dry()
    mine = item(alerts, "Dracaena")
    mine.get_by_role("button", name="Snooze Dracaena").click()
    dialog = alerts.get_by_role("dialog", name="Snooze Dracaena")
    dialog.get_by_role("button", name="8 hours").click()
    expect(mine).to_contain_text("Snoozed until")
    assert stack.api.ok("GET", f"/plants/{pot.id}")["snoozed_until"]
    mine.get_by_role("button", name="Snooze Dracaena").click()
    dialog.get_by_role("button", name="Tell again").click()
    expect(mine).not_to_contain_text("Snoozed until")
    assert stack.api.ok("GET", f"/plants/{pot.id}")["snoozed_until"] is None


def test_what_may_become_an_alert_is_shown_lightly(alerts, stack, pots):
    pot = pots("Peperomia")
    stack.api.ok("PUT", "/settings/alerts", json={"for_seconds": 600})
    try:
        tell(pot.device, soil_moisture=15)
        waiting = alerts.locator(".pending-alert").filter(has_text="Peperomia")
        expect(waiting).to_contain_text("Soil moisture 15 %, below 20 %")
        expect(alerts.get_by_role("heading", name="All is well")).to_be_visible()
        # It lapses: it never was one.
        tell(pot.device, soil_moisture=50)
        expect(waiting).to_have_count(0)
        expect(past(alerts, "Peperomia")).to_have_count(0)
    finally:
        stack.api.ok("PUT", "/settings/alerts", json={"for_seconds": 0})


def test_a_viewer_looks_and_changes_nothing(page, sign_in, stack, pots):
    pot = pots("Hoya")
    pot.dry()
    viewer = Person(stack, "viewer")
    sign_in(page, viewer.email, viewer.password)
    page.goto("/alerts")
    expect(item(page, "Hoya").get_by_role("link", name=re.compile("^Details"))).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Acknowledge|Snooze"))).to_have_count(0)


def test_in_german_with_the_words_of_german(browse, sign_in, stack, pots):
    pot = pots("Efeu")
    pot.dry(12.5)
    page = sign_in(browse(locale="de-DE"))
    page.goto("/alerts")
    expect(item(page, "Efeu")).to_contain_text("Bodenfeuchte 13 %, unter 20 %")
    page.get_by_role("button", name=re.compile("^Bestätigen: Efeu")).click()
    expect(item(page, "Efeu")).to_contain_text("Bestätigt von")


def test_by_keyboard_alone(alerts, pots):
    pots("Ivy").dry()
    expect(item(alerts, "Ivy")).to_be_visible()
    alerts.get_by_role("heading", level=1).focus()
    seen = []
    for _ in range(6):
        alerts.keyboard.press("Tab")
        seen.append(focused(alerts))
        if seen[-1].startswith("button Acknowledge"):
            break
    assert seen == ["a Ivy", "button Acknowledge: Ivy: soil moisture 18 %, below 20 %"], seen
    alerts.keyboard.press("Enter")
    expect(item(alerts, "Ivy")).to_contain_text("Acknowledged by")
    # The button is gone, the focus is not.
    expect(item(alerts, "Ivy").get_by_role("link", name=re.compile("^Details"))).to_be_focused()
    alerts.keyboard.press("Enter")
    expect(alerts.get_by_role("dialog", name="Alert")).to_be_visible()
    alerts.keyboard.press("Escape")
    expect(alerts.get_by_role("dialog")).to_have_count(0)
    assert_focus(alerts, "a Details")


def test_readable_for_everybody(alerts, pots):
    expect(alerts.get_by_role("heading", name="All is well")).to_be_visible()
    assert_accessible(alerts)
    calm, worse = pots("Pilea"), pots("Maranta")
    calm.dry()
    worse.dry(1)
    expect(item(alerts, "Maranta")).to_contain_text("Critical")
    item(alerts, "Pilea").get_by_role("button", name="Acknowledge").click()
    expect(item(alerts, "Pilea")).to_contain_text("Acknowledged by")
    assert_accessible(alerts)
    alerts.get_by_role("button", name="Snooze Maranta").click()
    assert_accessible(alerts)
    alerts.keyboard.press("Escape")
    item(alerts, "Maranta").get_by_role("link", name=re.compile("^Details")).click()
    expect(alerts.get_by_role("dialog", name="Alert")).to_contain_text("Who was told")
    assert_accessible(alerts)


def test_fits_a_phone(signed_in_phone, pots):
    pot = pots("A plant with a name as long as people give them")
    pot.dry(3)
    page = signed_in_phone
    page.goto("/alerts")
    expect(item(page, "A plant with")).to_be_visible()
    assert_fits(page)
    item(page, "A plant with").get_by_role("link", name=re.compile("^Details")).tap()
    assert_fits(page)
    page.keyboard.press("Escape")
    pot.fine()
    expect(past(page, "A plant with")).to_have_count(1)
    assert_fits(page)
