"""Channels: where notifications go, what they may reach, and that nobody reads their addresses and secrets."""

import json
import re
import secrets
import socket
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.alerts import Pot, change_channel, delivery, make_channel
from support.api import CORRELATION, UUID_V7, assert_problem
from support.discord import Answer, Hanging, Inbox, failing, gone, ok, redirect, reset, too_many, trickle
from support.people import tables_with
from support.times import now_us, parse
from support.waiting import wait_until

NOBODY = "01890000-0000-7000-8000-000000000000"
KEYS = {"id", "kind", "name", "url", "secret", "min_severity", "plant_ids", "rooms", "enabled", "quiet_hours",
        "inherits_quiet_hours", "digest", "created_at", "updated_at", "delivery"}
DISCORD = "https://discord.com/api/webhooks/1234567890/"
PUBLIC = "https://93.184.215.14/"  # Not a name, so that nobody has to be asked for its address.
QUIET = {"from": "22:00", "to": "07:00", "time_zone": "Europe/Berlin"}


@pytest.fixture
def hook(inbox):
    return inbox.hook()


@pytest.fixture
def discord(inbox):
    return inbox.hook("discord")


def post(stack, **fields):
    return stack.api.post("/channels", json={"kind": "webhook", "name": "Test", **fields})


def pointers(answer):
    return sorted(error["pointer"] for error in assert_problem(answer, 422)["errors"])


def try_out(stack, channel):
    return stack.api.post(f"/channels/{channel['id']}/test")


@pytest.fixture
def bare(stack):
    """The stack that may reach no private address; no channel stays behind."""
    yield stack
    for channel in stack.api.ok("GET", "/channels?limit=500")["channels"]:
        stack.api.ok("DELETE", f"/channels/{channel['id']}", 204)


# Made, shown, changed and removed.


def test_a_channel_comes_back_as_it_was_made_but_masked(alerting, hook):
    pot = Pot(alerting, devices=0)
    secret = "a secret of somebody's own 123"
    answer = post(alerting, url=hook.url, secret=secret, name="Müller's \U0001F331", min_severity="critical",
                  plant_ids=[pot.id], rooms=["Kitchen", "Hall"], enabled=False, quiet_hours=QUIET, inherits_quiet_hours=False,
                  digest=True)
    made = answer.json()
    assert answer.status_code == 201 and answer.headers["Location"] == f"/api/channels/{made['id']}"
    assert made.keys() == KEYS and UUID_V7.match(made["id"]) and parse(made["created_at"]) <= now_us()
    assert {key: made[key] for key in KEYS - {"id", "created_at", "updated_at"}} == {
        "kind": "webhook", "name": "Müller's \U0001F331", "url": f"http://{hook.server.host}/…{hook.token[-4:]}",
        "secret": "… 123", "min_severity": "critical", "plant_ids": [pot.id], "rooms": ["Kitchen", "Hall"], "enabled": False,
        "quiet_hours": QUIET, "inherits_quiet_hours": False, "digest": True,
        "delivery": {"waiting": 0, "failed": 0, "last_delivered_at": None, "last_error": None, "last_error_at": None}}
    assert made == alerting.api.ok("GET", f"/channels/{made['id']}")
    assert made in alerting.api.ok("GET", "/channels")["channels"]


def test_what_is_not_said_of_a_channel_is_as_described(bare):
    made = bare.api.ok("POST", "/channels", 201, json={"kind": "discord", "name": "D", "url": DISCORD + "abcdefghwxyz"})
    assert made["url"] == "https://discord.com/…wxyz"
    assert (made["secret"], made["min_severity"], made["plant_ids"], made["rooms"], made["enabled"]) == (
        None, "warning", None, None, True)
    assert (made["quiet_hours"], made["inherits_quiet_hours"], made["digest"]) == (None, True, None)


def test_a_webhook_without_a_secret_is_given_one_that_is_shown_this_once(alerting, hook):
    made = make_channel(alerting, hook)
    secret = made["secret"]
    assert len(secret) >= 32
    shown = alerting.api.ok("GET", f"/channels/{made['id']}")
    assert shown == {**made, "secret": "…" + secret[-4:]}
    assert make_channel(alerting, hook)["secret"] != secret
    try_out(alerting, made)
    (request,) = hook.received
    assert request.is_signed_with(secret)


