# shellcheck shell=bash
# A private PostgreSQL cluster. Its superuser can sign in only over the socket and only from the
# account that owns the cluster (or root); everyone else needs a password.

# The programs of the version that made the cluster, or the newest one.
postgres_bin() {
    local data=$SERVICE_HOME/postgres version='*' found
    if [[ -s $data/PG_VERSION ]]; then version=$(<"$data/PG_VERSION"); fi
    # shellcheck disable=SC2086 # the star is meant as one
    found=$(compgen -G /usr/lib/postgresql/$version/bin/postgres | sort -V | tail -n 1 || true)
    if [[ -n $found ]]; then
        dirname "$found"
    elif [[ $version == '*' ]] && command -v postgres >/dev/null; then
        dirname "$(realpath "$(command -v postgres)")"
    elif [[ $version == '*' ]]; then
        die "PostgreSQL is not installed" "make packages installs it"
    else
        die "the database in $data was made by PostgreSQL $version, which is not installed" \
            "Install postgresql-$version, or delete the state with: plantops-local reset"
    fi
}

timescale_available() {
    [[ $PLANTOPS_TIMESCALE != 0 && -e $("$1/pg_config" --pkglibdir 2>/dev/null || echo "${1%/bin}/lib")/timescaledb.so ]]
}

