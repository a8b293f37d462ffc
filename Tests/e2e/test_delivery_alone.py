"""Notifications, by tests that need a stack for themselves: they change the settings, kill, or start a second backend."""

import threading
import uuid

import pytest

from support.alerts import (
    PARCHED, Pot, around_now, becomes, delivery, due_now, elsewhen, flush, make_channel, put_settings, several)
from support.discord import PATIENCE, Hanging, Inbox, failing
from support.times import now_us, rfc3339
from support.waiting import wait_until


@pytest.fixture
def hook(inbox):
    return inbox.hook()


@pytest.fixture
def pot(alerting):
    return Pot(alerting)


@pytest.fixture
def channel(alerting, hook, pot):
    """Told of `pot` only."""
    return make_channel(alerting, hook, pot, secret="known to both sides")


# Settings.


def test_without_a_cooldown_everything_is_told(alerting, hook, pot, channel):
    put_settings(alerting, cooldown_minutes=0)
    for _ in range(2):
        pot.dry()
        assert hook.next().told() == [("fired", pot.name)]
        becomes(pot, ("fired", "sent"), alert_id=pot.alerts()[0]["id"])
        assert alerting.value(f"SELECT remind_at FROM alerts WHERE id = '{pot.alerts()[0]['id']}'") is None, "and no reminders"
        pot.fine()
        assert hook.next().told() == [("resolved", pot.name)]
        # Another one of the same group would wait.
        alerting.sql(f"UPDATE messages SET created_at = created_at - interval '6 minutes', "
                      f"finished_at = finished_at - interval '6 minutes' WHERE channel_id = '{channel['id']}'")


def test_quiet_hours_of_the_settings_count_for_channels_that_follow_them(alerting, inbox, pot):
    following, own, other_time = inbox.hook(), inbox.hook(), inbox.hook()
    put_settings(alerting, quiet_hours=around_now("America/St_Johns"))
    channel = make_channel(alerting, following, pot)
    make_channel(alerting, own, pot, inherits_quiet_hours=False)
    make_channel(alerting, other_time, pot, quiet_hours=elsewhen())
    pot.dry()
    own.until_told(("fired", pot.name))
    other_time.until_told(("fired", pot.name))
    assert flush(alerting, following, channel) == []
    put_settings(alerting, quiet_hours=None)
    due_now(alerting, channel)
    wait_until(lambda: ("fired", pot.name) in following.told(), PATIENCE, "it is told when they are over")


# Whatever breaks.


def publish_dry(pot):
    """Without waiting for what comes of it."""
    pot.device.publish({"timestamp": rfc3339(pot.next_instant()), "soil_moisture": PARCHED})


def test_an_address_that_is_no_longer_allowed_is_not_reached(breakable, inbox):
    """The settings changed after the channel was made: what counts is what is allowed when something is sent."""
    hook = inbox.hook()
    pot = Pot(breakable)
    channel = make_channel(breakable, hook, pot)
    pot.dry()
    hook.wait_for(1)
    breakable.stop("backend")
    with breakable.serve(CHANNEL_ALLOWED_HOSTS=None) as served:
        served.ready()
        pot.parched()

        def given_up():
            found = served.api.ok("GET", f"/channels/{channel['id']}")["delivery"]
            return found["failed"] == 1 and found

        shown = wait_until(given_up, PATIENCE, "it is given up")
        assert shown["last_error"]
        assert served.api.post(f"/channels/{channel['id']}/test").status_code == 502
    assert len(hook.received) == 1