def test_absent_fields_stay_and_null_clears(alerting, hook):
    pot = Pot(alerting, devices=0)
    made = make_channel(alerting, hook, pot, secret="first secret of it", rooms=["Hall"], quiet_hours=QUIET, digest=True,
                        inherits_quiet_hours=False)
    assert made["secret"] == "…f it"
    changed = change_channel(alerting, made, name="Other")
    assert {**changed, "updated_at": 0} == {**made, "name": "Other", "updated_at": 0}
    assert parse(changed["updated_at"]) > parse(made["updated_at"])
    changed = change_channel(alerting, made, plant_ids=None, rooms=None, quiet_hours=None, digest=None, secret=None)
    assert {key: changed[key] for key in ("plant_ids", "rooms", "quiet_hours", "digest", "secret")} == dict.fromkeys(
        ("plant_ids", "rooms", "quiet_hours", "digest", "secret"))
    assert changed["inherits_quiet_hours"] is False
    try_out(alerting, made)
    assert "X-PlantOps-Signature" not in hook.received[0].headers
    assert change_channel(alerting, made, secret="second secret of it!")["secret"] == "… it!"
    try_out(alerting, made)
    assert hook.received[1].is_signed_with("second secret of it!")
    other = hook.server.hook()
    assert change_channel(alerting, made, url=other.url)["url"].endswith(other.token[-4:])
    try_out(alerting, made)
    assert (len(hook.received), len(other.received)) == (2, 1)
    assert other.received[0].is_signed_with("second secret of it!")
    assert change_channel(alerting, made, kind="webhook", enabled=False)["enabled"] is False


def test_channels_are_listed_in_pages(bare):
    made = [post(bare, url=f"{PUBLIC}{n}", name=f"Channel {n}").json()["id"] for n in range(5)]
    pages = []
    for offset in (0, 2, 4):
        page = bare.api.ok("GET", f"/channels?limit=2&offset={offset}")
        assert page["total"] == 5
        pages += [channel["id"] for channel in page["channels"]]
    assert sorted(pages) == sorted(made)
    for query in ("limit=0", "limit=x", "offset=-1"):
        assert_problem(bare.api.get(f"/channels?{query}"), 422)


def test_there_are_at_most_50_channels(bare):
    for n in range(50 - bare.api.ok("GET", "/channels")["total"]):
        assert post(bare, url=f"{PUBLIC}{n}").status_code == 201
    assert_problem(post(bare, url=PUBLIC + "one-too-many"), 409)
    channels = bare.api.ok("GET", "/channels?limit=500")
    assert channels["total"] == 50
    bare.api.ok("DELETE", f"/channels/{channels['channels'][0]['id']}", 204)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: post(bare, url=f"{PUBLIC}{n}").status_code, range(8)))
    assert sorted(answers) == [201] + [409] * 7, "nor by coming all at once"


GOOD = {"kind": "webhook", "name": "Test", "url": PUBLIC + "x"}


