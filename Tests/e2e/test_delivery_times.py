"""When notifications are held back: not too often, and not now."""

import pytest

from support.alerts import (
    PARCHED, Pot, acknowledge, around_now, becomes, change_channel, due_now, flush, make_channel, one_of_each, several, states)
from support.discord import PATIENCE
from support.together import Together
from support.waiting import wait_until

together = Together()


@pytest.fixture(scope="module")
def results(request, shared_alerting_stack, inbox):
    yield from together.run(request, shared_alerting_stack, inbox)


# Not too often.


@together
def test_what_fires_again_soon_is_not_told_again(stack, inbox):
    hook, pot, channel = one_of_each(stack, inbox)
    pot.dry()
    hook.wait_for(1)
    becomes(pot, ("fired", "sent"))
    pot.fine()
    hook.wait_for(2)
    for _ in range(2):
        pot.dry()
        again = pot.alerts()[0]
        assert (again["state"], states(pot, again["id"])) == ("firing", [("fired", "waiting")])
        pot.fine()
        wait_until(lambda: {state for _, state in states(pot, again["id"])} <= {"cancelled"}, PATIENCE, "nobody needs to know")
    assert flush(stack, hook, channel) == [("fired", pot.name), ("resolved", pot.name)]


@together
def test_what_fires_again_soon_is_told_when_it_still_does_after_the_cooldown(stack, inbox):
    hook, pot, channel = one_of_each(stack, inbox)
    pot.dry()
    hook.wait_for(1)
    becomes(pot, ("fired", "sent"))
    pot.fine()
    hook.wait_for(2)
    pot.dry()
    again = pot.alerts()[0]
    due = stack.value(f"SELECT extract(epoch FROM due_at - now()) FROM notifications WHERE alert_id = '{again['id']}'")
    assert 50 * 60 < due <= 60 * 60
    due_now(stack, channel)
    third = hook.wait_for(3)[2]
    assert third.told() == [("fired", pot.name)] and third.notices[0]["alert_id"] == again["id"]
    pot.fine()
    assert hook.wait_for(4)[3].told() == [("resolved", pot.name)]


def remind(stack, alert_id):
    """As if the time of the next reminder had come. Returns how far off it was, in minutes."""
    minutes = stack.value(f"SELECT extract(epoch FROM remind_at - now()) / 60 FROM alerts WHERE id = '{alert_id}'")
    stack.sql(f"UPDATE alerts SET remind_at = now() - interval '1 second' WHERE id = '{alert_id}' AND remind_at IS NOT NULL")
    return minutes


@together
def test_who_does_nothing_is_reminded_ever_more_seldom_and_who_acknowledges_is_not(stack, inbox):
    hook, pot, channel = one_of_each(stack, inbox)
    pot.dry()
    hook.next()
    becomes(pot, ("fired", "sent"))
    found = pot.alert()["id"]
    wanted = [("fired", "sent")]
    for expected in (60, 120):
        assert remind(stack, found) == pytest.approx(expected, abs=2)
        request = hook.next()
        assert request.told() == [("reminder", pot.name)] and request.notices[0]["alert_id"] == found
        wanted.append(("reminder", "sent"))
        becomes(pot, *wanted)
    assert remind(stack, found) == pytest.approx(240, abs=2)
    acknowledge(stack, found)
    reminded = hook.told().count(("reminder", pot.name))
    remind(stack, found)
    pot.fine()
    wait_until(lambda: ("resolved", pot.name) in hook.told(), PATIENCE, "that it is over is told all the same")
    assert [event for event, _ in flush(stack, hook, channel)] == ["fired"] + ["reminder"] * reminded + ["resolved"]


@together
def test_an_alert_that_is_acknowledged_before_it_was_told_is_not_told(stack, inbox):
    hook, pot, channel = one_of_each(stack, inbox)
    pot.dry()
    acknowledge(stack, pot.alert()["id"])
    becomes(pot, ("fired", "cancelled"))
    pot.fine()
    assert flush(stack, hook, channel) == []
    assert pot.state() == "resolved"


