"""deploy/grafana, as far as files go. That every query has an answer: test_prometheus_live.py."""

import re

import pytest
import yaml

from monitoring import DASHBOARDS, GRAFANA, METRIC, filled, load, metrics, panels
from support.stack import ROOT

DATASOURCE = {"type": "prometheus", "uid": "plantops-prometheus"}
every_dashboard = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)


def provisioned(kind):
    return yaml.safe_load((GRAFANA / "provisioning" / kind / "plantops.yml").read_text())


def test_the_data_source_is_the_one_the_dashboards_name():
    (source,) = provisioned("datasources")["datasources"]
    assert {"type": source["type"], "uid": source["uid"]} == DATASOURCE
    assert source["isDefault"] and source["access"] == "proxy"
    # Or Grafana makes rates over too few samples.
    prometheus = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    assert source["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]


def test_the_dashboards_are_provisioned_as_files():
    (provider,) = provisioned("dashboards")["providers"]
    assert provider["type"] == "file" and provider["allowUiUpdates"] is False
    assert provider["options"]["path"] == "/etc/grafana/dashboards"


def test_there_are_four_of_them():
    names = {path.stem: load(path)["uid"] for path in DASHBOARDS}
    assert names == {name: f"plantops-{name}" for name in ("ingest", "api", "database", "process")}
    assert len({load(path)["title"] for path in DASHBOARDS}) == 4


@every_dashboard
def test_a_dashboard_has_what_grafana_11_expects(path):
    dashboard = load(path)
    assert dashboard["schemaVersion"] == 39
    assert "id" not in dashboard, "Grafana gives numbers itself"
    assert dashboard["tags"] == ["plantops"] and dashboard["links"][0]["tags"] == ["plantops"]
    assert dashboard["description"] and dashboard["title"].startswith("PlantOps: ")
    (variable,) = dashboard["templating"]["list"]
    assert variable["name"] == "instance" and variable["datasource"] == DATASOURCE and variable["includeAll"]


@every_dashboard
def test_every_panel_explains_itself(path):
    for panel in panels(load(path)):
        assert panel["title"] and len(panel["description"]) >= 20, panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["unit"], panel["title"]
        assert defaults["thresholds"]["steps"][0]["value"] is None, panel["title"]
        values = [step["value"] for step in defaults["thresholds"]["steps"][1:]]
        assert values == sorted(values), panel["title"]


@every_dashboard
def test_titles_and_ids_are_unique(path):
    dashboard = load(path)
    for key in ("id", "title"):
        values = [panel[key] for panel in dashboard["panels"] if key == "id" or panel["type"] != "row"]
        assert len(values) == len(set(values)), f"{key}: {values}"


@every_dashboard
def test_panels_fill_24_columns_and_do_not_overlap(path):
    taken = {}
    for panel in load(path)["panels"]:
        place = panel["gridPos"]
        assert place["w"] >= 4 or panel["type"] == "row" and place["w"] == 24
        assert place["x"] >= 0 and place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken.get((x, y))}"
                taken[x, y] = panel["title"]
    height = max(y for _, y in taken) + 1
    holes = [(x, y) for y in range(height) for x in range(24) if (x, y) not in taken]
    assert holes == []


@every_dashboard
def test_every_query_goes_to_the_data_source_and_follows_the_variable(path):
    for panel in panels(load(path)):
        assert panel["datasource"] == DATASOURCE and panel["targets"], panel["title"]
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references)), panel["title"]
        for target in panel["targets"]:
            assert target["datasource"] == DATASOURCE
            assert target["instant"] != target["range"], panel["title"]
            filled(target["expr"])
            names = METRIC.findall(re.sub(r'"[^"]*"', '""', target["expr"]))
            if metrics(target["expr"]) != {"ALERTS"}:
                assert target["expr"].count('job="plantops",instance=~"$instance"') == len(names), target["expr"]


@every_dashboard
def test_rates_are_made_over_what_grafana_computes(path):
    """A fixed window is either too short for the scrape interval or too long for the zoom. But for trends."""
    for panel in panels(load(path)):
        for target in panel["targets"]:
            for window in re.findall(r"(?:rate|increase)\(\w+\{[^}]*\}\[([^\]]+)\]", target["expr"]):
                assert window == "$__rate_interval" or panel["type"] == "table", f"{panel['title']}: {window}"