@pytest.mark.parametrize("change, wrong", [
    ({"kind": None}, ["/kind"]), ({"kind": "email"}, ["/kind"]), ({"kind": 1}, ["/kind"]), ({"kind": "Discord"}, ["/kind"]),
    ({"name": None}, ["/name"]), ({"name": ""}, ["/name"]), ({"name": "x" * 101}, ["/name"]), ({"name": 1}, ["/name"]),
    ({"url": None}, ["/url"]), ({"secret": ""}, ["/secret"]), ({"secret": 5}, ["/secret"]), ({"secret": "x" * 5000}, ["/secret"]),
    ({"min_severity": "info"}, ["/min_severity"]), ({"min_severity": None}, ["/min_severity"]),
    ({"plant_ids": "all"}, ["/plant_ids"]), ({"plant_ids": [1]}, ["/plant_ids"]), ({"plant_ids": ["x"]}, ["/plant_ids"]),
    ({"plant_ids": [NOBODY]}, ["/plant_ids"]), ({"plant_ids": {}}, ["/plant_ids"]),
    ({"rooms": "Hall"}, ["/rooms"]), ({"rooms": [1]}, ["/rooms"]), ({"rooms": [""]}, ["/rooms"]),
    ({"rooms": ["x" * 101]}, ["/rooms"]), ({"enabled": "yes"}, ["/enabled"]), ({"enabled": None}, ["/enabled"]),
    ({"inherits_quiet_hours": 1}, ["/inherits_quiet_hours"]), ({"digest": "no"}, ["/digest"]),
    ({"quiet_hours": {"from": "22:00"}}, ["/quiet_hours/time_zone", "/quiet_hours/to"]),
    ({"quiet_hours": {**QUIET, "to": "22:00"}}, ["/quiet_hours/to"]),
    ({"quiet_hours": {**QUIET, "time_zone": "Mars"}}, ["/quiet_hours/time_zone"]), ({"quiet_hours": 5}, ["/quiet_hours"]),
    ({"kind": "discord", "secret": "discord knows no secret"}, ["/secret"]),
    ({"kind": "x", "name": 1, "url": 2, "digest": 3}, ["/digest", "/kind", "/name", "/url"]),
])
def test_a_channel_that_cannot_be_is_refused_with_every_reason(bare, change, wrong):
    body = {**GOOD, **change}
    found = pointers(bare.api.post("/channels", json=body))
    assert [re.sub(r"^(/plant_ids|/rooms)/\d+$", r"\1", pointer) for pointer in found] == wrong
    made = bare.api.ok("POST", "/channels", 201, json=GOOD)
    if "kind" not in change:
        assert pointers(bare.api.put(f"/channels/{made['id']}", json=change)) == found
    assert bare.api.ok("GET", f"/channels/{made['id']}") == {**made, "secret": "…" + made["secret"][-4:]}
    assert bare.api.ok("GET", "/channels")["total"] == 1


@pytest.mark.parametrize("missing", ["kind", "name", "url"])
def test_a_channel_needs_kind_name_and_address(bare, missing):
    body = {key: value for key, value in GOOD.items() if key != missing}
    assert pointers(bare.api.post("/channels", json=body)) == [f"/{missing}"]
    assert pointers(bare.api.post("/channels", json={})) == ["/kind", "/name", "/url"]


def test_the_kind_of_a_channel_is_for_ever(bare):
    made = bare.api.ok("POST", "/channels", 201, json=GOOD)
    assert pointers(bare.api.put(f"/channels/{made['id']}", json={"kind": "discord"})) == ["/kind"]
    discord = bare.api.ok("POST", "/channels", 201, json={"kind": "discord", "name": "D", "url": DISCORD + "x" * 20})
    assert pointers(bare.api.put(f"/channels/{discord['id']}", json={"secret": "discord knows none"})) == ["/secret"]
    assert pointers(bare.api.put(f"/channels/{discord['id']}", json={"kind": "webhook"})) == ["/kind"]


def test_only_members_see_and_change_channels(alerting, hook):
    made = make_channel(alerting, hook)
    path = f"/channels/{made['id']}"
    member, viewer = (alerting.api.as_(alerting.make_token(role)) for role in ("member", "viewer"))
    for method, path, body in (("GET", "/channels", None), ("POST", "/channels", GOOD), ("GET", path, None),
                               ("PUT", path, {"name": "x"}), ("DELETE", path, None), ("POST", path + "/test", None)):
        assert_problem(viewer.request(method, path, json=body), 403)
        assert_problem(alerting.stranger.request(method, path, json=body), 401)
    assert hook.received == []
    assert member.ok("GET", f"/channels/{made['id']}")["name"] == "Test"
    assert member.ok("PUT", f"/channels/{made['id']}", json={"name": "x"})["name"] == "x"
    assert member.ok("POST", f"/channels/{made['id']}/test")["delivered"] is True
    member.ok("DELETE", f"/channels/{made['id']}", 204)


# What may be reached.


