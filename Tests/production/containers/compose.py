"""deploy/docker's compose files, as Debian's docker-compose resolves them."""

import os
import subprocess
from pathlib import Path

import yaml


def config(folder, *files, profiles=(), environment_file=None, check=True):
    """The resolved configuration, or with `check=False` the finished process."""
    names = [word for file in files for word in ("-f", str(Path(folder) / file))]
    profile = [word for name in profiles for word in ("--profile", name)]
    given = ["--env-file", str(environment_file)] if environment_file else []
    # Nothing of ours: only what the files say, as on a machine that was just set up.
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    done = subprocess.run(["docker-compose", *given, *names, *profile, "config"], capture_output=True, text=True,
                          cwd=folder, timeout=60, env=environment, stdin=subprocess.DEVNULL)
    if not check:
        return done
    assert done.returncode == 0, f"docker-compose config: {done.stderr}"
    # A variable that is not set is a warning, and an empty string in the configuration.
    assert "is not set" not in done.stderr, done.stderr
    return unescaped(yaml.safe_load(done.stdout))


def unescaped(value):
    """`config` writes $ as $$, so that its output could be read again."""
    if isinstance(value, dict):
        return {key: unescaped(each) for key, each in value.items()}
    if isinstance(value, list):
        return [unescaped(each) for each in value]
    return value.replace("$$", "$") if isinstance(value, str) else value


def networks(service):
    """Names, in any of the two forms."""
    return set(service.get("networks") or {"default"})


def ports(service):
    """Pairs (address and port outside, port inside), as text and number."""
    found = []
    for each in service.get("ports") or []:
        if isinstance(each, dict):
            address = f"{each['host_ip']}:" if each.get("host_ip") else ""
            found.append((f"{address}{each['published']}", int(each["target"])))
        else:
            outside, _, inside = str(each).removesuffix("/tcp").rpartition(":")
            found.append((outside, int(inside)))
    return found


def megabytes(text):
    """Of 512M, 1g or a number of bytes."""
    text = str(text).lower().removesuffix("b")
    factor = {"k": 1 / 1024, "m": 1, "g": 1024}.get(text[-1])
    return float(text[:-1]) * factor if factor else int(text) / 1024**2


def in_order(services):
    """Names, each after all that it waits for."""
    done = []

    def visit(name, above=()):
        assert name not in above, f"{name} waits for itself: {above}"
        for other in services[name].get("depends_on") or {}:
            visit(other, (*above, name))
        if name not in done:
            done.append(name)

    for name in services:
        visit(name)
    return done
