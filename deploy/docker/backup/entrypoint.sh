#!/usr/bin/env bash
# The container that makes backups.
#
#   backup-entrypoint.sh schedule      one every day at BACKUP_AT; one at once if the newest is too old
#   backup-entrypoint.sh healthy       whether the newest is younger than 26 hours
#   backup-entrypoint.sh import NAME   a backup from standard input into the folder of backups
#   backup-entrypoint.sh COMMAND       any command of plantops-backup: create, restore FILE, verify FILE, list, ...
#
#   BACKUP_AT    hh:mm, in the time zone TZ    (03:15, UTC)
#
# Backups are in /var/lib/plantops/backups. To restore, /run/secrets/POSTGRES_SUPERUSER_PASSWORD must be there: only the
# service "restore" has it.
set -euo pipefail
umask 077

HERE=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
readonly FOLDER=/var/lib/plantops/backups
readonly SUPERUSER=/run/secrets/POSTGRES_SUPERUSER_PASSWORD
readonly TRY_AGAIN=${BACKUP_RETRY_SECONDS:-900}
# A day, and time for one that takes long.
readonly HEALTHY_MINUTES=1560
BACKUP_AT=${BACKUP_AT:-03:15}
export PLANTOPS_BACKUP_DIR=$FOLDER

say() { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*"; }

backup() { "$HERE/backup/plantops-backup" "$@"; }

# Only a restore needs the superuser; its password goes on as a file.
with_superuser() {
    if [[ -r $SUPERUSER ]]; then
        printf 'postgresql://postgres:%s@%s:%s/postgres' "$(jq -rRs 'rtrimstr("\n") | @uri' "$SUPERUSER")" \
            "${POSTGRES_HOST:-database}" "${POSTGRES_PORT:-5432}" >/tmp/admin-url
        export PLANTOPS_BACKUP_ADMIN_URL_FILE=/tmp/admin-url
    fi
}

healthy() { [[ -n $(find "$FOLDER" -maxdepth 1 -type f -name 'plantops-*.tar' -mmin "-$HEALTHY_MINUTES" -print -quit) ]]; }

import() {
    local name=${1:-}
    if ! [[ $name =~ ^plantops-[0-9]{8}T[0-9]{6}Z\.tar$ ]]; then
        echo "error: a backup is named plantops-YYYYMMDDThhmmssZ.tar" >&2
        exit 64
    fi
    # Under its name only when it is all there.
    trap 'rm -f "$FOLDER/.import.$$"' EXIT
    cat >"$FOLDER/.import.$$"
    mv "$FOLDER/.import.$$" "$FOLDER/$name"
}

# The next BACKUP_AT, in seconds since 1970.
next_time() {
    local at
    at=$(date -d "$BACKUP_AT" +%s)
    if ((at <= $(date +%s))); then at=$(date -d "tomorrow $BACKUP_AT" +%s); fi
    echo "$at"
}

# In the background, because a trap waits for a foreground command to end.
CHILD=''
stop() {
    if [[ -n $CHILD ]]; then
        kill -TERM "$CHILD" 2>/dev/null || true
        # A backup that is half made clears up first.
        wait "$CHILD" || true
    fi
    exit 0
}
run() {
    local status=0
    "$@" &
    CHILD=$!
    wait "$CHILD" || status=$?
    CHILD=''
    return "$status"
}

attempt() {
    until run "$HERE/backup/plantops-backup" create; do
        say "the backup failed; the next try is in $TRY_AGAIN s" >&2
        run sleep "$TRY_AGAIN"
    done
}

schedule() {
    local at
    if ! [[ $BACKUP_AT =~ ^([01][0-9]|2[0-3]):[0-5][0-9]$ ]]; then
        echo "error: BACKUP_AT must be a time such as 03:15" >&2
        exit 78
    fi
    trap stop TERM INT
    if ! healthy; then attempt; fi
    while :; do
        at=$(next_time)
        say "the next backup is at $(date -d "@$at" +%Y-%m-%dT%H:%M:%S%z)"
        # In short steps: a machine that slept, or whose clock was set, must not be a day late.
        while (($(date +%s) < at)); do
            run sleep 30
        done
        attempt
    done
}

case ${1:-schedule} in
    schedule | healthy) "$1" ;;
    import) import "${2:-}" ;;
    restore | recover)
        with_superuser
        backup "$@"
        ;;
    *) backup "$@" ;;
esac
