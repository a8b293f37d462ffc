"""deploy/prometheus, as promtool sees it: files that are right, and rules that fire when they should and only then."""

import re
from collections import defaultdict

import pytest
import yaml

from monitoring import PROMETHEUS, metrics, promtool, rules
from support.stack import ROOT

RULES = {rule["alert"]: rule for rule in rules()}
UNIT_TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))
MONITORING = (ROOT / "docs" / "monitoring.md").read_text()


def test_the_configuration_is_right():
    code, said = promtool("check", "config", PROMETHEUS / "prometheus.yml")
    assert code == 0, said
    assert "1 rule files found" in said


def test_a_wrong_configuration_would_be_noticed(tmp_path):
    wrong = (PROMETHEUS / "prometheus.yml").read_text().replace("scrape_interval", "scrape_intervall")
    (tmp_path / "prometheus.yml").write_text(wrong)
    code, said = promtool("check", "config", tmp_path / "prometheus.yml")
    assert code != 0 and "scrape_intervall" in said


@pytest.mark.parametrize("file", sorted((PROMETHEUS / "rules").glob("*.yml")), ids=lambda file: file.stem)
def test_the_rules_are_right(file):
    code, said = promtool("check", "rules", "--lint=all", "--lint-fatal", file)
    assert code == 0, said


@pytest.mark.parametrize("file", UNIT_TESTS, ids=lambda file: file.stem)
def test_the_rules_fire_when_they_should(file):
    code, said = promtool("test", "rules", file)
    assert code == 0, said


def verdicts():
    """{alert: {True, False}}: whether any unit test expects it to fire, and any expects it not to."""
    found = defaultdict(set)
    for file in UNIT_TESTS:
        for group in yaml.safe_load(file.read_text())["tests"]:
            for case in group["alert_rule_test"]:
                found[case["alertname"]].add(bool(case.get("exp_alerts")))
    return found


def test_every_rule_is_shown_to_fire_and_to_keep_silent():
    wanted = {name: {True, False} for name in RULES}
    assert dict(verdicts()) == wanted


def only(name, file, expression, folder):
    """A unit test of this rule alone, which now is that expression. Its output."""
    suite = yaml.safe_load(file.read_text())
    for group in suite["tests"]:
        group["alert_rule_test"] = [case for case in group["alert_rule_test"] if case["alertname"] == name]
    suite["tests"] = [group for group in suite["tests"] if group["alert_rule_test"]]
    suite["rule_files"] = ["rule.yml"]
    (folder / "rule.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "one", "rules": [{**RULES[name], "expr": expression}]}]}))
    (folder / "test.yml").write_text(yaml.safe_dump(suite))
    return promtool("test", "rules", folder / "test.yml")


@pytest.mark.parametrize("name", RULES)
def test_the_unit_tests_notice_a_rule_that_never_or_always_fires(name, tmp_path):
    (file,) = [file for file in UNIT_TESTS if f"alertname: {name}\n" in file.read_text()]
    code, said = only(name, file, RULES[name]["expr"], tmp_path)
    assert code == 0, said
    for expression in ("vector(0) > 1", "vector(1)"):
        code, said = only(name, file, expression, tmp_path)
        assert code != 0 and "FAILED" in said, f"{expression} passes"


@pytest.mark.parametrize("name", RULES)
def test_every_rule_says_what_happened_and_what_to_do(name):
    rule = RULES[name]
    assert re.fullmatch(r"PlantOps[A-Z][A-Za-z]+", name)
    assert set(rule["labels"]) == {"severity"} and rule["labels"]["severity"] in ("critical", "warning")
    annotations = rule["annotations"]
    assert set(annotations) == {"summary", "description", "runbook"}
    assert annotations["summary"].endswith((".", "}}.")) and len(annotations["summary"]) < 130
    assert len(annotations["description"]) > 80
    assert metrics(rule["expr"]), "it looks at something"


@pytest.mark.parametrize("name", RULES)
def test_every_rule_has_its_section(name):
    """With the severity it really has."""
    assert RULES[name]["annotations"]["runbook"] == f"docs/monitoring.md#{name.lower()}"
    sections = re.findall(rf"(?m)^### {name}\n\n\*(critical|warning)\*", MONITORING)
    assert sections == [RULES[name]["labels"]["severity"]]


def test_no_section_is_about_a_rule_that_is_gone():
    assert set(re.findall(r"(?m)^### (PlantOps\w+)$", MONITORING)) == set(RULES)
    assert f"{len(RULES)} alert rules" in MONITORING


def test_alerts_that_are_named_exist():
    """In descriptions and in the documentation: one that was renamed leads nowhere."""
    texts = [rule["annotations"]["description"] for rule in RULES.values()] + [MONITORING]
    named = {name for text in texts for name in re.findall(r"\bPlantOps[A-Z]\w+", text)}
    assert named <= set(RULES)
