"""Telling a device to do something, and what it says of it."""

import json
import os
import signal

import pytest

from support.api import UUID_V7, assert_problem
from support.device import REFUSED, Device
from support.times import now_us, parse
from support.waiting import wait_until


@pytest.fixture
def listening(device):
    """A connected device that hears its commands."""
    assert device.connection.subscribe(f"devices/{device.id}/commands") < REFUSED
    return device


def send(device, command="identify", **fields):
    return device.stack.api.ok("POST", f"/devices/{device.id}/commands", 202, json={"command": command, **fields})


def listed(device):
    return device.stack.api.ok("GET", f"/devices/{device.id}/commands")["commands"]


def command(device, command_id):
    (found,) = [one for one in listed(device) if one["id"] == command_id]
    return found


def heard(device, count=1):
    return wait_until(lambda: len(device.connection.received) >= count and device.connection.received, 10,
                      f"{count} commands arrive")


def unanswered(command):
    return (command["status"], command["result_at"], command["detail"]) == ("sent", None, None)


def answer(device, command_id, ok=True, **fields):
    device.publish({"id": command_id, "ok": ok, **fields}, topic="commands/result")


def settled(device, command_id):
    return wait_until(lambda: command(device, command_id)["result_at"] and command(device, command_id), 10,
                      "the result is recorded")


# Out.


def test_a_device_receives_exactly_id_command_and_args(listening):
    args = {"text": 'ä "quoted" \\ \u2028 🌱', "deep": [{"a": [1, 2.5, None, True]}], "n": 9007199254740993}
    sent = send(listening, "show", args=args)
    (message,) = heard(listening)
    assert message.topic == f"devices/{listening.id}/commands" and message.qos == 1 and not message.retain
    assert json.loads(message.payload) == {"id": sent["id"], "command": "show", "args": args}
    assert sent.keys() == {
        "id", "device_id", "command", "args", "status", "created_at", "sent_at", "result_at", "detail"}
    assert UUID_V7.match(sent["id"]) and sent["device_id"] == listening.id and sent["status"] == "sent"
    assert unanswered(sent) and sent["args"] == args
    assert abs(parse(sent["sent_at"]) - now_us()) < 60_000_000


def test_the_answer_to_a_command_is_what_the_list_shows_of_it(listening):
    for _ in range(5):
        sent = send(listening)
        assert command(listening, sent["id"]) == sent


def test_a_command_needs_no_args_and_then_has_none(listening):
    sent = send(listening, "reboot")
    (message,) = heard(listening)
    assert json.loads(message.payload) == {"id": sent["id"], "command": "reboot", "args": {}}
    assert command(listening, sent["id"])["args"] == {}


def test_commands_arrive_in_their_order_and_are_listed_newest_first(stack, listening):
    sent = [send(listening, f"step_{n}")["id"] for n in range(5)]
    assert [json.loads(message.payload)["id"] for message in heard(listening, 5)] == sent
    page = stack.api.ok("GET", f"/devices/{listening.id}/commands?limit=2&offset=1")
    assert page["total"] == 5 and [one["id"] for one in page["commands"]] == [sent[3], sent[2]]
    assert [one["id"] for one in listed(listening)] == sent[::-1]


def test_a_command_is_for_one_device_alone_and_not_kept_for_whoever_listens_later(stack, device):
    with Device(stack) as other:
        for one in (device, other):
            assert one.connection.subscribe(f"devices/{one.id}/#") < REFUSED
        sent = send(device)
        heard(device)
        other.barrier()
        assert all(message.topic == other.topic for message in other.connection.received)
    device.close()
    device.connect()
    assert device.connection.subscribe(f"devices/{device.id}/commands") < REFUSED
    device.barrier()
    assert device.connection.received == []
    assert command(device, sent["id"])["status"] == "sent"


def test_a_sleeping_device_with_a_session_gets_the_command_when_it_wakes(stack):
    device = Device(stack).connect(clean_start=False, session_expiry=600)
    assert device.connection.subscribe(f"devices/{device.id}/commands") < REFUSED
    device.close()
    sent = send(device, "set_interval", args={"seconds": 900})
    assert command(device, sent["id"])["status"] == "sent"
    device.connect(clean_start=False, session_expiry=600)
    (message,) = heard(device)
    assert json.loads(message.payload) == {"id": sent["id"], "command": "set_interval", "args": {"seconds": 900}}
    answer(device, sent["id"])
    assert settled(device, sent["id"])["status"] == "succeeded"
    device.close()


