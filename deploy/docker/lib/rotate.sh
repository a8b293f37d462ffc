# shellcheck shell=bash
# Replacing secrets, each with what has to happen around it. Sourced by plantops-docker.

# write_secret NAME VALUE: whole or not at all.
write_secret() {
    local file=$SECRETS/$1.txt
    printf '%s' "$2" >"$file.new"
    chmod 600 "$file.new"
    if ((EUID == 0)); then chown 1000:1000 "$file.new"; fi
    mv "$file.new" "$file"
}

require_running() {
    compose exec -T backend plantops ready >/dev/null || die 75 "the backend is not ready; it seals anew what the old key has sealed"
}

# database-setup gives the role its password at every start.
rotate_postgres_password() {
    write_secret POSTGRES_PASSWORD "$(openssl rand -hex 24)"
    start_all --force-recreate
}

# In the database's own container the socket lets its user in without a password.
rotate_superuser_password() {
    local password
    password=$(openssl rand -hex 24)
    compose exec -T -u postgres database psql -XqAt -v ON_ERROR_STOP=1 -U postgres -d postgres \
        <<<"ALTER ROLE postgres PASSWORD '$password';"
    write_secret POSTGRES_SUPERUSER_PASSWORD "$password"
    start_all --force-recreate
}

# The broker forgets all devices, and is told of them again by the backend, with the passwords they have.
rotate_broker_password() {
    write_secret MQTT_BACKEND_PASSWORD "$(openssl rand -hex 24)"
    compose stop backend broker
    compose run --rm -T --no-deps broker-setup --force
    start_all --force-recreate
}

# The old key stays at hand until nothing is sealed under it any more; a run that was interrupted is taken up where it was.
rotate_encryption_key() {
    local old
    old=$(<"$SECRETS/ENCRYPTION_KEY.txt")
    if [[ ! -s $SECRETS/ENCRYPTION_KEYS_OLD.txt || $(<"$SECRETS/ENCRYPTION_KEYS_OLD.txt") == "$old" ]]; then
        write_secret ENCRYPTION_KEYS_OLD "$old"
        write_secret ENCRYPTION_KEY "$(openssl rand -hex 32)"
    fi
    start_all --force-recreate
    compose exec -T backend plantops keys rotate
    cp -p "$SECRETS/ENCRYPTION_KEYS_OLD.txt" "$SECRETS/ENCRYPTION_KEYS_OLD.txt.before-$(date -u +%Y%m%d%H%M%S)"
    write_secret ENCRYPTION_KEYS_OLD ''
    start_all --force-recreate
    say "Keep the old key (deploy/docker/secrets/ENCRYPTION_KEYS_OLD.txt.before-...) as long as backups made with it,"
    say "and copy the new deploy/docker/secrets/ENCRYPTION_KEY.txt to a safe place now."
}

rotate_secret() {
    require_prepared
    case ${1:-} in
        # Also where nothing gets ready: a password that database or broker do not know is mended this way.
        POSTGRES_PASSWORD | POSTGRES_SUPERUSER_PASSWORD | MQTT_BACKEND_PASSWORD) ;;
        ENCRYPTION_KEY) require_running ;;
        *)
            die 64 "say which one: rotate POSTGRES_PASSWORD|POSTGRES_SUPERUSER_PASSWORD|MQTT_BACKEND_PASSWORD|ENCRYPTION_KEY" \
                "People's passwords, tokens and devices' credentials are changed in the dashboard (docs/deployment.md)."
            ;;
    esac
    case $1 in
        POSTGRES_PASSWORD) rotate_postgres_password ;;
        POSTGRES_SUPERUSER_PASSWORD) rotate_superuser_password ;;
        MQTT_BACKEND_PASSWORD) rotate_broker_password ;;
        ENCRYPTION_KEY) rotate_encryption_key ;;
    esac
    say "$1 is replaced"
}
