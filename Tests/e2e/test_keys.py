"""Replacing the encryption key: nothing is lost, not even half-way, and what is lost is named."""

import random
import re
import secrets
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.device import Device, reading
from support.waiting import wait_until

FIRST_BATCH = 200


class Keys:
    """The encryption keys of a stack."""

    def __init__(self, stack):
        self.stack = stack
        self.file = stack.home / "secrets" / "ENCRYPTION_KEY"
        self.used = [self.file.read_text().strip()]

    def replace(self, keep_old=True):
        """A new key for whatever is started from now on."""
        self.used.append(secrets.token_hex(32))
        self.file.write_text(self.used[-1])
        old = ",".join(reversed(self.used[:-1])) if keep_old else ""
        self.stack.environment["ENCRYPTION_KEYS_OLD"] = old
        self.stack._environ = {**self.stack.backend_environment(), "ENCRYPTION_KEYS_OLD": old}

    def restart(self):
        self.stack.restart("backend")
        self.stack.ready()

    def rotate(self):
        """Exit status, counts per column (sealed anew, current, lost) and standard error. No key may show."""
        done = self.stack.program("keys", "rotate")
        for key in self.used:
            assert key not in done.stdout + done.stderr
        counts = {column: tuple(map(int, numbers)) for column, *numbers in re.findall(
            r"^(\S+): (\d+) sealed anew, (\d+) were under the current key, (\d+) cannot be opened$", done.stdout, re.M)}
        assert counts.keys() == {"devices.mqtt_password", "devices.offered_password", "channels.url", "channels.secret",
                                 "llm_settings.api_key"}, (
            done.stdout + done.stderr)
        return done.returncode, counts["devices.mqtt_password"], done.stderr


@pytest.fixture
def keys(fresh_stack):
    return Keys(fresh_stack)


def key_ids(stack):
    """How many passwords are sealed under which key: a sealed value begins with its version and the key's name."""
    rows = stack.rows("SELECT encode(substr(mqtt_password, 2, 8), 'hex') AS key, count(*) AS n FROM devices GROUP BY 1")
    return {row["key"]: row["n"] for row in rows}


def forget_devices(stack):
    """The broker's state is lost, as after a restore without it: what the devices know is only in our database."""
    stack.stop("mosquitto")
    (state,) = stack.home.glob("services/mosquitto/dynamic-security.json")
    state.unlink()
    stack.start("mosquitto")


def gets_in(device):
    connection = device.open()
    try:
        return connection.connect() == 0
    finally:
        connection.close()


def test_a_key_is_replaced_while_everything_runs_and_the_old_one_can_go(fresh_stack, keys):
    devices = [Device(fresh_stack) for _ in range(3)]
    assert keys.rotate() == (0, (0, 3, 0), "")
    (first,) = key_ids(fresh_stack)
    client_id = fresh_stack.value("SELECT value FROM settings WHERE name = 'mqtt_client_id'")
    assert keys.used[0] not in client_id
    with devices[0] as device:
        keys.replace()
        fresh_stack.stop("backend")
        device.publish(reading(soil_moisture=11))  # The broker keeps it for the session of this client id.
        fresh_stack.start("backend")
        fresh_stack.ready()
        assert device.stored(1)[0]["soil_moisture"] == 11
        assert fresh_stack.value("SELECT value FROM settings WHERE name = 'mqtt_client_id'") == client_id
        taken = re.findall(rf"connected from \S+ as {re.escape(client_id)} ", fresh_stack.log("mosquitto"))
        assert len(taken) == 2, "the backend came twice as the same client"
        device.publish(reading(soil_moisture=12))
        device.stored(2)
        assert keys.rotate() == (0, (3, 0, 0), "")
        assert keys.rotate() == (0, (0, 3, 0), "")
        (second,) = key_ids(fresh_stack)
        assert first != second
        device.publish(reading(soil_moisture=13))
        device.stored(3)
        assert not device.connection.disconnects, "the device noticed nothing"
    # Without the old key, passwords are still there to be given to the broker.
    fresh_stack.environment["ENCRYPTION_KEYS_OLD"] = ""
    fresh_stack._environ["ENCRYPTION_KEYS_OLD"] = ""
    keys.restart()
    assert keys.rotate() == (0, (0, 3, 0), "")
    forget_devices(fresh_stack)
    for device in devices:
        wait_until(lambda: gets_in(device), 40, "the broker knows the device and its password again", every=0.5)
    assert not any(device["needs_enrollment"] for device in fresh_stack.api.ok("GET", "/devices")["devices"])