def test_a_command_nobody_answered_expires(stack, listening):
    sent = send(listening)
    stack.sql(f"UPDATE device_commands SET created_at = created_at - INTERVAL '2 hours' WHERE id = '{sent['id']}'")
    assert command(listening, sent["id"])["status"] == "expired"


# Refused.


@pytest.mark.parametrize("body, pointers", [
    ({}, ["/command"]), ({"command": None}, ["/command"]), ({"command": 7}, ["/command"]),
    ({"command": ""}, ["/command"]), ({"command": "Reboot"}, ["/command"]), ({"command": "9lives"}, ["/command"]),
    ({"command": "a" * 65}, ["/command"]), ({"command": "set interval"}, ["/command"]),
    ({"command": 'x","id":"y'}, ["/command"]), ({"command": "re\nboot"}, ["/command"]),
    ({"command": "identify", "args": []}, ["/args"]), ({"command": "identify", "args": "x"}, ["/args"]),
    ({"command": "identify", "args": {"x": "y" * 5000}}, ["/args"]),
    ({"command": "set_interval"}, ["/args"]), ({"command": "set_interval", "args": {}}, ["/args/seconds"]),
    ({"command": "set_interval", "args": {"seconds": 0}}, ["/args/seconds"]),
    ({"command": "set_interval", "args": {"seconds": 86_401}}, ["/args/seconds"]),
    ({"command": "set_interval", "args": {"seconds": 1.5}}, ["/args/seconds"]),
    ({"command": "set_interval", "args": {"seconds": "60"}}, ["/args/seconds"]),
    ({"command": "set_interval", "args": {"seconds": None}}, ["/args/seconds"]),
    ({"command": "NO", "args": 1}, ["/args", "/command"]),
])
def test_a_command_that_cannot_be_is_refused_and_not_listed(stack, listening, body, pointers):
    problem = assert_problem(stack.api.post(f"/devices/{listening.id}/commands", json=body), 422)
    assert sorted(error["pointer"] for error in problem["errors"]) == pointers
    assert listed(listening) == []
    listening.barrier()
    assert listening.connection.received == []


def test_a_key_that_comes_twice_does_not_slip_past_the_check(stack, listening):
    for body in ('{"command": "set_interval", "args": {"seconds": 60, "seconds": "x"}}',
                 '{"command": "set_interval", "args": {"seconds": "x", "seconds": 60}}',
                 '{"command": "set_interval", "args": {"seconds": 60, "seconds": 0}}'):
        said = stack.api.post(f"/devices/{listening.id}/commands", data=body,
                              headers={"Content-Type": "application/json"})
        assert said.status_code in (202, 400, 422)
        if said.status_code == 202:
            told = json.loads(heard(listening, len(listed(listening)))[-1].payload)
            assert told["args"] == {"seconds": 60} == said.json()["args"]
            answer(listening, said.json()["id"])
            listening.barrier()
            assert command(listening, said.json()["id"])["status"] == "succeeded"
    assert stack.dead_letters(listening.id) == []


def test_a_disabled_device_is_told_nothing(stack):
    device = Device(stack)
    stack.api.ok("PATCH", f"/devices/{device.id}", json={"enabled": False})
    assert_problem(stack.api.post(f"/devices/{device.id}/commands", json={"command": "identify"}), 409)
    assert listed(device) == []


def test_a_viewer_may_look_but_not_send_and_a_stranger_neither(stack, listening):
    sent = send(listening)
    path = f"/devices/{listening.id}/commands"
    viewer = stack.api.as_(stack.make_token("viewer"))
    assert_problem(viewer.post(path, json={"command": "identify"}), 403)
    assert [one["id"] for one in viewer.ok("GET", path)["commands"]] == [sent["id"]]
    assert_problem(stack.stranger.post(path, json={"command": "identify"}), 401)
    assert_problem(stack.stranger.get(path), 401)
    member = stack.api.as_(stack.make_token("member"))
    member.ok("POST", path, 202, json={"command": "identify"})
    assert len(heard(listening, 2)) == 2


