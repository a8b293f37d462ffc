"""What notifications say, and that each arrives in its order however often it takes."""

import json

import pytest

from support.alerts import (
    DRY, FINE, PARCHED, Pot, alert, becomes, delivery, flush, make_channel, one_of_each, room)
from support.api import UUID_V7
from support.discord import PATIENCE, Hanging, discord_limits, failing, gone, ok, redirect, reset, too_many
from support.together import Together
from support.times import now_us, parse
from support.waiting import wait_until

NOTICE_KEYS = {"event", "at", "alert_id", "kind", "severity", "plant_id", "plant_name", "room", "device_id", "device_name",
               "metric", "unit", "direction", "value", "limit", "detail", "started_at", "fired_at", "resolved_at", "summary",
               "url"}
together = Together()


@pytest.fixture(scope="module")
def results(request, shared_alerting_stack, inbox):
    yield from together.run(request, shared_alerting_stack, inbox)


# What is said.


@together
def test_a_webhook_is_told_what_happened_signed_and_complete(stack, inbox):
    hook, pot, channel = one_of_each(stack, inbox)
    where = room()
    stack.api.ok("PUT", pot.path, json={"room": where})
    at = pot.tell(soil_moisture=DRY)
    found = pot.alert()
    (request,) = hook.wait_for(1)
    assert request.method == "POST" and request.path == hook.path
    assert request.headers["Content-Type"].split(";")[0] == "application/json"
    assert request.headers["User-Agent"] == f"PlantOps/{stack.api.ok('GET', '/health')['version']}"
    assert request.is_signed_with("known to both sides") and not request.is_signed_with("known to one side")
    assert abs(int(request.headers["X-PlantOps-Timestamp"]) - request.unix) < 60
    body = request.json
    assert body.keys() == {"id", "kind", "created_at", "summary", "notices", "omitted"}
    assert body["id"] == request.id and UUID_V7.match(request.id)
    assert (body["kind"], body["omitted"]) == ("alerts", 0) and abs(parse(body["created_at"]) - now_us()) < 60_000_000
    (notice,) = body["notices"]
    assert notice.keys() == NOTICE_KEYS
    said = {key: notice[key] for key in NOTICE_KEYS - {"at", "device_id", "device_name", "fired_at", "started_at", "summary"}}
    assert said == {
        "event": "fired", "alert_id": found["id"], "kind": "threshold", "severity": "warning", "plant_id": pot.id,
        "plant_name": pot.name, "room": where, "metric": "soil_moisture", "unit": "%", "direction": "min", "value": DRY,
        "limit": 20, "detail": None, "resolved_at": None, "url": f"{stack.settings['PLANTOPS_URL']}/plants/{pot.id}"}
    assert parse(notice["started_at"]) == at and parse(notice["fired_at"]) == parse(found["fired_at"])
    assert abs(parse(notice["at"]) - parse(found["fired_at"])) < 1_000_000
    for line in (notice["summary"], body["summary"]):
        assert pot.name in line and "\n" not in line and len(line) < 300
    pot.fine()
    (_, request) = hook.wait_for(2)
    (over,) = request.notices
    assert (over["event"], over["alert_id"], over["value"]) == ("resolved", found["id"], FINE)
    assert parse(over["resolved_at"]) > parse(over["fired_at"]) and request.is_signed_with("known to both sides")
    assert request.id != body["id"]
    becomes(pot, ("fired", "sent"), ("resolved", "sent"))
    told = pot.notifications()
    for one in told:
        assert one.keys() == {"channel_id", "channel", "event", "state", "at", "sent_at", "attempts", "error"}
        assert (one["channel_id"], one["channel"], one["attempts"], one["error"]) == (channel["id"], "Test", 1, None)
        assert parse(one["sent_at"]) >= parse(one["at"])
    shown = delivery(stack, channel)
    assert (shown["waiting"], shown["failed"], shown["last_error"]) == (0, 0, None) and shown["last_delivered_at"]


