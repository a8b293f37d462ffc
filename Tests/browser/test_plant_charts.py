"""Charts and limits of a plant, over a past that is long enough to have a gap."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from browsing.accessibility import assert_accessible, assert_fits
from browsing.things import fill_past, make_device, make_plant, tell
from support.waiting import wait_until

# Between so many days ago nothing was measured.
GAP = (60, 40)


@pytest.fixture(scope="module")
def old_plant(stack):
    """A year of readings, with a gap: soil that dries from 62 to 28 % in nine days, again and again."""
    plant = make_plant(stack, "Old", thresholds={"soil_moisture": {"min": 20, "max": 80}})
    with make_device(stack, plant) as device:
        device.plant = plant
        fill_past(stack, device, plant, 365 - GAP[0], "1 hour", f"now() - interval '{GAP[0]} days'")
        fill_past(stack, device, plant, GAP[1])
        tell(device, soil_moisture=45, temperature=21, humidity=55, light_level=100)
        yield device


@pytest.fixture(autouse=True)
def may_read_pixels(watch):
    """Chromium has advice for those who read canvases often, as these tests do."""
    watch.allow_text("willReadFrequently")


def open_charts(page, device, query=""):
    page.goto(f"/plants/{device.plant['id']}{query}")
    expect(page.locator(".plot canvas").first).to_be_visible()
    return page


def chart(page, name="Soil moisture"):
    return page.get_by_role("figure", name=name, exact=True)


def plot_box(page, name="Soil moisture"):
    """Where it is on the screen, once it is there: a mouse cannot reach below."""
    plot = chart(page, name).locator(".plot")
    plot.scroll_into_view_if_needed()
    return plot.bounding_box()


def rows(page, name="Soil moisture"):
    """Of a chart's table: [time, mean, lowest, highest], newest first."""
    return chart(page, name).locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.children].map(cell => cell.innerText))")


def histories(watch):
    """What was asked for; asking the page for anything lets them come in."""
    return [parse_qs(urlsplit(request.url).query) for request in watch.requests if request.url.find("/history?") > 0]


def painted(page, start, end):
    """In which share of its columns the soil's line is drawn, between two shares of the plot's width."""
    return page.evaluate("""([start, end]) => {
        const figure = document.querySelector('figure[data-metric=soil_moisture]');
        const colour = getComputedStyle(document.documentElement).getPropertyValue('--series-1').trim();
        const wanted = [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16));
        const [left, right] = [52, 8];
        let [columns, hits] = [0, 0];
        for (const canvas of figure.querySelectorAll('.plot-canvas canvas')) {
            const {data, width, height} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            const plot = width - left - right;
            const inside = [];
            for (let x = Math.round(left + plot * start); x < left + plot * end; x++) {
                let hit = false;
                for (let y = 0; y < height && !hit; y++) {
                    const at = (y * width + x) * 4;
                    hit = data[at + 3] > 200 && wanted.every((one, index) => Math.abs(data[at + index] - one) < 12);
                }
                inside.push(hit);
            }
            columns = inside.length;
            hits = Math.max(hits, inside.filter(Boolean).length);
        }
        return hits / columns;
    }""", [start, end])


def test_a_year_is_drawn_with_its_gap(signed_in, old_plant, watch):
    page = open_charts(signed_in, old_plant)
    page.get_by_text("1 year", exact=True).click()
    wait_until(lambda: painted(page, 0.2, 0.8) > 0.8, what="the year's line")
    assert painted(page, 1 - (GAP[0] - 5) / 365, 1 - (GAP[1] + 5) / 365) == 0, "a line across the gap"
    assert histories(watch)[-1]["resolution"] == ["1d"]
    chart(page).get_by_text("Show as table").click()
    expect(chart(page).get_by_role("table")).to_contain_text("no value")
    assert 280 <= len(rows(page)) <= 400
    expect(page).to_have_url(re.compile("span=year"))
    # How long it took is there for who wants to know.
    assert page.evaluate("performance.getEntriesByName('chart soil_moisture').length") == 1