@together
def test_that_it_grew_worse_is_told_at_once(stack, inbox):
    hook, pot, channel = one_of_each(stack, inbox)
    pot.dry()
    assert hook.next().told() == [("fired", pot.name)]
    becomes(pot, ("fired", "sent"))
    pot.parched()
    request = hook.next()
    assert request.told() == [("escalated", pot.name)]
    assert (request.notices[0]["severity"], request.notices[0]["value"]) == ("critical", PARCHED)
    pot.soil(4, 3)
    assert flush(stack, hook, channel) == [("fired", pot.name), ("escalated", pot.name)]


@together
def test_who_wants_only_what_is_critical_hears_of_it_when_it_becomes_so(stack, inbox):
    hook, pot = inbox.hook(), Pot(stack)
    make_channel(stack, hook, pot, min_severity="critical")
    pot.dry()
    pot.parched()
    (request,) = hook.wait_for(1)
    assert [notice["severity"] for notice in request.notices] == ["critical"]
    pot.fine()
    assert hook.wait_for(2)[1].told() == [("resolved", pot.name)]


# Not now.


@together
def test_a_snoozed_plant_is_told_of_when_the_snooze_ends_if_it_still_fires(stack, inbox):
    hook = inbox.hook()
    still, over, told = several(stack, 3)
    channel = make_channel(stack, hook, still, over, told)
    told.dry()
    hook.wait_for(1)
    becomes(told, ("fired", "sent"))
    for pot in (still, over, told):
        pot.snooze(60)
    still.parched()
    over.dry().fine()
    remind(stack, told.alert()["id"])
    assert flush(stack, hook, channel) == [("fired", told.name)]
    for pot in (still, over, told):
        pot.snooze(0)
    wait_until(lambda: ("fired", still.name) in hook.told(), PATIENCE, "what still fires is told")
    seen = flush(stack, hook, channel)
    assert ("fired", over.name) not in seen and ("resolved", over.name) not in seen
    assert seen.count(("fired", told.name)) == 1


@together
def test_a_snooze_that_runs_out_is_like_one_that_is_ended(stack, inbox):
    hook, pot, channel = one_of_each(stack, inbox)
    pot.snooze(60)
    pot.dry()
    assert flush(stack, hook, channel) == []
    stack.sql(f"UPDATE plants SET snoozed_until = now() - interval '1 second' WHERE id = '{pot.id}'")
    due_now(stack, channel)
    wait_until(lambda: hook.told()[-1:] == [("fired", pot.name)], PATIENCE, "it is told then")


def in_quiet_hours(stack, inbox, digest):
    hook = inbox.hook()
    still, over, bad = several(stack, 3)
    channel = make_channel(stack, hook, still, over, bad, quiet_hours=around_now(), digest=digest)
    still.dry()
    over.dry().fine()
    bad.parched()
    wait_until(lambda: ("fired", bad.name) in hook.told(), PATIENCE, "what is critical is told")
    assert flush(stack, hook, channel) == [("fired", bad.name)]
    assert states(still) == [("fired", "waiting")]
    due = stack.value(f"SELECT extract(epoch FROM due_at - now()) / 60 FROM notifications "
                         f"WHERE alert_id = '{still.alert()['id']}'")
    assert due == pytest.approx(60, abs=2), "until the quiet hours end"
    bad.fine()
    change_channel(stack, channel, quiet_hours=None, inherits_quiet_hours=False)
    due_now(stack, channel)
    wait_until(lambda: ("fired", still.name) in hook.told(), PATIENCE, "what still fires is told")
    seen = flush(stack, hook, channel)
    assert seen.count(("fired", still.name)) == 1 and ("resolved", bad.name) in seen
    if digest:
        assert ("fired", over.name) in seen and ("resolved", over.name) in seen
        (message,) = [request for request in hook.delivered() if request.json["kind"] == "digest"]
        assert {("fired", still.name), ("fired", over.name), ("resolved", over.name)} <= set(message.told())
    else:
        assert not [one for one in seen if one[1] == over.name]
        assert {state for _, state in states(over)} <= {"skipped", "cancelled"}
        assert {request.json["kind"] for request in hook.delivered()} == {"alerts"}


@together
def test_in_quiet_hours_only_what_is_critical_is_told_and_at_their_end_what_still_fires(stack, inbox):
    in_quiet_hours(stack, inbox, digest=False)


@together
def test_with_a_digest_everything_is_told_at_the_end_of_the_quiet_hours(stack, inbox):
    in_quiet_hours(stack, inbox, digest=True)
