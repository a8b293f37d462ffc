"""Backups of a stack, by the commands that `make backup` and `make restore` use, and what is looked at around them."""

import glob
import io
import json
import os
import signal
import subprocess
import tarfile
import tempfile
from pathlib import Path

from .device import Device
from .people import Person
from .stack import ROOT, SCRIPT, Stack
from .waiting import wait_until

TOOL = ROOT / "deploy" / "backup" / "plantops-backup"


def has_timescale():
    return os.environ.get("PLANTOPS_TIMESCALE") != "0" and bool(glob.glob("/usr/lib/postgresql/*/lib/timescaledb.so"))


class Running:
    """A command in a process group of its own, with its output in a file: what it starts must not keep a pipe open."""

    def __init__(self, arguments, environment):
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [str(argument) for argument in arguments], env=environment, cwd=ROOT, stdin=subprocess.DEVNULL,
            stdout=self.output, stderr=self.output, start_new_session=True)

    def said(self):
        self.output.seek(0)
        return self.output.read().decode(errors="replace")

    def end(self, timeout=180):
        """Exit status and everything it said."""
        code = self.process.wait(timeout)
        return code, self.said()

    def kill(self):
        """With everything it waits for; services are in sessions of their own."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def begin(stack, *arguments, **environment):
    return Running([SCRIPT, *arguments], {**stack.environment, **environment})


def run(stack, *arguments, **environment):
    return begin(stack, *arguments, **environment).end()


def tool(*arguments, **environment):
    """deploy/backup/plantops-backup alone, as systemd would call it."""
    own = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return Running([TOOL, *arguments], {**own, **environment}).end()


def folder(stack):
    return stack.home / "backups"


def backups(stack):
    return sorted(folder(stack).glob("plantops-*.tar"))


def make(stack, **environment):
    """The path of a new backup."""
    before = set(backups(stack))
    code, said = run(stack, "backup", **environment)
    assert code == 0, said
    (made,) = set(backups(stack)) - before
    assert str(made) in said
    return made


def restore(stack, path, **environment):
    code, said = run(stack, "restore", path, YES="1", **environment)
    assert code == 0, said
    stack._environ = None
    return said


def members(path):
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def manifest(path):
    return json.loads(members(path)["manifest.json"])


def rewritten(path, to, **changes):
    """A backup with other members; `manifest` as a dictionary changes fields of it."""
    with tarfile.open(to, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in members(path).items():
            if name == "manifest.json" and "manifest" in changes:
                content = json.dumps({**json.loads(content), **changes["manifest"]}).encode()
            content = changes.get(name, content)
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return to


def databases(stack):
    return {row["datname"] for row in stack.rows("SELECT datname FROM pg_database WHERE NOT datistemplate")}


def readings(stack, until="infinity"):
    """A fingerprint of everything up to a time."""
    return stack.value(f"SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, ' ' ORDER BY device_id, time)), '') AS sum "
                       f"FROM telemetry t WHERE time <= '{until}'")


def in_service(stack):
    """Whatever a restore that fails must leave as it is."""
    files = {path: path.read_bytes() for part in ("certs", "secrets") for path in (stack.home / part).glob("*") if path.is_file()}
    (state,) = stack.home.glob("services/mosquitto/dynamic-security.json")
    rows = {table: stack.value(f"SELECT count(*) FROM {table}") for table in ("plants", "devices", "users", "channels", "settings")}
    return {"databases": databases(stack), "files": files, "accounts": json.loads(state.read_text())["clients"],
            "rows": rows, "readings": readings(stack)}


def processes(stack):
    return {name: stack.pid(name) for name in ("postgres", "mosquitto", "backend", "nginx")}


def leftovers(stack):
    """What a run has left lying in the folder of backups besides backups."""
    return {path.name for path in folder(stack).iterdir() if not path.match("plantops-*.tar")} - {".lock"}


class Gate:
    """A program that says it was reached, and waits there: for PLANTOPS_BACKUP_PG_BIN or as a hook."""

    def __init__(self, home, program):
        """`program` is a file to go on with, or None."""
        self.reached, self.opened = home / "reached", home / "opened"
        home.mkdir()
        self.path = home / (program.name if program else "gate")
        self.path.write_text(f"#!/bin/bash\nif [[ \" $* \" == *\" --version \"* || \" $* \" == *\" --list \"* ]]; then exec {program} \"$@\"; fi\n"
                             f": >{self.reached}\nuntil [[ -e {self.opened} ]]; do sleep 0.05; done\n"
                             + (f'exec {program} "$@"\n' if program else ""))
        self.path.chmod(0o755)
        self.folder = home

    @classmethod
    def at(cls, home, name):
        """In a folder with PostgreSQL's other programs beside it."""
        real = Path(max(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4])))
        gate = cls(home, real / name)
        for other in {"psql", "pg_dump", "pg_restore"} - {name}:
            (home / other).symlink_to(real / other)
        return gate

    def wait(self):
        wait_until(self.reached.exists, 60, "the gate is reached")

    def open(self):
        self.opened.touch()


class Saved:
    """A stack with something in it, and a backup of that."""

    def __init__(self, stack, inbox):
        self.stack = stack
        self.inbox = inbox
        self.hook = inbox.hook()
        self.channel = stack.api.ok("POST", "/channels", 201, json={
            "kind": "webhook", "name": "Test", "url": self.hook.url, "secret": "a secret of a channel"})
        self.person = Person(stack)
        self.cookies = self.person.session()
        self.plant = stack.api.plant("Saved")
        self.device = Device(stack, self.plant["id"]).connect()
        for _ in range(5):
            self.device.barrier()
        self.path = make(stack)


def refused(saved, path, status, *words, **environment):
    code, said = run(saved.stack, "restore", path, YES="1", **environment)
    assert code == status, said
    assert all(word in said for word in words), said
    return said


def changed_since(saved):
    """Something that is there now and not in the backup, in the database, the secrets and at the broker."""
    device = Device(saved.stack)
    file = saved.stack.home / "secrets" / "ENROLLMENT_TOKEN"
    file.write_text(file.read_text()[::-1])
    return device


def gets_in(device):
    connection = device.open()
    try:
        return connection.connect() == 0
    finally:
        connection.close()


def fresh(saved, **environment):
    """Another machine, as it were: nothing but the file."""
    stack = Stack(CHANNEL_ALLOWED_HOSTS=saved.inbox.host, **environment)
    stack.home = stack.home / "new"
    stack.environment["PLANTOPS_HOME"] = str(stack.home)
    stack._token = saved.stack._token
    return stack


def discard(stack):
    if stack.home.exists():
        stack.destroy()
    subprocess.run(["rm", "-rf", str(stack.home.parent)], check=True)


class Away:
    """For PLANTOPS_BACKUP_PG_BIN: programs whose server does not answer while a file is there."""

    def __init__(self, folder):
        self.folder, self.file = folder, folder / "away"
        folder.mkdir()
        real = Path(max(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4])))
        for name in ("pg_dump", "pg_restore"):
            (folder / name).symlink_to(real / name)
        psql = folder / "psql"
        psql.write_text(f"#!/bin/bash\nif [[ -e {self.file} ]]; then echo 'connection refused' >&2; exit 2; fi\nexec {real}/psql \"$@\"\n")
        psql.chmod(0o755)
