#!/usr/bin/env bash
# The Python environment of the end-to-end and browser tests and the benchmark: .venv, from
# Tests/requirements.txt. Does nothing while that file is what it was. No browser is fetched: the
# tests drive Debian's Chromium.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ -x .venv/bin/python ]] && cmp -s Tests/requirements.txt .venv/requirements.txt; then exit 0; fi
python3 -m venv .venv
PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 .venv/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/requirements.txt
cp Tests/requirements.txt .venv/requirements.txt
