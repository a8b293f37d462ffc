"""A real Prometheus that reads the very files of deploy/prometheus, only more often."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import requests
import yaml

from support.stack import ROOT, free_port
from support.waiting import wait_until

PROMETHEUS = ROOT / "deploy" / "prometheus"
GRAFANA = ROOT / "deploy" / "grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
# Of this program, of its process, and what Prometheus says of its own work.
METRIC = re.compile(r"\b(?:plantops|process|scrape)_[a-z_]+\b|\bup\b|\bALERTS\b")


def promtool(*arguments):
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def rules():
    """Every alert rule there is."""
    return [rule for file in sorted((PROMETHEUS / "rules").glob("*.yml"))
            for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def load(path):
    return json.loads(Path(path).read_text())


def panels(dashboard):
    """Those that show something: no rows."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries(dashboard):
    """(panel's title, expression, legend), with the variables as Grafana would fill them in for all backends."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield panel["title"], filled(target["expr"]), target["legendFormat"]
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["name"], filled(annotation["expr"]), annotation["textFormat"]


def filled(expression):
    # Long enough that what happened at the beginning of the tests is still seen.
    expression = expression.replace("$__rate_interval", "5m").replace("$instance", ".*")
    assert not re.search(r"\$[a-z_{]", expression), f"a variable nobody fills in: {expression}"
    return expression


def metrics(expression):
    """Their names. What stands in quotes or by() is none."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    return set(METRIC.findall(bare))


class Prometheus:
    """Listens on loopback, keeps its data in `folder`, and asks the addresses `targets` every second."""

    def __init__(self, folder, targets):
        self.folder, self.port = Path(folder), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.files = self.folder / "etc"
        shutil.copytree(PROMETHEUS, self.files)
        config = self.files / "prometheus.yml"
        text, count = re.subn(r"(?m)^( +(?:scrape_interval|scrape_timeout|evaluation_interval)): \d+s$", r"\1: 1s",
                              config.read_text())
        assert count == 3, "the three intervals of prometheus.yml"
        config.write_text(text)
        self.watch(*targets)
        self.process = None

    def watch(self, *targets):
        """These backends from now on, and no others."""
        new = self.files / "plantops.new"
        new.write_text(yaml.safe_dump([{"targets": list(targets)}]))
        new.rename(self.files / "targets" / "plantops.yml")

    def __enter__(self):
        log = self.folder / "prometheus.log"
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={self.files / 'prometheus.yml'}",
                 f"--web.listen-address=127.0.0.1:{self.port}", f"--storage.tsdb.path={self.folder / 'data'}",
                 "--log.level=warn"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder)

        def ready():
            assert self.process.poll() is None, f"prometheus ended: {log.read_text()[-2000:]}"
            return requests.get(f"{self.url}/-/ready", timeout=5).status_code == 200

        try:
            wait_until(ready, 60, "Prometheus is ready")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def api(self, path, **parameters):
        answer = requests.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=20)
        body = answer.json()
        assert body["status"] == "success", f"{path} {parameters}: {body.get('error')}"
        return body["data"]

    def query(self, expression):
        """[(labels, number)], as of now."""
        data = self.api("query", query=expression)
        return [(one["metric"], float(one["value"][1])) for one in data["result"]]

    def value(self, expression):
        """Of the only series."""
        found = self.query(expression)
        assert len(found) == 1, f"{expression}: {found}"
        return found[0][1]

    def alerts(self):
        """{name: state} of those that are pending or firing."""
        return {one["labels"]["alertname"]: one["state"] for one in self.api("alerts")["alerts"]}

    def rules(self):
        return [rule for group in self.api("rules")["groups"] for rule in group["rules"]]

    def targets(self):
        return self.api("targets", state="active")["activeTargets"]
