"""Payloads no sensor should send, and some do. One bad message never stops the rest."""

import json
import os
import random

import pytest

from support.device import REFUSED, Device, reading
from support.times import now_us, parse, rfc3339
from support.waiting import wait_until

MIB = 1 << 20

NOT_READABLE = {
    "nan": b'{"soil_moisture": NaN}',
    "infinity": b'{"soil_moisture": Infinity}',
    "truncated": b'{"soil_moisture": 45.2, "temper',
    "truncated-array": b'[{"soil_moisture": 45.2}, {"soil_moi',
    "binary": bytes(range(256)),
    "nul": b"\0\0\0\0",
    "bad-utf8": b'{"soil_moisture": 45.2, "note": "\xff\xfe"}',
    "deep-array": b"[" * 100_000 + b"]" * 100_000,
    "deep-object": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "trailing-comma": b'{"soil_moisture": 45.2,}',
    "two-values": b'{"soil_moisture": 45.2}{"soil_moisture": 45.3}',
    "single-quotes": b"{'soil_moisture': 45.2}",
    "html": b"<html><body>It works!</body></html>",
    "leading-zeros": b'{"soil_moisture": 045}',
    "hex": b'{"soil_moisture": 0x2d}',
    "empty": b"",
    "space": b"   ",
    "number": b"42",
    "text": b'"soil_moisture"',
    "null": b"null",
    "empty-array": b"[]",
    "empty-object": b"{}",
    "array-of-arrays": b"[[[]]]",
    "only-text-values": b'{"name": "window"}',
}


@pytest.mark.parametrize("payload", NOT_READABLE.values(), ids=NOT_READABLE.keys())
def test_a_message_that_is_no_reading_goes_to_the_dead_letters(stack, device, payload):
    device.publish(payload)
    device.barrier()
    assert device.count() == 1, "only the reading published last"
    (letter,) = stack.dead_letters(device.id)
    assert letter["payload_bytes"] == len(payload) and letter["topic"] == device.topic
    assert letter["reason"].isidentifier() and letter["detail"]


BAD_VALUES = {
    "text": '"45.2"', "true": "true", "object": '{"value": 45.2}', "array": "[45.2]", "overflow": "1e999",
    "too-high": "100.01", "too-low": "-0.5", "huge": "1e308", "long-integer": "9" * 400,
}


@pytest.mark.parametrize("value", BAD_VALUES.values(), ids=BAD_VALUES.keys())
def test_a_value_that_cannot_be_is_refused_and_said_and_the_rest_of_the_reading_kept(stack, device, value):
    device.publish('{"timestamp": "%s", "soil_moisture": %s, "temperature": 21.5}' % (rfc3339(now_us()), value))
    (row,) = device.stored(1)
    assert (row["soil_moisture"], row["temperature"]) == (None, 21.5)
    (letter,) = wait_until(lambda: stack.dead_letters(device.id), 5, "the refusal is in the dead letters")
    assert "soil_moisture" in letter["detail"]


@pytest.mark.parametrize("value, stored", [("0", 0), ("100", 100), ("1e2", 100), ("4.52E+1", 45.2), ("-0.0", 0),
                                           ("1e-300", 1e-300), ("45." + "3" * 300, 45.33333333333333)])
def test_unusual_but_correct_numbers_are_taken(device, value, stored):
    device.publish('{"timestamp": "%s", "soil_moisture": %s}' % (rfc3339(now_us()), value))
    assert device.stored(1)[0]["soil_moisture"] == pytest.approx(stored, abs=1e-12)


@pytest.mark.parametrize("metric, low, high", [
    ("soil_moisture", 0, 100), ("temperature", -40, 85), ("humidity", 0, 100), ("light_level", 0, 200_000),
    ("soil_temperature", -40, 85), ("soil_ec", 0, 20_000), ("co2", 0, 40_000), ("pressure", 300, 1100),
    ("battery", 0, 100), ("battery_voltage", 0, 30), ("rssi", -127, 0)])
def test_both_ends_of_a_physical_range_are_inside_it(device, metric, low, high):
    us = now_us()
    device.publish([{"timestamp": rfc3339(us + n), metric: value}
                    for n, value in enumerate((low - 0.01, low, high, high + 0.01))])
    assert [row[metric] for row in device.stored(2)] == [low, high]


def test_null_is_a_metric_that_was_not_measured(stack, device):
    device.publish({"timestamp": rfc3339(now_us()), "soil_moisture": None, "temperature": 20})
    (row,) = device.stored(1)
    assert (row["soil_moisture"], row["temperature"]) == (None, 20)
    assert stack.dead_letters(device.id) == []


def test_a_good_message_between_two_bad_ones_is_kept(device):
    pending = []
    for n in range(50):
        for payload in (b'{"soil_moisture": NaN}', json.dumps(reading(seq=n)), os.urandom(64)):
            pending.append(device.publish(payload, wait=False))
    for packet in pending:
        assert device.connection.acknowledgement(packet) < REFUSED
    rows = device.stored(50)
    assert sorted(row["extra"]["seq"] for row in rows) == list(range(50))
    wait_until(lambda: len(device.stack.dead_letters(device.id)) == 100, 10, "100 dead letters")


