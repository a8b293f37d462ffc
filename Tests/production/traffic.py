"""Something of everything that PlantOps counts, so that no panel of a dashboard has a reason to be empty."""

from contextlib import ExitStack
from urllib.parse import urlsplit

from monitoring import Prometheus
from support import care
from support.alerts import SETTINGS, Pot, make_channel, put_settings
from support.device import reading
from support.discord import failing
from support.events import Events
from support.waiting import wait_until


class Traffic:
    """Begins with an alert that is told, somebody who may not come in, and a database that goes away and comes back."""

    def __init__(self, stack, prometheus, inbox, models):
        self.stack, self.prometheus, self.inbox, self.models = stack, prometheus, inbox, models
        self.open = ExitStack()
        stack.pots = []

    def __enter__(self):
        stack = self.stack
        self.open.enter_context(Events(stack.api, timeout=600))
        put_settings(stack, **SETTINGS)
        hook, self.pot = self.inbox.hook("webhook"), Pot(stack)
        self.open.callback(self.pot.device.close)
        hook.then(failing(500))
        make_channel(stack, hook, self.pot)
        self.pot.dry()
        hook.wait_for(2, what="the alert is told, at the second attempt")
        wrong = {"email": "nobody@example.org", "password": "not this one"}
        assert stack.stranger.post("/auth/login", json=wrong).status_code == 401
        care.use(stack, self.models.model("anthropic"))
        self.outage()
        return self

    def __exit__(self, *_):
        self.open.close()

    def outage(self):
        """The database goes away until Prometheus has noticed, while a device and a browser go on."""
        stack, before = self.stack, self.prometheus.value("plantops_ingest_failures_total{reason='database_away'}")
        stack.stop("postgres")
        try:
            def noticed():
                self.pot.device.publish(reading(), wait=False)
                assert stack.api.get("/plants").status_code == 503
                alerts = self.prometheus.alerts()
                return "PlantOpsDatabaseAway" in alerts and "PlantOpsNotReady" in alerts and alerts

            self.alerts_while_away = wait_until(noticed, 60, "Prometheus notices that the database is away", every=0.3)
        finally:
            stack.start("postgres")
            stack.ready(60)
        self.failures = self.prometheus.value("plantops_ingest_failures_total{reason='database_away'}") - before

    def round(self):
        """Readings old and new, a payload that is none, requests that succeed and that fail."""
        device, api = self.pot.device, self.stack.api
        again = reading()
        device.publish(again)
        device.publish(again)
        device.publish(b"{not json")
        device.publish({"uptime": 1}, topic="heartbeat")
        for status, path in (200, "/plants"), (200, "/devices"), (404, "/nothing/of/that/name"), (422, "/plants?limit=many"):
            assert api.get(path).status_code == status, path
        care.ask(api, self.pot.id, json={"refresh": True})


def address(backend):
    """Of an `Api`, as Prometheus wants it."""
    return urlsplit(backend.base).netloc


def watching(stack, folder):
    """Prometheus, told of the stack's backend as an operator would."""
    return Prometheus(folder, [address(stack.stranger)])