@pytest.mark.parametrize("url", [
    "http://example.org/x", "https://127.0.0.1/x", "https://127.0.0.1:8443/x", "https://127.1/x", "https://127.1.2.3/x",
    "https://0.0.0.0/", "https://0/", "https://10.0.0.1/x", "https://172.16.0.1/x", "https://172.31.255.255/x",
    "https://192.168.1.10/x", "https://169.254.169.254/latest/meta-data", "https://100.64.0.1/", "https://198.18.0.1/",
    "https://192.0.2.1/", "https://224.0.0.1/", "https://255.255.255.255/", "https://240.0.0.1/", "https://[::1]/x",
    "https://[::]/x", "https://[::ffff:127.0.0.1]/x", "https://[::ffff:7f00:1]/", "https://[::ffff:10.0.0.1]/x",
    "https://[fe80::1]/x", "https://[fe80::1%25eth0]/x", "https://[fc00::1]/x", "https://[fd12:3456::1]/",
    "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://[ff02::1]/", "https://2130706433/x",
    "https://0x7f000001/x", "https://0x7f.0.0.1/", "https://0177.0.0.1/x", "https://017700000001/", "https://①②⑦.⓪.⓪.①/",
    "https://user:pass@example.org/x", "https://user@example.org/x", "https://example.org/x#part", "https://example.org@127.0.0.1/",
    "file:///etc/passwd", "ftp://example.org/x", "gopher://example.org/", "javascript:alert(1)", "data:text/plain,x",
    "//example.org/x", "/x", "example.org/x", "nonsense", "", "https://", "https:///x", "https:example.org", "https://:443/x",
    "https://exa mple.org/", "https://example.org:0/", "https://example.org:99999/", "https://example.org:x/",
    "https://example.org/\nHost: evil", "https://example.org\\@127.0.0.1/", "https://example.org/\u0000",
    "https://example.org/" + "x" * 5000, 7, [], {"href": "https://example.org"},
])
def test_an_address_that_is_not_public_https_is_refused_and_not_repeated(bare, url):
    answer = post(bare, url=url)
    assert pointers(answer) == ["/url"]
    if isinstance(url, str) and len(url) > 12:
        assert url not in answer.text
    made = bare.api.ok("POST", "/channels", 201, json=GOOD)
    assert pointers(bare.api.put(f"/channels/{made['id']}", json={"url": url})) == ["/url"]
    assert bare.api.ok("GET", f"/channels/{made['id']}")["url"] == made["url"]


@pytest.mark.parametrize("url", ["https://example.org", "https://example.org/", "https://example.org:8443/x?a=b&c=%20d",
                                 "HTTPS://Example.ORG/x", "https://xn--mller-kva.example/x", "https://93.184.215.14/x",
                                 "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/x", DISCORD + "token"])
def test_an_address_that_is_public_https_is_taken(bare, url):
    assert post(bare, url=url).status_code == 201


@pytest.mark.parametrize("host", ["localhost", socket.gethostname(), "localhost."])
def test_a_name_that_leads_to_a_private_address_is_not_reached(alerting, inbox, host):
    """Whether the name is looked at when the channel is made or when something is sent: nothing gets there."""
    connections = inbox.connections
    for scheme in ("http", "https"):
        answer = post(alerting, url=f"{scheme}://{host}:{inbox.port}/x")
        if answer.status_code == 201:
            assert scheme == "https"
            said = try_out(alerting, answer.json())
            assert "address" in assert_problem(said, 502)["detail"].lower()
        else:
            assert pointers(answer) == ["/url"]
    assert inbox.connections == connections


def test_only_the_allowed_port_of_the_allowed_host_is_reached(alerting, inbox, hook):
    with Inbox() as neighbour:
        assert pointers(post(alerting, url=f"{neighbour.url}/x")) == ["/url"]
        assert pointers(post(alerting, url=f"http://127.0.0.2:{inbox.port}/x")) == ["/url"]
        assert pointers(post(alerting, url="http://127.0.0.1/x")) == ["/url"]
        assert post(alerting, url=hook.url).status_code == 201
        assert neighbour.connections == 0


