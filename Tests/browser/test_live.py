"""The page moves by itself, says so when it cannot, and finds back by itself."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from browsing.things import make_plant, tell
from support.people import Person


def sign(page):
    return page.get_by_role("banner").get_by_role("status")


def api_requests(watch):
    return [urlsplit(request.url).path for request in watch.requests if "/api/" in request.url]


def streams(watch):
    return api_requests(watch).count("/api/events")


def open_overview(page):
    # Not the guide that an empty system begins with.
    page.add_init_script("sessionStorage.setItem('plantops.guide', 'left')")
    page.goto("/")
    expect(sign(page)).to_have_text("Live")


def test_a_plant_made_elsewhere_comes_without_anything_being_asked_for_again(signed_in, stack, watch):
    open_overview(signed_in)
    make_plant(stack, "Made first")
    expect(signed_in.get_by_text("Made first")).to_be_visible()
    before = [path for path in api_requests(watch) if path in ("/api/plants", "/api/devices", "/api/alerts")]
    make_plant(stack, "Made elsewhere")
    expect(signed_in.get_by_text("Made elsewhere")).to_be_visible()
    after = [path for path in api_requests(watch) if path in ("/api/plants", "/api/devices", "/api/alerts")]
    assert after == before, "the lists were asked for again"


def test_a_reading_moves_the_page(signed_in, planted):
    open_overview(signed_in)
    tell(planted, soil_moisture=41)
    expect(signed_in.get_by_text(re.compile(r"^41\s%")).first).to_be_visible()
    tell(planted, soil_moisture=67)
    expect(signed_in.get_by_text(re.compile(r"^67\s%")).first).to_be_visible()


def test_a_server_that_is_gone_is_told_of_and_found_again(signed_in, stack, watch, planted):
    watch.allow_outage()
    open_overview(signed_in)
    # Loaded: else there is nothing yet that could be old.
    expect(signed_in.get_by_text(planted.plant["name"]).first).to_be_visible()
    stack.kill("backend")
    try:
        expect(sign(signed_in)).to_have_text("Not connected")
        expect(signed_in.get_by_text("The connection is lost since")).to_be_visible()
    finally:
        stack.start("backend")
        stack.ready()
    make_plant(stack, "Made after the outage")
    expect(sign(signed_in)).to_have_text("Live")
    expect(signed_in.get_by_text("The connection is lost since")).to_have_count(0)
    expect(signed_in.get_by_text("Made after the outage")).to_be_visible()


# Everything the page has said about its connection, from the moment on at which this runs.
SAID = """() => {
    const sign = document.querySelector("header [role=status]");
    window.said = [sign.textContent];
    new MutationObserver(() => window.said.push(sign.textContent))
        .observe(sign, { subtree: true, childList: true, characterData: true });
}"""


def test_a_server_that_is_replaced_is_no_loss(signed_in, stack, watch, planted):
    watch.allow_outage()
    open_overview(signed_in)
    signed_in.evaluate(SAID)
    opened = streams(watch)
    stack.restart("backend")
    stack.ready()
    make_plant(stack, "Made after the restart")
    expect(signed_in.get_by_text("Made after the restart")).to_be_visible()
    expect(sign(signed_in)).to_have_text("Live")
    said = signed_in.evaluate("window.said")
    assert streams(watch) > opened and said[-1] == "Live", said
    assert not [words for words in said if words == "Not connected"], said
    expect(signed_in.get_by_text("The connection is lost since")).to_have_count(0)


def test_a_server_that_said_it_would_end_and_has_no_successor_is_gone(signed_in, stack, watch):
    watch.allow_outage()
    open_overview(signed_in)
    stack.stop("backend")
    try:
        expect(sign(signed_in)).to_have_text("Not connected", timeout=30_000)
    finally:
        stack.start("backend")
        stack.ready()
    expect(sign(signed_in)).to_have_text("Live", timeout=30_000)


def test_a_page_opened_while_the_server_is_away_comes_by_itself(signed_in, stack, watch):
    watch.allow_outage()
    stack.stop("backend")
    try:
        signed_in.goto("/")
        expect(signed_in.get_by_text("The server cannot be reached")).to_be_visible()
    finally:
        stack.start("backend")
        stack.ready()
    expect(sign(signed_in)).to_have_text("Live")


def test_a_session_that_ends_elsewhere_is_asked_for_again(signed_in, stack, watch):
    watch.allow(401)
    open_overview(signed_in)
    assert signed_in.request.post("/api/auth/logout").ok
    # Noticed at the next heartbeat of the stream, or at the next request.
    expect(signed_in.get_by_label("Password", exact=True)).to_be_visible(timeout=30_000)
    expect(signed_in.get_by_text(re.compile("session has ended"))).to_be_visible()


@pytest.fixture
def hidden(signed_in):
    """`hidden(True)`: the page as it is in a tab behind another one."""
    signed_in.clock.install()

    def hide(is_hidden):
        signed_in.evaluate("""state => {
            Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""", "hidden" if is_hidden else "visible")

    return hide


def test_whoever_signs_in_in_another_tab_is_noticed_when_this_one_is_looked_at(signed_in, stack, hidden):
    open_overview(signed_in)
    hidden(True)
    person = Person(stack, "viewer")
    assert signed_in.request.post("/api/auth/login", data={"email": person.email, "password": person.password}).ok
    hidden(False)
    expect(signed_in.get_by_role("button", name="Add a plant")).to_have_count(0)
    signed_in.get_by_role("button", name="Account").click()
    expect(signed_in.get_by_role("dialog")).to_contain_text(f"{person.email} (Viewer)")


def test_a_page_nobody_looks_at_holds_no_stream_and_misses_nothing(signed_in, stack, watch, hidden):
    open_overview(signed_in)
    assert streams(watch) == 1
    hidden(True)
    signed_in.clock.fast_forward(31_000)
    expect(sign(signed_in)).to_have_text("Connecting …")
    make_plant(stack, "Made meanwhile")
    hidden(False)
    expect(sign(signed_in)).to_have_text("Live")
    expect(signed_in.get_by_text("Made meanwhile")).to_be_visible()
    assert streams(watch) == 2


def test_a_page_looked_at_again_soon_keeps_its_stream(signed_in, watch, hidden):
    open_overview(signed_in)
    hidden(True)
    signed_in.clock.fast_forward(20_000)
    hidden(False)
    signed_in.clock.fast_forward(15_000)
    expect(sign(signed_in)).to_have_text("Live")
    assert streams(watch) == 1
