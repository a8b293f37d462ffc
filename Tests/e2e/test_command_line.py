"""The commands for whoever runs the machine, and how the first admin comes to be."""

import os
import pty
import select
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.api import assert_problem
from support.device import Device, random_mac
from support.waiting import wait_until
from support.people import Person, log_in, secret, tables_with

USAGE = 64  # sysexits.h, EX_USAGE
BAD_CONFIGURATION = 78
NO_DATABASE = {"DATABASE_URL": "postgresql://nobody:hush@127.0.0.1:1/nothing"}


def new_email():
    return f"{uuid.uuid4().hex[:12]}@example.org"


def command(stack, *arguments, typed="", **overrides):
    """Runs `plantops` with this on its standard input."""
    environment = {**stack.backend_environment(), **overrides}
    return subprocess.run(
        [str(stack.binary), *arguments], env=environment, input=typed, capture_output=True, text=True, timeout=60,
        cwd=stack.home)


def role_of(stack, email):
    return next((user["role"] for user in stack.api.ok("GET", "/users?limit=500")["users"] if user["email"] == email), None)


# Users.

@pytest.mark.parametrize("role", [None, "viewer", "member", "admin"])
def test_a_user_is_made_with_a_password_from_standard_input(stack, role):
    email, password = new_email(), secret(f"typed {uuid.uuid4()}")
    done = command(stack, "user", "create", email.upper(), *(["--role", role] if role else []), typed=password + "\nmore\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert email in done.stdout and password not in done.stdout
    assert role_of(stack, email) == (role or "member")
    assert log_in(stack.api, email, password).status_code == 200


@pytest.mark.parametrize("content", ["{}", "{}\n", "{}\r\n"])
def test_a_user_is_made_with_a_password_from_a_file(stack, tmp_path, content):
    email, password = new_email(), secret(f"  filed {uuid.uuid4()} ")
    file = tmp_path / "password"
    file.write_bytes(content.format(password).encode())
    done = command(stack, "user", "create", email, "--password-file", str(file), typed="ignored ignored\n")
    assert done.returncode == 0, done.stderr
    assert password.strip() not in done.stdout + done.stderr
    assert log_in(stack.api, email, password).status_code == 200


def test_the_terminal_is_asked_twice_and_shows_nothing(stack):
    password = secret(f"unseen {uuid.uuid4()}")

    def typing(email, *answers):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(stack.binary, [str(stack.binary), "user", "create", email], stack.backend_environment())
        shown, answers = "", list(answers)
        while True:
            if select.select([terminal], [], [], 30)[0] == []:
                raise AssertionError(f"nothing more came after {shown!r}")
            try:
                shown += os.read(terminal, 1000).decode()
            except OSError:  # Its other end is closed.
                break
            if shown.count(": ") > 2 - len(answers) and answers:
                os.write(terminal, answers.pop(0).encode() + b"\n")
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown

    email = new_email()
    code, shown = typing(email, password, password)
    assert (code, password in shown) == (0, False), shown
    assert log_in(stack.api, email, password).status_code == 200
    email = new_email()
    code, shown = typing(email, password, password + "x")
    assert code == USAGE and "not the same" in shown and password not in shown
    assert role_of(stack, email) is None


@pytest.mark.parametrize("typed", ["", "\n", "1234567\n", "x" * 201 + "\n"])
def test_a_password_that_is_too_short_or_long_makes_no_user(stack, typed):
    email = new_email()
    done = command(stack, "user", "create", email, typed=typed)
    assert done.returncode == USAGE and "8 to 200 characters" in done.stderr
    assert typed.strip() == "" or typed.strip() not in done.stdout + done.stderr
    assert role_of(stack, email) is None


@pytest.mark.parametrize("arguments, said", [
    (["user", "create"], "email"), (["user", "create", "nobody"], "nobody"), (["user", "create", ""], "email"),
    (["user", "create", "a@b", "--role", "king"], "king"), (["user", "create", "a@b", "--password", "x"], "--password"),
    (["user", "create", "a@b", "--password-file", "/does/not/exist"], "/does/not/exist"),
    (["user", "set-password"], "email"), (["user", "set-password", "a@b", "--password-file", "/etc"], "/etc"),
    (["user", "frobnicate"], ""), (["keys", "frobnicate"], ""), (["enrollment-token", "create"], "--label"),
    (["enrollment-token", "create", "--label", ""], "--label"),
    (["enrollment-token", "create", "--label", "x", "--max-uses", "0"], "--max-uses"),
    (["enrollment-token", "create", "--label", "x", "--max-uses", "1000001"], "--max-uses"),
    (["enrollment-token", "create", "--label", "x", "--expires-in-hours", "87601"], "--expires-in-hours"),
    (["enrollment-token", "create", "--label", "x", "--token-file", "/does/not/exist"], "/does/not/exist")])
def test_a_command_given_wrongly_says_what_is_wrong_with_it(stack, arguments, said):
    done = command(stack, *arguments, typed="long enough\n")
    assert done.returncode == USAGE, done.stdout + done.stderr
    assert said in done.stderr and "sage:" in done.stderr


def test_the_password_has_no_place_on_the_command_line(stack):
    for subcommand in ("create", "set-password"):
        done = command(stack, "user", subcommand, "--help")
        assert done.returncode == 0
        assert "--password-file" in done.stdout and "--password " not in done.stdout
        done = command(stack, "user", subcommand, new_email(), "given-openly", typed="long enough\n")
        assert done.returncode == USAGE


def test_a_user_there_is_already_is_not_made_again(stack):
    person = Person(stack, "viewer")
    done = command(stack, "user", "create", person.email, "--role", "admin", typed="another password\n")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("error: ") and person.email in done.stderr and "set-password" in done.stderr
    assert role_of(stack, person.email) == "viewer"
    assert person.log_in().status_code == 200


def test_all_users_are_listed_without_their_passwords(stack):
    person, other = Person(stack, "viewer"), Person(stack, "admin")
    other.session()
    done = command(stack, "user", "list")
    assert (done.returncode, done.stderr) == (0, "")
    lines = {line.split()[1]: line for line in done.stdout.splitlines()}
    assert len(lines) == len(done.stdout.splitlines()) == stack.value("SELECT count(*) FROM users")
    assert lines[person.email].startswith("viewer ") and "never signed in" in lines[person.email]
    assert lines[other.email].startswith("admin ") and "last signed in 20" in lines[other.email]
    assert "scrypt" not in done.stdout and person.password not in done.stdout


def test_a_new_password_ends_the_users_sessions(stack, tmp_path):
    person = Person(stack)
    sessions = [person.session(), person.session()]
    new = secret(f"set {uuid.uuid4()}")
    done = command(stack, "user", "set-password", person.email.upper(), typed=new + "\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert person.email in done.stdout and new not in done.stdout
    assert not any(person.is_in(session) for session in sessions)
    assert person.log_in().status_code == 401
    assert person.log_in(new).status_code == 200
    newer = secret(f"set {uuid.uuid4()}")
    (tmp_path / "password").write_text(newer)
    assert command(stack, "user", "set-password", person.email, "--password-file", str(tmp_path / "password")).returncode == 0
    assert person.log_in(newer).status_code == 200
    (entry, _) = stack.api.ok("GET", f"/audit?subject_id={person.id}&action=user.set_password")["entries"]
    assert entry["actor"]["kind"] == "command_line" and entry["address"] is None


def test_a_password_for_nobody_is_an_error(stack):
    email = new_email()
    done = command(stack, "user", "set-password", email, typed="long enough\n")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("error: ") and email in done.stderr


@pytest.mark.parametrize("arguments", [
    ["user", "list"], ["user", "create", "a@example.org"], ["user", "set-password", "a@example.org"],
    ["enrollment-token", "create", "--label", "x"]])
def test_without_the_database_or_settings_a_command_says_so(stack, arguments):
    done = command(stack, *arguments, typed="long enough\n", **NO_DATABASE)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("error: ") and "hush" not in done.stderr
    done = command(stack, *arguments, typed="long enough\n", DATABASE_URL="hush")
    assert done.returncode == BAD_CONFIGURATION
    assert "DATABASE_URL" in done.stderr and "hush" not in done.stdout + done.stderr


# Enrollment tokens.

def register(stack, token):
    return stack.stranger.post("/devices/register", json={"mac_address": random_mac(), "enrollment_token": token})


def listed(stack, label):
    tokens = stack.api.ok("GET", "/enrollment-tokens?limit=500")["enrollment_tokens"]
    return [token for token in tokens if token["label"] == label]


def test_an_enrollment_token_is_printed_alone_and_lets_in_as_many_as_it_says(stack):
    label = f"label {uuid.uuid4()}"
    done = command(stack, "enrollment-token", "create", "--label", label, "--max-uses", "2", "--expires-in-hours", "1")
    assert (done.returncode, done.stderr) == (0, "")
    token = secret(done.stdout.removesuffix("\n"))
    assert len(token) >= 32 and not set(token) & set(" \n\t") and label not in token
    assert [register(stack, token).status_code for _ in range(3)] == [201, 201, 403]
    (row,) = listed(stack, label)
    assert (row["max_uses"], row["uses"]) == (2, 2)
    assert tables_with(stack, token) == []


def test_the_token_in_a_file_is_made_sure_of_again_and_again(stack, tmp_path):
    label, file = f"label {uuid.uuid4()}", tmp_path / "token"
    token = secret(uuid.uuid4().hex * 2)
    file.write_text(token + "\n")
    arguments = ["enrollment-token", "create", "--label", label, "--token-file", str(file)]
    for uses in ("2", "2", "3"):
        done = command(stack, *arguments, "--max-uses", uses)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert register(stack, token).status_code == 201
    (row,) = listed(stack, label)
    assert (row["max_uses"], row["uses"]) == (3, 3)
    assert register(stack, token).status_code == 403
    stack.sql(f"UPDATE enrollment_tokens SET expires_at = now() - INTERVAL '1 hour', uses = 0 WHERE label = '{label}'")
    assert register(stack, token).status_code == 403
    assert command(stack, *arguments, "--max-uses", "3").returncode == 0
    assert register(stack, token).status_code == 201, "made valid again"
    stack.api.ok("DELETE", f"/enrollment-tokens/{row['id']}", 204)
    assert register(stack, token).status_code == 403
    assert command(stack, *arguments).returncode == 0
    assert register(stack, token).status_code == 201, "made anew"
    assert tables_with(stack, token) == []


def test_several_scripts_may_make_sure_of_one_token_at_once(stack, tmp_path):
    label, file = f"label {uuid.uuid4()}", tmp_path / "token"
    file.write_text(secret(uuid.uuid4().hex))
    arguments = ["enrollment-token", "create", "--label", label, "--token-file", str(file)]
    # They are held up until all of them stand before the table.
    with subprocess.Popen(["psql", stack.settings["DATABASE_URL"], "-X", "-q"], stdin=subprocess.PIPE, text=True) as gate:
        gate.stdin.write("BEGIN; LOCK TABLE enrollment_tokens IN EXCLUSIVE MODE;\n")
        gate.stdin.flush()
        wait_until(lambda: stack.value("SELECT count(*) FROM pg_locks WHERE mode = 'ExclusiveLock' AND granted "
                                       "AND relation = 'enrollment_tokens'::regclass"), 10, "the table is locked")
        with ThreadPoolExecutor(6) as pool:
            running = [pool.submit(command, stack, *arguments) for _ in range(6)]
            wait_until(lambda: stack.value("SELECT count(*) FROM pg_locks WHERE NOT granted AND "
                                           "relation = 'enrollment_tokens'::regclass") == 6, 30, "all of them wait")
            gate.stdin.write("COMMIT;\n")
            gate.stdin.close()
            done = [each.result() for each in running]
    assert [d.returncode for d in done] == [0] * 6, [d.stderr for d in done]
    assert len(listed(stack, label)) == 1


@pytest.mark.parametrize("content", ["", "\n", "x" * 31, "x" * 201])
def test_a_token_that_could_be_guessed_is_not_taken_from_a_file(stack, tmp_path, content):
    file = tmp_path / "token"
    file.write_text(content)
    label = f"label {uuid.uuid4()}"
    done = command(stack, "enrollment-token", "create", "--label", label, "--token-file", str(file))
    assert done.returncode == USAGE and str(file) in done.stderr and (content.strip() or "\0") not in done.stderr
    assert listed(stack, label) == []


# The first admin.

def test_the_settings_of_the_first_admin_count_only_while_there_is_no_user(fresh_stack):
    settings = fresh_stack.settings
    first = (settings["PLANTOPS_ADMIN_EMAIL"], settings["PLANTOPS_ADMIN_PASSWORD"])
    fresh_stack.environment.update(ADMIN_EMAIL="second@example.org", ADMIN_PASSWORD="another long password")
    fresh_stack.restart("backend")
    fresh_stack.ready()
    assert log_in(fresh_stack.stranger, *first).status_code == 200
    assert log_in(fresh_stack.stranger, first[0], "another long password").status_code == 401
    assert log_in(fresh_stack.stranger, "second@example.org", "another long password").status_code == 401
    assert [user["email"] for user in fresh_stack.api.ok("GET", "/users")["users"]] == [first[0]]
    # Also for somebody who is no admin.
    fresh_stack.sql("DELETE FROM users")
    assert command(fresh_stack, "user", "create", "viewer@example.org", "--role", "viewer", typed="long enough\n").returncode == 0
    fresh_stack.restart("backend")
    fresh_stack.ready()
    assert fresh_stack.value("SELECT string_agg(email, ',') FROM users") == "viewer@example.org"
    # And then they do; also if two backends come at once.
    fresh_stack.stop("backend")
    fresh_stack.sql("DELETE FROM users")
    with fresh_stack.serve(MQTT_CLIENT_ID="one", ADMIN_EMAIL="One@Example.org") as one, \
            fresh_stack.serve(MQTT_CLIENT_ID="two", ADMIN_EMAIL="two@example.org") as two:
        one.ready()
        two.ready()
        (user,) = fresh_stack.rows("SELECT email, role FROM users")
        assert user["email"] in ("one@example.org", "two@example.org") and user["role"] == "admin"
        assert log_in(one.api, user["email"], fresh_stack.settings["PLANTOPS_ADMIN_PASSWORD"]).status_code == 200
        assert "nobody can sign in" not in one.output() + two.output()
        for text in (one.output(), two.output()):
            assert fresh_stack.settings["PLANTOPS_ADMIN_PASSWORD"] not in text


def test_a_backend_that_nobody_can_sign_in_to_says_how_to_change_that(fresh_stack):
    fresh_stack.stop("backend")
    fresh_stack.sql("DELETE FROM users")
    nobody = {"ADMIN_EMAIL": None, "ADMIN_PASSWORD": None, "ADMIN_PASSWORD_FILE": None}
    with fresh_stack.serve(**nobody) as served:
        served.ready()
        wait_until(lambda: "nobody can sign in" in served.output(), 10, "the log says so")
        assert "plantops user create" in served.output()
        assert_problem(served.api.as_(None).get("/plants"), 401)
        assert command(fresh_stack, "user", "create", "me@example.org", "--role", "admin", typed="long enough\n").returncode == 0
        assert log_in(served.api, "me@example.org", "long enough").status_code == 200


@pytest.mark.parametrize("settings, named", [
    ({"ADMIN_EMAIL": "hush"}, "ADMIN_EMAIL"), ({"ADMIN_EMAIL": "hush hush@x"}, "ADMIN_EMAIL"),
    ({"ADMIN_PASSWORD": "hush"}, "ADMIN_PASSWORD"), ({"ADMIN_PASSWORD": "hush" * 51}, "ADMIN_PASSWORD"),
    ({"ADMIN_EMAIL": None, "ADMIN_PASSWORD": "hush hush"}, "ADMIN_EMAIL"),
    ({"ADMIN_EMAIL": "hush@example.org", "ADMIN_PASSWORD": None}, "ADMIN_PASSWORD"),
    ({"ADMIN_PASSWORD": None, "ADMIN_PASSWORD_FILE": "/hush"}, "ADMIN_PASSWORD_FILE"),
    ({"AUTH_MODE": "hush"}, "AUTH_MODE"), ({"ENROLLMENT_MODE": "hush"}, "ENROLLMENT_MODE"),
    ({"TRUSTED_PROXIES": "hush"}, "TRUSTED_PROXIES"), ({"TRUSTED_PROXIES": "10.0.0.0/33"}, "TRUSTED_PROXIES"),
    ({"MQTT_CLIENT_CERT": "/hush"}, "MQTT_CLIENT_CERT"), ({"MQTT_CLIENT_KEY": "/hush"}, "MQTT_CLIENT_KEY")])
def test_settings_of_access_that_cannot_be_are_named_without_their_value(stack, settings, named):
    if "ADMIN_PASSWORD" in settings and "ADMIN_PASSWORD_FILE" not in settings:
        settings = {**settings, "ADMIN_PASSWORD_FILE": None}
    done = stack.program("serve", **settings)
    assert done.returncode == BAD_CONFIGURATION, done.stdout + done.stderr
    assert named in done.stderr and "hush" not in done.stdout + done.stderr


def test_settings_that_were_only_announced_before_are_not_warned_of_any_more(stack):
    log = stack.log("backend")
    for name in ("AUTH_MODE", "ENROLLMENT_MODE", "ADMIN_EMAIL", "ADMIN_PASSWORD", "CORS_ORIGINS", "TRUSTED_PROXIES"):
        assert name not in log


def test_a_device_of_this_machine_comes_in_with_the_token_in_env(stack):
    assert len(stack.enrollment_token) >= 32
    with Device(stack) as device:
        assert stack.api.ok("GET", f"/devices/{device.id}")["approved"]
