#!/usr/bin/env bash
# Makes the backend's role, its database and the extension, and gives the role the password of now: the job
# "database-setup", before anything else uses the database. Safe to run again: nothing that is there is touched.
#
# The backend is no superuser. Only a superuser may make the extension, and bring it to the version of a new image.
#
#   POSTGRES_HOST, POSTGRES_PORT, POSTGRES_USER, POSTGRES_DB    as the backend has them
#   DATABASE_URL, or another POSTGRES_HOST than "database"      a database elsewhere: nothing to do here
set -euo pipefail

readonly PASSWORD=/run/secrets/POSTGRES_PASSWORD
readonly SUPERUSER=/run/secrets/POSTGRES_SUPERUSER_PASSWORD
readonly ROLE=${POSTGRES_USER:-plantops}
readonly DATABASE=${POSTGRES_DB:-plantops}

# Whose superuser we are not, and whom our password is no business of.
if [[ -n ${DATABASE_URL:-} || ${POSTGRES_HOST:-database} != database ]]; then
    echo "the settings name a database elsewhere; whoever runs it has made role and database"
    exit 0
fi
for file in "$PASSWORD" "$SUPERUSER"; do
    if [[ ! -r $file || ! -s $file ]]; then
        echo "error: $file is empty, or cannot be read by user $EUID" >&2
        exit 78
    fi
done

# SQL comes from standard input, and the role's password from its file: arguments are visible to every user.
as_superuser() {
    PGPASSWORD=$(<"$SUPERUSER") PGCONNECT_TIMEOUT=10 PGOPTIONS="-c client_min_messages=warning" \
        psql -XqAt -v ON_ERROR_STOP=1 -v role="$ROLE" -v database="$DATABASE" \
        -h "${POSTGRES_HOST:-database}" -p "${POSTGRES_PORT:-5432}" -U postgres -d "$1"
}

as_superuser postgres <<'SQL'
\set password `cat /run/secrets/POSTGRES_PASSWORD`
SELECT format('CREATE ROLE %I LOGIN', :'role') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
ALTER ROLE :"role" PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0', :'database', :'role')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
SQL

# A database that was made without TimescaleDB does without it for ever.
kind=$(as_superuser "$DATABASE" <<<"SELECT to_regclass('public.schema_migrations') IS NOT NULL AS migrated \gset
\if :migrated
SELECT name FROM schema_migrations WHERE version = 2;
\endif")
if [[ $(as_superuser "$DATABASE" <<<"SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'") != 1 ]]; then
    echo "this server has no TimescaleDB; plain PostgreSQL is used"
elif [[ $kind != telemetry_native ]]; then
    as_superuser "$DATABASE" <<<'CREATE EXTENSION IF NOT EXISTS timescaledb;'
    # In a session of its own: it must be the first thing that is done there.
    as_superuser "$DATABASE" <<<'ALTER EXTENSION timescaledb UPDATE;'
fi
echo "the database $DATABASE of the role $ROLE is there"
