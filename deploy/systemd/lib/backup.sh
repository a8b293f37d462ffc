# shellcheck shell=bash
# Backups of this installation: what deploy/backup has to be told of it.

# backup_tool COMMAND...: deploy/backup/plantops-backup for this installation.
backup_tool() (
    read_settings "$CONFIG_DIR/installed.env"
    # Only of keys from before: everything else there is the backend's.
    read_settings <(grep -hs '^ENCRYPTION_KEYS_OLD=' "$CONFIG_DIR/plantops.env")
    read_settings "$CONFIG_DIR/backup.env"
    default_to_secret POSTGRES_PASSWORD
    default_to_secret ENCRYPTION_KEY
    export PLANTOPS_BIN=$PROGRAM PLANTOPS_BACKUP_BROKER_FILE=$SERVICE_HOME/mosquitto/dynamic-security.json \
        PLANTOPS_BACKUP_CERTS=$CERT_DIR PLANTOPS_BACKUP_SECRETS=$SECRETS_DIR \
        PLANTOPS_BACKUP_STOP="$REPO/deploy/systemd/plantopsctl hook stop" \
        PLANTOPS_BACKUP_START="$REPO/deploy/systemd/plantopsctl hook start"
    PLANTOPS_BACKUP_SERVER_BIN=$(postgres_bin)
    export PLANTOPS_BACKUP_SERVER_BIN
    case $1 in
        restore | recover)
            # The folder of the wrappers: as superuser, who alone may make databases.
            export PLANTOPS_BACKUP_PG_BIN=$REPO/deploy/systemd/lib/as-postgres
            export PLANTOPS_BACKUP_ADMIN_URL=postgresql://postgres@%2Fvar%2Frun%2Fpostgresql:$PLANTOPS_DB_PORT/postgres
            ;;
        *) export PLANTOPS_BACKUP_PG_BIN=$PLANTOPS_BACKUP_SERVER_BIN ;;
    esac
    # What only install.sh and plantopsctl know is nothing to the program.
    export -n "${SETTINGS[@]}"
    "$REPO/deploy/backup/plantops-backup" "$@"
)

verify() { backup_tool verify "$@"; }

restore() {
    # It undoes by itself what it has begun; we only must not end before it.
    trap 'true' INT TERM HUP
    export YES=${YES:-}
    backup_tool restore "$@"
}

recover() { backup_tool recover; }

# Called by deploy/backup in the middle of a restore.
hook() {
    case ${1:-} in
        stop) systemctl stop plantops.service plantops-mosquitto.service ;;
        start)
            # Gives the role the password that is in the secrets now, the broker the certificates that are there now.
            make_database
            copy_certificates mosquitto
            chown mosquitto: "$SERVICE_HOME/mosquitto/dynamic-security.json"
            start_services 300
            reload_nginx_certificate
            ;;
        *) die "hook is for deploy/backup" ;;
    esac
}