def test_zooming_in_asks_for_finer_steps_and_the_figures_follow(signed_in, old_plant, watch):
    page = open_charts(signed_in, old_plant, "?span=year")
    summary = chart(page).get_by_role("img")
    expect(summary).to_have_attribute("aria-label", re.compile(r"between 2[789]\s% and 6[123]\s%"))
    whole = summary.get_attribute("aria-label")
    for _ in range(5):
        page.get_by_role("button", name="Zoom in").click()
    wait_until(lambda: page.evaluate("1") and histories(watch)[-1]["resolution"] == ["1h"], what="hours are asked for")
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    wait_until(lambda: page.evaluate("1") and histories(watch)[-1]["resolution"] == ["auto"], what="readings are asked for")
    expect(summary).not_to_have_attribute("aria-label", whole)
    page.get_by_role("button", name="Earlier").click()
    expect(page.get_by_role("button", name="Later")).to_be_enabled()
    page.get_by_role("button", name="Now", exact=True).click()
    expect(page.get_by_role("button", name="Later")).to_be_disabled()


def test_a_new_reading_continues_the_chart_without_asking(signed_in, old_plant, watch):
    page = open_charts(signed_in, old_plant)
    chart(page).get_by_text("Show as table").click()
    wait_until(lambda: len(rows(page)) > 50, what="a day's rows")
    asked = len(histories(watch))
    tell(old_plant, soil_moisture=77, temperature=20)
    expect(chart(page).locator("tbody tr").first).to_contain_text("77")
    expect(chart(page).locator(".chart-reading")).to_contain_text("77 %")
    assert len(histories(watch)) == asked


def test_one_cursor_for_all_charts_also_by_keyboard(signed_in, old_plant):
    page = open_charts(signed_in, old_plant, "?span=week")
    wait_until(lambda: painted(page, 0.2, 0.8) > 0.8, what="the week's line")
    box = plot_box(page)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for name in ("Soil moisture", "Temperature"):
        expect(chart(page, name).locator(".chart-reading")).to_contain_text(re.compile(r"\d\d:\d\d: \d"))
        expect(chart(page, name).locator(".plot-line")).to_be_visible()
    page.mouse.move(5, 5)
    expect(chart(page, "Temperature").locator(".chart-reading")).to_contain_text("Now")
    chart(page).get_by_role("img").focus()
    page.keyboard.press("ArrowLeft")
    said = chart(page).get_by_role("status")
    expect(said).to_contain_text("%")
    first = said.inner_text()
    page.keyboard.press("ArrowLeft")
    expect(said).not_to_have_text(first)
    expect(chart(page, "Temperature").locator(".chart-reading")).to_contain_text("°C")


def test_dragging_zooms_and_a_double_click_shows_all(signed_in, old_plant):
    page = open_charts(signed_in, old_plant, "?span=month")
    span = page.locator(".chart-span")
    before = span.inner_text()
    box = plot_box(page)
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.3, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=4)
    page.mouse.up()
    expect(span).not_to_contain_text("now")
    page.mouse.dblclick(box["x"] + box["width"] * 0.5, middle)
    expect(span).to_contain_text("now")
    assert span.inner_text().split(",")[0] == before.split(",")[0]


def test_other_metrics_are_charted_by_choice(signed_in, old_plant):
    page = open_charts(signed_in, old_plant)
    page.get_by_role("button", name="Choose charts").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Temperature", exact=True).uncheck()
    dialog.get_by_role("button", name="Done").click()
    expect(chart(page, "Temperature")).to_have_count(0)
    page.reload()
    expect(chart(page)).to_be_visible()
    expect(chart(page, "Temperature")).to_have_count(0)


def test_the_files_can_be_fetched(signed_in, old_plant):
    page = open_charts(signed_in, old_plant)
    shown = page.request.get(page.get_by_role("link", name="what is shown").get_attribute("href"))
    whole = page.request.get(page.get_by_role("link", name="everything").get_attribute("href"))
    assert (shown.status, whole.status) == (200, 200)
    assert "soil_moisture" in shown.text().splitlines()[0]
    assert 140 <= len(shown.text().splitlines()) <= 155 and len(whole.text().splitlines()) > 12_000


