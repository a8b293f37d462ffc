# shellcheck shell=bash
# shellcheck disable=SC2030,SC2031,SC2034 # what one of these files sets, others use
# The moment in which a restored database takes the place of the one in service, with the broker's file, certificates
# and secrets. Every step is in the journal before it is taken, so that it can be undone, also by the next run.

# Also when the power fails: the databases' names are on the disk as soon as they are changed.
note() {
    printf '%s\n' "$(IFS=$'\t' && echo "$*")" >>"$JOURNAL"
    sync -- "$JOURNAL" "$(dirname "$JOURNAL")"
}

hook() {
    local command=$1
    if [[ -n ${!command:-} ]]; then bash -c "${!command}" 8>&-; fi
}

# Sessions that come in between are ended, and then it is tried again; renaming both at once leaves no moment without a
# database of that name. The old one is closed: nobody works in it by mistake, and TimescaleDB's jobs let it be.
readonly END_SESSIONS="SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname IN (:'name', :'other') AND pid <> pg_backend_pid()"

# swap_databases NAME OTHER KEPT-AS: OTHER becomes NAME, and NAME, if there is one, is closed and kept under a new name.
swap_databases() {
    local attempt
    for attempt in 1 2 3 4 5 6; do
        if { echo "$END_SESSIONS;"
            echo 'BEGIN;'
            if database_exists "$1"; then
                echo 'ALTER DATABASE :"name" RENAME TO :"kept";'
                if [[ $4 == closed ]]; then echo 'ALTER DATABASE :"kept" WITH ALLOW_CONNECTIONS false;'; fi
            fi
            echo 'ALTER DATABASE :"other" RENAME TO :"name";'
            echo 'ALTER DATABASE :"name" WITH ALLOW_CONNECTIONS true;'
            echo 'COMMIT;'
        } | sql '' -v name="$1" -v other="$2" -v kept="$3" >/dev/null 2>"$WORK/rename.log"; then
            # The 0 counts: in a trap, a bare "return" gives the status from before the trap.
            return 0
        fi
        sleep "$attempt"
    done
    cat "$WORK/rename.log" >&2
    return 1
}

# TimescaleDB's jobs must not come back into a database that is about to be renamed.
rest_timescale() {
    if database_exists "$1" && [[ $(sql "$1" <<<"SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'") == 1 ]]; then
        sql "$1" <<<'SELECT _timescaledb_functions.stop_background_workers()' >/dev/null
    fi
}

# put NEW DESTINATION KEPT-AS
put() {
    if [[ -e $2 ]]; then
        note file "$2" "$3"
        mkdir -p "$(dirname "$3")"
        cp -a -- "$2" "$3.half"
        sync -- "$3.half"
        mv -- "$3.half" "$3"
        if ((EUID == 0)); then chown --reference="$2" "$1"; fi
    else
        note file "$2" -
        mkdir -p "$(dirname "$2")"
        if ((EUID == 0)); then chown --reference="$(dirname "$2")" "$1"; fi
    fi
    mv -- "$1" "$2"
}

# put_all FOLDER: what lies in FOLDER/.restored-STAMP. What it replaces is kept in FOLDER/.before-STAMP.
put_all() {
    local name
    while IFS= read -r name; do
        put "$1/.restored-$STAMP/$name" "$1/$name" "$1/.before-$STAMP/$name"
    done < <(cd "$1/.restored-$STAMP" && find . -type f -printf '%P\n' | sort)
    rm -rf -- "${1:?}/.restored-$STAMP"
}

# unpack_secrets PART FOLDER: what is sealed of "certs" or "secrets". A backup may have none of it; what there is has to
# come out whole, or nothing is put in place of what is in service.
unpack_secrets() {
    local names
    names=$(opened_secrets | tar -t)
    if grep -q "^$1/" <<<"$names"; then
        opened_secrets | tar -C "$2" --no-same-owner --strip-components=1 --wildcards -x "$1/*" ||
            fail 73 "what is sealed of $1 could not be written to $2"
    fi
}

put_files() {
    local staged
    if [[ -n $BROKER_FILE ]] && manifest '.members | keys[]' | grep -qx broker/dynamic-security.json; then
        mkdir -p "$(dirname "$BROKER_FILE")"
        staged=$BROKER_FILE.restored-$STAMP
        note scratch "$staged"
        tar -xOf "$ARCHIVE" broker/dynamic-security.json >"$staged"
        put "$staged" "$BROKER_FILE" "$BROKER_FILE.before-$STAMP"
    fi
    if [[ -n $CERTS ]]; then
        staged=$CERTS/.restored-$STAMP
        note scratch "$staged"
        mkdir -p "$staged"
        if manifest '.members | keys[]' | grep -q '^certificates/'; then
            tar -C "$staged" --no-same-owner --strip-components=1 -xf "$ARCHIVE" --wildcards 'certificates/*'
            find "$staged" -name '*.crt' -exec chmod 644 {} +
        fi
        unpack_secrets certs "$staged"
        put_all "$CERTS"
    fi
    if [[ -n $SECRETS ]]; then
        staged=$SECRETS/.restored-$STAMP
        note scratch "$staged"
        mkdir -p "$staged"
        unpack_secrets secrets "$staged"
        put_all "$SECRETS"
    fi
}

