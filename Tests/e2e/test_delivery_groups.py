"""Who is told of what, and what is told together."""

import time

import pytest

from support.alerts import (
    DRY, Pot, becomes, change_channel, due_now, flush, make_channel, room, several, states)
from support.api import assert_problem
from support.discord import PATIENCE, discord_limits, failing
from support.together import Together
from support.times import rfc3339
from support.waiting import wait_until

together = Together()


@pytest.fixture(scope="module")
def results(request, shared_alerting_stack, inbox):
    yield from together.run(request, shared_alerting_stack, inbox)


# Who is told of what.


@together
def test_a_channel_for_one_plant_does_not_become_one_for_all_when_the_plant_is_deleted(stack, inbox):
    hook = inbox.hook()
    pot, other = Pot(stack), Pot(stack)
    made = make_channel(stack, hook, pot)
    pot.dry()
    hook.wait_for(1)
    stack.api.ok("DELETE", pot.path, 204)
    hook.until_told(("fired", pot.name), ("resolved", pot.name))
    shown = stack.api.ok("GET", f"/channels/{made['id']}")
    assert shown["plant_ids"] in ([], [pot.id])
    other.parched()
    assert flush(stack, hook, made) == [("fired", pot.name), ("resolved", pot.name)]
    assert change_channel(stack, made, name="Still can be changed")["name"] == "Still can be changed"


@together
def test_a_removed_channel_is_gone(stack, inbox):
    hook = inbox.hook()
    pot = Pot(stack)
    made = make_channel(stack, hook, pot)
    hook.then(failing(503))
    pot.dry()
    hook.wait_for(1)
    stack.api.ok("DELETE", f"/channels/{made['id']}", 204)
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/test")):
        answer = stack.api.request(method, f"/channels/{made['id']}{path}", json={} if method in ("PUT", "POST") else None)
        assert_problem(answer, 404)
    assert made["id"] not in [one["id"] for one in stack.api.ok("GET", "/channels?limit=500")["channels"]]
    assert stack.value(f"SELECT count(*) FROM messages WHERE channel_id = '{made['id']}'") == 0
    assert pot.notifications() == []
    other = inbox.hook()
    flush(stack, other, make_channel(stack, other, Pot(stack, devices=0)))
    assert len(hook.received) == 1


# Many at once.


@together
def test_what_ails_one_plant_is_one_message(stack, inbox):
    hook = inbox.hook()
    pot = Pot(stack, {"soil_moisture": {"min": 20}, "temperature": {"min": 10, "max": 30}, "humidity": {"min": 40}})
    channel = make_channel(stack, hook, pot)
    pot.tell(soil_moisture=DRY, temperature=5, humidity=36)
    assert flush(stack, hook, channel) == [("fired", pot.name)] * 3
    first = hook.received[0]
    assert {notice["metric"] for notice in first.notices if notice["plant_id"] == pot.id} == {
        "soil_moisture", "temperature", "humidity"}
    assert len([request for request in hook.received if ("fired", pot.name) in request.told()]) == 1


@together
def test_plants_of_one_room_are_told_of_together(stack, inbox):
    where = room()
    hook, discord = inbox.hook(), inbox.hook("discord")
    pots = several(stack, 3, room=where)
    make_channel(stack, hook, rooms=[where])
    make_channel(stack, discord, rooms=[where])
    for pot in pots:
        pot.dry()
    (request,) = hook.wait_for(1)
    assert sorted(request.told()) == sorted(("fired", pot.name) for pot in pots)
    assert where in request.json["summary"]
    text = discord.wait_for(1)[0].text()
    assert where in text and all(pot.name in text for pot in pots)
    discord_limits(discord.received[0].json)
    for pot in pots:
        pot.fine()
    hook.until_told(*[(event, pot.name) for pot in pots for event in ("fired", "resolved")])
    assert len(hook.delivered()) == 2


def storm(stack, inbox, publish):
    hook, discord = inbox.hook(), inbox.hook("discord")
    pots = several(stack, 8)
    channel = make_channel(stack, hook, *pots)
    make_channel(stack, discord, *pots)
    publish(pots)
    (request,) = hook.wait_for(1)
    assert sorted(request.told()) == sorted(("fired", pot.name) for pot in pots)
    assert "8" in request.json["summary"]
    message = discord.wait_for(1)[0]
    discord_limits(message.json)
    # Nothing trickles in afterwards.
    flush(stack, hook, channel)
    assert len(hook.received) == 2 and len(discord.received) == 1


@together
def test_a_storm_is_one_summary(stack, inbox):
    def at_once(pots):
        for pot in pots:
            pot.device.publish({"timestamp": rfc3339(pot.next_instant()), "soil_moisture": DRY}, wait=False)

    storm(stack, inbox, at_once)


@together
def test_a_storm_that_takes_a_second_to_break_is_one_summary(stack, inbox):
    def within_a_second(pots):
        begun = time.monotonic()
        for n, pot in enumerate(pots):
            wait_until(lambda: time.monotonic() >= begun + n * 0.12, 1, every=0.01)
            pot.device.publish({"timestamp": rfc3339(pot.next_instant()), "soil_moisture": DRY}, wait=False)

    storm(stack, inbox, within_a_second)


@together
def test_after_a_message_about_a_room_another_plant_of_it_waits_unless_it_is_bad(stack, inbox):
    where = room()
    hook = inbox.hook()
    first, second, third = several(stack, 3, room=where)
    channel = make_channel(stack, hook, rooms=[where])
    first.dry()
    assert hook.next().told() == [("fired", first.name)]
    becomes(first, ("fired", "sent"))
    second.dry()
    assert flush(stack, hook, channel) == [("fired", first.name)]
    assert states(second) == [("fired", "waiting")]
    third.parched()
    wait_until(lambda: ("fired", third.name) in hook.told(), PATIENCE, "what is critical is told at once")
    first.fine()
    wait_until(lambda: ("resolved", first.name) in hook.told(), PATIENCE, "and so is what is over")
    if ("fired", second.name) not in hook.told():
        stack.sql(f"UPDATE messages SET created_at = created_at - interval '6 minutes', "
                   f"finished_at = finished_at - interval '6 minutes' WHERE channel_id = '{channel['id']}'")
        due_now(stack, channel)
    wait_until(lambda: ("fired", second.name) in hook.told(), PATIENCE, "the second is told in the end")
    assert [one for one in hook.told() if one == ("fired", second.name)] == [("fired", second.name)]
