"""Reads a Dockerfile: its stages and their instructions, with build arguments filled in."""

import json
import re
import shlex
from dataclasses import dataclass, field

FLAG = re.compile(r"--([a-z-]+)=(\S+)\s+")


@dataclass
class Instruction:
    name: str
    text: str
    flags: dict
    # Build arguments, which RUN sees as variables.
    arguments: dict

    @property
    def words(self):
        """Of the JSON form or of the plain one."""
        return json.loads(self.text) if self.text.startswith("[") else shlex.split(self.text)

    @property
    def command(self):
        """As the engine starts it: the plain form of RUN, CMD and ENTRYPOINT goes through a shell."""
        return json.loads(self.text) if self.text.startswith("[") else ["/bin/sh", "-c", self.text]


@dataclass
class Stage:
    base: str
    name: str | None
    instructions: list = field(default_factory=list)

    def of(self, name):
        return [each for each in self.instructions if each.name == name]

    def last(self, name):
        return (self.of(name) or [None])[-1]

    def packages(self):
        """What it installs with apt-get."""
        commands = re.split(r"&&|;|\n", "\n".join(each.text for each in self.of("RUN")))
        installs = [shlex.split(each) for each in commands if re.search(r"apt-get\b.*\binstall\b", each)]
        return {word for words in installs for word in words[words.index("install") + 1:] if not word.startswith("-")}


def lines(text):
    """Whole instructions: comments left out, continued lines joined."""
    whole = ""
    for line in text.splitlines():
        if line.lstrip().startswith("#") or not line.strip():
            continue
        whole += line.rstrip()
        if whole.endswith("\\"):
            whole = whole[:-1] + " "
            continue
        yield whole.strip()
        whole = ""
    assert not whole, f"goes on after the end: {whole}"


def filled(text, values):
    """${NAME}, ${NAME:-default} and $NAME of what is known; anything else is the shell's."""
    def value(match):
        name, default = match["braced"] or match["plain"], match["default"]
        return values.get(name) or default or (match[0] if name not in values else "")

    return re.sub(r"\$(?:\{(?P<braced>\w+)(?::-(?P<default>[^}]*))?\}|(?P<plain>\w+))", value, text)


def parse(text):
    """Its stages, in their order."""
    assert "<<" not in text, "this reader knows no here-documents"
    stages, arguments = [], {}
    outside = {}
    for line in lines(text):
        name, _, rest = line.partition(" ")
        name, rest, flags = name.upper(), rest.strip(), {}
        while match := FLAG.match(rest):
            flags[match[1]] = filled(match[2], arguments)
            rest = rest[match.end():]
        if name == "FROM":
            words = filled(rest, outside).split()
            stages.append(Stage(words[0], words[2] if len(words) == 3 else None))
            arguments = {}
            continue
        if name == "ARG":
            key, _, value = rest.partition("=")
            (arguments if stages else outside)[key] = filled(value.strip('"'), arguments) or outside.get(key, "")
            continue
        if name != "RUN":
            rest = filled(rest, arguments)
        stages[-1].instructions.append(Instruction(name, rest, flags, dict(arguments)))
        if name == "ENV":
            arguments |= environment(rest)
    return stages


def environment(text):
    """The variables of an ENV instruction."""
    return dict(word.split("=", 1) for word in shlex.split(text))