change_places() {
    : >"$JOURNAL"
    note database "$DATABASE" "$RESTORED" "$BEFORE"
    STAGE=places
    hook PLANTOPS_BACKUP_STOP || fail 1 "PLANTOPS_BACKUP_STOP failed"
    rest_timescale "$DATABASE"
    swap_databases "$DATABASE" "$RESTORED" "$BEFORE" closed || fail 1 "the databases could not be renamed"
    sql '' -v name="$DATABASE" <<<'COMMENT ON DATABASE :"name" IS NULL'
    if has_timescale; then
        sql "$DATABASE" <<<'SELECT timescaledb_post_restore()' >/dev/null
    fi
    put_files
    note started
    hook PLANTOPS_BACKUP_START || fail 1 "the backend did not come up with the restored database (PLANTOPS_BACKUP_START)"
}

# By the journal: the old database back in its place, the old files back in theirs.
roll_back() {
    local kind first second third kept status=0
    # Without an answer, whether there is an old database would be taken for no.
    sql '' <<<'SELECT 1' >/dev/null || return 1
    DATABASE='' RESTORED='' BEFORE=''
    while IFS=$'\t' read -r kind first second third; do
        case $kind in
            database) DATABASE=$first RESTORED=$second BEFORE=$third ;;
            scratch) rm -rf -- "$first" ;;
            file)
                if [[ $second == - ]]; then
                    rm -f -- "$first"
                elif [[ -e $second ]]; then
                    mv -- "$second" "$first" || status=1
                    rm -f -- "$second.half"
                    rmdir --ignore-fail-on-non-empty -- "$(dirname "$second")" 2>/dev/null || true
                fi
                ;;
        esac
    done <"$JOURNAL"
    kept=$(sql '' -v name="$BEFORE" <<<"SELECT count(*) FROM pg_database WHERE datname = :'name'") || return 1
    if ((kept > 0)); then
        rest_timescale "$DATABASE"
        swap_databases "$DATABASE" "$BEFORE" "$RESTORED" open || status=1
        sql "$DATABASE" <<<"SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'" | grep -qx 1 &&
            sql "$DATABASE" <<<'SELECT _timescaledb_functions.start_background_workers()' >/dev/null
    fi
    return "$status"
}

# A database that the backend was let into may have taken readings in; it is kept.
forget_restored() {
    if ! database_exists "$RESTORED"; then return 0; fi
    if grep -qx started "$JOURNAL"; then
        say "The restored database is kept as $RESTORED, in case readings came in meanwhile." >&2
    else
        drop_database "$RESTORED"
    fi
}

undo_places() {
    say "undoing it: the database and the files that were in service come back" >&2
    hook PLANTOPS_BACKUP_STOP
    if roll_back; then
        forget_restored
        rm -f -- "$JOURNAL"
        if hook PLANTOPS_BACKUP_START; then
            say "$DATABASE is in service as before" >&2
        else
            warn "everything is as before, but PLANTOPS_BACKUP_START failed"
        fi
    else
        warn "it could not be undone; when the database answers, run: plantops-backup recover"
    fi
}

undo_killed_restore() {
    # Whoever else may write to the folder must not have us delete what he names.
    [[ -f $JOURNAL && ! -L $JOURNAL && -O $JOURNAL ]] ||
        fail 75 "$JOURNAL was not written by this user" "Look at who wrote it; without it nothing is undone."
    say "a restore was killed while it changed places; undoing it first"
    make_work
    hook PLANTOPS_BACKUP_STOP || fail 1 "PLANTOPS_BACKUP_STOP failed"
    roll_back || fail 1 "it could not be undone"
    forget_restored
    rm -f -- "$JOURNAL"
    hook PLANTOPS_BACKUP_START || warn "PLANTOPS_BACKUP_START failed"
    say "$DATABASE is in service as before that restore"
}

recover_restore() {
    require_tools
    read_connections
    lock_folder
    trap remove_work EXIT
    if [[ ! -e $JOURNAL ]]; then
        say "nothing to recover"
        return
    fi
    undo_killed_restore
}
