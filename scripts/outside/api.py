"""What the API tells a stranger, and what it does not."""

import secrets

from .report import Wrong
from .wire import advice_for

SOMEBODY = "00000000-0000-7000-8000-000000000000"


def live(site):
    answer = site.ask("/api/live")
    if answer.status != 200:
        raise Wrong(f"answered {answer.status}", advice_for(answer.status))
    answer.json()
    return "the backend runs"


def ready(site):
    checks = site.api("/ready", 200, 503)["checks"]
    away = [name for name, is_there in checks.items() if not is_there]
    if away:
        raise Wrong(f"not ready: {' and '.join(away)} away", "plantops doctor on the server says why")
    return "readings are taken in and stored"


def health(site):
    report = site.api("/health")
    if report["status"] != "healthy":
        raise Wrong(report["status"], "plantops doctor on the server says why")
    told = [name for name, part in report["components"].items() if "message" in part]
    if told and not is_open(site):
        raise Wrong(f"strangers are told details of {', '.join(told)}", "this backend is not a released one")
    days = report["components"].get("certificate", {}).get("days_left")
    if days is not None and days < 14:
        raise Wrong(f"the broker's certificate ends in {days} days", "renew it (docs/deployment.md, rotation)")
    return f"version {report['version']}, up for {int(report['uptime_seconds']) // 3600} h"


def openapi(site):
    document = site.api("/openapi.json")
    if not document["openapi"].startswith("3.1") or "/api/plants" not in document["paths"]:
        raise Wrong("not the description of PlantOps", "is this the right address?")
    return f"{sum(len(item) for item in document['paths'].values())} operations"


def problem(answer, status):
    """RFC 9457, as the API says everything that is wrong."""
    if answer.status != status:
        raise Wrong(f"answered {answer.status} instead of {status}", advice_for(answer.status))
    if answer.kind != "application/problem+json":
        raise Wrong(f"{status} is {answer.kind}", "a proxy in front puts in error pages of its own: let it pass them through")
    body = answer.json()
    missing = {"type", "title", "status", "detail", "instance", "correlation_id"} - body.keys()
    if missing or body["status"] != status:
        raise Wrong(f"{status} lacks {', '.join(sorted(missing)) or 'its status'}", "is something else in front of it?")


def problems(site):
    problem(site.ask("/api/nothing-there"), 404)
    problem(site.ask("/api/auth/me", headers={"Authorization": "Bearer wrong"}), 401)
    return "404 and 401 are problem+json"


def is_open(site):
    return site.ask("/api/plants").status == 200


def closed(site):
    """Everything that can be read is asked for without signing in; nothing is changed, whatever the answer is."""
    asked = 0
    for path, item in site.api("/openapi.json")["paths"].items():
        operation = item.get("get")
        if not operation or "x-required-role" not in operation:
            continue
        asked += 1
        place = "/".join(SOMEBODY if part.startswith("{") else part for part in path.split("/"))
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            answer = site.ask(place, headers=headers) if path != "/api/events" else _head_of_stream(site, headers)
            if answer.status != 401:
                raise Wrong(f"{path} answers {answer.status} without sign-in", advice_for(answer.status))
    if asked < 20:
        raise Wrong(f"only {asked} paths need a sign-in", "is this the right address?")
    return f"{asked} paths need a sign-in"


def _head_of_stream(site, headers):
    """An open stream would not end."""
    connection = site.connection()
    try:
        connection.request("GET", "/api/events", headers=headers)
        return connection.getresponse()
    finally:
        connection.close()


def other_sites(site):
    answer = site.ask("/api/live", headers={"Origin": "https://smoke.invalid"})
    if answer.header("Access-Control-Allow-Origin"):
        raise Wrong("pages of any site may read the API", "CORS_ORIGINS must name yours only; a proxy must not add it")
    return "pages of other sites cannot read it"


def correlation(site):
    mine = "smoke-" + secrets.token_hex(8)
    for path in ("/api/live", "/api/nothing-there"):
        back = site.ask(path, headers={"X-Correlation-ID": mine}).headers.get_all("X-Correlation-ID") or []
        if back != [mine]:
            raise Wrong(f"{path} gave back {back or 'none'}", "a proxy in front drops or doubles X-Correlation-ID")
    if site.ask("/api/live", headers={"X-Correlation-ID": "a b\tc"}).header("X-Correlation-ID") in (None, "a b\tc"):
        raise Wrong("an id that is none is taken over", "serve it with deploy/nginx/plantops.conf.in")
    return "given back, and in the log lines of the request"
