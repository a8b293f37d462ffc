"""A stack for each file of tests, a browser for all of them, and a fresh context (no cookie, no cache) for each test."""

import re
import signal
from pathlib import Path

import pytest

from browsing.builds import Build
from browsing.chromium import PATIENCE, chromium, options
from browsing.things import make_device, make_plant
from browsing.watch import Watch
from support.discord import Inbox
from support.stack import ROOT, Stack, dashboard

SHOTS = ROOT / ".test" / "browser"


def pytest_configure(config):
    # A test run that is told to stop must still stop what it has started.
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))


@pytest.fixture(scope="session")
def inbox():
    """Where channels of tests lead to: `inbox.hook()`."""
    with Inbox() as inbox:
        yield inbox


@pytest.fixture(scope="module")
def stack(request, inbox):
    """Everything real: broker, database, backend, nginx with the dashboard. A file of tests may set variables of its
    own in a dictionary `STACK`."""
    dashboard()
    stack = Stack(CHANNEL_ALLOWED_HOSTS=inbox.host, **getattr(request.module, "STACK", {}))
    try:
        yield stack.up()
    finally:
        stack.destroy()


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A dashboard of the tests' own, which they change and build anew."""
    build = Build(tmp_path_factory.mktemp("build"))
    build.build()
    return build


@pytest.fixture
def url(stack):
    """Of the dashboard, without a slash at the end."""
    return stack.settings["PLANTOPS_URL"].rstrip("/")


@pytest.fixture(scope="session")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def watch(url):
    """Fails the test on whatever no page may do; `watch.allow(422, "/api/plants")` beforehand for what is meant."""
    watch = Watch(url)
    yield watch
    watch.verdict()


@pytest.fixture
def browse(browser, url, watch, request):
    """`browse(phone=True, locale="de-DE", …)`: a page in a context of its own, with options of Playwright's
    `new_context`. Paths are enough: `page.goto("/alerts")`."""
    contexts = []

    def new(**given):
        context = browser.new_context(**options(**{"base_url": url, **given}))
        context.set_default_timeout(PATIENCE)
        watch.follow(context)
        contexts.append(context)
        return context.new_page()

    yield new
    failed = getattr(request.node, "failed", False)
    for number, context in enumerate(contexts):
        for page in context.pages if failed else []:
            SHOTS.mkdir(parents=True, exist_ok=True)
            name = re.sub(r"[^A-Za-z0-9_-]+", "-", request.node.name)
            page.screenshot(path=SHOTS / f"{Path(request.node.fspath).stem}-{name}-{number}.png", full_page=True)
        context.close()


@pytest.fixture
def page(browse):
    """On a desktop's screen, not signed in, nothing opened yet."""
    return browse()


@pytest.fixture
def phone(browse):
    """On a phone's (360 x 800, touch)."""
    return browse(phone=True)


@pytest.fixture
def sign_in(stack):
    """`sign_in(page)`: gives the page's context a session of the first admin, or of the account given."""

    def sign_in(page, email=None, password=None):
        email = email or stack.settings["PLANTOPS_ADMIN_EMAIL"]
        password = password or stack.settings["PLANTOPS_ADMIN_PASSWORD"]
        answer = page.request.post("/api/auth/login", data={"email": email, "password": password})
        assert answer.status == 200, answer.text()
        return page

    return sign_in


@pytest.fixture
def signed_in(page, sign_in):
    """`page`, as the first admin; nothing opened yet."""
    return sign_in(page)


@pytest.fixture
def signed_in_phone(phone, sign_in):
    return sign_in(phone)


@pytest.fixture
def plant(stack):
    return make_plant(stack)


@pytest.fixture
def device(stack):
    """Connected, in no plant."""
    device = make_device(stack)
    yield device
    device.close()


@pytest.fixture
def planted(stack, plant):
    """Connected, in a plant; `planted.plant` is the plant."""
    device = make_device(stack, plant)
    device.plant = plant
    yield device
    device.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        item.failed = True
        stack = getattr(item, "funcargs", {}).get("stack")
        if stack:
            report.sections.append(("logs of the stack", stack.log_tails()))
