"""The parts of the dashboard that need no page (frontend/tests), in Node, which the type checker brings along."""

import os
import subprocess

import pytest

from support.stack import ROOT

FILES = sorted((ROOT / "frontend" / "tests").glob("*.test.ts"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix(".test.ts"))
def test_what_needs_no_page(file, tmp_path):
    bundle = tmp_path / f"{file.stem}.mjs"
    subprocess.run(
        ["esbuild", file, "--bundle", "--platform=node", "--format=esm", "--external:node:*", f"--outfile={bundle}",
         "--log-level=warning"],
        check=True, cwd=ROOT, env={**os.environ, "NODE_PATH": "/usr/share/nodejs"})
    run = subprocess.run(["node", "--test", bundle], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
    assert " pass 0" not in run.stdout, "no test ran:\n" + run.stdout
