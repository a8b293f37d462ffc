"""What .dockerignore leaves out of the build context. A pattern counts from the context's root, the last match decides."""

import re


def expression(pattern):
    parts = []
    for part in re.split(r"(\*\*/?|\*|\?)", pattern.strip("/")):
        parts.append({"**": ".*", "**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part)))
    return re.compile("".join(parts) + r"(?:/.*)?$")


class Ignoring:
    def __init__(self, file):
        lines = [line.strip() for line in file.read_text().splitlines()] if file.exists() else []
        self.rules = [(expression(line.removeprefix("!")), line.startswith("!")) for line in lines
                      if line and not line.startswith("#")]

    def __call__(self, path):
        """Whether this path, relative to the context, is left out."""
        out = False
        for rule, kept in self.rules:
            if rule.match(str(path)):
                out = not kept
        return out
