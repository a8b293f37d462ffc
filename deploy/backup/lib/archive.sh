# shellcheck shell=bash
# shellcheck disable=SC2030,SC2031,SC2034 # what one of these files sets, others use
# The file of a backup: a tar, with manifest.json first. docs/backup.md says what is in it.

readonly FORMAT=1
readonly MEMBER_PATTERN='^(manifest\.json|database\.dump|secrets\.sealed|broker/dynamic-security\.json|certificates/([A-Za-z0-9_-][A-Za-z0-9._-]*/)?[A-Za-z0-9_-][A-Za-z0-9._-]*\.crt)$'
readonly SECRET_PATTERN='^(members\.sha256|(certs|secrets)/([A-Za-z0-9_-][A-Za-z0-9._-]*/)?[A-Za-z0-9_-][A-Za-z0-9._-]*)$'

damaged() { fail 65 "$(basename "$ARCHIVE") is damaged: $1" "${@:2}"; }

# backup_path FILE: as given, or by its name in the folder of backups. Sets ARCHIVE.
ARCHIVE=
backup_path() {
    ARCHIVE=$1
    if [[ ! -e $ARCHIVE && $1 != */* && -e $FOLDER/$1 ]]; then ARCHIVE=$FOLDER/$1; fi
    [[ -f $ARCHIVE && -r $ARCHIVE ]] || fail 65 "there is no backup $1" "$(list_backups)"
    ARCHIVE=$(realpath -- "$ARCHIVE")
}

# manifest JQ-FILTER: of MANIFEST, the text of the manifest that was read last.
MANIFEST=
manifest() { jq -r "$1" <<<"$MANIFEST"; }
has_timescale() { jq -e .timescaledb <<<"$MANIFEST" >/dev/null; }

# Numbers are numbers and texts are one line: the checksums in the sealed part are of the other members, so
# that anybody can have written the manifest, and the shell would run what stands where it expects a number.
# shellcheck disable=SC2016 # jq's own variables
readonly SOUND='
    def count: type == "number" and . >= 0 and . < 1e15 and . == floor;
    def text: type == "string" and test("^[^[:cntrl:]]{1,200}$");
    def checksum: type == "string" and test("^[0-9a-f]{64}$");
    def key: type == "string" and test("^[0-9a-f]{16}$");
    ([.schema, .postgresql_major, .database_bytes] | all(count))
    and ([.created_at, .program, .kind, .postgresql, .owner] | all(text))
    and (.timescaledb | . == null or text)
    and (.key_id | key) and (.sealed_under | type == "array" and all(key))
    and (.counts | type == "object" and all(count)) and (.telemetry | type == "object")
    and (.members | type == "object" and has("database.dump") and has("secrets.sealed")
         and all(type == "object" and (.bytes | count) and (.sha256 | checksum)))'
is_sound() { jq -e "$SOUND" <<<"$MANIFEST" >/dev/null 2>&1; }

# Nothing is extracted before this: only plain files, under the names that a backup has.
read_manifest() {
    local names version
    names=$(tar -tf "$ARCHIVE" 2>/dev/null) || damaged "it is not a whole tar archive"
    if grep -qvE "$MEMBER_PATTERN" <<<"$names"; then fail 65 "$(basename "$ARCHIVE") is not a backup of PlantOps"; fi
    if [[ -n $(sort <<<"$names" | uniq -d) ]] || tar -tvf "$ARCHIVE" | grep -qv '^-'; then
        fail 65 "$(basename "$ARCHIVE") is not a backup of PlantOps"
    fi
    MANIFEST=$(tar -xOf "$ARCHIVE" manifest.json 2>/dev/null) || fail 65 "$(basename "$ARCHIVE") has no manifest"
    version=$(manifest '.format | numbers' 2>/dev/null) || damaged "its manifest cannot be read"
    if [[ $version != "$FORMAT" ]]; then
        fail 65 "$(basename "$ARCHIVE") has format ${version:-unknown}; this program reads format $FORMAT"
    fi
    is_sound || damaged "its manifest is not what this program writes"
    if [[ $(manifest '.members | keys[]' | sort) != "$(grep -vx manifest.json <<<"$names" | sort)" ]]; then
        damaged "it does not hold what its manifest names"
    fi
}

# Every member against the checksum in the manifest.
verify_members() {
    local name sum
    while IFS=$'\t' read -r name sum; do
        if [[ $(tar -xOf "$ARCHIVE" "$name" 2>/dev/null | sha256sum | cut -d' ' -f1) != "$sum" ]]; then
            damaged "$name is not as it was written" "Take another backup (list shows them)."
        fi
    done < <(manifest '.members | to_entries[] | [.key, .value.sha256] | @tsv')
    # It stops reading after the table of contents.
    { tar -xOf "$ARCHIVE" database.dump || true; } 2>/dev/null | pg_restore --list >/dev/null ||
        damaged "pg_restore cannot read its database.dump"
}

# opened_secrets: the tar of the secrets, in the clear, on standard output. Never onto the disk but where they belong.
opened_secrets() { tar -xOf "$ARCHIVE" secrets.sealed | "$PROGRAM" unseal; }

# Whether the keys at hand open what is sealed, also inside the dump; and whether dump, broker file and certificates are
# those that were put in by whoever had the key.
verify_keys() {
    local status=0 names id known
    opened_secrets >/dev/null 2>&1 || status=$?
    # What "plantops unseal" says: 78 for a key that is not here, 65 for what was changed.
    if ((status == 78)); then
        known=$(manifest '.key_id')
        fail 78 "the secrets of this backup do not open with ENCRYPTION_KEY" \
            "It was made under the key with the id $known; the keys given here have $(facts key | paste -sd' ')." \
            "Give that key, as ENCRYPTION_KEY or in ENCRYPTION_KEYS_OLD. Nothing was changed."
    elif ((status != 0)); then
        damaged "secrets.sealed was changed since it was sealed"
    fi
    names=$(opened_secrets | tar -t) || damaged "secrets.sealed holds no tar archive"
    if grep -qvE "$SECRET_PATTERN" <<<"$names"; then damaged "secrets.sealed holds something unexpected"; fi
    if ! cmp -s <(opened_secrets | tar -xO members.sha256 | sort) \
        <(manifest '.members | to_entries[] | select(.key != "secrets.sealed") | "\(.value.sha256)  \(.key)"' | sort); then
        damaged "it was changed by somebody after it was made"
    fi
    known=$(facts key)
    for id in $(manifest '.sealed_under[]'); do
        if ! grep -qx "$id" <<<"$known"; then
            fail 78 "secrets in this backup's database are sealed under the key with the id $id, which is not at hand" \
                "Add it to ENCRYPTION_KEYS_OLD. Nothing was changed."
        fi
    done
}

describe() {
    manifest '"\(.created_at), \(.kind), schema \(.schema), PlantOps \(.program), PostgreSQL \(.postgresql)"
        + (if .timescaledb then ", TimescaleDB \(.timescaledb)" else "" end)
        + ", \(.counts.telemetry // 0) readings"'
}

verify_backup() {
    require_tools
    read_facts
    backup_path "$1"
    read_manifest
    verify_members
    verify_keys
    say "$(basename "$ARCHIVE") is whole and opens: $(describe)"
}

# Oldest first. A name says its time, so it sorts.
backup_names() {
    local file
    for file in "$FOLDER"/plantops-*.tar; do
        if [[ -f $file && ${file##*/} =~ $NAME_PATTERN ]]; then echo "${file##*/}"; fi
    done
}

