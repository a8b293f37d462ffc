#!/usr/bin/env bash
# What make check does: packages, build, lint, Swift tests, release build, end-to-end tests, browser tests, tests of
# what is deployed, then one line "N passed, M failed". A step that is no test and fails counts as one failure. Goes on
# after a failure where that makes sense, so that one run tells as much as possible.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly RESULTS=$PWD/.test
# In minutes. A test that hangs must not hang the whole check, and whoever waits for the check must be told its end.
readonly TIME_FOR_ALL=${PLANTOPS_CHECK_MINUTES:-85}
# End-to-end tests mostly wait, each worker for PlantOps of its own.
readonly WORKERS=${PLANTOPS_CHECK_WORKERS:-4}
passed=0 failed=0 skipped=0
failed_steps=() times=()

# Where the databases of tests are: they write and delete a million small files, so in memory where there is plenty.
make_folder() {
    local parent=${TMPDIR:-/tmp} folder
    if awk '/^MemAvailable:/ { exit !($2 > 12e6) }' /proc/meminfo && [[ $(df --output=avail /dev/shm 2>/dev/null) =~ [0-9]{8} ]]; then
        parent=/dev/shm
    fi
    folder=$(mktemp -d "$parent/plantops-check.XXXXXX")
    # PostgreSQL and others run as users of their own.
    chmod 755 "$folder"
    printf '%s\n' "$folder"
}

clean_up() {
    scripts/test-services.sh stop "$1/services" >/dev/null 2>&1 || true
    rm -rf "$1"
}

