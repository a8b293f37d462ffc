#!/usr/bin/env bash
# Style and obvious mistakes: Swift, shell, Python and TypeScript. Says everything it finds, then fails.
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

# forbidden PATTERN WHY FILES...: an extended regular expression that no line may match.
forbidden() {
    local pattern=$1 why=$2
    shift 2
    if grep -nE "$pattern" "$@"; then
        echo "lint.sh: $why" >&2
        failed=1
    fi
}

echo "typescript"
if [[ -e frontend/src/main.tsx ]]; then
    for project in tsconfig.json tsconfig.worker.json; do tsc --project "frontend/$project" --pretty false || failed=1; done
    mapfile -t code < <(find frontend/src -name '*.ts' -o -name '*.tsx')
    mapfile -t styles < <(find frontend/styles -name '*.css' ! -name tokens.css ! -name drawings.css)
    # Both themes come from one file; what is drawn has a palette of its own.
    forbidden '#[0-9a-fA-F]{3,8}\b|\b(rgba?|hsla?|oklch|oklab|lab|lch|hwb)\(' \
        'colours belong in frontend/styles/tokens.css, those of drawings in drawings.css' "${code[@]}" "${styles[@]}"
    forbidden '^[^/*]*:[^;]*[ :,(](white|black|gr[ae]y|red|green|blue|yellow|orange|purple|brown)[ ;,)]' \
        'colours belong in frontend/styles/tokens.css' "${styles[@]}"
    # Markup from a string could be anybody's, and style="" in it is stopped by the Content-Security-Policy.
    forbidden 'dangerouslySetInnerHTML|\.innerHTML *=|\beval\(|new Function\(' \
        'make elements, not markup from strings' "${code[@]}"
    forbidden '@ts-ignore|@ts-nocheck|: any\b|<any>|as any\b' 'say what type it is' "${code[@]}"
fi

exit "$failed"
