#!/usr/bin/env python3
"""Looks at a running PlantOps from outside, as browsers, devices and strangers do. Changes nothing.

Needs Python 3.9 or newer and nothing else; runs on any machine. One line for each check: OK, FAIL with what to do, or
skip. Exit status 0 when nothing failed, 1 when something did, 64 for wrong use.

To sign in as well: PLANTOPS_SMOKE_EMAIL and PLANTOPS_SMOKE_PASSWORD, or PLANTOPS_SMOKE_TOKEN; with _FILE behind the
name it is read from a file. A viewer is enough.
"""

import argparse
import ssl
import sys
import urllib.parse

from outside import api, web
from outside.account import Account
from outside.broker import Broker, address
from outside.report import Report
from outside.wire import Site, is_near, tls_context

WRONG_USE = 64
FORM = "give the address of the dashboard, such as https://plants.example.org"


def options(arguments):
    parser = argparse.ArgumentParser(
        prog="smoke.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?", help="address of the dashboard: https://plants.example.org")
    parser.add_argument("--ca", metavar="FILE", help="authority that signed the dashboard's certificate, if it is your own")
    parser.add_argument("--insecure", action="store_true", help="do not check certificates")
    parser.add_argument("--mqtt", metavar="HOST:PORT", help="the broker; without it what the API says, or port 8883")
    parser.add_argument("--mqtt-ca", metavar="FILE", help="authority of the broker's certificate (else that of --ca)")
    parser.add_argument("--no-mqtt", action="store_true", help="leave the broker out")
    parser.add_argument("--http-port", type=int, default=80, metavar="PORT", help="where plain HTTP is redirected (80)")
    parser.add_argument("--min-days", type=int, default=14, metavar="N", help="days a certificate must last (14)")
    parser.add_argument("--timeout", type=float, default=10, metavar="SECONDS", help="for each answer (10)")
    given = parser.parse_args(arguments)
    given.url = checked_url(given.url)
    for name in ("ca", "mqtt_ca"):
        file = getattr(given, name)
        if file:
            try:
                ssl.create_default_context(cafile=file)
            except (OSError, ssl.SSLError) as error:
                wrong(f"--{name.replace('_', '-')} {file}: {error.strerror or 'no certificate in PEM form'}")
    if given.mqtt:
        try:
            given.mqtt = address(given.mqtt, None)
        except ValueError as error:
            wrong(str(error))
    return given


def checked_url(url):
    if not url:
        wrong(f"no address: {FORM} (make smoke URL=https://plants.example.org)")
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError as error:
        wrong(f"{url} is no address ({error}): {FORM}")
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or parts.username or parts.password:
        wrong(f"{url} is no address of a dashboard: {FORM}")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        wrong(f"{url} has a path: PlantOps lives at the root of a host; {FORM}")
    return url


def wrong(text):
    print(f"smoke.py: {text}", file=sys.stderr)
    sys.exit(WRONG_USE)


def look(given, report):
    site = Site(given.url, tls_context(given.ca, given.insecure), given.timeout)
    if not report.check("reachable", web.reachable, site):
        report.skip("everything else", "there is nothing to look at")
        return
    if site.is_encrypted:
        is_trusted = report.check("certificate", web.certificate, site, given.min_days) or given.insecure
        if not is_trusted:
            # The rest is looked at all the same, but nothing secret is sent.
            site.context = tls_context(None, True)
        report.check("old TLS", web.old_versions, site)
        report.check("plain HTTP", web.plain_http, site, given.http_port)
        report.check("HSTS", web.strict_transport, site)
    else:
        is_trusted = is_near(site.host)
        report.check("encryption", web.not_encrypted, site)
    for name, function in (("headers", web.headers), ("dashboard", web.dashboard), ("assets", web.assets),
                           ("hidden files", web.hidden), ("metrics", web.metrics), ("servers", web.silence)):
        report.check(name, function, site)
    account = Account(site)
    if report.check("backend", api.live, site):
        look_at_api(site, report, account, is_trusted)
    else:
        report.skip("API", "the backend does not answer")
    if given.no_mqtt:
        report.skip("broker", "left out by --no-mqtt")
    else:
        look_at_broker(given, site, report, account)
    if account.has_session:
        report.check("sign-out", account.sign_out)


def look_at_api(site, report, account, is_trusted):
    for name, function in (("ready", api.ready), ("health", api.health), ("OpenAPI", api.openapi),
                           ("problems", api.problems), ("strangers", api.closed), ("other sites", api.other_sites),
                           ("correlation id", api.correlation), ("compression", web.compression)):
        report.check(name, function, site)
    report.check("sign-in", account.sign_in, is_trusted)
    for name, function in (("plants", account.plants), ("storage", account.storage), ("events", account.events)):
        report.check(name, function)


def look_at_broker(given, site, report, account):
    told = {}
    if account.headers:
        report.check("broker's address", lambda: told.update(account.connection()) or f"{told['mqtt_host']}:{told['mqtt_port']}")
    host, port = given.mqtt or (told.get("mqtt_host", site.host), told.get("mqtt_port", 8883))
    ca_file = given.mqtt_ca or (None if told.get("ca_certificate") else given.ca)
    broker = Broker(host or site.host, port, given.timeout, ca_file, None if ca_file else told.get("ca_certificate"),
                    given.insecure)
    if report.check("broker's TLS", broker.handshake, given.min_days):
        report.check("plain MQTT", broker.plain_refused)
        report.check("unknown clients", broker.stranger_refused)
    else:
        report.skip("the broker's other checks", "there is no TLS to begin with")


def main(arguments=None):
    given, report = options(arguments), Report()
    try:
        look(given, report)
    except KeyboardInterrupt:
        report.fail("stopped", "by Ctrl-C; not everything was looked at")
    print(f"\n{given.url}: {report.total()}")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
