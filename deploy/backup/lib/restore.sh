# shellcheck shell=bash
# shellcheck disable=SC2030,SC2031,SC2034 # what one of these files sets, others use
# Putting a backup back: into a database of its own beside the one in service, compared there with what the backup says
# it holds. Until then nothing that is in service is touched.

DATABASE='' RESTORED='' BEFORE='' STAMP=''

# Whether program, server and settings can take this backup, before anything is made.
check_fits() {
    local version newest server
    newest=$(facts schema)
    if (($(manifest .schema) > newest)); then
        fail 65 "this backup has schema $(manifest .schema), made by PlantOps $(manifest .program); this program knows up to $newest" \
            "Restore it with that version of PlantOps or a later one. Nothing was changed."
    fi
    server=$(sql '' <<<"SELECT current_setting('server_version_num')::int / 10000") ||
        fail 69 "the database does not answer; nothing was changed"
    if (($(manifest .postgresql_major) > server)); then
        fail 65 "this backup is from PostgreSQL $(manifest .postgresql), newer than the server's $server; nothing was changed"
    fi
    if (($(pg_restore --version | grep -oE '[0-9]+' | head -n 1) < $(manifest .postgresql_major))); then
        fail 69 "pg_restore is older than this backup" "Name the right folder in PLANTOPS_BACKUP_PG_BIN."
    fi
    [[ $(sql '' -v role="${TARGET[PGUSER]}" <<<"SELECT 1 FROM pg_roles WHERE rolname = :'role'") == 1 ]] ||
        fail 78 "the server has no role ${TARGET[PGUSER]}; make it first"
    [[ $(sql '' <<<'SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user') == t ]] ||
        fail 78 "the role ${ADMIN[PGUSER]:-} may not make databases" "Set PLANTOPS_BACKUP_ADMIN_URL to one that may."
    if has_timescale; then
        version=$(manifest .timescaledb)
        # Also where it is installed, it works only if the server has loaded it at its start.
        if [[ $(sql '' -v version="$version" <<<"SELECT 1 FROM pg_available_extension_versions
                WHERE name = 'timescaledb' AND version = :'version'
                  AND current_setting('shared_preload_libraries') ~ '\\mtimescaledb\\M'") != 1 ]]; then
            fail 65 "this backup is of a database with TimescaleDB $version, which this server does not have" \
                "It has: $(sql '' <<<"SELECT coalesce(string_agg(version, ', ' ORDER BY version), 'none')
                    FROM pg_available_extension_versions WHERE name = 'timescaledb'
                      AND current_setting('shared_preload_libraries') ~ '\\mtimescaledb\\M'"). Install that version. Nothing was changed."
        fi
        [[ $(sql '' <<<'SELECT rolsuper FROM pg_roles WHERE rolname = current_user') == t ]] ||
            fail 78 "restoring TimescaleDB needs a superuser" "Set PLANTOPS_BACKUP_ADMIN_URL to one."
        [[ $(manifest .owner) == "${TARGET[PGUSER]}" ]] ||
            fail 78 "the tables of this backup belong to the role $(manifest .owner), but the backend is ${TARGET[PGUSER]}" \
                "With TimescaleDB the two must have the same name. Nothing was changed."
    fi
    if [[ -n $BROKER_FILE$CERTS$SECRETS && ( -z ${PLANTOPS_BACKUP_STOP:-} || -z ${PLANTOPS_BACKUP_START:-} ) ]]; then
        fail 78 "PLANTOPS_BACKUP_STOP and PLANTOPS_BACKUP_START must say how backend and broker are stopped and started" \
            "If you do that by hand, before and after, set both to 'true'."
    fi
}

# Where the server's files are on this machine, there must be room for a second database.
check_room() {
    local data
    require_room "$(manifest '.members["database.dump"].bytes')" "$FOLDER" "the dump, unpacked,"
    data=$(sql '' <<<"SELECT setting FROM pg_settings WHERE name = 'data_directory'" 2>/dev/null) || return 0
    if [[ -n $data && -d $data ]]; then require_room "$(manifest .database_bytes)" "$data" "the restored database"; fi
}

ask_whether() {
    local answer
    if [[ ${YES:-} == 1 ]]; then return; fi
    [[ -t 0 ]] || fail 64 "restore replaces the database $DATABASE; say YES=1 if you mean it"
    say "This is $(describe)."
    read -r -p "Put it in the place of the database $DATABASE, whose newer data will then be out of service? [y/N] " answer
    [[ $answer == [yY]* ]] || fail 1 "nothing was changed"
}

# Databases that a killed restore has left half done. Ours alone: they say so.
readonly HALF_DONE='plantops: half of a restore'
drop_half_done() {
    local name
    while IFS= read -r name; do
        if [[ -z $name ]]; then continue; fi
        say "deleting $name, which a restore that was killed has left behind"
        drop_database "$name"
    done < <(sql '' -v prefix="${DATABASE}_restore_" -v mark="$HALF_DONE" <<<"SELECT datname FROM pg_database
        WHERE starts_with(datname, :'prefix') AND shobj_description(oid, 'pg_database') = :'mark'")
}

# Whether nobody has made anything in a database; what extensions bring does not count. Only then it need not be kept:
# a wrong DATABASE_URL names a database of something else, with no table of ours in it.
readonly EMPTY_SQL="SELECT NOT EXISTS (
    SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname !~ '^pg_|^information_schema\$|^_?timescaledb'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
    AND NOT EXISTS (SELECT FROM pg_largeobject_metadata)"

drop_database() { sql '' -v name="$1" <<<'DROP DATABASE IF EXISTS :"name" WITH (FORCE)'; }

make_new_database() {
    sql '' -v name="$RESTORED" -v owner="${TARGET[PGUSER]}" <<<'CREATE DATABASE :"name" OWNER :"owner" TEMPLATE template0'
    sql '' -v name="$RESTORED" -v mark="$HALF_DONE" <<<"COMMENT ON DATABASE :\"name\" IS :'mark'"
}

fill_new_database() {
    local options=(--exit-on-error --no-privileges --dbname="$RESTORED")
    if has_timescale; then
        sql "$RESTORED" -v version="$(manifest .timescaledb)" <<<"CREATE EXTENSION timescaledb VERSION :'version'"
        # Its own triggers and jobs stay away until change_places. Parallel jobs are not for this.
        sql "$RESTORED" <<<'SELECT timescaledb_pre_restore()' >/dev/null
    else
        options+=(--no-owner --role="${TARGET[PGUSER]}")
    fi
    as_admin "$RESTORED" pg_restore "${options[@]}" "$WORK/database.dump" 2>"$WORK/restore.log" || {
        tail -n 20 "$WORK/restore.log" >&2
        fail 1 "pg_restore failed"
    }
    rm -f "$WORK/database.dump"
    if has_timescale; then
        # First thing in a session, and only if the server has a newer one.
        OPTIONS='-c timescaledb.restoring=off' sql "$RESTORED" <<<'ALTER EXTENSION timescaledb UPDATE'
    fi
    sql "$RESTORED" <<<ANALYZE
}

# The same rows in every table, and the same first and last reading.
compare_counts() {
    local counts span with=plain OPTIONS=
    # Compressed readings are seen only by a TimescaleDB that works as usual; its jobs still rest.
    if has_timescale; then
        with=timescale
        OPTIONS='-c timescaledb.restoring=off'
    fi
    counts=$(counts_sql "$with" | sql "$RESTORED")
    span=$(sql "$RESTORED" <<<"$SPAN_SQL")
    if [[ $(jq -S . <<<"$counts") != "$(manifest .counts | jq -S .)" ]]; then
        diff <(manifest .counts | jq -S .) <(jq -S . <<<"$counts") >&2 || true
        fail 65 "the restored database does not have as many rows as the backup says"
    fi
    if [[ $(jq -S . <<<"$span") != "$(manifest .telemetry | jq -S .)" ]]; then
        fail 65 "the restored readings are not from and to when the backup says"
    fi
}

# What happens however this ends. Until the places are changed, nothing but the new database is there to be undone.
STAGE=none
end_restore() {
    local status=$?
    trap '' INT TERM HUP
    trap - EXIT
    set +e
    case $STAGE in
        database)
            drop_database "$RESTORED" || warn "the database $RESTORED is left behind; the next restore deletes it"
            say "nothing was changed: $DATABASE is in service as before" >&2
            ;;
        places) undo_places ;;
    esac
    remove_work
    exit "$status"
}

restore_backup() {
    local empty=no
    require_tools
    read_connections
    backup_path "$1"
    DATABASE=${TARGET[PGDATABASE]}
    [[ ${ADMIN[PGDATABASE]:=postgres} != "$DATABASE" ]] ||
        fail 78 "PLANTOPS_BACKUP_ADMIN_URL must name another database than the backend's, such as postgres"
    lock_folder
    read_facts
    trap end_restore EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    if [[ -e $JOURNAL ]]; then undo_killed_restore; fi
    make_work
    say "checking $(basename "$ARCHIVE")"
    read_manifest
    verify_members
    verify_keys
    check_fits
    check_room
    ask_whether
    drop_half_done
    STAMP=$(date -u +%Y%m%d%H%M%S)
    RESTORED=${DATABASE}_restore_$STAMP
    BEFORE=${DATABASE}_before_$STAMP

    say "restoring into $RESTORED: $(describe)"
    tar -xOf "$ARCHIVE" database.dump >"$WORK/database.dump"
    STAGE=database
    make_new_database
    fill_new_database
    compare_counts
    say "it holds what the backup says; changing places"
    if database_exists "$DATABASE" && [[ $(sql "$DATABASE" <<<"$EMPTY_SQL") == t ]]; then empty=yes; fi
    change_places
    STAGE=complete
    rm -f -- "$JOURNAL"
    say "restored: $DATABASE is as it was at $(manifest .created_at)"
    if [[ $empty == yes ]]; then
        drop_database "$BEFORE"
    elif database_exists "$BEFORE"; then
        say "What was in service until now is kept as the database $BEFORE (closed to connections). When you are sure:"
        say "    DROP DATABASE \"$BEFORE\";"
    fi
    if [[ $(manifest .key_id) != "$(facts key | head -n 1)" || $(manifest '.sealed_under | length') -gt 1 ]]; then
        say "Secrets in it are sealed under an old key: run 'plantops keys rotate', then ENCRYPTION_KEYS_OLD can go."
    fi
}
