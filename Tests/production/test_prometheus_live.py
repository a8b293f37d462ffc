"""A real Prometheus watches a real PlantOps: what the rules and the dashboards ask for is there."""

import math
import re

import pytest

from monitoring import DASHBOARDS, load, metrics, queries, rules
from support.discord import Inbox
from support.llm import Models
from support.stack import Stack
from support.waiting import wait_until
from traffic import Traffic, address, watching

ABOUT_ONE_BACKEND = {"PlantOpsBackendDown", "PlantOpsNotReady", "PlantOpsDatabaseAway", "PlantOpsBrokerAway",
                     "PlantOpsIngestLag", "PlantOpsIngestSilent"}


@pytest.fixture(scope="module")
def traffic(tmp_path_factory):
    with Inbox() as inbox, Models() as models:
        stack = Stack(CHANNEL_ALLOWED_HOSTS=inbox.host, ANTHROPIC_BASE_URL=models.url)
        try:
            stack.up()
            with watching(stack, tmp_path_factory.mktemp("prometheus")) as prometheus:
                wait_until(lambda: prometheus.query('up{job="plantops"} == 1'), 30, "the backend is reached")
                with Traffic(stack, prometheus, inbox, models) as traffic:
                    yield traffic
        finally:
            stack.destroy()


@pytest.fixture(scope="module")
def prometheus(traffic):
    return traffic.prometheus


def unanswered(prometheus, asked):
    """What is wrong with the answers to these (title, expression, legend)."""
    wrong = []
    for title, expression, legend in asked:
        found = prometheus.query(expression)
        if not any(math.isfinite(value) for _, value in found):
            wrong.append(f"{title}: no data for {expression}")
            continue
        missing = set(re.findall(r"\{\{(\w+)\}\}", legend)) - set().union(*(labels for labels, _ in found))
        if missing:
            wrong.append(f"{title}: the legend needs {missing}, which {expression} does not have")
    return wrong


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_query_of_a_dashboard_has_an_answer(traffic, prometheus, path):
    asked = list(queries(load(path)))
    assert len(asked) > 10

    def complete():
        traffic.round()
        wrong = unanswered(prometheus, asked)
        assert not wrong, "\n".join(wrong)
        return True

    wait_until(complete, 90, "every query has an answer", every=0.5)


def test_a_query_that_asks_for_nothing_is_noticed(prometheus):
    wrong = unanswered(prometheus, [
        ("A", "plantops_renamed_total", ""), ("B", 'plantops_up{component="moon"}', ""), ("C", "plantops_ready * NaN", ""),
        ("D", "sum(plantops_ready)", "{{instance}}"), ("E", "plantops_ready", "{{instance}}")])
    assert [line[:2] for line in wrong] == ["A:", "B:", "C:", "D:"]


def test_the_variable_of_the_dashboards_finds_the_backend(prometheus, traffic):
    (definition,) = {load(path)["templating"]["list"][0]["definition"] for path in DASHBOARDS}
    series, label = re.fullmatch(r"label_values\((.+), (\w+)\)", definition).groups()
    assert [labels[label] for labels, _ in prometheus.query(series)] == [address(traffic.stack.stranger)]


def test_what_happened_is_what_is_shown(prometheus, traffic):
    """Numbers, not just any: one of each kind that the traffic has caused."""
    wanted = {
        'plantops_ingest_messages_total{kind="telemetry"}': 2,
        'plantops_ingest_messages_total{kind="heartbeat"}': 1,
        "plantops_ingest_rows_total": 2,
        "plantops_ingest_duplicates_total": 1,
        'plantops_ingest_rejects_total{reason="not_json"}': 1,
        'plantops_deliveries_total{outcome="sent"}': 1,
        'plantops_deliveries_total{outcome="retried"}': 1,
        'plantops_alert_transitions_total{to="firing"}': 1,
        'plantops_devices{status="online"}': 1,
        "plantops_plants": 1,
        "plantops_dead_letters": 1,
        "plantops_sse_clients": 1,
        "plantops_broker_disconnections_total": 1,
        'plantops_sign_ins_total{outcome="refused"}': 1,
        'sum(plantops_http_requests_total{status="503"})': 1,
        'plantops_http_requests_total{route="unmatched",status="404"}': 1,
        'sum(plantops_llm_requests_total{provider="anthropic"})': 1,
    }
    traffic.round()

    def shown():
        found = {query: sum(value for _, value in prometheus.query(query)) for query in wanted}
        low = {query: value for query, value in found.items() if value < wanted[query]}
        assert not low, f"less than expected: {low}"
        return True

    wait_until(shown, 40, "the numbers follow what happens")


def test_every_metric_of_a_rule_exists(prometheus):
    names = {name for rule in rules() for name in metrics(rule["expr"])}
    assert len(names) > 20
    assert [name for name in sorted(names) if not prometheus.query(name)] == []


def test_everything_that_is_measured_is_shown(prometheus):
    """A histogram is shown by its buckets, and its sum or count where that says more."""
    measured = {name for name in prometheus.api("label/__name__/values") if name.startswith(("plantops_", "process_"))}
    shown = {name for path in DASHBOARDS for _, expression, _ in queries(load(path)) for name in metrics(expression)}
    histograms = {name.removesuffix("_bucket") for name in measured if name.endswith("_bucket")}
    parts = {name + suffix for name in histograms for suffix in ("_sum", "_count")}
    assert len(measured) > 50
    assert sorted(measured - parts - shown) == []


def test_the_rules_are_evaluated_without_an_error(prometheus):
    def evaluated():
        found = prometheus.rules()
        return len(found) == len(rules()) and all(rule["health"] == "ok" for rule in found)

    wait_until(evaluated, 30, "every rule has been evaluated")


def test_an_outage_is_noticed_and_its_end_too(prometheus, traffic):
    """Pending: it would fire after the minutes that the rule gives it."""
    assert traffic.alerts_while_away["PlantOpsDatabaseAway"] in ("pending", "firing")
    wait_until(lambda: not {"PlantOpsDatabaseAway", "PlantOpsNotReady"} & prometheus.alerts().keys(), 30,
               "nothing is said of the outage any more")


def test_a_healthy_installation_is_quiet(prometheus):
    """Nothing fires after all of this: no rule is wrong about the units or the sign of what it looks at."""
    assert [name for name, state in prometheus.alerts().items() if state == "firing"] == []


def test_the_backend_is_asked_where_it_was_said(prometheus):
    (target,) = prometheus.targets()
    assert target["labels"]["job"] == "plantops" and target["health"] == "up" and target["lastError"] == ""
    assert target["scrapeUrl"].endswith("/metrics")


def test_a_second_backend_is_watched_without_a_restart_and_missed_when_it_is_gone(prometheus, traffic):
    """One that only answers requests: what it does not do is no reason for an alert."""
    first = address(traffic.stack.stranger)
    with traffic.stack.serve("--roles", "api") as served:
        served.ready()
        second = address(served.api)
        prometheus.watch(first, second)
        wait_until(lambda: len(prometheus.query('plantops_ready{job="plantops"} == 1')) == 2, 30, "both are watched")
        for path in DASHBOARDS:
            assert unanswered(prometheus, queries(load(path))) == []
        assert not {name for name in prometheus.alerts() if name in ABOUT_ONE_BACKEND}
    wait_until(lambda: prometheus.alerts().get("PlantOpsBackendDown") == "pending", 30, "the second one is missed")
    prometheus.watch(first)
    wait_until(lambda: "PlantOpsBackendDown" not in prometheus.alerts(), 30, "nobody misses it any more")