def test_a_message_is_not_lost_whenever_the_backend_is_killed_and_what_piled_up_is_one_summary(breakable, inbox):
    """After the reading was stored but before anything was put together; while the other side cannot be reached; and
    while the other side has the message but has not answered. Only in the last case may it come twice, as the same."""
    hanging, unreachable, early, piled = inbox.hook(), inbox.hook(), inbox.hook(), inbox.hook()
    unreachable.url = f"http://127.0.0.1:{breakable.spare_port}{unreachable.path}"
    pot, other, *more = several(breakable, 5)
    for one in more:
        one.fine()
    make_channel(breakable, hanging, pot)
    make_channel(breakable, piled, *more)
    failing_channel = make_channel(breakable, unreachable, pot)
    make_channel(breakable, early, other)
    silence = hanging.then(Hanging())
    pot.dry()
    hanging.wait_for(1)
    wait_until(lambda: delivery(breakable, failing_channel)["last_error"], PATIENCE, "the other one cannot be reached")
    other.dry()
    breakable.kill("backend")
    killed = now_us()
    assert early.received == []
    silence.release()
    for one in more:
        publish_dry(one)
    wait_until(lambda: now_us() - killed > 15_000_000, 20, "it was away for 15 s", every=0.5)
    with Inbox(breakable.spare_port) as late:
        late.adopt(unreachable)
        breakable.start("backend")
        breakable.ready()
        early.until_told(("fired", other.name))
        piled.until_told(*[("fired", one.name) for one in more])
        assert len(piled.received) == 1, "three plants without a room, and one message"
        unreachable.until_told(("fired", pot.name))
        first, again = hanging.wait_for(2)[:2]
        assert (again.id, again.body) == (first.id, first.body)
        becomes(pot, ("fired", "sent"), ("fired", "sent"))
        pot.fine()
        other.fine()
        for hook, name in ((early, other.name), (unreachable, pot.name), (hanging, pot.name)):
            hook.until_told(("fired", name), ("resolved", name))
        assert len(early.received) == len(unreachable.received) == 2, "once each"
        assert [request.told()[0][0] for request in hanging.received] == ["fired", "fired", "resolved"]
    inbox.adopt(unreachable)


def test_a_message_that_was_being_sent_when_the_backend_was_told_to_stop_arrives(breakable, inbox):
    hook = inbox.hook()
    pot = Pot(breakable)
    make_channel(breakable, hook, pot)
    silence = hook.then(Hanging())
    pot.dry()
    hook.wait_for(1)
    threading.Timer(1.5, silence.release).start()
    breakable.kill("backend", 15)
    breakable.start("backend")
    breakable.ready()
    becomes(pot, ("fired", "sent"))
    assert len({request.id for request in hook.received}) == 1
    pot.fine()
    hook.until_told(("fired", pot.name), ("resolved", pot.name))


def test_an_outage_of_the_database_loses_nothing_and_its_end_is_one_summary(breakable, inbox):
    hook, slow = inbox.hook(), inbox.hook()
    early, *pots = several(breakable, 4)
    make_channel(breakable, hook, *pots)
    make_channel(breakable, slow, early)
    for pot in pots:
        pot.fine()
    silence = slow.then(Hanging())
    early.dry()
    slow.wait_for(1)
    breakable.stop("postgres")
    stopped = now_us()
    silence.release()  # It was taken, but that cannot be written down.
    for pot in pots:
        publish_dry(pot)
    wait_until(lambda: now_us() - stopped > 15_000_000, 20, "it was away for 15 s", every=0.5)
    breakable.start("postgres")
    breakable.ready()
    hook.until_told(*[("fired", pot.name) for pot in pots])
    assert len(hook.received) == 1
    becomes(early, ("fired", "sent"))
    assert len({(request.id, request.body) for request in slow.received}) == 1
    early.fine()
    slow.until_told(("fired", early.name), ("resolved", early.name))


def test_two_backends_send_each_message_once(alerting, inbox):
    hooks = [inbox.hook() for _ in range(8)]
    pot = Pot(alerting)
    with alerting.serve(MQTT_CLIENT_ID=f"second-{uuid.uuid4().hex[:6]}") as second:
        second.ready()
        for hook in hooks:
            make_channel(alerting, hook, pot)
        hooks[0].then(failing(500))
        pot.dry()
        for hook in hooks:
            hook.until_told(("fired", pot.name))
        pot.parched()
        pot.fine()
        for hook in hooks:
            hook.until_told(("fired", pot.name), ("escalated", pot.name), ("resolved", pot.name))
    counts = [len(hook.received) for hook in hooks]
    assert all(len({request.id for request in hook.received}) == len(hook.received) for hook in hooks[1:]), counts
    assert len({request.id for request in hooks[0].received}) == len(hooks[0].received) - 1
    assert alerting.value("SELECT count(*) FROM alerts WHERE plant_id = '%s'" % pot.id) == 1