def test_while_the_broker_is_away_a_command_is_503_and_leaves_no_trace_in_the_list(fresh_stack):
    device = Device(fresh_stack).connect(clean_start=False, session_expiry=600)
    assert device.connection.subscribe(f"devices/{device.id}/commands") < REFUSED
    device.close()
    fresh_stack.stop("mosquitto")
    wait_until(lambda: fresh_stack.api.get("/ready").status_code == 503, 15, "/api/ready says 503")
    said = fresh_stack.api.post(f"/devices/{device.id}/commands", json={"command": "identify"})
    assert_problem(said, 503)
    assert int(said.headers["Retry-After"]) > 0
    assert fresh_stack.api.ok("GET", f"/devices/{device.id}/commands") == {"commands": [], "total": 0}
    fresh_stack.start("mosquitto")
    sent = wait_until(lambda: send(device, "reboot"), 30, "the broker takes commands again")
    device.connect(clean_start=False, session_expiry=600)
    assert [json.loads(message.payload)["id"] for message in heard(device)] == [sent["id"]], "not the refused one"
    device.close()


def test_a_command_the_broker_did_not_confirm_is_pending_and_not_lost(fresh_stack):
    with Device(fresh_stack) as device:
        assert device.connection.subscribe(f"devices/{device.id}/commands") < REFUSED
        os.kill(fresh_stack.pid("mosquitto"), signal.SIGSTOP)
        try:
            sent = send(device, "reboot")
        finally:
            os.kill(fresh_stack.pid("mosquitto"), signal.SIGCONT)
        assert (sent["status"], sent["sent_at"]) == ("pending", None)
        assert command(device, sent["id"])["status"] == "pending"
        (message,) = heard(device)
        assert json.loads(message.payload)["id"] == sent["id"]
        answer(device, sent["id"])
        assert settled(device, sent["id"])["status"] == "succeeded"


# Back.


@pytest.mark.parametrize("ok, status", [(True, "succeeded"), (False, "failed")])
def test_what_a_device_says_of_a_command_is_recorded(stack, listening, ok, status):
    sent = send(listening)
    answer(listening, sent["id"], ok, detail="as the device says")
    result = settled(listening, sent["id"])
    assert (result["status"], result["detail"]) == (status, "as the device says")
    assert parse(result["created_at"]) <= parse(result["sent_at"]) <= parse(result["result_at"]) + 1_000_000
    assert stack.api.ok("GET", f"/devices/{listening.id}")["status"] == "online", "it was heard of"


def test_a_result_needs_no_detail(listening):
    sent = send(listening)
    answer(listening, sent["id"])
    assert settled(listening, sent["id"])["detail"] is None


def test_a_result_that_comes_twice_changes_nothing_and_is_no_dead_letter(stack, listening):
    sent = send(listening)
    answer(listening, sent["id"], True, detail="first")
    first = settled(listening, sent["id"])
    answer(listening, sent["id"], True, detail="first")
    answer(listening, sent["id"], False, detail="second thoughts")
    listening.barrier()
    assert command(listening, sent["id"]) == first
    assert stack.dead_letters(listening.id) == []


def test_the_result_of_a_command_that_was_never_sent_is_a_dead_letter(stack, listening):
    answer(listening, "01890000-0000-7000-8000-000000000000")
    listening.barrier()
    (letter,) = stack.dead_letters(listening.id)
    assert letter["reason"] == "unknown_command" and letter["topic"] == f"devices/{listening.id}/commands/result"


def test_a_device_cannot_answer_for_another(stack, listening):
    sent = send(listening, "set_interval", args={"seconds": 600})
    with Device(stack) as liar:
        answer(liar, sent["id"], True, detail="lies")
        liar.barrier()
        assert [letter["reason"] for letter in stack.dead_letters(liar.id)] == ["unknown_command"]
        assert stack.api.ok("GET", f"/devices/{liar.id}")["reporting_interval_seconds"] is None
    assert unanswered(command(listening, sent["id"]))
    assert stack.api.ok("GET", f"/devices/{listening.id}")["reporting_interval_seconds"] is None
    answer(listening, sent["id"], False, detail="the truth")
    assert settled(listening, sent["id"])["detail"] == "the truth"


