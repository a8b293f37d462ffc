# shellcheck shell=bash
# What can be set from outside, and where things lie. Needs REPO.

# An absolute path also after "cd /", and also if the folder does not exist yet.
PLANTOPS_HOME=$(realpath -m -- "${PLANTOPS_HOME:-$REPO/.local}")

# HTTP_PORT is the backend's own name for the same thing.
PLANTOPS_API_PORT=${HTTP_PORT:-${PLANTOPS_API_PORT:-}}

# A stack that runs is found again without naming its ports once more (see remember_ports).
SAVED_BIND='' SAVED_HTTP_PORT='' SAVED_API_PORT='' SAVED_MQTT_PORT='' SAVED_DB_PORT=''
# shellcheck disable=SC1091 # written by remember_ports
if [[ -r $PLANTOPS_HOME/run/ports ]]; then source "$PLANTOPS_HOME/run/ports"; fi
PLANTOPS_BIND=${PLANTOPS_BIND:-${SAVED_BIND:-127.0.0.1}}
PLANTOPS_HTTP_PORT=${PLANTOPS_HTTP_PORT:-${SAVED_HTTP_PORT:-8080}}
PLANTOPS_API_PORT=${PLANTOPS_API_PORT:-${SAVED_API_PORT:-8000}}
PLANTOPS_MQTT_PORT=${PLANTOPS_MQTT_PORT:-${SAVED_MQTT_PORT:-8883}}
PLANTOPS_DB_PORT=${PLANTOPS_DB_PORT:-${SAVED_DB_PORT:-54329}}
PLANTOPS_BIN=${PLANTOPS_BIN:-$REPO/.build/release/plantops}
PLANTOPS_TIMESCALE=${PLANTOPS_TIMESCALE:-1}
PLANTOPS_DB_FSYNC=${PLANTOPS_DB_FSYNC:-on}
PLANTOPS_MQTT_QUEUE_BYTES=${PLANTOPS_MQTT_QUEUE_BYTES:-134217728}
MQTT_REQUIRE_CLIENT_CERT=${MQTT_REQUIRE_CLIENT_CERT:-false}
SIMULATE=${SIMULATE:-1}

PLANTOPS_BIN=$(realpath -ms -- "$PLANTOPS_BIN")
RUN_DIR=$PLANTOPS_HOME/run
LOG_DIR=$PLANTOPS_HOME/logs
SECRETS_DIR=$PLANTOPS_HOME/secrets
CERT_DIR=$PLANTOPS_HOME/certs

# Servers live in sbin, which an ordinary user's PATH on Debian does not have.
PATH=$PATH:/usr/sbin:/sbin

# Where the services keep what they write under another user (see make_folders). Set by make_folders.
SERVICE_HOME=

# Names that are not the backend's; it warns of PLANTOPS_* names it does not know.
# shellcheck disable=SC2034 # used by the other files
readonly OWN_VARIABLES=(PLANTOPS_HOME PLANTOPS_BIND PLANTOPS_HTTP_PORT PLANTOPS_API_PORT PLANTOPS_MQTT_PORT
    PLANTOPS_DB_PORT PLANTOPS_DB_FSYNC PLANTOPS_BIN PLANTOPS_TIMESCALE PLANTOPS_MQTT_QUEUE_BYTES PLANTOPS_URL
    PLANTOPS_API_URL PLANTOPS_ADMIN_EMAIL PLANTOPS_ADMIN_PASSWORD PLANTOPS_ENROLLMENT_TOKEN PLANTOPS_CA_CERT
    PLANTOPS_API_TOKEN
    PLANTOPS_BACKUP_DIR PLANTOPS_BACKUP_KEEP_DAYS PLANTOPS_BACKUP_ADMIN_URL PLANTOPS_BACKUP_PG_BIN
    PLANTOPS_BACKUP_BROKER_FILE PLANTOPS_BACKUP_CERTS PLANTOPS_BACKUP_SECRETS PLANTOPS_BACKUP_STOP PLANTOPS_BACKUP_START
    MQTT_REQUIRE_CLIENT_CERT RATE_LIMIT_API RATE_LIMIT_SIGN_IN RATE_LIMIT_REGISTRATION)

# Everything that is made in PLANTOPS_HOME, but for backups, which outlive a reset.
readonly STATE_NAMES=(run logs secrets certs services env postgres-socket service-home simulator.json
    simulator.json.ca.pem)

