"""What the documents say: examples run, the table of routes is the program's, links lead somewhere."""

import json
import os
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

from installation import installation
from support.stack import ROOT, binary

BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "=== end of block ==="
# Waits for the reading that mosquitto_pub has sent: the broker's acknowledgement says that it is on its way.
WAIT = ('until command curl -fsS -o latest "$url/devices/$device/telemetry/latest" -H "Authorization: Bearer $token" 2>/dev/null; '
        'do sleep 0.1; done')


def documents():
    """Every page that is the project's, as paths relative to it."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
                            capture_output=True, text=True, check=True).stdout.split()
    found = [Path(name) for name in listed if (ROOT / name).exists()]
    assert len(found) > 20
    return found


# Examples.

@pytest.fixture(scope="module")
def place():
    yield from installation()


def examples(page):
    """The shell blocks of a page with the JSON that is shown right behind them, if any."""
    blocks = list(BLOCK.finditer((ROOT / page).read_text()))
    for block, following in zip(blocks, blocks[1:] + [None]):
        if block.group(1) != "sh":
            continue
        shown = None
        if following and following.group(1) == "json" and following.string[block.end():following.start()].strip() == "":
            shown = json.loads(following.group(3))
        expected = re.search(r"answers=(\d+)", block.group(2))
        yield block.group(3), shown, expected and int(expected.group(1))


def run_as_written(page, place, folder):
    """All of a page's blocks in one shell, one after the other; returns what each of them printed."""
    settings = place.stack.settings
    replaced = {"https://plants.example.org": place.url, "rosa@example.org": settings["PLANTOPS_ADMIN_EMAIL"],
                "her password": settings["PLANTOPS_ADMIN_PASSWORD"]}
    script = ["set -euo pipefail", 'curl() { command curl ${fail---fail-with-body} "$@"; }']
    for code, _, status in examples(page):
        for text, real in replaced.items():
            code = code.replace(text, real)
        script += ["fail=" if status else "unset fail", code, WAIT if "mosquitto_pub" in code else "", f"echo; echo '{MARK}'"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PLANTOPS_", "MQTT_"))}
    done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=folder, capture_output=True, text=True, timeout=60,
                          env={**environment, "CURL_CA_BUNDLE": place.stack.ca})
    outputs = done.stdout.split(MARK)
    assert done.returncode == 0, f"block {len(outputs)} of {page}:\n{outputs[-1]}\n{done.stderr}"
    return outputs


def last_json(output):
    """What the last command of a block printed."""
    decoder, found, rest = json.JSONDecoder(), None, output.strip()
    while rest:
        found, end = decoder.raw_decode(rest)
        rest = rest[end:].strip()
    return found


def differences(shown, real, where=""):
    """What is shown and not so: every key that is shown is there, and has a value of the same kind; ids and times, written
    as …, and numbers may be others."""
    if isinstance(shown, dict):
        if not isinstance(real, dict):
            return [f"{where} is {real!r}"]
        return [d for key, value in shown.items() for d in (
            differences(value, real[key], f"{where}/{key}") if key in real else [f"{where}/{key} is not there"])]
    if isinstance(shown, list):
        if not isinstance(real, list) or len(real) < len(shown):
            return [f"{where} is {real!r}"]
        return [d for number, value in enumerate(shown) for d in differences(value, real[number], f"{where}/{number}")]
    number = (int, float)
    if shown == "…" or "example.org" in str(shown):
        return [] if isinstance(real, str) else [f"{where} is {real!r}"]
    if isinstance(shown, number) and isinstance(real, number):
        return []
    return [] if shown == real else [f"{where} is {real!r}, not {shown!r}"]


def test_every_example_of_the_api_does_what_is_shown(place, tmp_path):
    outputs, shown = run_as_written("docs/api.md", place, tmp_path), 0
    for (code, answer, status), output in zip(examples("docs/api.md"), outputs):
        if status:
            assert last_json(output)["status"] == status, output
        if answer is not None:
            shown += 1
            assert differences(answer, last_json(output)) == [], f"after\n{code}"
    assert shown >= 8
    assert (tmp_path / "monstera.csv").read_text().startswith("time,device_id,soil_moisture\n")


