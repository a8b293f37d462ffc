"""Settings, migrations, the doctor, logs, and backends side by side."""

import json
import subprocess

import pytest

from support.device import Device, reading
from support.waiting import wait_until


def test_all_broken_settings_are_named_at_once_without_a_value_and_the_status_is_78(stack):
    done = stack.program("serve", HTTP_PORT="hush-1", ENCRYPTION_KEY="hush-2", DATABASE_URL="hush-3", LOG_LEVEL="hush-4")
    assert done.returncode == 78
    for name in ("HTTP_PORT", "ENCRYPTION_KEY", "DATABASE_URL", "LOG_LEVEL"):
        assert name in done.stderr
    assert "hush" not in done.stdout + done.stderr


def test_a_value_comes_from_a_file_and_not_from_two_places(stack, tmp_path):
    secret = tmp_path / "url"
    secret.write_text(stack.settings["DATABASE_URL"] + "\n")
    done = stack.program("migrate", "--status", DATABASE_URL=None, DATABASE_URL_FILE=str(secret))
    assert done.returncode == 0, done.stderr
    both = stack.program("migrate", DATABASE_URL=stack.settings["DATABASE_URL"], DATABASE_URL_FILE=str(secret))
    assert both.returncode == 78 and "DATABASE_URL_FILE" in both.stderr


def test_a_misspelt_setting_is_a_warning(stack):
    with stack.serve(MQTT_CLIENT_ID="misspelt", LOG_LEVL="debug") as served:
        served.ready()
        assert "did you mean LOG_LEVEL" in served.output()


def test_the_version_is_said(stack):
    assert stack.program("--version").stdout.strip() == stack.api.ok("GET", "/health")["version"]


def test_migrating_again_is_harmless_and_two_at_once_take_turns(fresh_stack):
    url = fresh_stack.settings["DATABASE_URL"]
    name = "together"
    fresh_stack.sql(f"DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}")
    environment = {**fresh_stack.backend_environment(),
                   "DATABASE_URL": url + ("&" if "?" in url else "?") + f"options=-csearch_path%3D{name}%2Cpublic"}
    together = [subprocess.Popen([str(fresh_stack.binary), "migrate"], env=environment, stdout=subprocess.PIPE, text=True)
                for _ in range(3)]
    outputs = [process.communicate(timeout=60)[0] for process in together]
    assert [process.returncode for process in together] == [0, 0, 0], outputs
    assert "up to date" in fresh_stack.program("migrate").stdout


def test_the_doctor_finds_nothing_wrong_with_a_running_stack(stack):
    done = stack.program("doctor")
    assert done.returncode == 0, done.stdout
    assert "FAIL" not in done.stdout and "broker" in done.stdout and "valid for" in done.stdout


@pytest.mark.parametrize("change, subject", [
    ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}, "database"),
    ({"MQTT_BACKEND_PASSWORD": "wrong", "MQTT_BACKEND_PASSWORD_FILE": None}, "broker"),
    ({"MQTT_HOST": "127.1"}, "broker"),
    ({"MQTT_PORT": "1"}, "broker"),
])
def test_the_doctor_says_what_is_wrong(stack, change, subject):
    done = stack.program("doctor", **change)
    assert done.returncode == 1
    assert f"FAIL  {subject}" in done.stdout
    assert "wrong" not in done.stdout


def test_a_broker_whose_certificate_has_another_name_gets_no_reading_from_us(stack):
    with stack.serve(MQTT_CLIENT_ID="othername", MQTT_HOST="127.1") as served:
        wait_until(lambda: "TLS" in served.output(), 20, "the refusal is in the log")
        answer = served.api.get("/ready")
        assert answer.status_code == 503
        assert answer.json()["checks"]["mqtt"] is False


def test_log_lines_are_json_and_hold_no_secret(stack):
    Device(stack)
    lines = stack.log("backend").splitlines()
    records = [json.loads(line) for line in lines]
    assert {"time", "level", "message", "logger"} <= set.intersection(*(set(record) for record in records))
    request = [record for record in records if record.get("path") == "/api/devices/register"][-1]
    assert request["correlation_id"] and request["status"] == "201" and request["method"] == "POST"
    for name in ("MQTT_BACKEND_PASSWORD", "POSTGRES_PASSWORD", "ENCRYPTION_KEY"):
        assert (stack.home / "secrets" / name).read_text().strip() not in stack.log("backend")


def test_two_backends_that_share_the_stream_store_everything_once(fresh_stack):
    fresh_stack.stop("backend")
    group = {"MQTT_SHARED_GROUP": "both"}
    with fresh_stack.serve(MQTT_CLIENT_ID="one", **group) as one, fresh_stack.serve(MQTT_CLIENT_ID="two", **group) as two:
        one.ready()
        two.ready()
        fresh_stack.environment["PLANTOPS_API_URL"] = one.api.base
        device = Device.__new__(Device)
        device.stack, device.mac, device.connection = fresh_stack, "02:00:00:00:00:77", None
        device.registration = one.api.ok("POST", "/devices/register", 201, json={
            "mac_address": device.mac, "enrollment_token": fresh_stack.enrollment_token})
        with device:
            for n in range(100):
                device.publish(reading(seq=n))
            device.stored(100)


def test_a_backlog_whose_first_commit_fails_is_not_lost(fresh_stack):
    device = Device(fresh_stack)
    fresh_stack.stop("backend")
    with device:
        for n in range(500):
            device.publish(reading(seq=n))
        fresh_stack.sql("ALTER TABLE telemetry RENAME COLUMN co2 TO carbon_dioxide")
        with fresh_stack.serve() as served:
            wait_until(lambda: served.output().count("ingest is interrupted") >= 1, 30, "the first commit has failed")
            assert served.api.get("/ready").status_code == 503
            assert device.count() == 0
            fresh_stack.sql("ALTER TABLE telemetry RENAME COLUMN carbon_dioxide TO co2")
            served.ready()
            device.stored(500)
    assert fresh_stack.value("SELECT count(*) FROM dead_letters") == 0
