# shellcheck shell=bash
# Secrets are made once, one file each, and handed on as files: a command line is readable by
# every user of the machine.

secret_file() { echo "$SECRETS_DIR/$1"; }
secret() { cat "$SECRETS_DIR/$1"; }

# make_secret NAME COMMAND...: what COMMAND prints, unless there is one.
make_secret() {
    local file=$SECRETS_DIR/$1
    shift
    if [[ -s $file ]]; then return; fi
    # Written whole or not at all: half a key would lock the database's secrets away.
    printf '%s' "$("$@")" >"$file.new"
    chmod 600 "$file.new"
    mv "$file.new" "$file"
}

# No characters that look alike, none that a URL or a shell would touch.
readable_password() { LC_ALL=C tr -dc "a-km-zA-HJ-NP-Z2-9" < <(head -c 4096 /dev/urandom) | head -c 20 || true; }

first_password() {
    if [[ -n ${ADMIN_PASSWORD:-} ]]; then
        printf '%s' "$ADMIN_PASSWORD"
    elif [[ -n ${ADMIN_PASSWORD_FILE:-} ]]; then
        cat "$ADMIN_PASSWORD_FILE"
    else
        readable_password
    fi
}

make_secrets() {
    make_secret ENCRYPTION_KEY openssl rand -hex 32
    make_secret MQTT_BACKEND_PASSWORD openssl rand -hex 24
    make_secret POSTGRES_PASSWORD openssl rand -hex 24
    make_secret ENROLLMENT_TOKEN openssl rand -hex 24
    # The first account, as it was made: whoever names one names it at the first start.
    make_secret ADMIN_EMAIL echo "${ADMIN_EMAIL:-admin@plantops.local}"
    make_secret ADMIN_PASSWORD first_password
}
