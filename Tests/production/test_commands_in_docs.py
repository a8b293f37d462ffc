"""Every command, option and setting that the documents name exists."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from support.stack import ROOT, binary, free_port
from support.waiting import wait_until
from test_docs import documents

PAGES = {str(page): (ROOT / page).read_text() for page in documents() if page.name != "CHANGELOG.md"}
DEPLOYMENT = PAGES["docs/deployment.md"]


def named(pattern):
    """What stands at the place of the group, in code anywhere in the documents."""
    return {found for text in PAGES.values() for found in re.findall(pattern, text)}


def labels(script):
    """Of the `case` in which it looks at its command."""
    return set(re.findall(r"(?:^ {4}|\| )([a-z][a-z-]*)(?= \||\))", (ROOT / script).read_text(), re.MULTILINE))


@pytest.mark.parametrize("pattern, script", [
    (r"plantops-docker(?: --dev)?\"?'? ([a-z][a-z-]+)", "deploy/docker/plantops-docker"),
    (r"[`|] *plantopsctl ([a-z][a-z-]+)|^ +plantopsctl ([a-z][a-z-]+)", "deploy/systemd/plantopsctl"),
    (r"plantops-local ([a-z][a-z-]+)", "deploy/local/plantops-local"),
    (r"plantops-backup ([a-z]+)`", "deploy/backup/plantops-backup"),
], ids=["docker", "systemd", "local", "backup"])
def test_commands_of_scripts_exist(pattern, script):
    found = {next(filter(None, one)) if isinstance(one, tuple) else one for one in named(pattern)}
    assert found, "the pattern finds nothing any more"
    assert found - labels(script) == set(), f"{script} knows {sorted(labels(script))}"


def test_commands_of_the_program_exist():
    found = {tuple(one.split()) for one in named(
        r"(?:`|^ +|plantopsctl exec |plantops-docker exec )plantops ((?:user|keys|enrollment-token) [a-z-]+|[a-z][a-z-]+)(?=[` ])")}
    found |= {tuple(one.split()) for one in named(r"(?:plantopsctl|plantops-docker|plantops-local) exec ((?:user|keys) [a-z-]+|[a-z]+)")}
    assert {("doctor",), ("keys", "rotate"), ("user", "set-password")} <= found
    for words in sorted(found):
        done = subprocess.run([binary(), *words, "--help"], capture_output=True, text=True, timeout=30, env={"PATH": "/usr/bin"})
        assert done.returncode == 0 and f"USAGE: plantops {' '.join(words)}" in done.stdout, f"plantops {' '.join(words)}"


def test_options_of_the_installer_exist():
    options = (ROOT / "deploy/systemd/lib/options.sh").read_text() + (ROOT / "deploy/systemd/remove.sh").read_text()
    code = re.findall(r"`([^`\n]*)`|^ {4,}(.*)$", DEPLOYMENT.replace("\\\n", " "), re.MULTILINE)
    found = {option for one in code for option in re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", "".join(one))
             if re.search(r"(install|remove)\.sh", "".join(one))}
    assert {"--host", "--certificate", "--encryption-key"} <= found
    assert {option for option in found if not re.search(rf"{option}(?![\w-])", options)} == set()


def test_settings_that_are_named_exist():
    known = "\n".join(path.read_text() for path in [
        ROOT / ".env.prod.example", ROOT / "docs/configuration.md", ROOT / "Makefile", ROOT / "scripts/smoke.py",
        ROOT / "certs/make-certs.sh", *(ROOT / "deploy").rglob("*.sh"), *(ROOT / "deploy").rglob("compose*.yml")])
    found = set(re.findall(r"`([A-Z][A-Z]+(?:_[A-Z]+)+)(?==[^`]*`|`)", DEPLOYMENT))
    assert len(found) > 30
    assert {name for name in found if not re.search(rf"\b{name.removesuffix('_FILE')}\b", known)} == set()


def by_hand(step):
    """The commands of a step of "By hand", for the shell."""
    section = DEPLOYMENT.partition("\n## By hand")[2].partition("\n## ")[0]
    (text,) = re.findall(rf"^{step}\. .*?(?=^\d\. |^[A-Z])", section, re.MULTILINE | re.DOTALL)
    return "\n".join(line.strip() for line in text.splitlines() if line.startswith("       "))


def elsewhere(commands, folder, port):
    """Where a test may write, as users that are there."""
    for text, real in (("/etc/plantops", f"{folder}/etc"), ("/var/lib/plantops", f"{folder}/state"), ("useradd", ": useradd"),
                       ("plantops: ", "nobody: "), ("cat >", "echo secret >"), ("MQTT_PORT=8883", f"MQTT_PORT={port}"),
                       ("MQTT_BIND=0.0.0.0", "MQTT_BIND=127.0.0.1"), ("/etc/nginx/conf.d/plantops.conf", f"{folder}/site.conf"),
                       ("plantops broker-init", f"{binary()} broker-init")):
        commands = commands.replace(text, real)
    return "set -euo pipefail\n" + commands


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")
def test_the_steps_by_hand_make_a_broker_that_lets_in_the_backend_alone():
    # The broker gives root up, and must be able to pass through the folder.
    folder, port = Path(tempfile.mkdtemp(prefix="plantops-by-hand-")), free_port()
    folder.chmod(0o755)
    broker = None
    try:
        for step in (2, 3, 5):
            done = subprocess.run(["bash", "-c", elsewhere(by_hand(step), folder, port)], cwd=ROOT, capture_output=True, text=True,
                                  timeout=60)
            assert done.returncode == 0, done.stderr
        assert "root /usr/share/plantops;" in (folder / "site.conf").read_text()
        assert (folder / "etc/secrets").stat().st_mode & 0o77 == 0
        broker = subprocess.Popen(["/usr/sbin/mosquitto", "-c", folder / "etc/mosquitto.conf"], stdin=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        password = (folder / "etc/secrets/MQTT_BACKEND_PASSWORD").read_text().strip()
        publish = ["mosquitto_pub", "-h", "localhost", "-p", str(port), "--cafile", folder / "etc/certs/ca.crt", "-t", "x", "-m", "y"]
        wait_until(lambda: subprocess.run([*publish, "-u", "backend", "-P", password], capture_output=True, timeout=20).returncode == 0,
                   20, "the backend's account is let in")
        assert subprocess.run(publish, capture_output=True, timeout=20).returncode != 0, "nobody else is"
    finally:
        if broker:
            broker.terminate()
            broker.wait(10)
        shutil.rmtree(folder)


def test_files_that_are_named_exist():
    found = {path for text in PAGES.values() for path in re.findall(r"`((?:deploy|scripts|certs|Sources|Tests|docs|frontend)/[\w./+-]*\w)[`: ]", text)}
    assert len(found) > 20
    made = re.compile(r"deploy/docker/(secrets|acme)|certs/[\w.]*|frontend-dist")
    missing = {path for path in found if not (ROOT / path).exists() and not made.match(path) and "…" not in path}
    assert missing == set()