def test_a_message_over_1_mib_is_refused_whole(stack, device):
    device.publish(json.dumps([reading(note="x" * 300_000) for _ in range(4)]))
    device.barrier()
    assert device.count() == 1
    (letter,) = stack.dead_letters(device.id)
    assert letter["reason"] == "too_large" and letter["payload_bytes"] > MIB


def test_a_message_just_under_1_mib_is_taken(device):
    message = json.dumps(reading(note="x" * (MIB - 200)))
    assert len(message) < MIB
    device.publish(message)
    device.stored(1)


def test_ten_megabytes_neither_stop_the_backend_nor_fill_its_memory(stack, device):
    pid = stack.pid("backend")
    device.publish(reading(seq=1))
    padding = "x" * 10_000_000
    for n in range(10):
        device.publish(json.dumps(reading(note=padding)), timeout=60)
    device.publish(reading(seq=2), timeout=60)
    rows = device.stored(2, timeout=60)
    assert [row["extra"]["seq"] for row in rows] == [1, 2]
    assert stack.pid("backend") == pid and stack.alive("backend") and stack.api.get("/ready").status_code == 200
    assert stack.memory() < 200 * MIB
    assert stack.value(f"SELECT max(octet_length(payload)) FROM dead_letters WHERE device_id = '{device.id}'") <= 64 * 1024


def test_ten_thousand_mutilated_messages_leave_the_backend_alive_and_lean(stack, device):
    chance, pid = random.Random(20261121), stack.pid("backend")
    whole = json.dumps([reading(leaf=1.5, note="ünïcode \\u00e4 \n"), reading()]).encode()
    before = stack.memory()
    pending = []
    for n in range(10_000):
        payload = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            payload[chance.randrange(len(payload))] = chance.randrange(256)
        if n % 3 == 0:
            del payload[chance.randrange(len(payload)):]
        pending.append(device.publish(bytes(payload), wait=False))
        if len(pending) >= 100:
            for packet in pending:
                assert device.connection.acknowledgement(packet) < REFUSED
            pending = []
    device.barrier()
    assert stack.pid("backend") == pid and stack.alive("backend")
    assert stack.memory() - before < 64 * MIB
    readings = stack.rows(f"SELECT count(*) AS n, count(*) FILTER (WHERE soil_moisture NOT BETWEEN 0 AND 100) AS bad "
                          f"FROM telemetry WHERE device_id = '{device.id}'")[0]
    assert readings["bad"] == 0


def test_the_api_shows_what_was_refused_with_reason_and_a_bounded_payload(stack):
    with Device(stack) as device:
        device.publish(b'{"soil_moisture": NaN, "secret": "' + b"p" * 20_000 + b'"}')
        device.publish(reading(soil_moisture=140))
        device.barrier()
    answer = stack.api.ok("GET", "/ingest/rejects?limit=500")
    own = [reject for reject in answer["rejects"] if reject["device_id"] == device.id]
    assert answer["total"] >= len(answer["rejects"]) >= 2 and len(own) == 2
    newest, oldest = own
    assert "soil_moisture" in newest["detail"] and json.loads(newest["payload"])["soil_moisture"] == 140
    assert oldest["topic"] == device.topic and oldest["payload"].startswith('{"soil_moisture": NaN')
    assert oldest["payload_bytes"] == 20_036 and len(oldest["payload"]) <= 8192
    times = [parse(reject["received_at"]) for reject in answer["rejects"]]
    assert times == sorted(times, reverse=True), "newest first"


def test_binary_payloads_show_as_text_in_the_api(stack):
    with Device(stack) as device:
        device.publish(bytes(range(256)))
        device.barrier()
    rejects = stack.api.ok("GET", "/ingest/rejects?limit=20")["rejects"]
    (own,) = [reject for reject in rejects if reject["device_id"] == device.id]
    assert own["payload_bytes"] == 256 and "ABC" in own["payload"]


def test_payloads_never_reach_the_log(stack, device):
    device.publish(b'{"soil_moisture": NaN, "x": "do-not-log-me-7731"}')
    device.barrier()
    assert "do-not-log-me-7731" not in stack.log("backend")


@pytest.mark.parametrize("name", ["Nope", "has space", "ünï", "9lives", "a" * 65, "", "drop;table"])
def test_a_name_that_cannot_be_a_metric_is_refused_and_the_rest_kept(stack, device, name):
    device.publish(reading(**{name: 5}))
    (row,) = device.stored(1)
    assert row["soil_moisture"] == 45.2 and not row["extra"]
    assert wait_until(lambda: stack.dead_letters(device.id), 5)[0]["reason"] == "bad_metric_name"
