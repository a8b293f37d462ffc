"""The page before all others, and the way back to it."""

import re

import pytest
from playwright.sync_api import expect

from browsing.accessibility import assert_accessible, assert_fits, focused


@pytest.fixture
def fill(stack):
    def fill(page, email=None, password=None):
        page.get_by_label("E-mail address").fill(email or stack.settings["PLANTOPS_ADMIN_EMAIL"])
        page.get_by_label("Password", exact=True).fill(password or stack.settings["PLANTOPS_ADMIN_PASSWORD"])
        page.get_by_role("button", name="Sign in").click()

    return fill


def heading(page, name="Sign in"):
    return page.get_by_role("heading", name=name, exact=True)


def test_who_signs_in_is_where_they_wanted_to_be(page, fill):
    page.goto("/devices?q=hall")
    expect(heading(page)).to_be_visible()
    assert page.title().startswith("Sign in")
    fill(page, password="not the password")
    expect(page.get_by_role("alert")).to_have_text("The e-mail address or the password is wrong.")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    fill(page)
    expect(heading(page, "Devices")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/devices\?q=hall$"))


def test_what_is_missing_is_said_beside_its_field(page, watch):
    page.goto("/")
    email = page.get_by_label("E-mail address")
    # Whoever comes here wants to type.
    expect(email).to_be_focused()
    asked = len(watch.requests)
    page.keyboard.press("Enter")
    expect(email).to_have_accessible_description("This is needed.")
    expect(page.get_by_label("Password", exact=True)).to_have_accessible_description("This is needed.")
    email.fill("somebody@example.org")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    expect(email).not_to_have_attribute("aria-invalid", "true")
    assert not [request for request in watch.requests[asked:] if "/auth/login" in request.url]


def test_an_address_that_is_too_long_is_refused_in_words(page, fill, watch):
    watch.allow(422, "/auth/login")
    page.goto("/")
    page.get_by_label("Password", exact=True).fill("x")
    # Longer than the page lets somebody type.
    page.get_by_label("E-mail address").evaluate("field => field.removeAttribute('maxlength')")
    fill(page, email="a" * 300 + "@example.org")
    expect(page.get_by_role("alert")).to_contain_text("That did not work")


def test_the_password_can_be_looked_at(page):
    page.goto("/")
    password = page.get_by_label("Password", exact=True)
    password.fill("what did I type")
    expect(password).to_have_attribute("type", "password")
    expect(password).to_have_attribute("autocomplete", "current-password")
    show = page.get_by_role("button", name="Show the password")
    show.click()
    expect(password).to_have_attribute("type", "text")
    expect(show).to_have_attribute("aria-pressed", "true")
    show.click()
    expect(password).to_have_attribute("type", "password")


def test_the_language_is_chosen_before_signing_in_and_stays(page):
    page.goto("/")
    page.get_by_role("radio", name="Deutsch").check(force=True)
    expect(heading(page, "Anmelden")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.reload()
    expect(heading(page, "Anmelden")).to_be_visible()
    expect(page.get_by_label("E-Mail-Adresse")).to_be_visible()


def test_a_session_that_has_ended_says_so_and_goes_on_where_it_was(signed_in, stack, fill, watch):
    watch.allow(401)
    signed_in.goto("/?sort=name")
    signed_in.get_by_role("button", name="Add a plant").click()
    signed_in.get_by_role("dialog").get_by_label("Name").fill("Too late")
    stack.sql("DELETE FROM sessions")
    signed_in.get_by_role("button", name="Add it").click()
    expect(signed_in.get_by_text("Your session has ended, sign in again.")).to_be_visible()
    assert stack.api.ok("GET", "/plants")["total"] == 0
    fill(signed_in)
    expect(signed_in.get_by_role("button", name="Add a plant")).to_be_visible()
    expect(signed_in).to_have_url(re.compile(r"/\?sort=name$"))


def test_who_has_signed_out_is_out(signed_in):
    signed_in.goto("/devices")
    expect(heading(signed_in, "Devices")).to_be_visible()
    signed_in.get_by_role("button", name="Account and display").click()
    signed_in.get_by_role("button", name="Sign out").click()
    expect(heading(signed_in)).to_be_visible()
    expect(signed_in.get_by_text("Your session has ended")).to_have_count(0)
    assert signed_in.request.get("/api/plants").status == 401
    signed_in.reload()
    expect(heading(signed_in)).to_be_visible()


def test_a_server_that_is_away_is_told_from_a_wrong_password(page, stack, fill, watch):
    watch.allow_outage()
    page.goto("/")
    expect(heading(page)).to_be_visible()
    stack.stop("backend")
    try:
        fill(page)
        expect(page.get_by_role("alert")).to_have_text("The server cannot be reached. Try again in a moment.")
    finally:
        stack.start("backend")
        stack.ready()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Account and display")).to_be_visible()


def test_everything_is_reached_by_keyboard_in_the_order_of_reading(page, stack):
    page.goto("/")
    expect(page.get_by_label("E-mail address")).to_be_focused()
    order = [focused(page)]
    for _ in range(5):
        page.keyboard.press("Tab")
        order.append(focused(page))
    assert order == [
        "input E-mail address", "input Password", "button Show the password", "button Sign in",
        "summary No account yet, or the password forgotten?", "input English"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("plantops user create")).to_be_visible()
    page.get_by_label("E-mail address").focus()
    page.keyboard.type(stack.settings["PLANTOPS_ADMIN_EMAIL"])
    page.keyboard.press("Tab")
    page.keyboard.type(stack.settings["PLANTOPS_ADMIN_PASSWORD"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Account and display")).to_be_visible()


def test_the_page_is_accessible_and_fits_a_phone(page, phone):
    for one in (page, phone):
        one.goto("/")
        expect(heading(one)).to_be_visible()
        one.keyboard.press("Enter")
        one.get_by_text("No account yet").click()
        assert_accessible(one)
        assert_fits(one)


def test_too_many_tries_are_told_how_long_to_wait(page, fill, watch, stack):
    """The last one of this file: what is slowed down is slow for a while."""
    watch.allow(429, "/auth/login")
    page.goto("/")
    fill(page, email="guess@example.org", password="guess")
    expect(page.get_by_role("alert")).to_have_text("The e-mail address or the password is wrong.")
    # As after many more of them.
    stack.sql("UPDATE sign_in_attempts SET attempts = 25, first_at = now(), last_at = now()")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("Too many tries. Wait a little, then try again.")
    expect(page.get_by_text(re.compile(r"Again in \d+ (second|minute)"))).to_be_visible()
    expect(page.get_by_role("button", name="Sign in")).to_be_disabled()
