# shellcheck shell=bash
# shellcheck disable=SC2030,SC2031,SC2034 # what one of these files sets, others use
# Words to the user, settings, the lock and the folder of work. Sourced by plantops-backup.

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }

# fail STATUS MESSAGE [FURTHER LINES...]
fail() {
    local status=$1
    printf 'error: %s\n' "$2" >&2
    shift 2
    if (($# > 0)); then printf '       %s\n' "$@" >&2; fi
    exit "$status"
}

# value NAME [DEFAULT]: of the environment, or of the file that NAME_FILE names.
value() {
    local file=$1_FILE
    if [[ -n ${!1:-} ]]; then
        printf '%s' "${!1}"
    elif [[ -n ${!file:-} ]]; then
        [[ -r ${!file} ]] || fail 78 "$file names a file that cannot be read"
        cat "${!file}"
    else
        printf '%s' "${2:-}"
    fi
}

PROGRAM=${PLANTOPS_BIN:-plantops}
FOLDER=$(realpath -m -- "${PLANTOPS_BACKUP_DIR:-/var/backups/plantops}")
KEEP_DAYS=${PLANTOPS_BACKUP_KEEP_DAYS:-30}
BROKER_FILE=${PLANTOPS_BACKUP_BROKER_FILE:-}
CERTS=${PLANTOPS_BACKUP_CERTS:-}
SECRETS=${PLANTOPS_BACKUP_SECRETS:-}
if [[ -n ${PLANTOPS_BACKUP_PG_BIN:-} ]]; then PATH=$PLANTOPS_BACKUP_PG_BIN:$PATH; fi
[[ $KEEP_DAYS =~ ^[0-9]{1,5}$ ]] || fail 78 "PLANTOPS_BACKUP_KEEP_DAYS must be a number of days, 0 to keep all"
# To bash, 030 is 24.
KEEP_DAYS=$((10#$KEEP_DAYS))

readonly NAME_PATTERN='^plantops-[0-9]{8}T[0-9]{6}Z\.tar$'

# Where the steps of a restore are written down while it changes places.
JOURNAL=$FOLDER/.restore-journal

require_tools() {
    local tool
    for tool in psql pg_dump pg_restore jq tar sha256sum flock "$PROGRAM"; do
        command -v "$tool" >/dev/null || fail 69 "$tool is not installed"
    done
}

make_folder() {
    mkdir -p "$FOLDER" 2>/dev/null || fail 73 "cannot make the folder $FOLDER (PLANTOPS_BACKUP_DIR)"
    [[ -w $FOLDER && -x $FOLDER ]] || fail 73 "cannot write to $FOLDER (PLANTOPS_BACKUP_DIR)"
}

# One at a time. What is started in between must not keep descriptor 8, or the lock would outlive us.
lock_folder() {
    make_folder
    { exec 8>"$FOLDER/.lock"; } 2>/dev/null || fail 73 "cannot write to $FOLDER (PLANTOPS_BACKUP_DIR)"
    flock --nonblock 8 || fail 75 "another backup or restore is running in $FOLDER" "Wait for its end, and try again."
}

# A folder for what is not complete, deleted at the end; those of runs that were killed too.
WORK=
make_work() {
    rm -rf -- "$FOLDER"/.work.* "$FOLDER"/.plantops-*.tar.partial
    WORK=$(mktemp -d "$FOLDER/.work.XXXXXX") || fail 73 "cannot write to $FOLDER (PLANTOPS_BACKUP_DIR)"
}

remove_work() { if [[ -n $WORK ]]; then rm -rf -- "$WORK"; fi; }

# require_room BYTES FOLDER WHAT
require_room() {
    local free
    free=$(df --output=avail -B1 -- "$2" | tail -n 1)
    if ((free < $1)); then
        fail 73 "too little room in $2: $3 may need $(mebibytes "$1"), $(mebibytes "$free") are free"
    fi
}

mebibytes() { printf '%d MiB' $((($1 + 1048575) / 1048576)); }

# What the program can do: see `plantops backup-facts`. Sets FACTS.
FACTS=
read_facts() {
    local status=0
    FACTS=$("$PROGRAM" backup-facts) || status=$?
    if ((status != 0)); then fail "$status" "the keys of this machine cannot be had ($PROGRAM backup-facts)"; fi
}

# facts NAME: one per line.
facts() { sed -n "s/^$1 //p" <<<"$FACTS"; }
