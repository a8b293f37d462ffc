# shellcheck shell=bash
# shellcheck disable=SC2030,SC2031,SC2034 # what one of these files sets, others use
# Making a backup. Everything runs on meanwhile: counts and dump see the database at one instant.

# ask SQL...: an answer of one line from the session that holds the snapshot.
SESSION_OUT='' SESSION_IN=''
ask() {
    local answer
    # A session that has ended is an error of ours, not a signal.
    trap '' PIPE
    if ! { printf '%s\n' "$@" >&"$SESSION_IN"; } 2>/dev/null || ! IFS= read -r answer <&"$SESSION_OUT"; then
        fail 1 "the database ended the session" "$(tail -n 3 "$WORK/session.log" 2>/dev/null)"
    fi
    printf '%s' "$answer"
}

open_snapshot() {
    coproc SESSION { sql "${TARGET[PGDATABASE]}" 2>"$WORK/session.log"; }
    # The copies stay open when the session ends by itself, and reading from them then says so.
    exec {SESSION_OUT}<&"${SESSION[0]}" {SESSION_IN}>&"${SESSION[1]}"
}

close_snapshot() {
    if [[ -z $SESSION_IN ]]; then return; fi
    (trap '' PIPE && echo '\q' >&"$SESSION_IN") 2>/dev/null || true
    exec {SESSION_IN}>&- {SESSION_OUT}<&-
    SESSION_IN=
}

# pg_dump warns of what is normal with TimescaleDB (its own catalog refers to itself). Anything else is shown.
show_dump_log() {
    grep -vE 'circular foreign-key|^pg_dump: detail: |^pg_dump: hint: (You might not be able to restore|Consider using a full dump)|hypertable data are in the chunks|^(DETAIL|HINT): +(Data for hypertables|Use "COPY)' \
        "$WORK/dump.log" >&2 || true
}

dump_database() {
    local snapshot=$1 status=0
    as_admin "${TARGET[PGDATABASE]}" pg_dump --format=custom --snapshot="$snapshot" --file="$WORK/database.dump" \
        2>"$WORK/dump.log" || status=$?
    if ((status != 0)); then
        grep -E 'error|fatal|could not' "$WORK/dump.log" >&2 || cat "$WORK/dump.log" >&2
        fail 1 "pg_dump failed; no backup was made"
    fi
    show_dump_log
}

# relative_files FOLDER FIND-ARGUMENTS...: below it, at most one folder deep, nothing hidden.
relative_files() {
    local folder=$1
    shift
    if [[ -z $folder || ! -d $folder ]]; then return; fi
    (cd "$folder" && find . -maxdepth 2 -name '.?*' -prune -o -type f "$@" -printf '%P\n') | sort
}

copy_public_files() {
    local name
    if [[ -n $BROKER_FILE && -s $BROKER_FILE ]]; then
        mkdir "$WORK/broker"
        cat "$BROKER_FILE" >"$WORK/broker/dynamic-security.json"
        jq empty "$WORK/broker/dynamic-security.json" 2>/dev/null || fail 1 "$BROKER_FILE is not what Mosquitto writes"
    fi
    while IFS= read -r name; do
        mkdir -p "$(dirname "$WORK/certificates/$name")"
        cp -- "$CERTS/$name" "$WORK/certificates/$name"
    done < <(relative_files "$CERTS" -name '*.crt')
}

# members FIND-ARGUMENTS...: what there is by now; not all of it has to be.
members() { find database.dump broker certificates secrets.sealed -type f "$@" 2>/dev/null || true; }

# checksums: of all members there are by now, as sha256sum prints them.
checksums() { (cd "$WORK" && members | sort | xargs -d '\n' sha256sum); }