# as_user USER COMMAND...: replaces the shell, so that the process id stays the same.
as_user() {
    local user=$1
    shift
    if is_root && [[ $user != root ]]; then
        exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups -- "$@"
    fi
    exec "$@"
}

# The first of the users that exists; the one who calls, unless that is root.
service_user() {
    local user
    if ! is_root; then
        id -un
        return
    fi
    for user in "$@"; do
        if id "$user" >/dev/null 2>&1; then
            echo "$user"
            return
        fi
    done
    die "none of these users exists: $*" "make packages installs the packages that create them"
}

# As root, PostgreSQL refuses to run and the others give up root for a user of their own. Those
# users must be able to reach their folders, which they cannot below /root or a private temporary
# folder: then the services' folders go elsewhere, and service-home says where.
make_folders() {
    local mode=700
    # Others may pass through, but list nothing.
    if is_root; then mode=711; fi
    # Only the folder itself is private, not the folders above it.
    (umask 022 && mkdir -p "$PLANTOPS_HOME") || die "cannot make $PLANTOPS_HOME"
    if [[ ! -O $PLANTOPS_HOME ]]; then
        die "$PLANTOPS_HOME belongs to $(stat -c %U "$PLANTOPS_HOME"), not to $(id -un)" \
            "Set PLANTOPS_HOME to a folder of your own, or run this as that user."
    fi
    local name
    if [[ ! -e $PLANTOPS_HOME/.plantops ]]; then
        # "reset" deletes these; nothing of somebody else's may be among them.
        for name in "${STATE_NAMES[@]}"; do
            if [[ -e $PLANTOPS_HOME/$name ]]; then
                die "$PLANTOPS_HOME/$name exists, but $PLANTOPS_HOME is not a state folder of PlantOps" \
                    "Set PLANTOPS_HOME to a folder of its own."
            fi
        done
        echo "State of a local PlantOps; 'plantops-local reset' deletes it." >"$PLANTOPS_HOME/.plantops"
    fi
    chmod "$mode" "$PLANTOPS_HOME"
    # Private by the umask.
    mkdir -p "$RUN_DIR" "$LOG_DIR" "$SECRETS_DIR" "$CERT_DIR"
    choose_service_home
    mkdir -p "$SERVICE_HOME"
    chmod "$mode" "$SERVICE_HOME"
}

choose_service_home() {
    if [[ -s $PLANTOPS_HOME/service-home ]]; then
        SERVICE_HOME=$(<"$PLANTOPS_HOME/service-home")
        return
    fi
    SERVICE_HOME=$PLANTOPS_HOME/services
    if is_root && ! (as_user nobody test -x "$PLANTOPS_HOME"); then
        # State under /tmp need not outlive the machine's next start.
        case $PLANTOPS_HOME in
            /tmp/*) SERVICE_HOME=$(mktemp -d /tmp/plantops-services.XXXXXX) ;;
            *) SERVICE_HOME=/var/lib/plantops-local/$(cksum <<<"$PLANTOPS_HOME" | cut -d' ' -f1) ;;
        esac
        (umask 022 && mkdir -p "$SERVICE_HOME")
        say "note: other users cannot reach $PLANTOPS_HOME; the services' own folders are in $SERVICE_HOME"
    fi
    echo "$SERVICE_HOME" >"$PLANTOPS_HOME/service-home"
}

# own_folder USER FOLDER: made if missing, readable by that user alone.
own_folder() {
    mkdir -p "$2"
    if is_root; then chown "$1": "$2"; fi
    chmod 700 "$2"
}

# delete_state: what was made, and nothing else. The services must have been stopped.
delete_state() {
    local folder name
    for folder in "$SERVICE_HOME" "$(cat "$PLANTOPS_HOME/postgres-socket" 2>/dev/null || true)"; do
        # Outside the state folder, only what was made by choose_service_home and postgres_socket_dir.
        case $folder in
            "$PLANTOPS_HOME"/* | /tmp/plantops-services.* | /tmp/plantops-pg.* | /var/lib/plantops-local/*)
                rm -rf -- "$folder"
                ;;
        esac
    done
    for name in "${STATE_NAMES[@]}" .plantops; do rm -rf -- "${PLANTOPS_HOME:?}/$name"; done
    # It stays if something else is in it.
    rmdir "$PLANTOPS_HOME" 2>/dev/null || true
}