def test_a_rotation_that_is_killed_half_way_has_lost_nothing_and_is_gone_on_with(fresh_stack, keys):
    with ThreadPoolExecutor(4) as pool:
        devices = list(pool.map(lambda _: Device(fresh_stack), range(FIRST_BATCH + 20)))
    everything = len(devices)
    keys.replace()
    # A row of the second batch is held, so that the rotation stands still after the first.
    held = fresh_stack.value("SELECT id FROM devices ORDER BY id DESC LIMIT 1")
    holder = subprocess.Popen(
        ["psql", fresh_stack.settings["DATABASE_URL"], "-X", "-q", "-c",
         f"BEGIN; SELECT id FROM devices WHERE id = '{held}' FOR UPDATE; SELECT pg_sleep(300)"],
        stdout=subprocess.DEVNULL, env=fresh_stack.environment)
    try:
        wait_until(lambda: fresh_stack.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(300)%' "
                                             "AND pid <> pg_backend_pid() AND wait_event = 'PgSleep'"), 10, "the row is held")
        rotation = subprocess.Popen([str(fresh_stack.binary), "keys", "rotate"], env=fresh_stack.backend_environment(),
                                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: len(key_ids(fresh_stack)) == 2, 20, "a part is sealed anew")
        assert rotation.poll() is None
        rotation.send_signal(signal.SIGKILL)
        rotation.wait()
    finally:
        holder.kill()
        holder.wait()
    fresh_stack.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(300)%' "
                     "AND pid <> pg_backend_pid()")
    assert sorted(key_ids(fresh_stack).values()) == [everything - FIRST_BATCH, FIRST_BATCH]
    assert keys.rotate() == (0, (everything - FIRST_BATCH, FIRST_BATCH, 0), "")
    # And at any other moment.
    for _ in range(6):
        keys.replace()
        subprocess.run(
            ["timeout", "-s", "KILL", f"{random.uniform(0.02, 0.4):.3f}", str(fresh_stack.binary), "keys", "rotate"],
            env=fresh_stack.backend_environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    code, (anew, current, lost), errors = keys.rotate()
    assert (code, anew + current, lost, errors) == (0, everything, 0, "")
    assert keys.rotate() == (0, (0, everything, 0), "")
    # What comes out of it is what went in.
    fresh_stack.environment["ENCRYPTION_KEYS_OLD"] = ""
    fresh_stack._environ["ENCRYPTION_KEYS_OLD"] = ""
    keys.restart()
    forget_devices(fresh_stack)
    for device in random.sample(devices, 5):
        wait_until(lambda: gets_in(device), 60, "the broker knows the device and its password again", every=0.5)


def test_a_lost_key_is_said_with_every_row_and_nothing_else_stops_working(fresh_stack, keys):
    lost, again = Device(fresh_stack), Device(fresh_stack)
    keys.replace(keep_old=False)
    keys.restart()
    devices = fresh_stack.api.ok("GET", "/devices", 200)["devices"]
    assert [device["needs_enrollment"] for device in devices] == [False, False], "the broker still knows them"
    code, counts, errors = keys.rotate()
    assert (code, counts) == (1, (0, 0, 2))
    assert lost.id in errors and again.id in errors and "ENCRYPTION_KEYS_OLD" in errors
    with lost:
        lost.publish(reading())
        lost.stored(1)
    # Registering once more gives a password under the new key.
    again.register()
    with again:
        again.publish(reading())
        again.stored(1)
    code, counts, errors = keys.rotate()
    assert (code, counts) == (1, (0, 1, 1))
    assert lost.id in errors and again.id not in errors
    # The broker forgets: one can be told again, the other has to register.
    forget_devices(fresh_stack)
    wait_until(lambda: gets_in(again), 40, "the device whose password is known gets in", every=0.5)
    wait_until(lambda: fresh_stack.api.ok("GET", f"/devices/{lost.id}")["needs_enrollment"], 40, "the other has to register")
    assert not fresh_stack.api.ok("GET", f"/devices/{again.id}")["needs_enrollment"]
    lost.register()
    assert gets_in(lost)
    assert not fresh_stack.api.ok("GET", f"/devices/{lost.id}")["needs_enrollment"]
    assert keys.rotate() == (0, (0, 2, 0), "")
    for key in keys.used:
        assert key not in fresh_stack.log("backend")


def test_the_old_key_that_is_found_again_saves_what_was_given_up(fresh_stack, keys):
    device = Device(fresh_stack)
    keys.replace(keep_old=False)
    assert keys.rotate()[0] == 1
    fresh_stack._environ["ENCRYPTION_KEYS_OLD"] = f"{secrets.token_hex(32)}, {keys.used[0]}"
    assert keys.rotate() == (0, (1, 0, 0), "")
    assert gets_in(device)


def test_a_password_moved_to_another_row_is_not_taken_for_its_own(fresh_stack, keys):
    one, other = Device(fresh_stack), Device(fresh_stack)
    fresh_stack.sql(f"UPDATE devices SET mqtt_password = (SELECT mqtt_password FROM devices WHERE id = '{one.id}') "
                     f"WHERE id = '{other.id}'")
    keys.replace()
    code, counts, errors = keys.rotate()
    assert (code, counts) == (1, (1, 0, 1))
    assert other.id in errors and one.id not in errors


@pytest.mark.parametrize("settings, named", [
    ({"ENCRYPTION_KEY": "hush"}, "ENCRYPTION_KEY"), ({"ENCRYPTION_KEY": "g" * 64}, "ENCRYPTION_KEY"),
    ({"ENCRYPTION_KEYS_OLD": "hush"}, "ENCRYPTION_KEYS_OLD"),
    ({"ENCRYPTION_KEYS_OLD": "0" * 64 + "," + "hush" * 16}, "ENCRYPTION_KEYS_OLD")])
def test_what_is_no_key_is_refused_by_name(stack, settings, named):
    environment = stack.backend_environment()
    if "ENCRYPTION_KEY" in settings:
        settings = {**settings, "ENCRYPTION_KEY_FILE": None}
    for command in (["keys", "rotate"], ["serve"]):
        done = stack.program(*command, environment=environment, **settings)
        assert done.returncode == 78
        assert named in done.stderr and "hush" not in done.stdout + done.stderr and "gggg" not in done.stderr


def test_a_rotation_without_the_database_says_so(stack):
    done = stack.program("keys", "rotate", DATABASE_URL="postgresql://nobody:hush@127.0.0.1:1/nothing")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and "hush" not in done.stdout + done.stderr
