# shellcheck shell=bash
# Backups of this setup: what deploy/backup has to be told of it.

backups_folder() { echo "${PLANTOPS_BACKUP_DIR:-$PLANTOPS_HOME/backups}"; }

# backup_tool COMMAND...: deploy/backup/plantops-backup for this setup.
backup_tool() (
    command -v jq >/dev/null || die "jq is not installed" "make packages installs it"
    # Descriptor 9 is our lock; we keep it, but nothing that is started in there shall.
    exec 9>&-
    if [[ -z ${DATABASE_URL+set} && -z ${DATABASE_URL_FILE+set} ]]; then
        default_to POSTGRES_HOST 127.0.0.1
        default_to POSTGRES_PORT "$PLANTOPS_DB_PORT"
        default_to POSTGRES_USER plantops
        default_to POSTGRES_DB plantops
        # Before there is a setup there is neither a password nor a socket; "verify" needs none.
        if [[ -e $PLANTOPS_HOME/.plantops ]]; then
            default_to_secret POSTGRES_PASSWORD
            default_to PLANTOPS_BACKUP_ADMIN_URL \
                "postgresql://postgres@$(jq -rn --arg path "$(postgres_socket_dir)" '$path | @uri'):$PLANTOPS_DB_PORT/postgres"
        fi
    fi
    default_to_secret ENCRYPTION_KEY
    default_to PLANTOPS_BACKUP_PG_BIN "$(postgres_bin)"
    default_to PLANTOPS_BACKUP_START "$(printf '%q hook start' "$REPO/deploy/local/plantops-local")"
    PLANTOPS_BACKUP_DIR=$(backups_folder)
    export PLANTOPS_BIN PLANTOPS_BACKUP_DIR PLANTOPS_BACKUP_BROKER_FILE=$SERVICE_HOME/mosquitto/dynamic-security.json \
        PLANTOPS_BACKUP_CERTS=$CERT_DIR PLANTOPS_BACKUP_SECRETS=$SECRETS_DIR
    PLANTOPS_BACKUP_STOP=$(printf '%q hook stop' "$REPO/deploy/local/plantops-local")
    export PLANTOPS_BACKUP_STOP
    "$REPO/deploy/backup/plantops-backup" "$@"
)

# Who has sourced "env" names our own database by its address, and with it a password that a restore may change.
forget_own_address() {
    if [[ -s $PLANTOPS_HOME/env && -n ${DATABASE_URL:-} ]] && grep -qxF "export DATABASE_URL=$DATABASE_URL" "$PLANTOPS_HOME/env"; then
        unset DATABASE_URL
    fi
}

# Called by deploy/backup in the middle of a restore; our caller has the lock.
hook() {
    open_existing
    case ${1:-} in
        stop)
            stop_backend
            stop_mosquitto
            ;;
        start)
            start_postgres
            # Gives the role the password that is in the secrets now.
            make_database
            write_environment
            start_mosquitto
            migrate
            register_enrollment_token
            start_backend
            ;;
        *) die "hook is for deploy/backup" ;;
    esac
}

backup() {
    local status=0
    open_existing
    require_binary
    forget_own_address
    # It clears up by itself; we only must not end before it.
    trap 'true' INT TERM HUP
    if running postgres; then
        backup_tool create
        return
    fi
    exec 9>"$RUN_DIR/lock"
    flock 9
    say "starting PostgreSQL for the backup"
    start_postgres
    backup_tool create || status=$?
    stop_postgres
    return "$status"
}

# Before anything else is started: a restore that was killed between two steps is undone.
undo_killed_restore() {
    if [[ ! -e $(backups_folder)/.restore-journal ]]; then return; fi
    PLANTOPS_BACKUP_START=true backup_tool recover
}

# A key that was given opens what was restored, so it is this setup's from now on.
keep_given_key() {
    local key=${ENCRYPTION_KEY:-}
    if [[ -z $key && -n ${ENCRYPTION_KEY_FILE:-} ]]; then key=$(<"$ENCRYPTION_KEY_FILE"); fi
    if [[ -z $key || $key == "$(cat "$(secret_file ENCRYPTION_KEY)" 2>/dev/null)" ]]; then return; fi
    if [[ -s $SECRETS_DIR/ENCRYPTION_KEY ]]; then
        cp -p "$SECRETS_DIR/ENCRYPTION_KEY" "$SECRETS_DIR/ENCRYPTION_KEY.before-$(date -u +%Y%m%d%H%M%S)"
    fi
    rm -f "$SECRETS_DIR/ENCRYPTION_KEY"
    make_secret ENCRYPTION_KEY printf '%s' "$key"
}

# restore FILE: also where there is no setup yet; then one is made, with the key that was given.
restore() {
    local fresh=no was_running=no status=0
    require_binary
    forget_own_address
    if (($# != 1)) || [[ -z $1 ]]; then
        backup_tool list
        die "say which one" "make restore FILE=..."
    fi
    if [[ ! -e $PLANTOPS_HOME/.plantops ]]; then
        fresh=yes
        [[ -n ${ENCRYPTION_KEY:-}${ENCRYPTION_KEY_FILE:-} ]] ||
            die "there is no setup in $PLANTOPS_HOME, so the key of the backup is needed" \
                "ENCRYPTION_KEY_FILE=... make restore FILE=..."
        # Nothing is made for a file that cannot be restored.
        backup_tool verify "$1" || exit
        make_folders
        keep_given_key
        YES=1
    fi
    export YES=${YES:-}
    prepare
    require_ports
    remember_ports
    write_environment
    if running postgres; then was_running=yes; fi
    start_postgres
    make_database
    own_folder "$(service_user mosquitto nobody)" "$SERVICE_HOME/mosquitto"
    # It undoes by itself what it has begun; we only must not end before it.
    trap 'true' INT TERM HUP
    backup_tool restore "$1" || status=$?
    if ((status != 0)); then
        if [[ $was_running == no ]]; then
            stop_backend
            stop_mosquitto
            stop_postgres
        fi
        if [[ $fresh == yes ]]; then delete_state; fi
        exit "$status"
    fi
    keep_given_key
    start_nginx
    flock -u 9
    say "'make status' shows what runs"
}
