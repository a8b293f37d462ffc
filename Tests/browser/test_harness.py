"""The tests' own eyes: what no page may do is seen when a page does it."""

import pytest

from browsing.accessibility import assert_accessible, assert_fits
from browsing.things import tell
from browsing.watch import Watch
from support.waiting import wait_until


@pytest.fixture
def watch(url):
    """Nobody asks this one for its verdict."""
    return Watch(url)


@pytest.mark.parametrize("deed, told", [
    ("console.error('a mistake')", "console error: a mistake"),
    ("console.warn('a warning')", "console warning: a warning"),
    ("setTimeout(() => { throw new Error('thrown') })", "thrown"),
    ("Promise.reject(new Error('rejected')) && 0", "rejected"),
    ("fetch('/assets/missing.js') && 0", "404"),
    ("fetch('https://elsewhere.example/').catch(() => 0) && 0", "CSP violation"),
    ("document.body.append(Object.assign(document.createElement('script'), {text: 'window.evil = 1'}))", "CSP violation"),
    ("document.body.innerHTML = '<p style=\"color: red\">x</p>'", "CSP violation"),
    ("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:1/x.png'}))", "CSP violation"),
])
def test_what_no_page_may_do_is_seen(page, watch, deed, told):
    page.goto("/")
    before = len(watch.complaints)
    page.evaluate(deed)
    # Asking the page lets its events come in.
    wait_until(lambda: page.evaluate("1") and [c for c in watch.complaints[before:] if told in c], what=f"{told} is seen")
    with pytest.raises(AssertionError):
        watch.verdict()


def test_what_is_meant_is_allowed(page, watch):
    watch.allow(404, "/assets/")
    page.goto("/")
    before = len(watch.complaints)
    assert page.evaluate("fetch('/assets/missing.js').then(answer => answer.status)") == 404
    assert watch.complaints[before:] == []


def test_who_is_signed_in_has_a_session(signed_in, stack):
    answer = signed_in.request.get("/api/auth/me")
    assert answer.status == 200 and stack.settings["PLANTOPS_ADMIN_EMAIL"] in answer.text()


def test_what_a_device_tells_arrives(stack, planted):
    tell(planted, soil_moisture=33.5)
    (row,) = planted.stored(1)
    assert row["soil_moisture"] == 33.5
    plant = stack.api.ok("GET", f"/plants/{planted.plant['id']}")
    assert plant["latest_telemetry"]["soil_moisture"] == 33.5


def test_a_page_that_cannot_be_read_is_found_out(page):
    page.goto("/")
    page.evaluate("""() => {
        document.body.replaceChildren(Object.assign(document.createElement("button"), {type: "button"}));
    }""")
    with pytest.raises(AssertionError, match="button-name"):
        assert_accessible(page, themes=False)


def test_a_page_that_is_too_wide_is_found_out(phone):
    phone.goto("/")
    assert_fits(phone)
    phone.evaluate("""() => {
        const wide = document.createElement("div");
        wide.style.width = "400px";
        wide.textContent = "wide";
        document.body.append(wide);
    }""")
    with pytest.raises(AssertionError, match="wider than the screen"):
        assert_fits(phone)
