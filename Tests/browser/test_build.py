"""How the dashboard is built: quickly, not by half, and small enough to come over a slow line."""

import gzip
import re
import threading

from support.stack import dashboard

# What a page needs before it can show anything; then come the pages, each when it is first opened.
FIRST_LOAD = 200_000


def compressed(path):
    return len(gzip.compress((dashboard() / path.lstrip("/")).read_bytes(), 9))


def first_files(page):
    """index.html, and what it names: the entry, its static imports, the styles."""
    return ["index.html", *sorted(set(re.findall(r'(?:src|href)="(/assets/[^"]+)"', page)))]


def test_the_first_load_is_small():
    dashboard()
    files = first_files((dashboard() / "index.html").read_text())
    sizes = {path: compressed(path) for path in files}
    assert any(path.endswith(".js") for path in files) and any(path.endswith(".css") for path in files)
    assert sum(sizes.values()) < FIRST_LOAD, sizes


def test_what_the_entry_imports_is_named_in_the_page():
    """Else it would be found out one file after another. Files that are loaded later are not named."""
    page = (dashboard() / "index.html").read_text()
    named = set(re.findall(r'(?:src|href)="(/assets/[^"]+\.js)"', page))
    waiting, found = [path for path in re.findall(r'<script type="module" src="([^"]+)"', page)], set()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            code = (dashboard() / path[1:]).read_text()
            waiting += [f"/assets/{name}" for name in re.findall(r'(?:from|import)\s*"\./([^"]+)"', code)]
    assert found == named


def test_nothing_is_inline_and_nothing_comes_from_elsewhere():
    page = (dashboard() / "index.html").read_text()
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)", page)
    assert not re.search(r'(?:src|href)="(?!/)', page)
    assert not list(dashboard().rglob("*.map"))
    for path in dashboard().rglob("*.css"):
        assert not re.search(r"@import|url\(['\"]?(?!data:)(?:https?:)?//", path.read_text()), path


def test_the_colours_around_the_page_are_its_own():
    """The browser's bar and the start screen have to be told in words of their own."""
    page = (dashboard() / "index.html").read_text()
    css = "".join(path.read_text() for path in (dashboard() / "assets").glob("main-*.css"))
    for colour in re.findall(r'name="theme-color"[^>]*content="(#[0-9a-f]{6})"', page):
        assert f"--ground:{colour}" in re.sub(r":\s+", ":", css), colour


def test_a_theme_that_was_chosen_colours_the_browsers_bar_too(page):
    bar = """() => [...document.querySelectorAll('meta[name="theme-color"]')].map(tag => tag.content)"""
    page.goto("/")
    light, dark = page.evaluate(bar)
    assert light != dark
    for theme, colours in (("dark", [dark, dark]), ("light", [light, light]), ("auto", [light, dark])):
        page.evaluate("theme => localStorage.setItem('plantops.theme', theme)", theme)
        page.reload()
        assert page.evaluate(bar) == colours


def test_nothing_is_built_when_nothing_has_changed(built):
    before = {path: path.stat().st_mtime_ns for path in built.site.rglob("*")}
    assert built.build() == ""
    assert {path: path.stat().st_mtime_ns for path in built.site.rglob("*")} == before


def test_a_mistake_of_types_leaves_the_old_build_in_place(built):
    before = built.files()
    source = built.folder / "frontend" / "src" / "mistake.ts"
    source.write_text("export const count: number = 'three';\n")
    try:
        done = built.run()
        assert done.returncode == 1 and "mistake.ts" in done.stderr and "'string' is not assignable" in done.stderr
        assert built.files() == before
    finally:
        source.unlink()
    assert built.build() == "", "what is there is of these sources already"


def test_pages_of_the_build_before_find_their_files_and_older_ones_go(built):
    generations = [built.assets()]
    for number in (1, 2):
        built.change(f"\nconsole.info('build {number}');\n")
        built.build()
        generations.append(built.assets())
    first, second, third = generations
    entry = {path for path in first if re.fullmatch(r"assets/main-\w+\.js", path)}
    assert len(entry) == 1 and entry <= second and not entry & third
    named = {path[1:] for path in first_files((built.site / "index.html").read_text())[1:]}
    assert named <= third - first | third & first and not named & entry


def test_at_no_time_does_the_page_name_a_file_that_is_not_there(built):
    """Looked at over and over again while it is replaced."""
    missing, looks, over = [], [], threading.Event()

    def look():
        while not over.is_set():
            page = (built.site / "index.html").read_text()
            looks.append(page)
            missing.extend(name for name in first_files(page)[1:] if not (built.site / name[1:]).exists())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        built.change("\nconsole.info('while somebody looks');\n")
        built.build()
    finally:
        over.set()
        thread.join()
    assert missing == [] and len(set(looks)) == 2
