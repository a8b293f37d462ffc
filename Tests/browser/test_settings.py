"""Settings: who sees which tab, one's own account and tokens, users; how all of it looks, and that keys are enough."""

import uuid

import pytest
import requests
from playwright.sync_api import expect

from browsing.accessibility import assert_accessible, assert_fits, focused

TABS = {"": "Account", "users": "Users", "alerts": "Alert rules", "channels": "Notifications", "advisor": "Care advisor",
        "species": "Species", "storage": "Storage", "system": "System", "audit": "Audit log"}
FOR_ADMINS = ["users", "audit"]
FOR_MEMBERS = ["alerts", "channels", "advisor"]
PASSWORD = "a good password"


def some_address(who="somebody"):
    return f"{who}-{uuid.uuid4().hex[:8]}@example.org"


@pytest.fixture
def somebody(stack):
    """`somebody("viewer")`: the address of a new user, whose password is PASSWORD."""
    def make(role):
        return stack.api.ok("POST", "/users", 201, json={"email": some_address(role), "role": role, "password": PASSWORD})["email"]

    return make


def open_tab(page, name):
    page.goto(f"/settings/{name}".rstrip("/"))
    expect(page.get_by_role("heading", level=1)).to_have_text(TABS[name])
    expect(page.get_by_text("Loading …")).to_have_count(0)
    return page


def row(page, name):
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name))


def bearer(url, token, path="/plants", method="GET", **options):
    return requests.request(method, f"{url}/api{path}", headers={"Authorization": f"Bearer {token}"}, timeout=20, **options).status_code


@pytest.mark.parametrize("role", ["viewer", "member", "admin"])
def test_only_tabs_of_ones_role_are_there(page, sign_in, somebody, role):
    sign_in(page, somebody(role), PASSWORD)
    hidden = ([] if role == "admin" else FOR_ADMINS) + (FOR_MEMBERS if role == "viewer" else [])
    open_tab(page, "")
    links = page.get_by_role("navigation", name="Settings").get_by_role("link")
    expect(links).to_have_text([label for name, label in TABS.items() if name not in hidden])
    for name in hidden:
        page.goto(f"/settings/{name}")
        expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    for name in TABS.keys() - set(hidden):
        open_tab(page, name)
        expect(page.get_by_text("That did not work")).to_have_count(0)


def test_a_tab_that_does_not_exist_is_not_found(signed_in):
    signed_in.goto("/settings/nonsense")
    expect(signed_in.get_by_role("heading", name="There is no such page")).to_be_visible()


def test_a_viewer_changes_nothing_where_he_may_look(page, sign_in, somebody):
    sign_in(page, somebody("viewer"), PASSWORD)
    open_tab(page, "species")
    expect(page.get_by_role("link", name="Export all")).to_be_visible()
    expect(page.get_by_role("button", name="Add a species")).to_have_count(0)
    expect(page.get_by_role("button", name="Import")).to_have_count(0)
    open_tab(page, "system")
    expect(page.get_by_text("MQTT broker")).to_be_visible()
    expect(page.get_by_role("heading", name="Messages that could not be stored")).to_have_count(0)


def test_ones_own_password_is_changed(page, stack, sign_in, somebody, watch):
    email = somebody("member")
    sign_in(page, email, PASSWORD)
    open_tab(page, "")
    current, new, again = (page.get_by_label(label, exact=True) for label in ("Current password", "New password", "New password again"))
    submit = page.get_by_role("button", name="Change password")
    submit.click()
    expect(current).to_have_attribute("aria-invalid", "true")
    current.fill("not it")
    new.fill("another password")
    again.fill("another passwort")
    submit.click()
    expect(page.get_by_text("This is not the same as the new password.")).to_be_visible()
    again.fill("another password")
    watch.allow(422, "/api/auth/password")
    submit.click()
    expect(current).to_have_attribute("aria-invalid", "true")
    expect(new).to_have_value("another password")
    current.fill(PASSWORD)
    submit.click()
    expect(page.get_by_text("Your password was changed.")).to_be_visible()
    for field in (current, new, again):
        expect(field).to_have_value("")
    assert stack.stranger.post("/auth/login", json={"email": email, "password": "another password"}).status_code == 200
    assert page.request.get("/api/auth/me").status == 200


