"""The shell without a server, and how a new build takes over. Each test has an nginx of its own."""

import re

import pytest
from playwright.sync_api import expect


CONTROLLED = "() => navigator.serviceWorker.controller !== null"
CACHED = """async () => (await Promise.all((await caches.keys()).map(
    async name => (await (await caches.open(name)).keys()).map(request => [name, new URL(request.url).pathname])))).flat()"""


@pytest.fixture
def url(stack, built):
    with built.served(stack) as address:
        yield address


@pytest.fixture
def page(browse, sign_in):
    """With a service worker, which has the page in its hands."""
    page = sign_in(browse(service_workers="allow"))
    page.goto("/")
    page.wait_for_function(CONTROLLED)
    return page


def entry(page):
    return page.evaluate("document.querySelector('script[type=module]').src")


def look_for_update(page):
    page.evaluate("async () => { await (await navigator.serviceWorker.getRegistration()).update() }")


def notice(page):
    return page.locator(".update-notice")


def caches_of(page):
    return {name for name, _ in page.evaluate(CACHED)}


def test_the_shell_is_kept_and_never_an_answer_of_the_api(page, built):
    for path in ("/", "/devices", "/alerts"):
        page.goto(path)
        expect(page.locator("h1").first).to_be_visible()
    page.evaluate("fetch('/api/plants').then(answer => answer.text())")
    kept = {path for _, path in page.evaluate(CACHED)}
    assert not [path for path in kept if path.startswith("/api")]
    assert {f"/{path}" for path in built.current()} | {"/", "/manifest.webmanifest", "/icons/icon.svg"} == kept


@pytest.mark.parametrize("path", ["/", "/devices", "/plants/0198c0de-0000-7000-8000-000000000000", "/settings/users"])
def test_the_dashboard_opens_without_its_server_and_says_so(browse, stack, built, watch, path):
    with built.served(stack) as address:
        page = browse(service_workers="allow", base_url=address)
        watch.origin = address
        page.goto("/")
        page.wait_for_function(CONTROLLED)
        watch.allow_outage()
    page.goto(address + path)
    expect(page.get_by_text(re.compile("cannot be reached|not reach|offline|unreachable", re.I)).first).to_be_visible()
    # And nothing that only the server can know is made up by the worker.
    assert page.evaluate("fetch('/api/live').then(() => 'answered', () => 'failed')") == "failed"


def test_a_page_that_is_open_is_told_of_a_new_build_and_takes_it_on_request(page, built):
    before, old_caches = entry(page), caches_of(page)
    assert len(old_caches) == 1
    expect(notice(page)).to_be_hidden()
    built.change("\nconsole.info('another build');\n")
    built.build()
    look_for_update(page)
    expect(notice(page)).to_be_visible()
    assert entry(page) == before, "nothing is reloaded unasked"
    with page.expect_navigation():
        notice(page).get_by_role("button").click()
    page.wait_for_function(CONTROLLED)
    assert entry(page) != before
    expect(notice(page)).to_be_hidden()
    page.wait_for_function("async old => !(await caches.keys()).includes(old)", arg=old_caches.pop())
    assert len(caches_of(page)) == 1


def test_a_page_that_was_loaded_anew_has_the_new_build_and_need_not_be_asked(page, built):
    before, old_caches = entry(page), caches_of(page)
    built.change("\nbody { scroll-behavior: auto; }\n", "styles/base.css")
    built.change("\nconsole.info('one more build');\n")
    built.build()
    page.reload()
    assert entry(page) != before, "the server's page, not the one that was kept"
    look_for_update(page)
    page.wait_for_function("async old => !(await caches.keys()).includes(old)", arg=old_caches.pop())
    expect(notice(page)).to_be_hidden()


def test_a_build_with_other_styles_alone_is_a_new_build(page, built):
    built.change("\nbody { scroll-margin: 1px; }\n", "styles/base.css")
    built.build()
    look_for_update(page)
    expect(notice(page)).to_be_visible()


def test_it_can_be_installed(page, url):
    manifest = page.request.get("/manifest.webmanifest")
    assert manifest.headers["content-type"].startswith("application/manifest+json")
    found = manifest.json()
    assert {"name", "short_name", "start_url", "display", "icons"} <= found.keys()
    sizes = {(icon["sizes"], icon["purpose"]) for icon in found["icons"]}
    assert {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")} <= sizes
    for icon in found["icons"]:
        if icon["type"] == "image/png":
            size = page.evaluate("""async src => { const image = new Image(); image.src = src; await image.decode();
                return `${image.naturalWidth}x${image.naturalHeight}` }""", icon["src"])
            assert size == icon["sizes"]
    # Chromium's own verdict.
    session = page.context.new_cdp_session(page)
    assert session.send("Page.getAppManifest")["errors"] == []
    assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] in ([], [{"errorId": "in-incognito", "errorArguments": []}])