def test_the_way_an_allowed_host_is_spelt_makes_no_hole(alerting, inbox):
    connections = inbox.connections
    for host in ("127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::ffff:127.0.0.1]", "0", "127.0.0.1.", "127.0.0.1%00"):
        answer = post(alerting, url=f"http://{host}:{inbox.port}/x")
        assert pointers(answer) == ["/url"], host
    for user in ("user", "user:pass", f"127.0.0.1:{inbox.port}"):
        assert pointers(post(alerting, url=f"http://{user}@127.0.0.1:{inbox.port}/x")) == ["/url"]
    assert inbox.connections == connections


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_wherever_it_leads(alerting, inbox, hook, status):
    with Inbox() as elsewhere:
        made = make_channel(alerting, hook)
        allowed, forbidden = inbox.hook(), elsewhere.hook()
        for target in (allowed.url, forbidden.url, "/x"):
            hook.then(redirect(target, status))
            problem = assert_problem(try_out(alerting, made), 502)
            assert str(status) in problem["detail"] and allowed.token not in json.dumps(problem)
        assert len(hook.received) == 3 and allowed.received == [] and elsewhere.connections == 0
        assert not [request for request in inbox.stray if request.path == "/x"]


@pytest.mark.parametrize("hosts", ["http://example.org", "example.org:port", "example.org:99999", "example.org:0", "a b",
                                   "example.org/x", "*", "user@example.org", "[::1", ":80", "example.org:"])
def test_allowed_hosts_that_cannot_be_are_said_by_name_and_the_status_is_78(stack, hosts):
    done = stack.program("serve", CHANNEL_ALLOWED_HOSTS=f"127.0.0.1, {hosts}")
    assert done.returncode == 78
    assert "CHANNEL_ALLOWED_HOSTS" in done.stderr


@pytest.mark.parametrize("url", ["hush", "http://discord.com/api/webhooks/1/hush", "https://127.0.0.1/hush",
                                 "https://user:hush@discord.com/api/webhooks/1/x", "ftp://discord.com/hush"])
def test_a_first_channel_that_cannot_be_is_said_without_its_address_and_the_status_is_78(stack, url):
    done = stack.program("serve", DISCORD_WEBHOOK_URL=url)
    assert done.returncode == 78
    assert "DISCORD_WEBHOOK_URL" in done.stderr and "hush" not in done.stdout + done.stderr


# Trying a channel.


def test_a_webhook_is_tried_at_once_and_signed(alerting, hook):
    made = make_channel(alerting, hook, secret="known to both sides")
    answer = alerting.api.ok("POST", f"/channels/{made['id']}/test", 200)
    assert answer.keys() == {"delivered", "status", "milliseconds"}
    assert (answer["delivered"], answer["status"]) == (True, 204) and answer["milliseconds"] >= 0
    (request,) = hook.received
    assert request.method == "POST" and request.headers["Content-Type"].split(";")[0] == "application/json"
    assert (request.json["kind"], request.json["notices"], request.json["omitted"]) == ("test", [], 0)
    assert request.json["id"] == request.id and UUID_V7.match(request.id) and request.json["summary"]
    assert request.is_signed_with("known to both sides") and not request.is_signed_with("known to both sides ")
    assert abs(int(request.headers["X-PlantOps-Timestamp"]) - request.unix) < 60
    shown = delivery(alerting, made)
    assert (shown["waiting"], shown["failed"], shown["last_error"]) == (0, 0, None), "a test is no message that waits"


def test_discord_is_tried_with_a_message_people_can_read(alerting, discord):
    made = make_channel(alerting, discord, name="Our server")
    alerting.api.ok("POST", f"/channels/{made['id']}/test", 200)
    (request,) = discord.received
    assert request.path == discord.path, "nothing is added to the address"
    assert request.json["username"] == "PlantOps" and request.json["allowed_mentions"] == {"parse": []}
    assert 1 <= len(request.embeds) <= 10 and request.text()
    assert not [name for name in request.headers if name.lower().startswith("x-plantops-")]