list_backups() {
    local name any=no
    while IFS= read -r name; do
        any=yes
        ARCHIVE=$FOLDER/$name
        if MANIFEST=$(tar -xOf "$ARCHIVE" --occurrence=1 manifest.json 2>/dev/null) && is_sound; then
            printf '%s  %8s  %s\n' "$name" "$(mebibytes "$(stat -c %s "$ARCHIVE")")" "$(describe)"
        else
            printf '%s  %s\n' "$name" "cannot be read"
        fi
    done < <(backup_names)
    if [[ $any == no ]]; then say "no backups in $FOLDER"; fi
}

# made_at NAME: seconds since 1970, by its name.
made_at() {
    local t=${1#plantops-}
    date -u -d "${t:0:4}-${t:4:2}-${t:6:2} ${t:9:2}:${t:11:2}:${t:13:2}" +%s 2>/dev/null || echo 0
}

prune_backups() {
    local names name oldest made
    if ((KEEP_DAYS == 0)); then return; fi
    oldest=$(($(date +%s) - KEEP_DAYS * 86400))
    mapfile -t names < <(backup_names)
    if ((${#names[@]} < 2)); then return; fi
    # The newest stays, however old it is.
    for name in "${names[@]:0:${#names[@]}-1}"; do
        made=$(made_at "$name")
        if ((made > 0 && made < oldest)); then
            rm -f -- "${FOLDER:?}/$name"
            say "deleted $name, older than $KEEP_DAYS days"
        fi
    done
}
