#!/usr/bin/env python3
"""Pictures of every page of the dashboard, on a phone and a desktop, dark and light: make screenshots.

    screenshots.py [--only overview,plant] [--theme dark|light] [--screen phone|desktop] [--to FOLDER]

A stack of its own, with six simulated plants, a month of their past, an alert, a care plan and what else fills a page.
"""

import argparse
import re
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

from browsing.accessibility import settle  # noqa: E402 (the path is set above)
from browsing.chromium import PATIENCE, chromium, options  # noqa: E402
from browsing.things import fill_past, make_device, make_plant, tell  # noqa: E402
from support.stack import ROOT, Stack, dashboard  # noqa: E402
from support.waiting import wait_until  # noqa: E402

THEMES, SCREENS = ("light", "dark"), ("desktop", "phone")
# As far as the simulator can tell of the past: devices may not be late by more than 30 days.
BACKFILL_HOURS = 700


class Scene:
    """What there is to see."""

    def __init__(self, stack):
        self.stack, self.api = stack, stack.api
        self.plants = []

    def simulate(self):
        log = open(self.stack.home / "logs" / "simulator.log", "wb")
        settings = self.stack.settings
        process = subprocess.Popen(
            [str(self.stack.binary), "simulate", "--url", settings["PLANTOPS_API_URL"], "--devices", "6", "--interval", "5",
             "--with-plants", "--backfill", str(BACKFILL_HOURS), "--state", str(self.stack.home / "simulator.json"),
             "--seed", "7"],
            env={**self.stack.environment, **settings}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.stack.extra.append(process)
        wait_until(self.six_are_there, 300, "six plants have a present")

    def six_are_there(self):
        assert all(process.poll() is None for process in self.stack.extra), self.stack.log("simulator")
        self.plants = self.api.ok("GET", "/plants", params={"limit": 500})["plants"]
        return len(self.plants) == 6 and all(plant["latest_telemetry"] and plant["status"] != "stale" for plant in self.plants)

    def furnish(self):
        self.api.ok("PUT", "/settings/alerts", json={"for_seconds": 0, "time_zone": "Europe/Berlin"})
        # One is too dry, one was.
        dry, mended = self.plants[1], self.plants[2]
        for plant in (dry, mended):
            now = plant["latest_telemetry"]["soil_moisture"]
            self.limit_soil(plant, {"min": min(94, round(now) + 6), "max": 100})
        wait_until(lambda: {dry["id"], mended["id"]} <= self.firing(), 240, "two alerts fire")
        self.limit_soil(mended, {"min": 5, "max": 100})
        wait_until(lambda: mended["id"] not in self.firing(), 240, "one of them is over")
        for plant in self.plants[:2]:
            self.try_to("POST", f"/plants/{plant['id']}/analyze", timeout=60)
        self.try_to("POST", f"/plants/{self.plants[0]['id']}/events", json={"kind": "note", "note": "A new leaf, the third this month."})
        self.try_to("POST", f"/plants/{self.plants[0]['id']}/events", json={"kind": "fertilizing"})
        # Off, so that nothing is ever sent.
        self.try_to("POST", "/channels", json={"kind": "webhook", "name": "Doorbell", "url": "https://example.com/hook",
                                               "secret": "not to be told", "min_severity": "warning", "enabled": False})
        self.try_to("POST", "/users", json={"email": "rosa@plants.example", "password": "sunflowers in the rain", "role": "member"})
        with self.stack.sign_in() as session:
            session.post(self.api.url("/tokens"), json={"name": "Home automation", "role": "viewer", "expires_in_days": 90})
        self.try_to("POST", "/enrollment-tokens", json={"label": "Balcony", "max_uses": 3, "expires_in_hours": 48})
        # One whose sensor has fallen silent; and a device that waits for a plant.
        old = make_plant(self.stack, "Old olive", species="Olea europaea", room=self.plants[0]["room"],
                         thresholds={"soil_moisture": {"min": 20, "max": 70}, "temperature": {"min": 5, "max": 32}})
        with make_device(self.stack, old, name="Balcony 1") as device:
            fill_past(self.stack, device, old, 30, step="1 hour")
            tell(device, soil_moisture=31.0, temperature=19.5, humidity=48, light_level=5400, battery=17, rssi=-83)
        make_device(self.stack, name="Spare sensor", firmware_version="1.5.0").close()

    def limit_soil(self, plant, limits):
        self.api.ok("PUT", f"/plants/{plant['id']}", json={"thresholds": {"soil_moisture": limits}})

    def firing(self):
        """Plants whose soil is told of; others have alerts of their own, of a battery or of too little light."""
        alerts = self.api.ok("GET", "/alerts", params={"state": "firing", "limit": 500})["alerts"]
        return {alert["plant_id"] for alert in alerts if alert["metric"] == "soil_moisture"}

    def try_to(self, method, path, **request):
        """A page with one thing less is still a page."""
        answer = self.api.request(method, path, **request)
        if not answer.ok:
            print(f"note: {method} {path}: {answer.status_code} {answer.text[:200]}", file=sys.stderr)


class Camera:
    def __init__(self, browser, stack, folder, chosen):
        self.browser, self.stack, self.folder, self.chosen = browser, stack, folder, chosen
        self.url = stack.settings["PLANTOPS_URL"].rstrip("/")
        self.count = 0

    def take(self, views, signed_in=True):
        """`views`: name → path."""
        wanted = {name: path for name, path in views.items() if self.wants(name)}
        if not wanted:
            return
        for screen in self.chosen.screen or SCREENS:
            for theme in self.chosen.theme or THEMES:
                context = self.browser.new_context(
                    **options(phone=screen == "phone", color_scheme=theme, base_url=self.url, reduced_motion="reduce"))
                context.set_default_timeout(PATIENCE)
                page = context.new_page()
                if signed_in:
                    self.sign_in(page)
                for name, path in wanted.items():
                    page.goto(path)
                    self.wait(page)
                    page.screenshot(path=self.folder / f"{name}-{screen}-{theme}.png", full_page=True)
                    self.count += 1
                context.close()

    def wants(self, name):
        return not self.chosen.only or any(name == one or name.startswith(one + "-") for one in self.chosen.only)

    def sign_in(self, page):
        settings = self.stack.settings
        answer = page.request.post("/api/auth/login", data={
            "email": settings["PLANTOPS_ADMIN_EMAIL"], "password": settings["PLANTOPS_ADMIN_PASSWORD"]})
        assert answer.status == 200, answer.text()

    def wait(self, page):
        """Until everything is drawn. A stream of events stays open, so the network is never quite idle."""
        page.locator("h1, main, form").first.wait_for()
        page.wait_for_function("() => !document.querySelector('[aria-busy=true], .waiting')")
        page.evaluate("() => document.fonts.ready.then(() => undefined)")
        page.wait_for_timeout(700)
        settle(page)

    def tabs(self):
        """Of the settings: as the page itself names them."""
        context = self.browser.new_context(**options(base_url=self.url))
        page = context.new_page()
        self.sign_in(page)
        page.goto("/settings")
        self.wait(page)
        links = page.eval_on_selector_all("main a[href^='/settings/'], nav a[href^='/settings/']",
                                          "links => links.map(link => link.getAttribute('href'))")
        context.close()
        names = {re.sub(r"[^a-z-]", "", path.rsplit("/", 1)[1]): path for path in links}
        return {f"settings-{name}": path for name, path in names.items()} or {"settings": "/settings"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=lambda text: text.split(","), help="names of pages: signin, welcome, overview, plant, "
                        "plant-fine, devices, alerts, room, settings (all of its tabs), settings-users …")
    parser.add_argument("--theme", choices=THEMES, action="append")
    parser.add_argument("--screen", choices=SCREENS, action="append")
    parser.add_argument("--to", type=Path, default=ROOT / "screenshots")
    chosen = parser.parse_args()
    # Told to stop, it must still stop what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen.to.mkdir(parents=True, exist_ok=True)
    dashboard()
    stack = Stack()
    try:
        stack.up()
        with chromium() as browser:
            camera = Camera(browser, stack, chosen.to, chosen)
            camera.take({"signin": "/"}, signed_in=False)
            camera.take({"welcome": "/"})
            if not chosen.only or set(chosen.only) - {"signin", "welcome"}:
                scene = Scene(stack)
                scene.simulate()
                scene.furnish()
                dry, fine = scene.plants[1], scene.plants[0]
                camera.take({"overview": "/", "plant": f"/plants/{dry['id']}", "plant-fine": f"/plants/{fine['id']}",
                             "devices": "/devices", "alerts": "/alerts", "room": "/room", "not-found": "/nothing/here"})
                if camera.wants("settings") or any(name.startswith("settings-") for name in chosen.only or []):
                    camera.take(camera.tabs())
        print(f"{camera.count} pictures in {chosen.to}")
    finally:
        stack.destroy()


if __name__ == "__main__":
    main()
