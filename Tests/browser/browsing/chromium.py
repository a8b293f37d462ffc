"""Debian's Chromium, driven by Playwright, which cannot and need not download one."""

import os
import shutil
from contextlib import contextmanager

from playwright.sync_api import expect, sync_playwright

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 800}
# Two slow cores and a whole stack beside it; nothing waits this long unless it fails.
PATIENCE = 15_000


@contextmanager
def chromium():
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not program:
        raise RuntimeError("there is no chromium: make browser installs it")
    expect.set_options(timeout=PATIENCE)
    # Its sandbox does not work as root; and a container's /dev/shm may be too small for it.
    arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def options(phone=False, **others):
    """Of a browser context; what is not named is as a user in Berlin with an English browser has it."""
    return {
        "viewport": PHONE if phone else DESKTOP,
        **({"has_touch": True, "is_mobile": True} if phone else {}),
        "locale": "en-GB",
        "timezone_id": "Europe/Berlin",
        "color_scheme": "light",
        # Its traffic would be counted with the page's. The tests of the service worker let it in.
        "service_workers": "block",
        **others,
    }