finish() {
    local line
    clean_up "$FOLDER"
    printf '\n'
    printf '%6d s  %s\n' "${times[@]}"
    if ((${#failed_steps[@]} > 0)); then
        printf '\n'
        printf 'FAILED: %s\n' "${failed_steps[@]}"
    fi
    line="$passed passed, $failed failed"
    if ((skipped > 0)); then line+=", $skipped skipped"; fi
    printf '\n%s\n' "$line"
    # For whoever must have it as the very last line, after make's own.
    printf '%s\n' "$line" >"$RESULTS/summary"
    if ((failed > 0)); then exit 1; fi
}

step() {
    local begun=$SECONDS name=$1
    shift
    printf '\n==> %s\n' "$name"
    if "$@"; then
        times+=($((SECONDS - begun)) "$name")
        return
    fi
    times+=($((SECONDS - begun)) "$name, which failed")
    failed_steps+=("$name")
    failed=$((failed + 1))
    return 1
}

# must NAME COMMAND...: nothing after it makes sense without it.
must() { step "$@" || finish; }
# may NAME COMMAND...: the rest is worth running all the same.
may() { step "$@" || true; }

# tests NAME MINUTES XML-PATTERN COMMAND...: a runner whose results are in XML files. Its own exit status
# counts too: a crash halfway through reports no failed test.
tests() {
    local name=$1 limit=$2 pattern=$3 log=$RESULTS/output status=0 counts begun=$SECONDS
    shift 3
    printf '\n==> %s\n' "$name"
    # shellcheck disable=SC2086 # the pattern is meant as one
    rm -f $pattern
    if ((limit * 60 > TIME_FOR_ALL * 60 - SECONDS)); then limit=$((TIME_FOR_ALL - SECONDS / 60)); fi
    if ((limit < 1)); then
        failed_steps+=("$name: not begun, after $((SECONDS / 60)) minutes")
        failed=$((failed + 1))
        return
    fi
    timeout --kill-after=30 "${limit}m" "$@" > >(tee "$log") 2>&1 || status=$?
    # shellcheck disable=SC2086
    read -r -a counts < <(python3 scripts/count-tests.py $pattern || true) || counts=(0 0 0)
    times+=($((SECONDS - begun)) "$name: ${counts[0]} passed, ${counts[1]} failed, ${counts[2]} skipped")
    passed=$((passed + counts[0]))
    failed=$((failed + counts[1]))
    skipped=$((skipped + counts[2]))
    if ((counts[1] > 0)); then
        # Their names at the very end, where they are not lost among a thousand others.
        # shellcheck disable=SC2086
        failed_steps+=("$name: ${counts[1]} tests"$'\n'"$(python3 scripts/count-tests.py --failed $pattern | sed 's/^/    /')")
    elif ((status == 124 || status == 137)); then
        failed_steps+=("$name: not finished after $limit minutes"$'\n'"$(python3 scripts/count-tests.py --unfinished "$log" | sed 's/^/    /')")
        failed=$((failed + 1))
    elif ((counts[0] + counts[1] == 0)); then
        failed_steps+=("$name: no test ran (exit status $status)")
        failed=$((failed + 1))
    elif ((status != 0)); then
        failed_steps+=("$name: exit status $status")
        failed=$((failed + 1))
    fi
}

swift_tests() {
    if ! step "test services" scripts/test-services.sh start "$SERVICES"; then return; fi
    # shellcheck disable=SC1091 # just written
    source "$SERVICES/env"
    # Hundreds begun at once starve each other on two cores, and what has seconds to answer is late.
    export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=16
    # XCTest writes the file, Swift Testing the same name with -swift-testing. In parts: the pure ones keep every thread
    # busy with thousands of random cases, those of the store hold threads while the database works, and whoever waits
    # for a server beside them gives up.
    local pure='^PlantDomainTests' store='^PlantStoreTests' postgres='^PostgresTests'
    local series='^PlantStoreTests\.[A-Za-z]*(Rollup|History|Retention|Storage|Export|Upgrade|Schema|Replay|Health|Care)'
    tests "Swift tests of the domain" 15 "$RESULTS/domain*.xml" \
        swift test --skip-build --filter "$pure" --xunit-output "$RESULTS/domain.xml"
    tests "Swift tests of the store" 15 "$RESULTS/store*.xml" \
        swift test --skip-build --filter "$store" --skip "$series" --xunit-output "$RESULTS/store.xml"
    tests "Swift tests of stored series" 15 "$RESULTS/series*.xml" \
        swift test --skip-build --filter "$series" --xunit-output "$RESULTS/series.xml"
    tests "Swift tests of connections" 15 "$RESULTS/postgres*.xml" \
        swift test --skip-build --filter "$postgres" --xunit-output "$RESULTS/postgres.xml"
    tests "Swift tests" 15 "$RESULTS/swift*.xml" \
        swift test --skip-build --skip "$pure" --skip "$store" --skip "$postgres" --xunit-output "$RESULTS/swift.xml"
    scripts/test-services.sh stop "$SERVICES"
}

mkdir -p "$RESULTS"
rm -f "$RESULTS/summary"
# Left over from a check that was killed.
if [[ -s $RESULTS/folder ]]; then clean_up "$(<"$RESULTS/folder")"; fi
FOLDER=$(make_folder)
printf '%s\n' "$FOLDER" >"$RESULTS/folder"
readonly FOLDER SERVICES=$FOLDER/services
trap 'clean_up "$FOLDER"' EXIT

must "system packages" scripts/install-packages.sh build run frontend check production
must "Python packages" scripts/make-venv.sh
may "dashboard" scripts/build-frontend.sh
must "debug build" swift build --build-tests
may "lint" scripts/lint.sh
swift_tests
must "release build" make --no-print-directory build
export PLANTOPS_BIN=$PWD/.build/release/plantops
tests "end-to-end tests" 60 "$RESULTS/e2e.xml" env TMPDIR="$FOLDER" .venv/bin/python -m pytest Tests/e2e \
    --numprocesses "$WORKERS" --dist loadfile --no-loadscope-reorder --junitxml="$RESULTS/e2e.xml"
tests "browser tests" 30 "$RESULTS/browser.xml" \
    env TMPDIR="$FOLDER" .venv/bin/python -m pytest -c Tests/pytest.ini Tests/browser \
    --numprocesses 2 --dist loadfile --no-loadscope-reorder --junitxml="$RESULTS/browser.xml"
tests "production tests" 30 "$RESULTS/production.xml" \
    .venv/bin/python -m pytest -c Tests/pytest.ini Tests/production --junitxml="$RESULTS/production.xml"
finish
