"""What can be checked of accessibility by a machine; the rest is in each page's own tests (keyboard, focus order)."""

import functools

from axe_playwright_python.sync_playwright import Axe

from support.waiting import wait_until

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
         "resultTypes": ["violations"]}


@functools.cache
def axe():
    return Axe()


def settle(page):
    """Fades have ended: half-way through one, no contrast is right."""
    page.evaluate("""() => Promise.all(document.getAnimations()
        .filter(animation => animation.effect?.getComputedTiming().endTime !== Infinity)
        .map(animation => animation.finished.catch(() => undefined)))""")


def both_themes(page):
    """`for theme in both_themes(page)`: the page in light, then in dark, as the machine's setting has it."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        settle(page)
        yield theme
    page.emulate_media(color_scheme="light")


def assert_accessible(page, themes=True):
    """No rule of WCAG 2.2 A and AA that axe knows is broken, in either theme (`themes=False`: as the page is now)."""
    for theme in both_themes(page) if themes else ["the present"]:
        settle(page)
        results = axe().run(page, options=RULES)
        assert results.violations_count == 0, f"in {theme} theme: {results.generate_report()}"


def assert_fits(page):
    """Nothing hangs over to the right: no page scrolls sideways."""
    wide = page.evaluate("""() => {
        const limit = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth <= limit) return [];
        const over = [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > limit + 1);
        return [`${document.documentElement.scrollWidth} px in ${limit} px`, ...over.slice(0, 8).map(e => e.outerHTML.slice(0, 120))];
    }""")
    assert not wide, "the page is wider than the screen:\n  " + "\n  ".join(wide)


def focused(page):
    """What has the focus: its role or element and its words, as in 'button Sign in'."""
    return page.evaluate("""() => {
        const e = document.activeElement;
        if (!e || e === document.body) return "";
        const name = e.getAttribute("aria-label") || e.labels?.[0]?.innerText || e.innerText || e.getAttribute("title") || "";
        return `${e.getAttribute("role") || e.tagName.toLowerCase()} ${name.trim().replace(/\\s+/g, " ")}`.trim();
    }""")


def assert_focus(page, what):
    """The focus is where the words begin like this, or comes there: a key is pressed before the page has done what it
    stands for."""
    wait_until(lambda: focused(page).startswith(what), what=f"the focus on '{what}'")