def test_the_rules_that_hold_everywhere_hold(place):
    api = place.stack.api
    plant = api.ok("POST", "/plants", 201, json={"name": "Rules", "room": "Kitchen", "nonsense": 1})
    path = f"/plants/{plant['id']}"
    assert "nonsense" not in plant and api.get("/plants?nonsense=1").status_code == 200
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}(\.\d{1,6})?Z", plant["created_at"])
    assert [api.get(f"/plants?limit={limit}").status_code for limit in (0, 1, 500, 501)] == [422, 200, 200, 422]
    assert [api.ok("PUT", path, json=change)["room"] for change in ({"name": "Other"}, {"room": None})] == ["Kitchen", None]
    history = api.ok("GET", f"{path}/history?from=2026-11-21T14:00:00%2B01:00&to=2026-11-21T15:00:00Z")
    assert history["from"] == "2026-11-21T13:00:00Z"
    assert api.get(f"{path}/history?from=2026-11-21T14:00:00&to=2026-11-21T15:00:00Z").status_code == 422
    json_type = {"Content-Type": "application/json"}
    assert api.post("/plants", data="{", headers=json_type).status_code == 400
    assert api.post("/plants", data='"' + 2**20 * "x" + '"', headers=json_type).status_code == 413
    assert api.post("/plants", data="name=x", headers={"Content-Type": "text/plain"}).status_code == 415
    assert [api.delete(path).status_code for _ in range(2)] == [204, 404]


def test_a_difference_between_what_is_shown_and_what_is_answered_is_found():
    assert differences({"a": 1, "b": [{"c": "…"}]}, {"a": 2, "b": [{"c": "x", "d": 0}], "e": 3}) == []
    assert differences({"a": "ok"}, {"a": "warning"}) and differences({"a": 1}, {}) and differences({"a": [1]}, {"a": []})
    assert differences({"a": "…"}, {"a": None}) and differences({"a": {}}, {"a": None}) and differences({"a": None}, {"a": "x"})


def test_the_table_of_the_api_is_that_of_the_program():
    printed = subprocess.run([binary(), "openapi"], capture_output=True, text=True, timeout=30, check=True,
                             env={"PATH": "/usr/bin"}).stdout
    real = {f"| {method.upper()} | `{path}` | {operation.get('x-required-role') or '–'} | {operation['summary']} |"
            for path, item in json.loads(printed)["paths"].items() for method, operation in item.items()}
    written = set(re.findall(r"^\| (?:GET|POST|PUT|PATCH|DELETE) \| .*$", (ROOT / "docs/api.md").read_text(), re.MULTILINE))
    assert sorted(real - written) == [], "put these lines into docs/api.md"
    assert sorted(written - real) == [], "these lines of docs/api.md are no longer true"


# Links.

def prose(page):
    """Without what stands in code."""
    text = (ROOT / page).read_text()
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL))


def anchors(page):
    """As GitHub makes them of headings."""
    text = re.sub(r"^(```|~~~).*?^\1", "", (ROOT / page).read_text(), flags=re.MULTILINE | re.DOTALL)
    found, counts = set(), {}
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", text, re.MULTILINE):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{name}-{counts[name]}" if name in counts else name)
        counts[name] = counts.get(name, 0) + 1
    return found


def broken_links(page):
    for target in re.findall(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        file = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        if not file.exists() or not file.is_relative_to(ROOT.resolve()):
            yield f"{page}: {target} is not there"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.relative_to(ROOT.resolve()) if path else page):
            yield f"{page}: {target} has no such heading"


def test_every_link_between_documents_leads_somewhere():
    assert [problem for page in documents() for problem in broken_links(page)] == []


def test_a_link_that_leads_nowhere_is_found(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "a.md").write_text("# One `thing`: two\n[x](b.md) [y](a.md#one-thing-two) [z](#one-thing-two) [w](#three) `[v](c.md)`\n")
    assert list(broken_links(Path("a.md"))) == ["a.md: b.md is not there", "a.md: #three has no such heading"]


def test_every_make_target_a_document_names_exists():
    makefiles = "\n".join(path.read_text() for path in (ROOT / "Makefile", *sorted(ROOT.glob("*.mk"))))
    targets = set(re.findall(r"^([a-z0-9-]+):", makefiles, re.MULTILINE))
    named = {(str(page), name) for page in documents() for name in re.findall(r"`(?:[A-Z_]+=\S+ )*make ([a-z][a-z0-9-]+)", (ROOT / page).read_text())}
    named |= {(str(page), name) for page in documents()
              for name in re.findall(r"^ *(?:[A-Z_]+=\S* )*make ([a-z][a-z0-9-]+)", (ROOT / page).read_text(), re.MULTILINE)}
    assert len(named) > 20
    assert sorted((page, name) for page, name in named if name not in targets) == []