@pytest.mark.parametrize("answer, said", [
    (failing(500), "500"), (failing(404), "404"), (gone(), "404"), (failing(401), "401"), (too_many(2), "429"), (reset(), ""),
    (ok(301, Location="/x"), "301"), (Answer(200, body=b"x" * (30 << 20)), None)],
    ids=["500", "404", "gone", "401", "429", "reset", "redirect", "30-MiB"])
def test_a_test_that_fails_says_why(alerting, hook, answer, said):
    hook.then(answer)
    made = make_channel(alerting, hook)
    before = alerting.memory()
    outcome = try_out(alerting, made)
    assert len(hook.received) == 1, "it is tried once"
    if said is None:
        assert outcome.status_code in (200, 502)
        assert alerting.memory() - before < 25 << 20, "nobody wants to read that"
        return
    problem = assert_problem(outcome, 502)
    assert said in problem["detail"] and len(problem["detail"]) > 10
    assert hook.token not in outcome.text and hook.path not in outcome.text
    shown = alerting.api.get(f"/channels/{made['id']}")
    assert hook.token not in shown.text
    # The next one is another matter.
    assert try_out(alerting, made).status_code == 200
    assert delivery(alerting, made)["last_error"] is None


def test_a_test_of_a_channel_that_says_nothing_ends_all_the_same(alerting, inbox, hook):
    hanging, trickling = inbox.hook(), inbox.hook("discord")
    hanging.then(Hanging())
    trickling.then(trickle())
    closed = inbox.hook()
    closed.url = f"http://127.0.0.1:{alerting.spare_port}/x"
    channels = [make_channel(alerting, one) for one in (hanging, trickling, closed, hook)]
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(try_out, alerting, channel) for channel in channels]
        assert answers[3].result().status_code == 200
        assert not answers[0].done(), "which was not held up by the others"
        assert_problem(answers[2].result(), 502)
        assert alerting.api.ok("GET", "/channels")["total"] == 4
        for answer in answers[:2]:
            assert answer.result().status_code in (502, 200)
        assert_problem(answers[0].result(), 502)


def test_a_channel_that_is_off_can_be_tried(alerting, hook):
    made = make_channel(alerting, hook, enabled=False)
    assert try_out(alerting, made).status_code == 200
    assert len(hook.received) == 1


# Who is told of what.


def test_channels_are_told_of_what_they_asked_for(alerting, inbox):
    room, other_room = f"Kitchen {uuid.uuid4().hex[:6]}", f"Hall {uuid.uuid4().hex[:6]}"
    mild, bad, elsewhere = Pot(alerting, room=room), Pot(alerting), Pot(alerting, room=other_room)
    asked = {
        "everything": {}, "critical": {"min_severity": "critical"}, "plant": {"plant_ids": [mild.id]}, "room": {"rooms": [room]},
        "either": {"plant_ids": [bad.id], "rooms": [room]}, "critical in the room": {"rooms": [room], "min_severity": "critical"},
        "nothing": {"plant_ids": []}, "no room": {"rooms": []}, "off": {"enabled": False}}
    hooks = {name: inbox.hook() for name in asked}
    for name, fields in asked.items():
        make_channel(alerting, hooks[name], **fields)
    mild.dry()
    bad.parched()
    elsewhere.dry()
    told = {
        "everything": {mild, bad, elsewhere}, "critical": {bad}, "plant": {mild}, "room": {mild}, "either": {mild, bad}}
    for name, pots in told.items():
        wait_until(lambda: len(hooks[name].told()) >= len(pots), 25, f"the channel for {name} is told")
    # The others would have been told by now: everything was due at the same time.
    for name, hook in hooks.items():
        assert sorted(hook.told()) == sorted(("fired", pot.name) for pot in told.get(name, ())), name
    # Who was not told that it fired does not care that it is over.
    for pot in (mild, bad, elsewhere):
        pot.fine()
    for name, pots in told.items():
        hooks[name].until_told(*[(event, pot.name) for pot in pots for event in ("fired", "resolved")])
    for name in asked.keys() - told.keys():
        assert hooks[name].received == []