def test_the_look_back_follows_what_is_typed(signed_in, stack, old_plant):
    page = open_charts(signed_in, old_plant)
    row = page.get_by_role("group", name=re.compile("^Soil moisture"))
    count = page.locator(".replay-count")
    expect(count).to_contain_text("They would not have fired in the last 7 days.")
    page.locator(".replay").get_by_text("30 days").click()
    expect(count).to_contain_text("in the last 30 days")
    row.get_by_label("Minimum").fill("50")
    # Once in each of its nine-day rounds.
    expect(count).to_contain_text(re.compile(r"They would have fired [345] times in the last 30 days"))
    expect(count).to_contain_text("With the saved limits: 0 times.")
    page.get_by_text("When", exact=True).click()
    expect(page.locator(".replay-episodes")).to_contain_text("Soil moisture too low")
    page.get_by_role("button", name="Save limits").click()
    expect(page.get_by_role("status").get_by_text("The limits were saved")).to_be_visible()
    path = f"/plants/{old_plant.plant['id']}"
    assert stack.api.ok("GET", path)["thresholds"]["soil_moisture"] == {"min": 50, "max": 80}
    row.get_by_label("Minimum").fill("")
    row.get_by_label("Maximum").fill("")
    page.get_by_role("button", name="Save limits").click()
    expect(page.get_by_role("button", name="Save limits")).to_be_disabled()
    assert "soil_moisture" not in stack.api.ok("GET", path)["thresholds"]
    stack.api.ok("PUT", path, 200, json={"thresholds": {"soil_moisture": {"min": 20, "max": 80}}})


def test_wrong_limits_are_marked_and_not_sent(signed_in, stack, old_plant):
    page = open_charts(signed_in, old_plant)
    before = stack.api.ok("GET", f"/plants/{old_plant.plant['id']}")["thresholds"]
    row = page.get_by_role("group", name=re.compile("^Soil moisture"))
    for low, high, words in (("60", "40", "The minimum must be below the maximum."), ("wet", "80", "Enter a number."),
                             ("20", "140", "Enter a number between 0 and 100.")):
        row.get_by_label("Minimum").fill(low)
        row.get_by_label("Maximum").fill(high)
        page.get_by_role("button", name="Save limits").click()
        expect(row).to_contain_text(words)
        expect(page.locator(".replay")).to_contain_text("Mend the limits above first.")
        assert row.locator("[aria-invalid=true]").count() == 1
    page.get_by_role("button", name="Undo changes").click()
    expect(row.get_by_label("Minimum")).to_have_value("20")
    assert stack.api.ok("GET", f"/plants/{old_plant.plant['id']}")["thresholds"] == before


def test_what_the_species_likes_is_taken_over_in_fahrenheit_too(signed_in, stack, old_plant):
    signed_in.add_init_script("localStorage.setItem('plantops.temperature', 'fahrenheit')")
    page = open_charts(signed_in, old_plant)
    plant = stack.api.ok("GET", f"/plants/{old_plant.plant['id']}")
    wanted = plant["suggested_thresholds"]["temperature"]["min"]
    row = page.get_by_role("group", name=re.compile("^Temperature"))
    row.get_by_role("button", name="Take over what the species likes: Temperature").click()
    assert abs(float(row.get_by_label("Minimum").input_value()) - (wanted * 1.8 + 32)) < 0.02
    page.get_by_role("button", name="Save limits").click()
    expect(page.get_by_role("button", name="Save limits")).to_be_disabled()
    saved = stack.api.ok("GET", f"/plants/{old_plant.plant['id']}")["thresholds"]
    assert abs(saved["temperature"]["min"] - wanted) < 0.01 and saved["soil_moisture"] == plant["thresholds"]["soil_moisture"]
    stack.api.ok("PUT", f"/plants/{old_plant.plant['id']}", 200, json={"thresholds": {"temperature": None}})


def test_charts_fit_a_phone_and_can_be_read_by_everybody(signed_in_phone, old_plant):
    page = open_charts(signed_in_phone, old_plant, "?span=year")
    wait_until(lambda: painted(page, 0.2, 0.8) > 0.8, what="the year's line")
    chart(page).get_by_text("Show as table").click()
    expect(chart(page).get_by_role("table")).to_be_visible()
    assert_fits(page)
    assert_accessible(page)
