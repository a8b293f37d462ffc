"""Settings: the language model and its key, species, storage, health with dead letters, and the audit log."""

import uuid

import pytest
from playwright.sync_api import expect

from browsing.things import tell
from support.llm import SAYS, Failing, Models
from support.waiting import wait_until

with_models = Models()
# A model on this machine is asked only because the operator says so.
STACK = {"OPENAI_BASE_URL": f"{with_models.url}/v1"}


@pytest.fixture(scope="module", autouse=True)
def models():
    with with_models:
        yield with_models


@pytest.fixture
def model(models, stack):
    yield models.model("openai")
    stack.api.ok("DELETE", "/settings/llm", 204)


@pytest.fixture
def open_tab(signed_in):
    def open_tab(name, heading):
        signed_in.goto(f"/settings/{name}")
        expect(signed_in.get_by_role("heading", level=1)).to_have_text(heading)
        return signed_in

    return open_tab


def typed(page):
    """Everything that a page holds: its elements, and what was typed into them."""
    return page.content() + "\n".join(page.evaluate("[...document.querySelectorAll('input, textarea')].map(e => e.value)"))


def give_model(page, model):
    page.get_by_text("OpenAI or compatible", exact=True).click()
    page.get_by_label("Address of the server").fill(model.base_url)
    page.get_by_label("API key").fill(model.key)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The language model was saved.")).to_be_visible()


def test_a_key_is_set_masked_and_forgotten(open_tab, model, stack):
    page = open_tab("advisor", "Care advisor")
    give_model(page, model)
    expect(page.locator("code", has_text=f"…{model.key[-4:]}")).to_be_visible()
    assert model.key not in typed(page)
    page.get_by_role("button", name="Ask it something short").click()
    expect(page.get_by_text("answered after")).to_be_visible()
    assert [request.key for request in model.received] == [model.key]
    page.reload()
    expect(page.get_by_role("button", name="Replace")).to_be_visible()
    assert model.key not in typed(page)
    page.get_by_role("button", name="Forget the key").click()
    page.get_by_role("dialog").get_by_role("button", name="Forget the key").click()
    expect(page.get_by_label("API key")).to_have_value("")
    saved = stack.api.ok("GET", "/settings/llm")
    assert saved["api_key_set"] is False and saved["base_url"] == model.base_url


def test_a_key_is_asked_for_again_for_another_server(open_tab, model, models):
    other = models.model("openai")
    page = open_tab("advisor", "Care advisor")
    give_model(page, model)
    page.get_by_label("Address of the server").fill(other.base_url)
    expect(page.get_by_text("is not sent to this one")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("API key")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("This server wants no key").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("is not sent to this one")).to_have_count(0)
    page.get_by_role("button", name="Ask it something short").click()
    expect(page.get_by_text("answered after")).to_be_visible()
    assert [request.key for request in other.received] == [""] and model.received == []


def test_the_model_is_not_asked_while_another_is_being_saved(open_tab, model, models):
    other = models.model("openai")
    page = open_tab("advisor", "Care advisor")
    give_model(page, model)
    ask = page.get_by_role("button", name="Ask it something short")
    ask.click()
    expect(page.get_by_text("answered after")).to_be_visible()
    held = []
    page.route("**/api/settings/llm", lambda route: held.append(route) if route.request.method == "PUT" else route.continue_())
    page.get_by_label("Address of the server").fill(other.base_url)
    page.get_by_label("This server wants no key").check()
    page.get_by_role("button", name="Save").click()
    wait_until(lambda: page.evaluate("1") and held, what="the other is being saved")
    expect(ask).to_be_disabled()
    held[0].continue_()
    expect(ask).to_be_enabled()
    # What the one has answered says nothing of the other.
    expect(page.get_by_text("answered after")).to_have_count(0)


def test_a_model_that_does_not_answer_says_why(open_tab, model, watch):
    page = open_tab("advisor", "Care advisor")
    give_model(page, model)
    model.always(Failing(401))
    watch.allow(502, "/api/settings/llm/test")
    page.get_by_role("button", name="Ask it something short").click()
    expect(page.get_by_text("It did not answer:")).to_be_visible()
    expect(page.get_by_text("The last time it was asked")).to_be_visible()
    assert SAYS not in page.content()


def test_wrong_settings_of_a_model_are_said_at_their_fields(open_tab, stack, watch):
    page = open_tab("advisor", "Care advisor")
    page.get_by_label("Budget of a month, in tokens").fill("much")
    page.get_by_role("button", name="Save").click()
    for label in ("Budget of a month, in tokens", "API key"):
        expect(page.get_by_label(label)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Budget of a month, in tokens").fill("")
    page.get_by_label("API key").fill("sk-some-key-or-other")
    page.get_by_label("Address of the server").fill("ftp://example.org")
    watch.allow(422, "/api/settings/llm")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Address of the server")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("API key")).to_have_value("sk-some-key-or-other")
    assert stack.api.ok("GET", "/settings/llm")["provider"] is None


def row(page, name):
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name))


def own(stack):
    return {one["common_name"]: one for one in stack.api.ok("GET", "/species", params={"source": "own", "limit": 500})["species"]}


