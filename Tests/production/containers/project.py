"""A copy of what an operator has after `git clone`, for tests to fill in."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from support.stack import ROOT

DOCKER = Path("deploy/docker")
PREPARE = Path("scripts/prepare-production.sh")
COPIED = ("deploy", "scripts", "certs", "frontend", "Sources", "Makefile", "Package.swift", "Package.resolved",
          ".dockerignore", ".env.prod.example", ".gitignore")


def checkout(folder):
    """Without what is made on the spot: certificates, secrets, settings."""
    folder = Path(folder)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, symlinks=True, ignore=made)
        elif source.exists():
            shutil.copy2(source, folder / name)
    folder.chmod(0o755)
    return folder


def made(folder, names):
    inside = Path(folder).relative_to(ROOT)
    if inside == Path("certs"):
        return [name for name in names if name not in ("README.md", "make-certs.sh")]
    return [name for name in names if name in ("node_modules", "__pycache__")
            or (inside == DOCKER / "secrets" and not name.startswith((".git", "README")))]


def prepare(folder, check=True, **variables):
    """scripts/prepare-production.sh, with nobody at the keyboard."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **variables}
    done = subprocess.run([folder / PREPARE], cwd=folder, env=environment, capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)
    assert not check or done.returncode == 0, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done


def assignments(text, comments=False):
    """NAME=value of each line; with `comments`, of those that are commented out as well."""
    pattern = re.compile(r"^(?:#\s?)?([A-Z][A-Z0-9_]*)=(.*)$" if comments else r"^([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)
    return dict(pattern.findall(text))
