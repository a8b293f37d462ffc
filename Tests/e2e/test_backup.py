"""Making backups: what is in one and what is not, and what becomes of old ones."""

import base64
import os
import stat
import subprocess
import tempfile

import pytest

from support import backups


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
        untouched.stack.sql("DELETE FROM telemetry WHERE time = (SELECT max(time) FROM telemetry)")
    finally:
        gate.open()
        first.process.wait()


def test_a_stack_that_does_not_run_is_backed_up_too(saved):
    saved.stack.run("down")
    try:
        made = backups.make(saved.stack)
        assert not saved.stack.alive("postgres")
    finally:
        saved.stack.run("up")
    made.unlink()


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
    (octal,) = named(tmp_path, 30)
    assert prune(tmp_path, PLANTOPS_BACKUP_KEEP_DAYS="031")[0] == 0
    assert octal.exists(), "031 is 31"
    code, said = prune(tmp_path, PLANTOPS_BACKUP_KEEP_DAYS="a month")
    assert code == 78 and "PLANTOPS_BACKUP_KEEP_DAYS" in said


def test_a_backup_prunes(untouched):
    (old,) = named(backups.folder(untouched.stack), 50)
    made = backups.make(untouched.stack)
    assert not old.exists() and untouched.path.exists()
    made.unlink()
