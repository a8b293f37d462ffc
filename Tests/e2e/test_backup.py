"""Backup and restore with a whole system in between: everything is as it was, goes on, and keeps its secrets."""

import base64
import hashlib
import os
import stat
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from support import alerts, backups
from support.alerts import Pot, make_channel
from support.device import REFUSED, Device, reading
from support.people import Person
from support.stack import Stack
from support.times import now_us, rfc3339
from support.waiting import wait_until

DAY = 86_400 * 1_000_000
KINDS = [pytest.param("timescale", marks=pytest.mark.skipif(not backups.has_timescale(), reason="TimescaleDB is not here")),
         "native"]


class Flow:
    """A device that publishes and waits for each acknowledgement, until it is told to stop."""

    def __init__(self, stack, plant):
        self.device = Device(stack, plant).connect()
        self.sent = 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        while not self.stopping.is_set():
            self.device.publish(reading())
            self.sent += 1

    def stop(self):
        self.stopping.set()
        self.thread.join()
        self.device.close()


def age(stack, begin):
    """As after months: old readings are summarized and dropped, and some of what is left is compressed."""
    for view in ("telemetry_5m", "telemetry_1h", "telemetry_1d"):
        stack.psql(f"CALL refresh_continuous_aggregate('{view}', '{rfc3339(begin - DAY)}', '{rfc3339(begin + 22 * DAY)}')")
    assert stack.value(f"SELECT telemetry_drop_before('{rfc3339(begin + 10 * DAY)}')") >= 1
    stack.psql("SELECT compress_chunk(c, if_not_compressed => true) FROM show_chunks('telemetry') c ORDER BY c LIMIT 1")
    assert compressed(stack) >= 1


def rollups(stack, until):
    """A fingerprint of the summaries up to a time."""
    return [stack.value(f"SELECT concat_ws(' ', count(*), sum(readings), md5(string_agg(concat_ws(' ', bucket, device_id, plant_id, "
                        f"readings, soil_moisture_min, soil_moisture_max, round(soil_moisture_avg::numeric, 6)), ' ' "
                        f"ORDER BY bucket, device_id))) FROM {view} WHERE bucket < '{rfc3339(until)}'")
            for view in ("telemetry_5m", "telemetry_1h", "telemetry_1d")]


def compressed(stack):
    return stack.value("SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name = 'telemetry' AND is_compressed")


def history(stack, plant, begin, end):
    return stack.api.ok("GET", f"/plants/{plant}/history", params={
        "from": rfc3339(begin), "to": rfc3339(end), "resolution": "1h", "metrics": "soil_moisture,temperature"})


