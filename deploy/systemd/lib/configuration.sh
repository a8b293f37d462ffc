# shellcheck shell=bash
# The settings that install.sh writes, and the secrets.

public_url() {
    local port=:$PLANTOPS_HTTPS_PORT
    if [[ $port == :443 ]]; then port=; fi
    echo "https://$(bracketed "$PLANTOPS_HOST")$port"
}

write_configuration() {
    local name
    {
        echo "# What install.sh was told. To change it, run install.sh again with another option."
        for name in "${SETTINGS[@]}"; do echo "$name=${!name}"; done
    } | put_file settings "$CONFIG_DIR/install.conf" 644
    put_file environment "$CONFIG_DIR/installed.env" 644 <<ENVIRONMENT
# Written by install.sh at every run. Your own settings go to plantops.env beside this file, which wins.
POSTGRES_HOST=127.0.0.1
POSTGRES_PORT=$PLANTOPS_DB_PORT
POSTGRES_USER=plantops
POSTGRES_DB=plantops
MQTT_HOST=127.0.0.1
MQTT_PORT=$PLANTOPS_MQTT_PORT
MQTT_CA_CERT=$CERT_DIR/ca.crt
MQTT_BACKEND_USERNAME=backend
PUBLIC_MQTT_HOST=$PLANTOPS_HOST
PUBLIC_MQTT_PORT=$PLANTOPS_MQTT_PORT
PUBLIC_URL=$(public_url)
HTTP_HOST=127.0.0.1
HTTP_PORT=$PLANTOPS_API_PORT
DISK_PATH=/var/lib/postgresql
LOG_FORMAT=json
ENVIRONMENT
    if [[ ! -e $CONFIG_DIR/plantops.env ]]; then
        put_file environment "$CONFIG_DIR/plantops.env" 600 <<'ENVIRONMENT'
# Your own settings of the backend, one NAME=VALUE a line (docs/configuration.md); never overwritten.
# After a change: systemctl restart plantops. RATE_LIMIT_* are nginx': run install.sh again instead.
#
# ENROLLMENT_MODE=token
# RETENTION_RAW_DAYS=400
# DISCORD_WEBHOOK_URL=
# ENCRYPTION_KEYS_OLD=
ENVIRONMENT
    fi
    if [[ ! -e $CONFIG_DIR/backup.env ]]; then
        put_file backup "$CONFIG_DIR/backup.env" 600 <<'ENVIRONMENT'
# How backups are kept; never overwritten. Copy them to another machine, too, and the key
# (/etc/plantops/secrets/ENCRYPTION_KEY) to a third place: it is in no backup.
PLANTOPS_BACKUP_DIR=/var/backups/plantops
PLANTOPS_BACKUP_KEEP_DAYS=30
ENVIRONMENT
    fi
}

# own_secret NAME COMMAND...
own_secret() {
    local name=$1
    if [[ -s $SECRETS_DIR/$name ]]; then return; fi
    shift
    act secrets "make the secret $name" make_secret "$name" "$@"
}

make_own_secrets() {
    if [[ -n $KEY_FILE ]]; then
        [[ $(<"$KEY_FILE") =~ ^[0-9A-Fa-f]{64}$ ]] || die "--encryption-key $KEY_FILE does not hold 64 hexadecimal digits"
        if [[ -s $SECRETS_DIR/ENCRYPTION_KEY ]] && [[ $(secret ENCRYPTION_KEY) != "$(<"$KEY_FILE")" ]]; then
            die "this installation has another key already" "Keys are changed with: plantopsctl exec keys rotate"
        fi
        own_secret ENCRYPTION_KEY cat "$KEY_FILE"
    fi
    own_secret ENCRYPTION_KEY openssl rand -hex 32
    own_secret MQTT_BACKEND_PASSWORD openssl rand -hex 24
    own_secret POSTGRES_PASSWORD openssl rand -hex 24
    own_secret ADMIN_PASSWORD readable_password
}
