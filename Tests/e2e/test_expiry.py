"""How long the broker's certificate is still good for, as people and Prometheus are told."""

import os
import re
import shutil
import signal
import ssl
from pathlib import Path

import pytest
import requests

from support.certificates import sign
from support.stack import Stack
from support.waiting import wait_until


def metrics(stack):
    return requests.get(stack.settings["PLANTOPS_API_URL"] + "/metrics", timeout=10)


def days_in(answer):
    return float(re.search(r'^plantops_certificate_days_left\{certificate="broker"\} (\S+)$', answer.text, re.M)[1])


@pytest.fixture
def ending(tmp_path):
    """A stack whose broker shows a certificate with ten days left."""
    stack = Stack(MQTT_HOST="localhost")  # The only name in that certificate.
    try:
        stack.up()
        stack.stop("backend")
        sign(stack.home / "certs", tmp_path / "short", 10)
        copies = Path((stack.home / "service-home").read_text().strip()) / "mosquitto" / "certs"
        owner = copies.stat()
        for ending in ("crt", "key"):
            shutil.copy(tmp_path / f"short.{ending}", copies / f"server.{ending}")
            os.chown(copies / f"server.{ending}", owner.st_uid, owner.st_gid)
        os.kill(stack.pid("mosquitto"), signal.SIGHUP)
        ours = (tmp_path / "short.crt").read_text()
        wait_until(lambda: ssl.get_server_certificate(("localhost", stack.mqtt_port)).strip() == ours.strip(), 10,
                   "the broker shows it")
        stack.start("backend")
        yield stack
    finally:
        stack.destroy()


def test_a_certificate_that_ends_soon_is_spoken_of_until_it_is_renewed(ending):
    def certificate(api):
        return api.ok("GET", "/health")["components"]["certificate"]

    wait_until(lambda: certificate(ending.api)["days_left"] == 9, 20, "the days are known")
    assert "expires in 9 days" in certificate(ending.api)["message"]
    assert certificate(ending.stranger) == {"days_left": 9}, "what to do about it is for those who are signed in"
    assert 9 < days_in(metrics(ending)) <= 10
    ending.run("renew-certs")
    wait_until(lambda: certificate(ending.api) == {"days_left": 824}, 180, "the new one is noticed without a restart")
    assert days_in(metrics(ending)) > 824


def test_metrics_are_on_the_backends_own_port_and_can_be_switched_off(stack):
    answer = metrics(stack)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'plantops_up{component="database"} 1' in answer.text
    assert 'plantops_sign_ins_total{outcome="signed_in"}' in answer.text
    assert requests.get(stack.settings["PLANTOPS_URL"] + "/metrics", timeout=10).status_code == 404
    with stack.serve(ENABLE_METRICS="false", MQTT_CLIENT_ID="unmeasured") as served:
        served.ready()
        assert requests.get(served.api.base + "/metrics", timeout=10).status_code == 404