@pytest.mark.parametrize("kind", KINDS)
def test_everything_is_as_at_the_backup_and_goes_on(kind, inbox):
    stack = Stack(CHANNEL_ALLOWED_HOSTS=inbox.host, PLANTOPS_TIMESCALE="1" if kind == "timescale" else "0")
    flow = None
    try:
        stack.up()
        alerts.put_settings(stack, **alerts.SETTINGS)
        hook, pot, person = inbox.hook(), Pot(stack), Person(stack, "member")
        channel = make_channel(stack, hook, pot, secret="known to both sides")
        doomed = stack.api.plant("Doomed")
        begin = now_us() - 25 * DAY
        pot.tell_all([(begin + hour * DAY // 24, {"soil_moisture": 50 + hour % 7}) for hour in range(24 * 20)])
        if kind == "timescale":
            age(stack, begin)
            chunks = compressed(stack)
        # Plain PostgreSQL summarizes what comes late a moment later.
        wait_until(lambda: all(" 480 " in summary for summary in rollups(stack, begin + 24 * DAY)), 60, "summaries of all readings")
        summaries = rollups(stack, begin + 24 * DAY)
        pot.parched()
        hook.until_told(("fired", pot.name))
        fired = alerts.alerts(stack)

        others = stack.value("SELECT count(*) FROM telemetry")
        flow = Flow(stack, stack.api.plant("Busy")["id"])
        wait_until(lambda: flow.sent > 10, 20, "readings flow")
        old, sent = backups.readings(stack, rfc3339(begin + 24 * DAY)), flow.sent
        assert old.startswith("480 ") == (kind == "native")
        made = backups.make(stack)
        assert flow.sent > sent, "readings went on being taken in"
        flow.stop()
        end = now_us() - 3600 * 1_000_000
        history_before = history(stack, pot.id, begin, end)
        facts = backups.manifest(made)
        assert facts["kind"] == kind and facts["counts"]["plants"] == 3 and facts["counts"]["devices"] == 2
        assert sent < facts["counts"]["telemetry"] - others <= flow.sent
        assert any(value is not None for value in history_before["series"]["soil_moisture"]["avg"])

        # Life goes on, partly in ways one would rather undo.
        stack.api.ok("DELETE", f"/plants/{doomed['id']}")
        stack.api.ok("DELETE", f"/users/{person.id}")
        stack.api.ok("DELETE", f"/channels/{channel['id']}")
        pot.fine()
        with Device(stack, pot.id) as late:
            late.publish(reading(soil_moisture=77))
            late.stored(1)
        stack.psql("DELETE FROM telemetry WHERE device_id = '%s'" % flow.device.id)
        (stack.home / "secrets" / "ENROLLMENT_TOKEN").write_text("not the one in the database, but as long")
        token = stack.settings["PLANTOPS_ENROLLMENT_TOKEN"]
        # A reading that nobody could take in yet: it waits in the broker, also while that is stopped and started.
        stack.stop("backend")
        waiting = pot.next_instant()
        pot.device.publish(reading(waiting, soil_moisture=51))
        pot.device.close()

        backups.restore(stack, made)
        stack.ready()
        wait_until(lambda: stack.value(f"SELECT count(*) FROM telemetry WHERE device_id = '{pot.device.id}' "
                                       f"AND time = '{rfc3339(waiting)}'") == 1, 20, "the reading that waited is stored")
        assert backups.readings(stack, rfc3339(begin + 24 * DAY)) == old
        assert stack.value("SELECT count(*) FROM telemetry") == facts["counts"]["telemetry"] + 1
        assert rollups(stack, begin + 24 * DAY) == summaries
        assert history(stack, pot.id, begin, end) == history_before
        if kind == "timescale":
            assert compressed(stack) == chunks
            assert stack.psql("SHOW timescaledb.restoring") == "off"
        assert stack.api.ok("GET", f"/plants/{doomed['id']}")["name"] == "Doomed"
        assert person.is_in(person.session())
        assert [alert["id"] for alert in alerts.alerts(stack)] == [alert["id"] for alert in fired]
        told = len(hook.received)
        assert stack.api.ok("POST", f"/channels/{channel['id']}/test")["delivered"] is True
        assert hook.wait_for(told + 1)[-1].is_signed_with("known to both sides")
        assert stack.settings["PLANTOPS_ENROLLMENT_TOKEN"] == token and Device(stack).id

        # Devices: those of then get in with what they have, later ones enroll again.
        pot.devices[0].connect()
        pot.fine()
        connection = late.open()
        try:
            assert connection.connect() >= REFUSED
        finally:
            connection.close()
        known = {device["id"] for device in stack.api.ok("GET", "/devices")["devices"]}
        assert pot.device.id in known and late.id not in known
        late.register()
        with late:
            late.publish(reading())
            late.stored(1)

        # What was in service is kept, and closed.
        (kept,) = {name for name in backups.databases(stack) if name.startswith("plantops_before_")}
        with pytest.raises(RuntimeError, match="not currently accepting connections"):
            stack.psql("SELECT 1", url=stack.settings["DATABASE_URL"].removesuffix("plantops") + kept)
        assert {path.name for path in (stack.home / "secrets").glob(".before-*/*")} >= {"ENROLLMENT_TOKEN", "POSTGRES_PASSWORD"}
        assert backups.leftovers(stack) == set()
        # And a second up finds everything in order, as does a second round.
        stack.run("up")
        backups.restore(stack, backups.make(stack))
        assert stack.api.ok("GET", f"/plants/{doomed['id']}")["name"] == "Doomed"
    finally:
        if flow:
            flow.stop()
        stack.destroy()


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
        self.path = backups.make(stack)


@pytest.fixture(scope="module")
def shared_saved(inbox):
    stack = Stack(CHANNEL_ALLOWED_HOSTS=inbox.host)
    try:
        yield Saved(stack.up(), inbox)
    finally:
        stack.destroy()


@pytest.fixture
def saved(shared_saved):
    """Everything runs, before and after."""
    shared_saved.stack.ready()
    yield shared_saved
    shared_saved.stack.ready()


@pytest.fixture
def untouched(saved):
    """For tests after which everything in service is as before, and no service was even started anew."""
    stack = saved.stack
    before = backups.in_service(stack), backups.processes(stack), backups.backups(stack)
    yield saved
    assert (backups.in_service(stack), backups.processes(stack), backups.backups(stack)) == before
    assert backups.leftovers(stack) == set()


def refused(saved, path, status, *words, **environment):
    code, said = backups.run(saved.stack, "restore", path, YES="1", **environment)
    assert code == status, said
    assert all(word in said for word in words), said
    return said


def test_a_backup_is_its_owners_alone_and_names_what_it_holds(untouched):
    facts, content = backups.manifest(untouched.path), backups.members(untouched.path)
    assert stat.S_IMODE(untouched.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(untouched.path.parent.stat().st_mode) == 0o700
    assert set(facts["members"]) == set(content) - {"manifest.json"}
    assert {"database.dump", "broker/dynamic-security.json", "certificates/ca.crt", "certificates/server.crt",
            "secrets.sealed"} <= set(content)
    stack = untouched.stack
    assert facts["schema"] == stack.value("SELECT max(version) FROM schema_migrations")
    tables = {row["relname"] for row in stack.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition")}
    assert tables <= set(facts["counts"]) and facts["counts"]["telemetry"] == 5
    (key,) = facts["sealed_under"]
    assert key == facts["key_id"]
    code, said = backups.run(stack, "restore")
    assert code == 1 and untouched.path.name in said and "5 readings" in said and "say which one" in said


def test_no_secret_stands_in_a_backup(untouched):
    stack = untouched.stack
    secrets = {path.name: path.read_bytes().strip() for path in (stack.home / "secrets").iterdir() if path.is_file()}
    del secrets["ADMIN_EMAIL"]
    for path in (stack.home / "certs").glob("*.key"):
        body = b"".join(line for line in path.read_bytes().splitlines() if not line.startswith(b"-----"))
        secrets[path.name], secrets[path.name + " as bytes"] = path.read_bytes().splitlines()[1], base64.b64decode(body)
    secrets |= {"device": untouched.device.registration["mqtt_password"].encode(), "hook": untouched.hook.token.encode(),
                "channel": b"a secret of a channel", "person": untouched.person.password.encode(),
                "session": next(iter(untouched.cookies.values())).encode(), "token": stack.api.token.encode(),
                "key as bytes": bytes.fromhex(secrets["ENCRYPTION_KEY"].decode())}
    assert len(secrets) >= 15
    with tempfile.NamedTemporaryFile() as dump:
        dump.write(backups.members(untouched.path)["database.dump"])
        dump.flush()
        sql = subprocess.run(["pg_restore", "-f", "-", dump.name], check=True, capture_output=True).stdout
    assert untouched.person.email.encode() in sql, "the search can find something"
    for text in (untouched.path.read_bytes(), sql):
        for name, secret in secrets.items():
            assert secret not in text and secret.hex().encode() not in text, name
            assert base64.b64encode(secret).rstrip(b"=") not in text, name


@pytest.mark.parametrize("member", ["database.dump", "secrets.sealed", "broker/dynamic-security.json", "certificates/ca.crt"])
def test_a_flipped_byte_is_found_before_anything_is_touched(untouched, tmp_path, member):
    content = bytearray(untouched.path.read_bytes())
    at = content.index(backups.members(untouched.path)[member]) + len(backups.members(untouched.path)[member]) // 2
    content[at] ^= 1
    damaged = tmp_path / untouched.path.name
    damaged.write_bytes(content)
    refused(untouched, damaged, 65, "is damaged", member)


@pytest.mark.parametrize("kept", [0, 0.001, 0.3, 1])
def test_a_truncated_backup_is_refused(untouched, tmp_path, kept):
    """Up to the last byte that counts; zeros follow."""
    content = untouched.path.read_bytes()
    last = backups.members(untouched.path)["secrets.sealed"]
    content = content[: content.index(last) + len(last) - 1]
    damaged = tmp_path / "plantops-20260101T000000Z.tar"
    damaged.write_bytes(content[: int(len(content) * kept)])
    code, said = backups.run(untouched.stack, "restore", damaged, YES="1")
    assert code == 65 and damaged.name in said, said


def test_a_dump_that_somebody_else_put_in_is_not_run(untouched, tmp_path):
    """Its checksum in the manifest is made to fit; that of who had the key is not."""
    dump = backups.members(untouched.path)["database.dump"].replace(b"plantops", b"plantOps", 1)
    members = backups.manifest(untouched.path)["members"]
    members["database.dump"]["sha256"] = hashlib.sha256(dump).hexdigest()
    forged = backups.rewritten(untouched.path, tmp_path / "forged.tar", **{"database.dump": dump, "manifest": {"members": members}})
    refused(untouched, forged, 65, "changed by somebody")
    sealed = bytearray(backups.members(untouched.path)["secrets.sealed"])
    sealed[-1] ^= 1
    members = {**backups.manifest(untouched.path)["members"], "secrets.sealed": {"sha256": hashlib.sha256(sealed).hexdigest()}}
    forged = backups.rewritten(untouched.path, tmp_path / "forged.tar", **{"secrets.sealed": bytes(sealed), "manifest": {"members": members}})
    refused(untouched, forged, 65, "secrets.sealed was changed")


@pytest.mark.parametrize("manifest, words", [
    ({"format": 2}, "this program reads format 1"), ({"schema": 999}, "this program knows up to"),
    ({"timescaledb": "1.0.0"}, "TimescaleDB 1.0.0, which this server does not have"),
    ({"postgresql_major": 99}, "newer than the server's")])
def test_what_this_program_or_server_is_too_old_for_is_said(untouched, tmp_path, manifest, words):
    changed = backups.rewritten(untouched.path, tmp_path / "changed.tar", manifest=manifest)
    refused(untouched, changed, 65, words)


def test_what_is_no_backup_is_said(untouched, tmp_path):
    (tmp_path / "evil").write_text("x")
    subprocess.run(["tar", "-C", str(tmp_path), "-cf", str(tmp_path / "other.tar"), "evil"], check=True)
    refused(untouched, tmp_path / "other.tar", 65, "is not a backup of PlantOps")
    refused(untouched, tmp_path / "missing.tar", 65, "there is no backup")


def test_another_key_is_said_before_anything_is_touched(untouched):
    facts = backups.manifest(untouched.path)
    said = refused(untouched, untouched.path, 78, "do not open with ENCRYPTION_KEY", facts["key_id"], ENCRYPTION_KEY="0f" * 32)
    assert "tar:" not in said and said.count("error:") == 1
    assert "0f" * 32 not in said and (untouched.stack.home / "secrets" / "ENCRYPTION_KEY").read_text() not in said
    refused(untouched, untouched.path, 78, "ENCRYPTION_KEY must be 64 hexadecimal digits", ENCRYPTION_KEY="short")


def test_a_restore_asks(untouched):
    code, said = backups.run(untouched.stack, "restore", untouched.path)
    assert code == 64 and "say YES=1 if you mean it" in said


def test_rows_that_do_not_agree_are_not_put_in_service(untouched, tmp_path):
    counts = {**backups.manifest(untouched.path)["counts"], "telemetry": 6}
    changed = backups.rewritten(untouched.path, tmp_path / "changed.tar", manifest={"counts": counts})
    refused(untouched, changed, 65, "as many rows", "nothing was changed")


def test_an_old_key_still_opens_and_the_next_step_is_said(saved):
    stack = saved.stack
    file, new = stack.home / "secrets" / "ENCRYPTION_KEY", "a1" * 32
    old = file.read_text()
    try:
        file.write_text(new)
        said = backups.restore(stack, saved.path, ENCRYPTION_KEYS_OLD=old)
        assert "plantops keys rotate" in said
        assert stack.api.ok("POST", f"/channels/{saved.channel['id']}/test")["delivered"] is True
    finally:
        file.write_text(old)
        stack.restart("backend")


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted as root only")
def test_too_little_room_is_said_first(untouched, tmp_path):
    small = f"mount -t tmpfs -o size=4m none {tmp_path} && exec \"$@\""
    running = backups.Running(["unshare", "-m", "sh", "-c", small, "-", backups.SCRIPT, "backup"],
                              {**untouched.stack.environment, "PLANTOPS_BACKUP_DIR": str(tmp_path)})
    code, said = running.end()
    assert code == 73 and "too little room" in said and "MiB" in said, said


def test_a_backup_that_cannot_be_written_leaves_nothing(untouched, tmp_path):
    running = backups.Running(["prlimit", "--fsize=30000", backups.SCRIPT, "backup"], untouched.stack.environment)
    code, said = running.end()
    assert code != 0 and "no backup was made" in said, said
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        code, said = backups.run(untouched.stack, "backup", PLANTOPS_BACKUP_DIR=str(folder))
        assert code == 73 and str(folder) in said, said


def test_one_at_a_time(untouched, tmp_path):
    gate = backups.Gate.at(tmp_path / "gate", "pg_dump")
    first = backups.begin(untouched.stack, "backup", PLANTOPS_BACKUP_PG_BIN=str(gate.folder))
    try:
        gate.wait()
        for arguments in (["backup"], ["restore", untouched.path]):
            code, said = backups.run(untouched.stack, *arguments, YES="1")
            assert code == 75 and "another backup or restore is running" in said, said
        # What comes in between is not in the dump, nor in the counts.
        untouched.device.barrier()
        gate.open()
        code, said = first.end()
        assert code == 0, said
        (made,) = set(backups.backups(untouched.stack)) - {untouched.path}
        assert backups.manifest(made)["counts"]["telemetry"] == 5
        code, said = backups.run(untouched.stack, "restore", made, YES="1", ENCRYPTION_KEY="0f" * 32)
        assert code == 78
        made.unlink()
        untouched.stack.psql("DELETE FROM telemetry WHERE time = (SELECT max(time) FROM telemetry)")
    finally:
        gate.open()
        first.process.wait()


def test_killed_half_way_the_old_database_is_in_service_and_the_next_one_clears_up(saved, tmp_path):
    stack, before = saved.stack, backups.in_service(saved.stack)
    gate = backups.Gate.at(tmp_path / "gate", "pg_restore")
    killed = backups.begin(stack, "restore", saved.path, YES="1", PLANTOPS_BACKUP_PG_BIN=str(gate.folder))
    gate.wait()
    killed.kill()
    (half,) = backups.databases(stack) - before["databases"]
    assert half.startswith("plantops_restore_")
    assert {**backups.in_service(stack), "databases": before["databases"]} == before
    saved.device.barrier()
    stack.run("up")
    said = backups.restore(stack, saved.path)
    assert half in said and half not in backups.databases(stack)
    assert stack.value("SELECT count(*) FROM telemetry") == 5


def test_told_to_stop_half_way_it_leaves_nothing(untouched, tmp_path):
    gate = backups.Gate.at(tmp_path / "gate", "pg_restore")
    stopped = backups.begin(untouched.stack, "restore", untouched.path, YES="1", PLANTOPS_BACKUP_PG_BIN=str(gate.folder))
    gate.wait()
    os.killpg(stopped.process.pid, 15)
    code, said = stopped.end()
    assert code != 0 and "nothing was changed" in said, said
    wait_until(lambda: backups.leftovers(untouched.stack) == set(), 20, "it has cleared up")


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


def test_a_backend_that_does_not_come_up_with_it_has_the_old_one_back(saved, tmp_path):
    stack, late = saved.stack, changed_since(saved)
    before = backups.in_service(stack)
    hook = tmp_path / "start"
    hook.write_text(f"#!/bin/bash\nif [[ ! -e {tmp_path}/once ]]; then touch {tmp_path}/once; exit 1; fi\n"
                    f"exec {backups.SCRIPT} hook start\n")
    hook.chmod(0o755)
    code, said = backups.run(stack, "restore", saved.path, YES="1", PLANTOPS_BACKUP_START=str(hook))
    assert code == 1 and "did not come up" in said and "in service as before" in said, said
    stack.ready()
    (failed,) = backups.databases(stack) - before["databases"]
    assert failed.startswith("plantops_restore_") and failed in said, "it may have taken readings in"
    assert {**backups.in_service(stack), "databases": before["databases"]} == before
    assert gets_in(late)
    assert backups.leftovers(stack) == set()
    stack.psql(f"DROP DATABASE {failed}", url=stack.settings["DATABASE_URL"])


def test_killed_while_it_changed_places_the_next_start_undoes_it(saved, tmp_path):
    stack, late = saved.stack, changed_since(saved)
    before = backups.in_service(stack)
    gate = backups.Gate(tmp_path / "gate", None)
    killed = backups.begin(stack, "restore", saved.path, YES="1", PLANTOPS_BACKUP_START=str(gate.path))
    gate.wait()
    killed.kill()
    assert not stack.alive("backend") and not stack.alive("mosquitto")
    code, said = backups.run(stack, "backup")
    assert code == 75 and "interrupted" in said, said
    stack.run("up")
    assert {**backups.in_service(stack), "databases": before["databases"]} == before
    assert gets_in(late)
    assert backups.leftovers(stack) == set()
    for name in backups.databases(stack) - before["databases"]:
        stack.psql(f"DROP DATABASE {name}", url=stack.settings["DATABASE_URL"])


def test_a_stack_that_does_not_run_is_backed_up_too(saved):
    saved.stack.run("down")
    try:
        made = backups.make(saved.stack)
        assert not saved.stack.alive("postgres")
    finally:
        saved.stack.run("up")
    made.unlink()


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


def test_on_an_empty_machine_the_file_and_the_key_are_enough(saved, tmp_path):
    stack, key = fresh(saved), tmp_path / "key"
    key.write_text((saved.stack.home / "secrets" / "ENCRYPTION_KEY").read_text() + "\n")
    try:
        # Without the key, or with another one, nothing is made.
        for environment, word in (({}, "the key of the backup is needed"), ({"ENCRYPTION_KEY": "0f" * 32}, "do not open")):
            code, said = backups.run(stack, "restore", saved.path, **environment)
            assert code != 0 and word in said and not stack.home.exists(), said
        code, said = backups.run(stack, "restore", saved.path, ENCRYPTION_KEY_FILE=str(key))
        assert code == 0, said
        stack._environ = None
        stack.ready()
        assert (stack.home / "secrets" / "ENCRYPTION_KEY").read_text() == key.read_text().strip()
        assert (stack.home / "certs" / "ca.crt").read_bytes() == (saved.stack.home / "certs" / "ca.crt").read_bytes()
        assert stack.value("SELECT count(*) FROM telemetry") == 5
        assert backups.databases(stack) == {"plantops", "postgres"}
        # From here on without the key in the environment.
        stack.run("down")
        stack.up()
        assert stack.api.ok("GET", f"/plants/{saved.plant['id']}")["name"] == "Saved"
        assert stack.api.ok("POST", f"/channels/{saved.channel['id']}/test")["delivered"] is True
        saved.device.stack, home = stack, saved.device.stack
        try:
            connection = saved.device.open(client_id="")
            assert connection.connect() == 0, "its CA, name and password are good at the new place"
            assert connection.publish(saved.device.topic, reading()) < REFUSED
            connection.close()
            wait_until(lambda: saved.device.count() == 6, 20, "its reading is stored")
        finally:
            saved.device.stack = home
    finally:
        discard(stack)


@pytest.mark.skipif(not backups.has_timescale(), reason="TimescaleDB is not here")
def test_between_kinds_of_servers(saved, tmp_path):
    """One of TimescaleDB needs it; one of plain PostgreSQL stays plain."""
    key = (saved.stack.home / "secrets" / "ENCRYPTION_KEY").read_text()
    plain = fresh(saved, PLANTOPS_TIMESCALE="0")
    try:
        code, said = backups.run(plain, "restore", saved.path, ENCRYPTION_KEY=key)
        assert code == 65 and "which this server does not have" in said and "It has: none" in said, said
        assert not (plain.home / "secrets").exists(), "a setup that was made for nothing is gone"
        plain._token = None
        plain.up()
        plain.api.plant("Plain")
        made = backups.make(plain)
        key = (plain.home / "secrets" / "ENCRYPTION_KEY").read_text()
        (tmp_path / made.name).write_bytes(made.read_bytes())
    finally:
        discard(plain)
    capable = fresh(saved, PLANTOPS_TIMESCALE="1")
    capable._token = plain._token
    try:
        code, said = backups.run(capable, "restore", tmp_path / made.name, ENCRYPTION_KEY=key)
        assert code == 0, said
        for _ in range(2):
            assert capable.api.ok("GET", "/plants")["plants"][0]["name"] == "Plain"
            assert capable.value("SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'") == 0
            capable.run("down")
            capable.run("up")
    finally:
        discard(capable)


# The program itself, as systemd or a container would call it.


def tool_environment(stack, folder):
    return {"DATABASE_URL": stack.settings["DATABASE_URL"], "PLANTOPS_BIN": str(stack.binary), "PLANTOPS_BACKUP_DIR": str(folder),
            "ENCRYPTION_KEY_FILE": str(stack.home / "secrets" / "ENCRYPTION_KEY")}


def test_the_backends_own_role_can_back_up_but_not_restore(untouched, tmp_path):
    environment = tool_environment(untouched.stack, tmp_path)
    code, said = backups.tool("create", **environment)
    assert code == 0, said
    (made,) = tmp_path.glob("plantops-*.tar")
    assert set(backups.members(made)) == {"manifest.json", "database.dump", "secrets.sealed"}
    code, said = backups.tool("verify", made.name, **environment)
    assert code == 0 and "is whole and opens" in said
    code, said = backups.tool("restore", made.name, YES="1", **environment)
    assert code == 78 and "PLANTOPS_BACKUP_ADMIN_URL" in said
    password = untouched.stack.settings["DATABASE_URL"].split(":")[2].split("@")[0]
    assert password not in said
    code, said = backups.tool("create", **{**environment, "DATABASE_URL": environment["DATABASE_URL"] + "_of_nobody"})
    assert code == 69 and "no backup was made" in said and password not in said


def named(folder, *days):
    """Files named as backups made so many days ago, oldest first."""
    made = []
    for day in days:
        time = subprocess.run(["date", "-u", "-d", f"{day} days ago", "+%Y%m%dT%H%M%SZ"], check=True, capture_output=True, text=True)
        made.append(folder / f"plantops-{time.stdout.strip()}.tar")
        made[-1].write_text("not looked into")
    return made


def prune(folder, **environment):
    return backups.tool("prune", PLANTOPS_BACKUP_DIR=str(folder), **environment)


def test_old_ones_are_deleted_but_never_the_newest_nor_what_is_not_ours(tmp_path):
    oldest, old, newer = named(tmp_path, 400, 31, 29)
    others = [tmp_path / name for name in ("plantops-20200101T000000Z.tar.gz", "plantops-old.tar", "notes", "x-plantops-20200101T000000Z.tar")]
    for other in others:
        other.touch()
    os.utime(newer, (0, 0))
    assert prune(tmp_path, PLANTOPS_BACKUP_KEEP_DAYS="0")[0] == 0
    assert oldest.exists() and old.exists()
    assert prune(tmp_path, PLANTOPS_BACKUP_KEEP_DAYS="100")[0] == 0
    assert not oldest.exists() and old.exists()
    code, said = prune(tmp_path)
    assert code == 0 and old.name in said and not old.exists() and newer.exists()
    assert all(other.exists() for other in others)
    for days in ("1", "2"):
        assert prune(tmp_path, PLANTOPS_BACKUP_KEEP_DAYS=days)[0] == 0
        assert newer.exists(), "the newest stays, however old"
    code, said = prune(tmp_path, PLANTOPS_BACKUP_KEEP_DAYS="a month")
    assert code == 78 and "PLANTOPS_BACKUP_KEEP_DAYS" in said


def test_a_backup_prunes(untouched):
    (old,) = named(backups.folder(untouched.stack), 50)
    made = backups.make(untouched.stack)
    assert not old.exists() and untouched.path.exists()
    made.unlink()
