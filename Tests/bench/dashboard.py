"""How quickly the dashboard is there: the overview of 50 plants, and a year's chart, in Debian's Chromium."""

import gzip
import statistics
import sys

from support.stack import ROOT, dashboard
from support.times import now_us, rfc3339

sys.path.insert(0, str(ROOT / "Tests" / "browser"))

from browsing.chromium import chromium, options  # noqa: E402
from browsing.things import fill_past, make_device, make_plant  # noqa: E402

PLANTS = 50
SPECIES = ("Monstera deliciosa", "Epipremnum aureum", "Aloe vera", "Ficus lyrata", "Spathiphyllum wallisii")
FIRST_LOAD_KB, OVERVIEW_MS, CHART_MS = 200, 1000, 200
MINUTE = 60 * 1_000_000
# Milliseconds since the address was entered, as soon as every card stands there with a value and its line.
USABLE = """async count => {
    const isThere = () => document.querySelectorAll(".plant-card, .plant-row").length >= count;
    while (!isThere()) await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    return performance.now();
}"""


class Dashboard:
    def __init__(self, bench, say):
        self.bench, self.stack, self.say = bench, bench.stack, say
        self.times = 5 if bench.quick else 20

    def measure(self):
        self.prepare()
        self.bench.add("first load (page, script, styles), kB compressed", f"{self.first_load():.0f}",
                       f"< {FIRST_LOAD_KB}", self.first_load() < FIRST_LOAD_KB)
        with chromium() as browser:
            first, again = self.overview(browser)
            self.add(f"overview of {PLANTS} plants usable, empty cache", first, OVERVIEW_MS)
            self.add("the same, with the files of an earlier visit", again, OVERVIEW_MS)
            fresh, switched = self.chart(browser)
            self.add("chart of a year, page opened at it (first chart)", fresh, CHART_MS)
            self.add("chart of a year, chosen on the page (each chart)", switched, CHART_MS)

    def add(self, what, milliseconds, target):
        ordered = sorted(milliseconds)
        self.bench.add(f"{what}, p50 / longest of {len(ordered)}",
                       f"{statistics.median(ordered):.0f} / {ordered[-1]:.0f} ms", f"< {target} ms", ordered[-1] < target)

    def prepare(self):
        self.say(f"{PLANTS} plants, a day of all and a year of one")
        for number in range(PLANTS):
            plant = make_plant(self.stack, f"Plant {number:02}", SPECIES[number % len(SPECIES)], room=f"Room {number % 5}")
            with make_device(self.stack, plant) as device:
                past = [{"timestamp": rfc3339(now_us() - ago * MINUTE), "soil_moisture": 40 + number % 30 - ago / 600,
                         "temperature": 21.5, "humidity": 55, "light_level": 900} for ago in range(1440, -1, -15)]
                device.publish(past)
                if number == 0:
                    self.plant = plant
                    fill_past(self.stack, device, plant, 365, until="now() - interval '25 hours'")

    def first_load(self):
        site = dashboard()
        page = (site / "index.html").read_text()
        named = {part.split('"')[0] for part in page.split('"/assets/')[1:]} if '"/assets/' in page else set()
        files = [site / "index.html", *(site / "assets" / name for name in named)]
        return sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) / 1000

    def page(self, browser):
        context = browser.new_context(base_url=self.stack.settings["PLANTOPS_URL"].rstrip("/"), **options())
        answer = context.request.post("/api/auth/login", data={
            "email": self.stack.settings["PLANTOPS_ADMIN_EMAIL"], "password": self.stack.settings["PLANTOPS_ADMIN_PASSWORD"]})
        if answer.status != 200:
            raise RuntimeError(f"signing in: {answer.status}")
        return context.new_page()

    def overview(self, browser):
        """Milliseconds: in a browser that was never there, and at its second visit."""
        first, again = [], []
        for _ in range(self.times):
            page = self.page(browser)
            for times in (first, again):
                page.goto("/", wait_until="commit")
                times.append(page.evaluate(USABLE, PLANTS))
            page.context.close()
        return first, again

    def chart(self, browser):
        """Milliseconds that drawing took, as the page measures it (`performance.measure("chart …")`)."""
        fresh, switched = [], []
        measured = """() => performance.getEntriesByType("measure").filter(one => one.name.startsWith("chart "))
            .sort((a, b) => a.startTime - b.startTime).map(one => one.duration)"""
        for _ in range(self.times):
            page = self.page(browser)
            page.goto(f"/plants/{self.plant['id']}?span=year", wait_until="commit")
            page.locator(".plot canvas").first.wait_for()
            page.wait_for_function(f"({measured})().length >= 4")
            fresh.append(page.evaluate(measured)[0])
            page.get_by_text("24 h", exact=True).click()
            page.evaluate("performance.clearMeasures()")
            page.get_by_text("1 year", exact=True).click()
            page.wait_for_function(f"({measured})().length >= 4")
            switched += page.evaluate(measured)
            page.context.close()
        return fresh, switched
