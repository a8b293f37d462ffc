"""What `/metrics` shows, read as Prometheus would (text format 0.0.4)."""

import re
from collections import defaultdict

import requests

from .waiting import wait_until

SAMPLE = re.compile(r'([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"(?:,|$)')


def page(stack):
    """The text, straight from the backend."""
    base = stack.api.base
    answer = requests.get(base + "/metrics", timeout=20)
    assert answer.status_code == 200, f"{answer.status_code} {answer.text[:300]}"
    return answer.text


class Metrics:
    """One look. `types` and `help` by family; a sample's labels are all of those it has."""

    def __init__(self, text):
        self.types, self.help, self.samples = {}, {}, {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert name not in self.types, f"two families {name}"
                self.types[name] = kind
            elif line.startswith("# HELP "):
                _, _, name, words = line.split(" ", 3)
                self.help[name] = words
            else:
                name, labels, value = SAMPLE.fullmatch(line).groups()
                key = name, frozenset(LABEL.findall(labels or ""))
                assert key not in self.samples, f"twice: {line}"
                self.samples[key] = float(value)

    def family(self, name):
        """Whose sample it is."""
        for suffix in ("_bucket", "_sum", "_count"):
            if self.types.get(name.removesuffix(suffix)) == "histogram":
                return name.removesuffix(suffix)
        return name

    def labels(self):
        """The names of labels of each family's samples, without those of buckets: {family: {(name, …)}}."""
        found = defaultdict(set)
        for name, labels in self.samples:
            found[self.family(name)].add(tuple(sorted(label for label, _ in labels if label != "le")))
        return found

    def value(self, name, **labels):
        """None when it is not there."""
        return self.samples.get((name, frozenset(labels.items())))

    def series(self, name):
        """{labels as a dictionary's items: value}"""
        return {tuple(sorted(labels)): value for (found, labels), value in self.samples.items() if found == name}


def look(stack):
    return Metrics(page(stack))


class Change:
    """What has changed since it was made, a sample at a time."""

    def __init__(self, stack):
        self.stack, self.before = stack, look(stack)

    def of(self, name, **labels):
        now = look(self.stack).value(name, **labels)
        assert now is not None, f"{name} {labels} is not there"
        return now - (self.before.value(name, **labels) or 0)

    def all_of(self, name):
        """What is not 0, of all series of this name: {values of the labels, in the order of the labels' names: by how much}."""
        now, before = look(self.stack).series(name), self.before.series(name)
        changes = {labels: value - before.get(labels, 0) for labels, value in now.items()}
        return {tuple(value for _, value in labels): change for labels, change in changes.items() if change}

    def wait(self, wanted, name, timeout=20, **labels):
        wait_until(lambda: self.of(name, **labels) == wanted, timeout, f"{name} {labels} moves by {wanted}")


def becomes(stack, wanted, name, timeout=45, **labels):
    """Waits: what only the database knows is asked for every 15 s."""
    wait_until(lambda: look(stack).value(name, **labels) == wanted, timeout, f"{name} {labels} is {wanted}", every=0.5)
