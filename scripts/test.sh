#!/usr/bin/env bash
# The Swift tests, with a PostgreSQL and a Mosquitto of their own; FILTER=name runs some of them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

services=$PWD/.test/services
swift build --build-tests
scripts/test-services.sh stop "$services"
trap 'scripts/test-services.sh stop "$services"' EXIT
scripts/test-services.sh start "$services"
# shellcheck disable=SC1091 # just written
source "$services/env"
# As in check.sh: hundreds begun at once starve each other.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=16
if [[ -n ${FILTER:-} ]]; then
    swift test --skip-build --filter "$FILTER"
else
    # In parts, as in check.sh: some keep every thread busy, and whoever waits for a server beside them gives up.
    pure='^PlantDomainTests' store='^PlantStoreTests' postgres='^PostgresTests'
    swift test --skip-build --filter "$pure"
    swift test --skip-build --filter "$store"
    swift test --skip-build --filter "$postgres"
    swift test --skip-build --skip "$pure" --skip "$store" --skip "$postgres"
fi
