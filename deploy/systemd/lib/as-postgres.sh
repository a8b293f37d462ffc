#!/bin/sh
# PostgreSQL lets its superuser in from the account postgres alone, without a password. So this runs one of its programs
# as that account; the right to read any file stays, because a backup is root's.
#   as-postgres.sh psql|pg_dump|pg_restore ARGUMENT...
set -eu
cd /
program=$1
shift
exec setpriv --reuid=postgres --regid=postgres --init-groups --inh-caps=+dac_read_search \
    --ambient-caps=+dac_read_search -- "${PLANTOPS_BACKUP_SERVER_BIN:?}/$program" "$@"
