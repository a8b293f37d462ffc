#!/usr/bin/env bash
# A private PostgreSQL and Mosquitto for the Swift tests, on free ports, in a folder of their own,
# made with the same functions as the local setup (deploy/local/lib).
#
#   scripts/test-services.sh start DIR                  writes DIR/env, to be sourced
#   scripts/test-services.sh stop DIR                   stops them and deletes DIR
#   scripts/test-services.sh control DIR NAME start|stop|kill|pid     one of: postgres mosquitto
#
# DIR/env: PLANTOPS_TEST_DATABASE_URL (a role that may create databases),
# PLANTOPS_TEST_SUPERUSER_URL, PLANTOPS_TEST_TIMESCALE (1 or 0),
# PLANTOPS_TEST_MQTT_HOST, _PORT, _CA, _USERNAME, _PASSWORD (the backend's account),
# PLANTOPS_TEST_PG_CTL and PLANTOPS_TEST_MQTT_CTL: a command line to which start, stop, kill or pid
# is appended, for tests of what happens when a service is away.
#
# PLANTOPS_BIN (default .build/debug/plantops) makes the broker's first account.
set -euo pipefail
umask 077

REPO=$(cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.." && pwd)
usage() { sed -n '2,/^set -euo/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; }
if (($# < 2)); then
    usage >&2
    exit 64
fi
action=$1
PLANTOPS_HOME=$(realpath -m -- "$2")
PLANTOPS_BIN=${PLANTOPS_BIN:-$REPO/.build/debug/plantops}
# Hundreds of databases come and go, and none outlives the machine.
# shellcheck disable=SC2034 # used by postgres.sh
PLANTOPS_DB_FSYNC=off
# The caller's own settings are for a backend of theirs, not for the tests' services.
unset PLANTOPS_BIND HTTP_PORT MQTT_BACKEND_USERNAME MQTT_BACKEND_PASSWORD MQTT_BACKEND_PASSWORD_FILE
for part in common settings process secrets postgres mosquitto; do
    # shellcheck source=/dev/null
    source "$REPO/deploy/local/lib/$part.sh"
done
# Tests run side by side, each with a database and a pool of its own.
# shellcheck disable=SC2034 # used by postgres.sh
POSTGRES_CONNECTIONS=300

ports() {
    # Chosen once, so that a service that was stopped comes back on the same port.
    if [[ ! -s $RUN_DIR/ports ]]; then
        echo "PLANTOPS_DB_PORT=$(free_port) PLANTOPS_MQTT_PORT=$(free_port)" >"$RUN_DIR/ports"
    fi
    # shellcheck disable=SC1091 # just written
    source "$RUN_DIR/ports"
}

make_roles() {
    superuser_psql <<SQL
SELECT 'CREATE ROLE plantops_test LOGIN CREATEDB' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'plantops_test') \gexec
SELECT 'CREATE ROLE plantops_super LOGIN SUPERUSER' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'plantops_super') \gexec
ALTER ROLE plantops_test PASSWORD '$(secret POSTGRES_PASSWORD)';
ALTER ROLE plantops_super PASSWORD '$(secret POSTGRES_PASSWORD)';
SQL
}

write_test_environment() {
    local address timescale=0
    address="$(secret POSTGRES_PASSWORD)@127.0.0.1:$PLANTOPS_DB_PORT/postgres"
    if timescale_available "$(postgres_bin)"; then timescale=1; fi
    printf 'export %s=%q\n' \
        PLANTOPS_TEST_DATABASE_URL "postgresql://plantops_test:$address" \
        PLANTOPS_TEST_SUPERUSER_URL "postgresql://plantops_super:$address" \
        PLANTOPS_TEST_TIMESCALE "$timescale" \
        PLANTOPS_TEST_PG_CTL "$REPO/scripts/test-services.sh control $PLANTOPS_HOME postgres" \
        PLANTOPS_TEST_MQTT_HOST localhost \
        PLANTOPS_TEST_MQTT_PORT "$PLANTOPS_MQTT_PORT" \
        PLANTOPS_TEST_MQTT_CA "$CERT_DIR/ca.crt" \
        PLANTOPS_TEST_MQTT_USERNAME backend \
        PLANTOPS_TEST_MQTT_PASSWORD "$(secret MQTT_BACKEND_PASSWORD)" \
        PLANTOPS_TEST_MQTT_CTL "$REPO/scripts/test-services.sh control $PLANTOPS_HOME mosquitto" \
        >"$PLANTOPS_HOME/env"
}

case $action in
    start)
        if [[ ! -x $PLANTOPS_BIN ]]; then die "there is no $PLANTOPS_BIN" "swift build makes it."; fi
        make_folders
        ports
        make_secrets
        start_postgres
        make_roles
        start_mosquitto
        write_test_environment
        ;;
    stop)
        if [[ ! -e $PLANTOPS_HOME/.plantops ]]; then exit 0; fi
        make_folders
        stop_mosquitto
        stop_postgres
        delete_state
        ;;
    control)
        name=${3:-}
        if [[ $name != postgres && $name != mosquitto ]]; then die "control DIR postgres|mosquitto start|stop|kill|pid"; fi
        make_folders
        ports
        case ${4:-} in
            start | stop) "$4_$name" ;;
            kill) pid=$(pid_of "$name") && kill -KILL "$pid" && wait_until 10 not_running "$name" ;;
            pid) pid_of "$name" ;;
            *) die "control $2 $name: start, stop, kill or pid" ;;
        esac
        ;;
    *)
        usage >&2
        exit 64
        ;;
esac