MALFORMED = {
    "empty": (b"", "empty"), "not-json": (b'{"id": ', "not_json"), "binary": (bytes(range(256)), "not_json"),
    "array": (b"[]", "not_an_object"), "text": (b'"ok"', "not_an_object"), "no-id": (b'{"ok": true}', "wrong_type"),
    "bad-id": (b'{"id": "7", "ok": true}', "wrong_type"), "id-number": (b'{"id": 7, "ok": true}', "wrong_type"),
    "no-ok": (b'{"id": "%(id)s"}', "wrong_type"), "ok-text": (b'{"id": "%(id)s", "ok": "true"}', "wrong_type"),
    "ok-number": (b'{"id": "%(id)s", "ok": 1}', "wrong_type"),
    "ok-null": (b'{"id": "%(id)s", "ok": null}', "wrong_type"),
    "trailing": (b'{"id": "%(id)s", "ok": true} x', "not_json"),
    "deep": (b'{"id": "%(id)s", "ok": true, "detail": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", "too_deep"),
    "large": (b'{"id": "%(id)s", "ok": true, "detail": "' + b"x" * 2_000_000 + b'"}', "too_large"),
}


@pytest.mark.parametrize("payload, reason", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_result_that_cannot_be_read_is_a_dead_letter_with_its_reason(stack, listening, payload, reason):
    sent = send(listening)
    listening.publish(payload.replace(b"%(id)s", sent["id"].encode()), topic="commands/result")
    listening.barrier()
    (letter,) = stack.dead_letters(listening.id)
    assert letter["reason"] == reason and letter["detail"]
    assert unanswered(command(listening, sent["id"]))


@pytest.mark.parametrize("detail", [7, None, ["x"], {"x": 1}, True])
def test_a_detail_of_another_kind_does_not_lose_the_result(stack, listening, detail):
    sent = send(listening)
    answer(listening, sent["id"], detail=detail)
    result = settled(listening, sent["id"])
    assert result["status"] == "succeeded" and stack.dead_letters(listening.id) == []


@pytest.mark.parametrize("detail", [
    "a\u0000b", "\x1b[2J\x07", "line\nbreak\r\n", "\u202eright to left", "x" * 10_000, "ü" * 10_000,
    "e" + "\u0301" * 10_000,
    "<script>alert(1)</script>", "'); DROP TABLE devices; --",
], ids=["nul", "escape", "lines", "bidi", "long", "long-umlauts", "combining", "html", "sql"])
def test_a_detail_is_made_harmless(listening, detail):
    sent = send(listening)
    answer(listening, sent["id"], detail=detail)
    result = settled(listening, sent["id"])
    assert result["status"] == "succeeded" and 0 < len(result["detail"]) <= 500
    assert not any(c < " " or c in "\x7f\u202e\u2028\u2029" for c in result["detail"])
    if detail[0] in "<'":
        assert result["detail"] == detail, "text is text; whoever shows it escapes it"


def test_half_of_a_character_in_a_detail_does_not_lose_the_result(listening):
    sent = send(listening)
    payload = b'{"id": "%s", "ok": true, "detail": "\\ud800 half"}' % sent["id"].encode()
    listening.publish(payload, topic="commands/result")
    listening.barrier()
    result = command(listening, sent["id"])
    assert result["status"] == "succeeded" or listening.stack.dead_letters(listening.id)


def test_a_changed_interval_is_expected_once_the_device_says_it_did_so(stack, listening):
    def intervals():
        shown = stack.api.ok("GET", f"/devices/{listening.id}")
        return shown["reporting_interval_seconds"], shown["expected_interval_seconds"]

    failing = send(listening, "set_interval", args={"seconds": 1200})
    assert intervals() == (None, 60), "not before it did"
    answer(listening, failing["id"], False)
    settled(listening, failing["id"])
    assert intervals() == (None, 60), "nor when it did not"
    other = send(listening, "blink", args={"seconds": 5})
    answer(listening, other["id"])
    settled(listening, other["id"])
    assert intervals() == (None, 60), "nor by another command"
    sent = send(listening, "set_interval", args={"seconds": 900})
    answer(listening, sent["id"])
    settled(listening, sent["id"])
    assert intervals() == (900, 900)
    stack.api.ok("PATCH", f"/devices/{listening.id}", json={"reporting_interval_seconds": 30})
    answer(listening, sent["id"])
    listening.barrier()
    assert intervals() == (30, 30), "a result counts once"


def test_a_result_that_comes_while_the_backend_is_away_is_recorded_when_it_is_back(fresh_stack):
    with Device(fresh_stack) as device:
        sent = send(device)
        fresh_stack.stop("backend")
        answer(device, sent["id"], False, detail="no light")
        fresh_stack.start("backend")
        fresh_stack.ready()
        result = settled(device, sent["id"])
        assert (result["status"], result["detail"]) == ("failed", "no light")


def test_the_commands_of_a_device_go_with_it(stack):
    device = Device(stack)
    sent = send(device)
    stack.api.ok("DELETE", f"/devices/{device.id}", 204)
    assert_problem(stack.api.get(f"/devices/{device.id}/commands"), 404)
    assert stack.value(f"SELECT count(*) FROM device_commands WHERE id = '{sent['id']}'") == 0