def test_devices_are_told_of_with_their_plant_and_the_rest_to_who_asked_for_everything(alerting, inbox):
    pot = Pot(alerting, {})
    of_plant, everything, of_another = inbox.hook(), inbox.hook(), inbox.hook()
    make_channel(alerting, of_plant, pot)
    make_channel(alerting, everything)
    make_channel(alerting, of_another, Pot(alerting, {}, devices=0))
    pot.device.publish({"battery": 5}, topic="heartbeat")
    for hook in (of_plant, everything):
        (request,) = hook.wait_for(1)
        (notice,) = request.notices
        assert (notice["event"], notice["kind"], notice["severity"]) == ("fired", "battery_low", "critical")
        assert (notice["plant_id"], notice["device_id"], notice["value"]) == (pot.id, pot.device.id, 5)
    assert of_another.received == []


# Nobody reads addresses and secrets.


def test_addresses_and_secrets_are_nowhere_in_the_clear(alerting, inbox):
    hook, discord, generated = inbox.hook(), inbox.hook("discord"), inbox.hook()
    secret = secrets.token_hex(24)
    pot = Pot(alerting)
    texts = []

    def ask(method, path, **options):
        answer = alerting.api.request(method, path, **options)
        texts.append(answer.text + str(answer.headers))
        return answer

    webhook = ask("POST", "/channels", json={"kind": "webhook", "name": "W", "url": hook.url, "secret": secret,
                                             "plant_ids": [pot.id]}).json()
    chat = ask("POST", "/channels", json={"kind": "discord", "name": "D", "url": discord.url, "plant_ids": [pot.id]}).json()
    made = alerting.api.post("/channels", json={"kind": "webhook", "name": "G", "url": generated.url, "plant_ids": [pot.id]}).json()
    hook.then(failing(500), redirect(hook.url), gone())
    discord.always(redirect(discord.url))
    generated.then(reset(), failing(400))
    pot.dry()
    discord.wait_for(1)
    for one in (webhook, chat, made):
        path = f"/channels/{one['id']}"
        ask("POST", path + "/test")
        ask("PUT", path, json={"name": "Again", "url": f"{hook.url}#part"})
        ask("PUT", path, json={"name": "Again"})
        wait_until(lambda: delivery(alerting, one)["last_error"] or delivery(alerting, one)["last_delivered_at"], 20, "it was tried")
        ask("GET", path)
    ask("GET", "/channels")
    ask("GET", f"/alerts/{pot.alert()['id']}")
    ask("GET", "/audit?limit=500")
    ask("GET", "/health")
    ask("POST", "/channels", json={"kind": "webhook", "name": "W", "url": hook.url, "secret": secret, "min_severity": "x"})
    ask("POST", "/channels", json={"kind": "webhook", "name": "W", "url": hook.url + "#x", "secret": secret})
    ask("POST", "/channels", data='{"url": "' + hook.url, headers={"Content-Type": "application/json"})
    log = alerting.log("backend")
    assert webhook["id"] in log or "channel" in log
    for hidden in (secret, made["secret"], hook.token, discord.token, generated.token, hook.path, discord.path):
        assert not [text for text in texts if hidden in text]
        assert hidden not in log
        assert tables_with(alerting, hidden) == []
        # Nor a good part of it.
        assert not [text for text in texts if hidden[: len(hidden) // 2] in text and len(hidden) > 30]


def test_what_is_done_to_channels_is_in_the_audit_log(alerting, hook):
    def line(answer):
        log = alerting.api.ok("GET", "/audit?limit=500")["entries"]
        (found,) = [entry for entry in log if entry["correlation_id"] == answer.headers[CORRELATION]]
        return found

    answer = post(alerting, url=hook.url, name="Kitchen")
    made = answer.json()
    found = line(answer)
    assert (found["action"], found["subject"]) == ("channel.create", {"kind": "channel", "id": made["id"], "name": "Kitchen"})
    path = f"/channels/{made['id']}"
    found = line(alerting.api.put(path, json={"name": "Hall", "url": hook.url, "secret": "a new secret for it"}))
    assert (found["action"], found["subject"]["name"]) == ("channel.update", "Hall")
    assert hook.token not in json.dumps(found) and "a new secret" not in json.dumps(found)
    assert line(alerting.api.post(path + "/test"))["action"] == "channel.test"
    found = line(alerting.api.delete(path))
    assert (found["action"], found["subject"]["id"]) == ("channel.delete", made["id"])
    pot = Pot(alerting)
    pot.dry()
    found = line(alerting.api.post(f"/alerts/{pot.alert()['id']}/acknowledge"))
    assert (found["action"], found["subject"]["id"]) == ("alert.acknowledge", pot.alert()["id"])
    found = line(alerting.api.post(f"{pot.path}/snooze", json={"minutes": 5}))
    assert (found["action"], found["subject"]["id"]) == ("plant.snooze", pot.id) and found["details"]
    found = line(alerting.api.put("/settings/alerts", json={"cooldown_minutes": 30}))
    assert found["action"] == "settings.alerts.update" and "30" in json.dumps(found["details"])


def test_channels_are_sealed_and_go_with_the_key(breakable, inbox):
    hook, discord = inbox.hook(), inbox.hook("discord")
    secret = secrets.token_hex(16)
    channels = [make_channel(breakable, hook, secret=secret), make_channel(breakable, discord)]
    key = breakable.home / "secrets" / "ENCRYPTION_KEY"
    old = key.read_text().strip()

    def restart(old_keys):
        breakable.environment["ENCRYPTION_KEYS_OLD"] = old_keys
        breakable.restart("backend")
        breakable.ready()
        breakable._environ = None

    def try_all():
        for channel in channels:
            assert try_out(breakable, channel).status_code == 200
        assert hook.received[-1].is_signed_with(secret)

    def rotate():
        done = breakable.program("keys", "rotate")
        assert secret not in done.stdout + done.stderr and hook.token not in done.stdout + done.stderr
        counts = {column: (int(anew), int(current), int(lost)) for column, anew, current, lost in re.findall(
            r"^(\S+): (\d+) sealed anew, (\d+) were under the current key, (\d+) cannot be opened$", done.stdout, re.M)}
        return done.returncode, counts.get("channels.url"), counts.get("channels.secret")

    assert rotate() == (0, (0, 2, 0), (0, 1, 0))
    key.write_text(secrets.token_hex(32))
    restart(old)
    try_all()
    assert rotate() == (0, (2, 0, 0), (1, 0, 0))
    assert rotate() == (0, (0, 2, 0), (0, 1, 0))
    restart("")
    try_all()
    # One address in another's place is not taken for its own.
    breakable.sql(f"UPDATE channels SET url = (SELECT url FROM channels WHERE id = '{channels[0]['id']}') "
                   f"WHERE id = '{channels[1]['id']}'")
    before = len(hook.received)
    said = try_out(breakable, channels[1])
    assert said.status_code >= 400 and len(hook.received) == before
    assert_problem(said, said.status_code)
    old = key.read_text()
    key.write_text(secrets.token_hex(32))
    restart(old)
    assert rotate() == (1, (1, 0, 1), (1, 0, 0))


def test_the_webhook_in_the_environment_becomes_the_first_channel_once(breakable, inbox):
    discord = inbox.hook("discord")
    breakable.stop("backend")

    def found_in(action=None):
        with breakable.serve(DISCORD_WEBHOOK_URL=discord.url) as served:
            served.ready()
            found = served.api.ok("GET", "/channels")["channels"]
            if action:
                action(served, found)
            assert discord.token not in served.output()
        return found

    def is_it(served, found):
        (channel,) = found
        assert (channel["kind"], channel["name"], channel["enabled"], channel["min_severity"]) == (
            "discord", "Discord", True, "warning")
        assert (channel["plant_ids"], channel["rooms"]) == (None, None) and discord.token not in json.dumps(channel)
        assert served.api.post(f"/channels/{channel['id']}/test").status_code == 200
        assert len(discord.received) == 1

    (first,) = found_in(is_it)
    (second,) = found_in(lambda served, found: served.api.ok("DELETE", f"/channels/{found[0]['id']}", 204))
    assert second["id"] == first["id"]
    assert found_in() == [], "who removed it does not want it back"
    assert tables_with(breakable, discord.token) == []