def test_a_species_is_added_changed_and_deleted(open_tab, stack, watch):
    page, name = open_tab("species", "Species"), f"Olive {uuid.uuid4().hex[:6]}"
    page.get_by_role("button", name="Add a species").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Hardiness zone").fill("40")
    dialog.get_by_label("Temperature: Minimum", exact=True).fill("200")
    dialog.get_by_role("button", name="Add a species").click()
    for label in ("Scientific name", "Hardiness zone (1 to 13) (optional)", "Temperature: Minimum"):
        expect(dialog.get_by_label(label, exact=True)).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Scientific name").fill(f"Olea {name[-6:]}")
    dialog.get_by_label("Common name").fill(name)
    dialog.get_by_label("Hardiness zone").fill("8")
    dialog.get_by_label("Water").select_option("low")
    dialog.get_by_label("Temperature: Minimum", exact=True).fill("-5")
    dialog.get_by_role("button", name="Add a species").click()
    expect(row(page, name)).to_contain_text("Little water")
    assert own(stack)[name]["own_thresholds"] == {"temperature": {"min": -5, "max": None}}
    page.get_by_role("button", name=f"Change {name}").click()
    expect(dialog.get_by_label("Soil moisture: Maximum")).to_have_attribute("placeholder", "60")
    dialog.get_by_label("Soil moisture: Minimum").fill("20")
    dialog.get_by_label("Soil moisture: Maximum").fill("50")
    dialog.get_by_label("Temperature: Minimum", exact=True).fill("")
    with page.expect_request(lambda request: request.method == "PUT") as sent:
        dialog.get_by_role("button", name="Save").click()
    assert sent.value.post_data_json == {"thresholds": {"soil_moisture": {"min": 20, "max": 50}, "temperature": None}}
    expect(row(page, name)).to_contain_text("Soil moisture 20 to 50 %")
    page.get_by_label("Search by name").fill(name)
    expect(page.get_by_text("1 species", exact=True)).to_be_visible()
    page.get_by_role("button", name=f"Delete {name}").click()
    dialog.get_by_role("button", name="Delete the species").click()
    expect(page.get_by_role("heading", name="Nothing is called that")).to_be_visible()
    assert name not in own(stack)


def test_a_table_with_a_faulty_line_is_refused_and_mended(open_tab, stack, watch):
    page, name = open_tab("species", "Species"), f"Fig {uuid.uuid4().hex[:6]}"
    table = page.get_by_label("or its content")
    table.fill(f"scientific_name,common_name,light\nFicus {name[-6:]},{name},full\nFicus nix,Nothing,glaring\n")
    watch.allow(422, "/api/species/import")
    page.get_by_role("button", name="Import").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Nothing was imported: there is 1 mistake.")
    expect(alert.get_by_role("listitem")).to_contain_text("line 3, light")
    assert name not in own(stack)
    page.get_by_label("A CSV file").set_input_files(
        {"name": "species.csv", "mimeType": "text/csv", "buffer": f"scientific_name,common_name,light\nFicus {name[-6:]},{name},full\n".encode()})
    expect(table).to_have_value(f"scientific_name,common_name,light\nFicus {name[-6:]},{name},full\n")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("Imported: 1 new, 0 changed, 0 as before.")).to_be_visible()
    expect(row(page, name)).to_contain_text("Full sun")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export your own").click()
    assert name in download.value.path().read_text()


def test_a_bad_message_is_shown_with_what_helps(open_tab, device, stack):
    page = open_tab("system", "System")
    name = stack.api.ok("GET", f"/devices/{device.id}")["name"]
    device.publish(b'{"soil_moisture": NaN}')
    device.barrier()
    page.get_by_role("button", name="Look again").click()
    item = page.get_by_role("listitem").filter(has_text=device.id)
    expect(item).to_contain_text("Not JSON")
    expect(item).to_contain_text(name)
    expect(item).to_contain_text("Send valid JSON")
    item.get_by_text("What was sent").click()
    expect(item.locator("pre")).to_have_text('{"soil_moisture": NaN}')


def test_health_follows_a_broker_that_goes_away(open_tab, stack):
    page = open_tab("system", "System")
    expect(row(page, "MQTT broker")).to_contain_text("Connected")
    stack.stop("mosquitto")
    try:
        def look():
            page.get_by_role("button", name="Load anew").click()
            return row(page, "MQTT broker").get_by_text("Not connected").is_visible()

        wait_until(look, 30, "the page says that the broker is away")
        expect(page.get_by_text("No new readings come in; everything else works.")).to_be_visible()
    finally:
        stack.start("mosquitto")
        stack.ready()


def test_storage_is_told_in_words(open_tab, planted):
    tell(planted)
    page = open_tab("storage", "Storage")
    expect(page.get_by_text("are free.")).to_be_visible()
    expect(page.get_by_text("for 400 days")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(9)
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_role("rowheader", name="audit_log")).to_be_visible()


def test_the_audit_log_shows_the_change_just_made(open_tab, stack):
    page = open_tab("alerts", "Alert rules")
    page.get_by_label("Rest between two messages of the same thing, in minutes").fill("75")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The rules for alerts were saved.")).to_be_visible()
    page.get_by_role("link", name="Audit log").click()
    entry = page.locator(".settings-list > li").first
    expect(entry).to_contain_text("Alert rules changed")
    expect(entry).to_contain_text(stack.settings["PLANTOPS_ADMIN_EMAIL"])
    expect(entry.locator("dl").first).to_contain_text("75")


def test_the_audit_log_is_filtered_and_goes_on(open_tab, stack):
    for number in range(55):
        stack.api.ok("POST", "/plants", 201, json={"name": f"Plant {number}"})
    page = open_tab("audit", "Audit log")
    page.get_by_label("Show", exact=True).select_option("plant.create")
    entries = page.locator(".settings-list > li")
    expect(entries).to_have_count(50)
    page.get_by_role("button", name="Show more").click()
    # How many there are in all depends on the tests before this one.
    expect(entries.nth(54)).to_be_visible()
    expect(entries.filter(has_not_text="Plant added")).to_have_count(0)
    page.reload()
    expect(page.get_by_label("Show", exact=True)).to_have_value("plant.create")
