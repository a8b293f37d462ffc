# shellcheck shell=bash
# Debian's PostgreSQL: a role and a database of ours in the cluster that is there. Its configuration stays as it is, but
# that TimescaleDB is loaded if it is installed.

# The one on the port that was used before (5432 at first; an upgrade of PostgreSQL gives the port to the new cluster),
# else the newest one.
find_cluster() {
    local clusters
    clusters=$(pg_lsclusters -h | awk '$2 == "main"' | sort -V)
    [[ -n $clusters ]] || die "PostgreSQL is installed, but has no cluster called main" \
        "Make one: pg_createcluster $(basename "$(compgen -G '/usr/lib/postgresql/*' | sort -V | tail -n 1)") main --start"
    read -r PLANTOPS_CLUSTER_VERSION _ PLANTOPS_DB_PORT _ < <(
        awk -v port="$PLANTOPS_DB_PORT" '$3 == port { found = 1; print } { last = $0 } END { if (!found) print last }' <<<"$clusters"
    )
}

database_answers() { "$(postgres_bin)/pg_isready" -q -h 127.0.0.1 -p "$PLANTOPS_DB_PORT"; }

# With the role's password, as the backend does.
database_open() {
    [[ -s $SECRETS_DIR/POSTGRES_PASSWORD ]] && database_answers &&
        PGPASSWORD=$(secret POSTGRES_PASSWORD) "$(postgres_bin)/psql" -XqAt -h 127.0.0.1 -p "$PLANTOPS_DB_PORT" \
            -U plantops -d plantops -c 'SELECT 1' >/dev/null 2>&1
}

load_timescale() {
    local loaded drop_in=/etc/postgresql/$PLANTOPS_CLUSTER_VERSION/main/conf.d/plantops.conf
    loaded=$(superuser_psql <<<'SHOW shared_preload_libraries')
    if [[ $loaded == *timescaledb* ]]; then return; fi
    put_file timescale "$drop_in" 644 <<CONF
# Written by PlantOps' install.sh.
shared_preload_libraries = '${loaded:+$loaded,}timescaledb'
timescaledb.telemetry_level = off
CONF
    change "restart PostgreSQL" systemctl restart "postgresql@$PLANTOPS_CLUSTER_VERSION-main.service"
    wait_until 120 database_answers || die "PostgreSQL did not come up with TimescaleDB" "Its log: /var/log/postgresql"
}

set_up_database() {
    if ! systemctl is-enabled --quiet postgresql.service || ! database_answers; then
        act postgresql "start PostgreSQL, now and with the machine" start_cluster
    fi
    # Until the first installation was complete, all of it once more.
    if [[ -e $CONFIG_DIR/administrator ]] && database_open; then return; fi
    act database "make the role and the database plantops" make_own_database
}

start_cluster() {
    systemctl enable --quiet postgresql.service
    systemctl start postgresql.service "postgresql@$PLANTOPS_CLUSTER_VERSION-main.service"
    wait_until 120 database_answers || die "PostgreSQL does not answer on port $PLANTOPS_DB_PORT" \
        "journalctl -u postgresql@$PLANTOPS_CLUSTER_VERSION-main says why"
}

make_own_database() {
    if timescale_available "$(postgres_bin)"; then load_timescale; fi
    make_database
    database_open || die "the role plantops cannot sign in to PostgreSQL on 127.0.0.1" \
        "/etc/postgresql/$PLANTOPS_CLUSTER_VERSION/main/pg_hba.conf must allow it: host all all 127.0.0.1/32 scram-sha-256"
}
