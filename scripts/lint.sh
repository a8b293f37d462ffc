#!/usr/bin/env bash
# Style and obvious mistakes: Swift, shell and Python. Says everything it finds, then fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
failed=0

echo "swift format lint"
swift format lint --strict --recursive --parallel Sources Tests Package.swift || failed=1

# Every shell script that is not hidden behind another name: by its first line or its ending.
echo "shellcheck"
mapfile -t scripts < <(
    { find certs deploy scripts Tests -name '*.sh' -type f
      grep -rlE --include='*' '^#!.*\b(ba)?sh$' certs deploy scripts .ci 2>/dev/null; } | sort -u)
shellcheck -x "${scripts[@]}" || failed=1

echo "python"
# Byte code goes elsewhere: this only asks whether it compiles.
PYTHONPYCACHEPREFIX=$(mktemp -d)
export PYTHONPYCACHEPREFIX
trap 'rm -rf "$PYTHONPYCACHEPREFIX"' EXIT
python3 -m compileall -q Tests scripts || failed=1

exit "$failed"
