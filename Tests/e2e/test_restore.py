"""What a restore refuses before it touches anything, what is left when it is stopped, and an empty machine."""

import hashlib
import os
import shutil
import subprocess

import pytest

from support import backups
from support.backups import changed_since, discard, fresh, gets_in, refused
from support.device import REFUSED, reading
from support.waiting import wait_until


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
    members = backups.manifest(untouched.path)["members"]
    members["secrets.sealed"]["sha256"] = hashlib.sha256(sealed).hexdigest()
    forged = backups.rewritten(untouched.path, tmp_path / "forged.tar", **{"secrets.sealed": bytes(sealed), "manifest": {"members": members}})
    refused(untouched, forged, 65, "secrets.sealed was changed")


@pytest.mark.parametrize("field", ["schema", "postgresql_major", "database_bytes"])
def test_what_stands_for_a_number_in_a_manifest_is_not_run(untouched, tmp_path, field):
    """Anybody can change it without the key."""
    made = tmp_path / "made"
    changed = backups.rewritten(untouched.path, tmp_path / "changed.tar", manifest={field: f"FORMAT[$(touch {made}; echo 0)]"})
    refused(untouched, changed, 65, "its manifest is not what this program writes")
    assert not made.exists()


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
    stack.sql(f"DROP DATABASE {failed}", url=stack.settings["DATABASE_URL"])


@pytest.mark.parametrize("part", ["certs", "secrets"])
def test_secrets_that_cannot_be_written_are_not_half_put_in_place(saved, tmp_path, part):
    """As when the disk is full: the first is there, the rest is not."""
    stack, before = saved.stack, backups.in_service(saved.stack)
    tar = tmp_path / "tar"
    tar.write_text(f"#!/bin/bash\n{shutil.which('tar')} \"$@\" || exit\nif [[ \" $* \" == *' {part}/* '* ]]; then exit 2; fi\n")
    tar.chmod(0o755)
    code, said = backups.run(stack, "restore", saved.path, YES="1", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert code == 73 and "in service as before" in said, said
    assert backups.in_service(stack) == before


def test_a_server_that_is_away_when_it_is_undone_is_not_taken_for_one_without_the_old_database(saved, tmp_path):
    stack, late = saved.stack, changed_since(saved)
    before = backups.in_service(stack)
    away, hook = backups.Away(tmp_path / "bin"), tmp_path / "start"
    hook.write_text(f"#!/bin/bash\nif [[ -e {tmp_path}/once ]]; then exec {backups.SCRIPT} hook start; fi\n"
                    f"touch {tmp_path}/once {away.file}\nexit 1\n")
    hook.chmod(0o755)
    code, said = backups.run(stack, "restore", saved.path, YES="1", PLANTOPS_BACKUP_START=str(hook),
                             PLANTOPS_BACKUP_PG_BIN=str(away.folder))
    assert code == 1 and "as before" not in said and "could not be undone" in said and "recover" in said, said
    assert ".restore-journal" in backups.leftovers(stack)
    away.file.unlink()
    code, said = backups.run(stack, "up")
    assert code == 0, said
    stack.ready()
    (failed,) = backups.databases(stack) - before["databases"]
    assert {**backups.in_service(stack), "databases": before["databases"]} == before
    assert gets_in(late)
    assert backups.leftovers(stack) == set()
    stack.sql(f"DROP DATABASE {failed}", url=stack.settings["DATABASE_URL"])


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
        stack.sql(f"DROP DATABASE {name}", url=stack.settings["DATABASE_URL"])


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