def test_a_token_made_in_the_page_works_and_ends(signed_in, url):
    page, name = open_tab(signed_in, ""), f"script {uuid.uuid4().hex[:6]}"
    page.get_by_role("button", name="Make a token").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Make a token").click()
    expect(dialog.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Ends").select_option("7")
    dialog.get_by_role("button", name="Make a token").click()
    token = dialog.locator("code").first.inner_text()
    assert bearer(url, token) == 200
    # It was made for a viewer.
    assert bearer(url, token, method="POST", json={"name": "Fern"}) == 403
    dialog.get_by_role("button", name="I have kept it").click()
    expect(dialog).to_have_count(0)
    assert token not in page.content()
    expect(row(page, name)).to_contain_text("Ends on")
    page.get_by_role("button", name=f"End the token {name}").click()
    page.get_by_role("dialog").get_by_role("button", name="End it").click()
    expect(row(page, name)).to_have_count(0)
    assert bearer(url, token) == 401


def test_a_user_made_in_the_page_can_sign_in_and_is_a_viewer(signed_in, stack, watch):
    page, email = open_tab(signed_in, "users"), some_address("grandma")
    page.get_by_role("button", name="Add a user").click()
    dialog = page.get_by_role("dialog")
    add = dialog.get_by_role("button", name="Add a user")
    add.click()
    expect(dialog.get_by_label("Email address")).to_have_attribute("aria-invalid", "true")
    expect(dialog.get_by_label("First password")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Email address").fill(stack.settings["PLANTOPS_ADMIN_EMAIL"])
    dialog.get_by_label("First password").fill(PASSWORD)
    watch.allow(409, "/api/users")
    add.click()
    expect(dialog.get_by_role("alert")).to_contain_text("another user has this email address")
    dialog.get_by_label("Email address").fill(email)
    add.click()
    expect(row(page, email)).to_contain_text("Viewer")
    expect(row(page, email)).to_contain_text("Never signed in")
    with stack.stranger.sign_in(email, PASSWORD) as session:
        assert session.get(stack.stranger.url("/auth/me")).json()["role"] == "viewer"
        assert session.post(stack.stranger.url("/plants"), json={"name": "Fern"}).status_code == 403


def test_a_user_is_changed_given_a_password_and_deleted(signed_in, stack, somebody):
    email = somebody("viewer")
    page = open_tab(signed_in, "users")
    page.get_by_role("button", name=f"Change {email}").click()
    page.get_by_role("dialog").get_by_label("Role").select_option("member")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(row(page, email)).to_contain_text("Member")
    page.get_by_role("button", name=f"Set the password of {email}").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("New password").fill("short")
    dialog.get_by_role("button", name="Set password").click()
    expect(dialog.get_by_label("New password")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("New password").fill("quite another one")
    dialog.get_by_role("button", name="Set password").click()
    expect(dialog).to_have_count(0)
    assert stack.stranger.post("/auth/login", json={"email": email, "password": PASSWORD}).status_code == 401
    assert stack.stranger.post("/auth/login", json={"email": email, "password": "quite another one"}).status_code == 200
    page.get_by_role("button", name=f"Delete {email}").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the user").click()
    expect(row(page, email)).to_have_count(0)
    assert email not in [user["email"] for user in stack.api.ok("GET", "/users", params={"limit": 500})["users"]]


def test_nobody_deletes_himself(signed_in, stack):
    page = open_tab(signed_in, "users")
    own = row(page, stack.settings["PLANTOPS_ADMIN_EMAIL"])
    expect(own).to_contain_text("(you)")
    expect(own.get_by_role("button")).to_have_text(["Change"])


def test_display_preferences_hold(signed_in):
    page = open_tab(signed_in, "")
    page.locator("main").get_by_text("Deutsch", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Konto")
    page.locator("main").get_by_text("Dunkel", exact=True).click()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Konto")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_with_keys_alone(signed_in):
    page = open_tab(signed_in, "")
    link = page.get_by_role("link", name="Species")
    for _ in range(40):
        page.keyboard.press("Tab")
        if focused(page) == "a Species":
            break
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Species")
    expect(heading).to_be_focused()
    # The heading is there before what it is above.
    add = page.get_by_role("button", name="Add a species")
    expect(add).to_be_visible()
    page.keyboard.press("Tab")
    expect(add).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(add).to_be_focused()


@pytest.fixture(scope="module")
def furnished(stack):
    """Something is in every list."""
    ok = stack.api.ok
    ok("POST", "/channels", 201, json={"kind": "discord", "name": "Family", "url": "https://discord.com/api/webhooks/1/abcdefghijklmnop"})
    ok("POST", "/species", 201, json={"scientific_name": "Olea europaea", "common_name": "Olive", "light": "full", "water": "low"})
    ok("PUT", "/settings/llm", json={"provider": "openai", "base_url": "http://127.0.0.1:9/v1", "api_key": "sk-0123456789abcdef"})
    ok("PUT", "/settings/alerts", json={"quiet_hours": {"from": "22:00", "to": "07:00", "time_zone": "Europe/Berlin"}})


@pytest.mark.parametrize("tab", TABS, ids=lambda tab: tab or "account")
def test_each_tab_can_be_read_by_everybody(signed_in, furnished, tab):
    assert_accessible(open_tab(signed_in, tab))


@pytest.mark.parametrize("tab", TABS, ids=lambda tab: tab or "account")
def test_each_tab_fits_on_a_phone(signed_in_phone, furnished, tab):
    page = open_tab(signed_in_phone, tab)
    assert_fits(page)
    expect(page.get_by_role("navigation", name="Settings").get_by_role("link", name=TABS[tab])).to_be_in_viewport()


@pytest.mark.parametrize("tab, button", [("", "Make a token"), ("users", "Add a user"), ("channels", "Add a channel"), ("species", "Add a species")])
def test_each_dialog_can_be_read_and_fits(signed_in_phone, furnished, tab, button):
    page = open_tab(signed_in_phone, tab)
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_fits(page)
    assert_accessible(page)
