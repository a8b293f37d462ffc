"""Who hangs up while a language model thinks, ends what was asked for nobody else, and nothing besides."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.api import assert_problem
from support.care import SETTINGS, Caller, analyze, is_free, measured_pot, open_files, thinking, waiting_at
from support.llm import Said
from support.waiting import wait_until


@pytest.fixture
def model(advised, models):
    with thinking(advised, models) as model:
        yield model


@pytest.fixture
def pot(advised):
    return measured_pot(advised)


@pytest.fixture
def pool():
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.mark.parametrize("through", ["backend", "nginx"])
def test_the_model_need_not_go_on_when_nobody_waits_any_more(advised, model, pot, through):
    caller = Caller(advised.api if through == "backend" else advised.web, pot.id)
    (request,) = model.wait_for(1)
    caller.hang_up()
    assert request.hung_up.wait(10), "the connection to the model was closed"
    wait_until(lambda: is_free(advised, pot.id), 10, "nobody thinks about it")
    assert_problem(advised.api.get(f"/plants/{pot.id}/care-plan"), 404)
    model.always(Said())
    assert analyze(advised, pot.id)["source"] == "anthropic"


@pytest.mark.parametrize("path, body", [
    ("/plants/{id}/analyze", ""), ("/plants/{id}/analyze", "{}"), ("/plants/{id}/analyze", "{}" + " " * 200_000),
    (SETTINGS + "/test", ""), (SETTINGS + "/test", "{}"), (SETTINGS + "/test", "{}" + " " * 200_000)],
    ids=["no-body", "empty", "long", "test", "test-body", "test-long"])
def test_whatever_was_asked_and_however(advised, model, pot, path, body):
    caller = Caller(advised.api, pot.id, path=path.replace("{id}", pot.id), body=body)
    (request,) = model.wait_for(1)
    caller.hang_up()
    assert request.hung_up.wait(10)
    assert advised.api.get("/ready").status_code == 200


@pytest.mark.parametrize("way", ["half", "pipelined", "partial", "chunked", "chunked-partial", "expect", "early"])
def test_odd_clients_do_no_harm(advised, model, pot, way):
    """They go without waiting for an answer, each in its own manner; whether the model is asked is not the question."""
    pid, port = advised.pid("backend"), int(advised.environment["PLANTOPS_API_PORT"])
    for path in (f"/plants/{pot.id}/analyze", SETTINGS + "/test"):
        head = (f"POST /api{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {advised.api.token}\r\n"
                "Content-Type: application/json\r\n")
        text = {
            "half": head + "Content-Length: 2\r\n\r\n{}", "pipelined": (head + "Content-Length: 2\r\n\r\n{}") * 3,
            "partial": head + "Content-Length: 500\r\n\r\n{",
            "chunked": head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            "chunked-partial": head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
            "expect": head + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n", "early": head}[way]
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
                client.sendall(text.encode())
                if way == "half":
                    client.shutdown(socket.SHUT_WR)
                # By then it has been read.
                advised.api.ok("GET", f"/plants/{pot.id}", 200)
    # Behind a request that waits for its turn, Hummingbird does not see who closes: that ends with the 30 seconds.
    if way == "pipelined":
        model.release()
    wait_until(lambda: model.busy() == 0, 20, "nobody waits for the model")
    model.always(Said())
    assert analyze(advised, pot.id)["source"] == "anthropic" and advised.pid("backend") == pid and advised.alive("backend")


def test_who_stays_is_answered_though_the_first_has_left(advised, model, pot, pool):
    before = waiting_at(advised)
    caller = Caller(advised.api, pot.id)
    (request,) = model.wait_for(1)
    stays = pool.submit(analyze, advised, pot.id)
    wait_until(lambda: waiting_at(advised) == before + 2, 10, "two wait")
    advised.api.ok("GET", f"/plants/{pot.id}")
    caller.hang_up()
    wait_until(lambda: waiting_at(advised) == before + 1, 10, "one waits")
    assert not request.hung_up.is_set()
    model.release()
    assert stays.result()["source"] == "anthropic" and len(model.received) == 1


def test_many_leave_and_nothing_stays_behind(advised, model, pot):
    before = open_files(advised)
    for n in range(12):
        caller = Caller(advised.api, pot.id, refresh=True)
        request = model.wait_for(n + 1)[n]
        caller.hang_up()
        assert request.hung_up.wait(10)
    wait_until(lambda: open_files(advised) <= before + 4, 20, "the connections are closed")
    model.always(Said())
    assert analyze(advised, pot.id)["source"] == "anthropic"