@together
def test_discord_is_told_what_happened_where_and_how_bad_with_a_link(stack, inbox):
    discord = inbox.hook("discord")
    pot = Pot(stack)
    make_channel(stack, discord, pot)
    pot.dry()
    (request,) = discord.wait_for(1)
    assert request.path == discord.path and request.headers["Content-Type"].split(";")[0] == "application/json"
    assert request.json["username"] == "PlantOps" and request.json["allowed_mentions"] == {"parse": []}
    discord_limits(request.json)
    text = request.text()
    assert pot.name in text and "15" in text and "20" in text and "%" in text
    assert f"{stack.settings['PLANTOPS_URL']}/plants/{pot.id}" in json.dumps(request.json)
    warning = request.embeds[0]["color"]
    pot.parched()
    worse = discord.wait_for(2)[1]
    assert worse.embeds[0]["color"] != warning, "worse looks worse"
    pot.fine()
    over = discord.wait_for(3)[2]
    assert over.embeds[0]["color"] not in (warning, worse.embeds[0]["color"]) and pot.name in over.text()
    assert not [name for name in request.headers if name.lower().startswith("x-plantops-signature")]


NAMES = [
    "@everyone @here <@&123> <@456>", "**bold** _it_ ~~no~~ `code` ||spoiler|| > quote # head",
    "[free plants](https://evil.example/x)", "https://evil.example/x", "``` code", "\\*already\\*", "x" * 100,
    "\u202ereversed \u200b invisible", "*" * 100]


@together
def test_a_name_is_shown_to_discord_as_it_is_and_does_nothing(stack, inbox):
    hooks = {name: inbox.hook("discord") for name in NAMES}
    pots = {name: Pot(stack, name=name, room=name) for name in NAMES}
    for name, pot in pots.items():
        make_channel(stack, hooks[name], pot)
    for pot in pots.values():
        pot.parched()
    for name, hook in hooks.items():
        (request,) = hook.wait_for(1)
        discord_limits(request.json)
        assert request.json["allowed_mentions"] == {"parse": []}
        text = request.text()
        for markup in ("**bold**", "~~no~~", "`code`", "||spoiler||", "[free plants](", "<@456>", "<@&123>", "```", "****"):
            assert markup not in text, f"unescaped: {text}"
        assert "\u202e" not in text, "nobody's text is turned round"
        assert "https://evil.example" not in text or "\\" in text or "<" in text or "`" in text
        for part in ("everyone", "bold", "free plants", "reversed", "x" * 50):
            assert part in text or part not in name


# However often and long it takes.


@together
def test_what_is_sent_again_is_the_same_message(stack, inbox):
    hook, pot, channel = one_of_each(stack, inbox)
    hook.then(failing(500), reset(), failing(503))
    pot.dry()
    requests = hook.wait_for(4)
    assert len({request.id for request in requests}) == 1 and len({request.body for request in requests}) == 1
    assert all(request.is_signed_with("known to both sides") for request in requests)
    becomes(pot, ("fired", "sent"))
    (told,) = pot.notifications()
    assert told["attempts"] == 4 and told["sent_at"]
    assert delivery(stack, channel)["last_error"] is None
    assert flush(stack, hook, channel) == [("fired", pot.name)]
    assert len(hook.received) == 5


@together
def test_while_it_is_tried_again_the_channel_says_why(stack, inbox):
    hook, pot, channel = one_of_each(stack, inbox)
    hook.always(failing(503))
    pot.dry()
    shown = wait_until(lambda: delivery(stack, channel)["last_error"] and delivery(stack, channel), PATIENCE, "the error is said")
    assert "503" in shown["last_error"] and parse(shown["last_error_at"]) <= now_us() and shown["waiting"] == 1
    (told,) = pot.notifications()
    assert told["state"] == "waiting" and told["attempts"] >= 1 and "503" in told["error"]


def asked_to_wait(stack, inbox, is_global):
    discord = inbox.hook("discord")
    pot = Pot(stack)
    channel = make_channel(stack, discord, pot)
    discord.then(too_many(6, is_global))
    pot.dry()
    first = discord.wait_for(1)[0]
    pot.parched()  # Another message does not go first, nor earlier.
    second, third = discord.wait_for(3)[1:]
    assert second.at - first.at >= 6 and third.at >= second.at
    assert second.body == first.body and third.body != first.body
    becomes(pot, ("fired", "sent"), ("escalated", "sent"))
    assert delivery(stack, channel)["failed"] == 0


@together
def test_too_many_requests_means_waiting_as_long_as_was_said(stack, inbox):
    asked_to_wait(stack, inbox, False)


@together
def test_too_many_requests_of_everybody_mean_waiting_too(stack, inbox):
    asked_to_wait(stack, inbox, True)


