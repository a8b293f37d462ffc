#!/usr/bin/env bash
# Debian's PostgreSQL in the part of the official image (timescale/timescaledb is made on it): what the image promises in
# its documentation. Begun as root it hands the data over to its own user and goes on as that one; an empty data folder
# is filled, with POSTGRES_USER as superuser and POSTGRES_DB, and /docker-entrypoint-initdb.d is run, all that while nobody
# can come in over the network; then the command takes its place.
set -euo pipefail

# NAME_FILE is read once, as whoever the container begins as.
for name in POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB POSTGRES_INITDB_ARGS; do
    file=${name}_FILE
    if [[ -n ${!file:-} ]]; then
        if [[ -n ${!name:-} ]]; then echo "error: both $name and $file are set" >&2; exit 1; fi
        printf -v "$name" '%s' "$(<"${!file}")"
        export "${name?}"
        unset "$file"
    fi
done
export POSTGRES_USER=${POSTGRES_USER:-postgres}
export POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}

# Where there is no TimescaleDB, what belongs to it is left out, and PlantOps takes its way for plain PostgreSQL.
arguments=()
for argument; do
    if [[ $argument != *timescaledb* || -e /usr/share/postgresql/$PG_MAJOR/extension/timescaledb.control ]]; then
        arguments+=("$argument")
    fi
done
set -- "${arguments[@]}"

if [[ $1 == -* ]]; then set -- postgres "$@"; fi
if [[ $1 != postgres ]]; then exec "$@"; fi

mkdir -p "$PGDATA"
chmod 700 "$PGDATA" || true
mkdir -p /var/run/postgresql
chmod 3775 /var/run/postgresql || true
if [[ $EUID -eq 0 ]]; then
    find "$PGDATA" /var/run/postgresql ! -user postgres -exec chown postgres '{}' +
    exec setpriv --reuid postgres --regid postgres --clear-groups "$0" "$@"
fi

if [[ ! -s $PGDATA/PG_VERSION ]]; then
    if [[ -z ${POSTGRES_PASSWORD:-} ]]; then
        echo "Error: Database is uninitialized and superuser password is not specified." >&2
        exit 1
    fi
    read -ra arguments <<<"${POSTGRES_INITDB_ARGS:-}"
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") "${arguments[@]}"
    # As in the image's own sample of the file, of which initdb makes it.
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
    printf '\nhost all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
    export PGPASSWORD=$POSTGRES_PASSWORD
    pg_ctl -D "$PGDATA" -o "$(printf '%q ' "${@:2}" -c listen_addresses=)" -w start
    sql=(psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password --no-psqlrc)
    if [[ $POSTGRES_DB != postgres ]]; then
        "${sql[@]}" --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
    fi
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh) if [[ -x $file ]]; then "$file"; else
                # shellcheck disable=SC1090 # as the image does
                . "$file"
            fi ;;
            *.sql) "${sql[@]}" --dbname "$POSTGRES_DB" -f "$file" ;;
        esac
    done
    pg_ctl -D "$PGDATA" -m fast -w stop
    unset PGPASSWORD
    echo "PostgreSQL init process complete; ready for start up."
fi
exec "$@"