# Private keys and passwords, straight into the program that seals them. ENCRYPTION_KEY is not among them: a lock does
# not hide its own key.
seal_secrets() {
    local names=(members.sha256) name
    checksums >"$WORK/members.sha256"
    # Links, so that one tar has both folders under names of their own.
    while IFS= read -r name; do names+=("certs/$name"); done < <(
        relative_files "$CERTS" '(' -name '*.key' -o -name server.san -o -name server.hosts ')')
    while IFS= read -r name; do names+=("secrets/$name"); done < <(
        relative_files "$SECRETS" -not -name 'ENCRYPTION_KEY*' -not -name '*.new')
    if [[ -n $CERTS ]]; then ln -s "$(realpath -- "$CERTS")" "$WORK/certs"; fi
    if [[ -n $SECRETS ]]; then ln -s "$(realpath -- "$SECRETS")" "$WORK/secrets"; fi
    printf '%s\n' "${names[@]}" | grep -qvE "$SECRET_PATTERN" &&
        fail 1 "the folders of secrets hold a file whose name is not letters, digits, dots, dashes and underscores"
    tar -C "$WORK" --dereference --format=gnu --owner=0 --group=0 --numeric-owner -c "${names[@]}" |
        "$PROGRAM" seal >"$WORK/secrets.sealed" || fail 1 "the secrets could not be sealed; no backup was made"
    rm -f "$WORK/certs" "$WORK/secrets" "$WORK/members.sha256"
}

write_manifest() {
    local identity=$1 counts=$2 span=$3 sealed=$4 created=$5
    checksums | jq -Rn --argjson identity "$identity" --argjson counts "$counts" --argjson span "$span" \
        --argjson sealed "$sealed" --arg created "$created" --arg program "$(facts version)" \
        --arg key "$(facts key | head -n 1)" --argjson format "$FORMAT" --argjson sizes "$(sizes)" '
        {format: $format, created_at: $created, program: $program} + $identity
        + {key_id: $key, sealed_under: $sealed, counts: $counts, telemetry: $span,
           members: [inputs | capture("^(?<sum>[0-9a-f]{64})  (?<name>.*)$")
                     | {key: .name, value: {sha256: .sum, bytes: $sizes[.name]}}] | from_entries}' >"$WORK/manifest.json"
}

sizes() {
    (cd "$WORK" && members -printf '%p\t%s\n') |
        jq -Rn '[inputs / "\t" | {key: .[0], value: (.[1] | tonumber)}] | from_entries'
}

create_backup() {
    local name created identity snapshot counts span sealed size members major
    require_tools
    read_connections
    lock_folder
    if [[ -e $JOURNAL ]]; then fail 75 "a restore was interrupted while it changed places" "Undo it first: recover"; fi
    read_facts
    trap 'close_snapshot; remove_work' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    make_work
    size=$(sql "${TARGET[PGDATABASE]}" <<<'SELECT pg_database_size(current_database())') ||
        fail 69 "the database does not answer; no backup was made"
    # The dump is smaller than the database, and for a moment there twice.
    # shellcheck disable=SC2153 # set in common.sh
    require_room $((size + 33554432)) "$FOLDER" "a backup"
    say "backing up the database ${TARGET[PGDATABASE]} ($(mebibytes "$size"))"
    created=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    name=plantops-$(date -u -d "$created" +%Y%m%dT%H%M%SZ).tar
    if [[ -e $FOLDER/$name ]]; then fail 75 "there is a backup of this very second"; fi

    open_snapshot
    snapshot=$(ask 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;' 'SELECT pg_export_snapshot();')
    identity=$(ask "$IDENTITY_SQL")
    major=$(jq .postgresql_major <<<"$identity")
    if (($(pg_dump --version | grep -oE '[0-9]+' | head -n 1) < major)); then
        fail 69 "pg_dump is older than the server (PostgreSQL $major)" "Name the right folder in PLANTOPS_BACKUP_PG_BIN."
    fi
    counts=$(ask "$(counts_sql "$(jq -r 'if .timescaledb then "timescale" else "plain" end' <<<"$identity")")")
    span=$(ask "$SPAN_SQL")
    sealed=$(ask "$(sealed_sql)")
    dump_database "$snapshot"
    close_snapshot
    copy_public_files
    seal_secrets
    write_manifest "$identity" "$counts" "$span" "$sealed" "$created"

    mapfile -t members < <(checksums | cut -c67-)
    ARCHIVE=$FOLDER/.$name.partial
    tar -C "$WORK" --format=gnu --owner=0 --group=0 --numeric-owner -cf "$ARCHIVE" manifest.json "${members[@]}" || {
        rm -f -- "$ARCHIVE"
        fail 73 "the backup could not be written"
    }
    read_manifest
    verify_members
    verify_keys
    sync -- "$ARCHIVE"
    mv -- "$ARCHIVE" "$FOLDER/$name"
    say "made $FOLDER/$name ($(mebibytes "$(stat -c %s "$FOLDER/$name")")): $(describe)"
    say "ENCRYPTION_KEY is not in it, and without that key nobody can restore it: keep a copy of the key elsewhere."
}