@together
def test_a_limit_that_is_used_up_is_waited_for(stack, inbox):
    discord = inbox.hook("discord")
    pot = Pot(stack)
    make_channel(stack, discord, pot)
    discord.then(ok(204, **{"X-RateLimit-Remaining": 0, "X-RateLimit-Reset-After": "11.5", "X-RateLimit-Limit": 5}))
    pot.dry()
    first = discord.wait_for(1)[0]
    pot.parched()
    second = discord.wait_for(2)[1]
    assert second.at - first.at >= 11.5


@together
def test_a_channel_that_hangs_holds_up_neither_another_nor_what_comes_in(stack, inbox):
    pot = Pot(stack)
    hanging, other = inbox.hook(), inbox.hook("discord")
    channel = make_channel(stack, hanging, pot)
    make_channel(stack, other, pot)
    silence = hanging.then(Hanging())
    pot.dry()
    hanging.wait_for(1)
    other.wait_for(1)
    begun = len(hanging.received)
    pot.parched()
    assert pot.alert()["severity"] == "critical", "readings are taken in and judged"
    other.wait_for(2)
    assert len(hanging.received) == begun and delivery(stack, channel)["waiting"] == 2
    # The time-out is 10 s; then it is tried again, and what came after follows.
    first, again, worse = hanging.wait_for(3)[:3]
    assert again.at - first.at >= 9 and (again.id, again.body) == (first.id, first.body)
    assert worse.told() == [("escalated", pot.name)]
    wait_until(lambda: delivery(stack, channel)["waiting"] == 0, PATIENCE, "everything is sent")
    assert delivery(stack, channel)["failed"] == 0
    silence.release()


@together
def test_what_nobody_will_ever_take_is_given_up_at_once_and_said(stack, inbox):
    pot = Pot(stack)
    answers = {status: failing(status) for status in (400, 401, 403, 405, 410, 422)}
    answers |= {404: gone(), 302: redirect(inbox.url + "/elsewhere"), 307: redirect(inbox.url + "/elsewhere", 307)}
    hooks, channels = {}, {}
    for status, answer in answers.items():
        hooks[status] = inbox.hook("discord" if status == 404 else "webhook")
        hooks[status].then(answer)
        channels[status] = make_channel(stack, hooks[status], pot, name=f"answers {status}")
    pot.dry()
    found = pot.alert()

    def told():
        return {one["channel"]: one for one in alert(stack, found["id"])["notifications"]}

    wait_until(lambda: {one["state"] for one in told().values()} == {"failed"}, PATIENCE, "all are given up")
    for status, channel in channels.items():
        one = told()[f"answers {status}"]
        assert (one["attempts"], one["sent_at"]) == (1, None) and str(status) in one["error"]
        shown = delivery(stack, channel)
        assert (shown["waiting"], shown["failed"], shown["last_delivered_at"]) == (0, 1, None)
        assert str(status) in shown["last_error"] and shown["last_error_at"]
    assert not [request for request in inbox.stray if request.path == "/elsewhere"]
    # The channel is tried again with the next message.
    pot.parched()
    for status, hook in hooks.items():
        assert len(hook.wait_for(2)) == 2
    for channel in channels.values():
        shown = wait_until(lambda: delivery(stack, channel)["last_delivered_at"] and delivery(stack, channel), 10)
        assert (shown["failed"], shown["last_error"]) == (1, None)


@together
def test_that_it_fired_is_told_before_that_it_is_over_also_when_the_first_attempt_fails(stack, inbox):
    hook, pot, channel = one_of_each(stack, inbox)
    hook.then(failing(500), failing(502))
    pot.dry()
    hook.wait_for(1)
    pot.fine()
    hook.until_told(("fired", pot.name), ("resolved", pot.name), timeout=PATIENCE)
    assert hook.told() == [("fired", pot.name), ("resolved", pot.name)]
    order = [request.told() for request in hook.received]
    assert order[0] == order[1] == [("fired", pot.name)]
    times = [parse(request.json["created_at"]) for request in hook.delivered()]
    assert times == sorted(times)


@together
def test_what_happens_at_once_is_one_message_in_its_order(stack, inbox):
    hook, pot, channel = one_of_each(stack, inbox)
    pot.soil(DRY, PARCHED)
    (request,) = hook.wait_for(1)
    assert request.told() == [("fired", pot.name), ("escalated", pot.name)]
    assert [notice["severity"] for notice in request.notices] == ["warning", "critical"]