# A socket's whole path may have 107 bytes, so a deep PLANTOPS_HOME needs another place for it.
postgres_socket_dir() {
    local file=$PLANTOPS_HOME/postgres-socket dir
    if [[ ! -s $file ]]; then
        dir=$SERVICE_HOME/pg
        if ((${#dir} > 80)); then dir=$(mktemp -d /tmp/plantops-pg.XXXXXX); fi
        echo "$dir" >"$file"
    fi
    cat "$file"
}

# As superuser. SQL comes from standard input: arguments are visible to every user.
superuser_psql() {
    PGOPTIONS="-c client_min_messages=error" PGPASSWORD='' "$(postgres_bin)/psql" -XqAt -v ON_ERROR_STOP=1 \
        -h "$(postgres_socket_dir)" -p "$PLANTOPS_DB_PORT" -U postgres -d "${1:-postgres}"
}

init_postgres() {
    local bin=$1 user=$2 data=$SERVICE_HOME/postgres options=(--encoding=UTF8 --locale=C.UTF-8 --auth=peer --data-checksums)
    if [[ $PLANTOPS_DB_FSYNC == off ]]; then options+=(--no-sync); fi
    if [[ -s $data/PG_VERSION ]]; then return; fi
    say "making a PostgreSQL cluster in $data"
    # An initdb that was interrupted leaves a folder without a version; it holds nothing yet.
    rm -rf "$data"
    own_folder "$user" "$data"
    if ! (cd / && as_user "$user" "$bin/initdb" -D "$data" -U postgres "${options[@]}") >"$LOG_DIR/initdb.log" 2>&1; then
        rm -rf "$data"
        show_log "$LOG_DIR/initdb.log"
        die "initdb failed"
    fi
    echo "include_if_exists = 'plantops.conf'" >>"$data/postgresql.conf"
}

# Written at every start: ports and the extension may have changed since.
configure_postgres() {
    local bin=$1 user=$2 data=$SERVICE_HOME/postgres socket=$3
    cat >"$data/plantops.conf" <<CONF
# Written by deploy/local/lib/postgres.sh at every start.
listen_addresses = '127.0.0.1'
port = $PLANTOPS_DB_PORT
unix_socket_directories = '$socket'
password_encryption = scram-sha-256
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
log_lock_waits = on

# Small enough for a Raspberry Pi. What is committed is on the disk, because an acknowledged reading must not be lost:
# synchronous_commit stays as it is, and fsync is on but for tests, which end no machine.
fsync = $PLANTOPS_DB_FSYNC
shared_buffers = 128MB
effective_cache_size = 512MB
max_wal_size = 1GB
wal_compression = on
checkpoint_timeout = 15min
random_page_cost = 1.1
max_connections = ${POSTGRES_CONNECTIONS:-100}
jit = off
CONF
    if timescale_available "$bin"; then
        cat >>"$data/plantops.conf" <<'CONF'

shared_preload_libraries = 'timescaledb'
timescaledb.telemetry_level = off
max_worker_processes = 16
CONF
    fi
    cat >"$data/pg_hba.conf" <<'HBA'
# Written by deploy/local/lib/postgres.sh at every start.
local all postgres              peer map=owner
local all all                   scram-sha-256
host  all all      127.0.0.1/32 scram-sha-256
HBA
    printf '%s\n' "owner $user postgres" "owner root postgres" >"$data/pg_ident.conf"
    if is_root; then chown "$user:" "$data"/{plantops,pg_hba,pg_ident}.conf; fi
}

# The server's children outlive a kill -9 of it by a moment and keep its memory, and a new server
# refuses to start beside them. They all stand in the data folder.
postgres_children_gone() { [[ -z $(postgres_children) ]]; }

# Their process ids, a line each.
postgres_children() {
    find /proc/[0-9]*/cwd -maxdepth 0 -printf '%h %l\n' 2>/dev/null |
        awk -v data="$SERVICE_HOME/postgres" '{ pid = substr($1, 7); sub(/^[^ ]* /, "") } $0 == data { print pid }' || true
}

# A server that was killed leaves children that notice it only when they wait for something: one that sums up a year
# may take minutes. They are told to quit at once, unless the server itself lives. Nothing is lost: it has crashed anyway.
end_postgres_orphans() {
    local pid server
    server=$(head -n 1 "$SERVICE_HOME/postgres/postmaster.pid" 2>/dev/null || true)
    if [[ -n $server && $(readlink "/proc/$server/cwd" 2>/dev/null) == "$SERVICE_HOME/postgres" ]]; then return 1; fi
    for pid in $(postgres_children); do kill -QUIT "$pid" 2>/dev/null || true; done
    wait_until 10 postgres_children_gone
}

start_postgres() {
    local bin user socket
    if running postgres; then return; fi
    if [[ $PLANTOPS_DB_FSYNC != @(on|off) ]]; then die "PLANTOPS_DB_FSYNC=$PLANTOPS_DB_FSYNC is neither on nor off"; fi
    require_free_port 127.0.0.1 "$PLANTOPS_DB_PORT" PostgreSQL PLANTOPS_DB_PORT
    bin=$(postgres_bin)
    user=$(service_user postgres nobody)
    socket=$(postgres_socket_dir)
    own_folder "$user" "$socket"
    init_postgres "$bin" "$user"
    configure_postgres "$bin" "$user" "$socket"
    wait_until 10 postgres_children_gone || end_postgres_orphans ||
        die "another PostgreSQL is working in $SERVICE_HOME/postgres" "It was not started by this script; stop it first."
    # Nobody works in there, so a lock file is a dead server's; its number may since belong to
    # another program (or to a zombie), and PostgreSQL would then refuse to start.
    rm -f "$SERVICE_HOME/postgres/postmaster.pid" "$socket"/.s.PGSQL.*
    launch postgres "$user" "$bin/postgres" -D "$SERVICE_HOME/postgres"
    # Long, because it may have to replay its log after a power cut.
    await postgres 120 "pg_isready" "$bin/pg_isready" -q -h 127.0.0.1 -p "$PLANTOPS_DB_PORT"
}

# The backend's role, no superuser, and its database. With TimescaleDB, the extension too, which
# only a superuser may create (and update, first thing in a session).
make_database() {
    superuser_psql <<SQL
SELECT 'CREATE ROLE plantops LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'plantops') \gexec
ALTER ROLE plantops PASSWORD '$(secret POSTGRES_PASSWORD)';
SELECT 'CREATE DATABASE plantops OWNER plantops' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'plantops') \gexec
SQL
    # A database that was made without it does without it for ever.
    if timescale_available "$(postgres_bin)" && ! superuser_psql plantops 2>/dev/null \
        <<<"SELECT name FROM schema_migrations WHERE version = 2" | grep -qx telemetry_native; then
        superuser_psql plantops <<<"CREATE EXTENSION IF NOT EXISTS timescaledb;"
        superuser_psql plantops <<<"ALTER EXTENSION timescaledb UPDATE;"
    fi
}

# "Fast" shutdown: open sessions are ended, then everything is written.
stop_postgres() { end postgres INT 60; }
