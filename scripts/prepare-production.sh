#!/usr/bin/env bash
# Makes what a production start needs and what nobody should have to think of: .env.prod from .env.prod.example, and random
# secrets in deploy/docker/secrets/. What is there stays as it is, so it can be run again at any time.
#
#   PUBLIC_HOST=plants.example.org scripts/prepare-production.sh      (make prod-prepare PUBLIC_HOST=...)
#
#   PUBLIC_HOST        the name or address of the dashboard; asked for if it is not given
#   PUBLIC_MQTT_HOST   that of the broker, if it is another
#   ADMIN_EMAIL        the first account                     (admin@PUBLIC_HOST)
#
# As root, or as the user with the number 1000: the containers run under that number and must be able to read the secrets,
# and nobody else shall.
set -euo pipefail
umask 077
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/.."

readonly SETTINGS=.env.prod
readonly EXAMPLE=.env.prod.example
readonly SECRETS=deploy/docker/secrets
readonly OWNER=1000

say() { printf '%s\n' "$*"; }
# refuse STATUS MESSAGE...
refuse() {
    local status=$1
    printf 'error: %s\n' "$2" >&2
    shift 2
    if (($# > 0)); then printf '       %s\n' "$@" >&2; fi
    exit "$status"
}

for tool in openssl install; do
    command -v "$tool" >/dev/null || refuse 69 "$tool is not installed" "sudo apt-get install openssl coreutils"
done
if ((EUID != 0 && EUID != OWNER)); then
    refuse 77 "the secrets must belong to user $OWNER, under whose number the containers run; you are $EUID" \
        "Run it as root: sudo make prod-prepare PUBLIC_HOST=..."
fi

# own FILE...
own() { if ((EUID == 0)); then chown "$OWNER:$OWNER" "$@"; fi; }

# A host's name, an IPv4 or an IPv6 address; no scheme, port or path.
is_host() { [[ $1 =~ ^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$ || $1 =~ ^[0-9a-fA-F:]*:[0-9a-fA-F:.]*$ ]]; }
is_address() { [[ $1 =~ ^[0-9]+(\.[0-9]+){3}$ || $1 == *:* ]]; }
bracketed() { if [[ $1 == *:* ]]; then echo "[$1]"; else echo "$1"; fi; }

# setting NAME: its value in .env.prod.
setting() { sed -n "s/^$1=//p" "$SETTINGS" | tail -n 1; }

# fill NAME VALUE: where it has none.
fill() {
    if [[ -n $2 ]]; then sed -i "s|^$1=\$|$1=${2//&/\\&}|" "$SETTINGS"; fi
}

public_host() {
    local host=${PUBLIC_HOST:-}
    if [[ -z $host && -t 0 ]]; then
        read -r -p "Name or address under which the dashboard is reached (plants.example.org): " host
    fi
    [[ -n $host ]] || refuse 64 "PUBLIC_HOST is missing: the name or address under which the dashboard is reached" \
        "make prod-prepare PUBLIC_HOST=plants.example.org"
    is_host "$host" || refuse 64 "PUBLIC_HOST must be a name such as plants.example.org, or an address; no https://, port or path"
    echo "$host"
}

# What may stand on the right of "@" in an email address.
mail_domain() { if is_address "$1" || [[ $1 != *.* ]]; then echo plantops.local; else echo "$1"; fi; }

make_settings() {
    local host mqtt
    if [[ -e $SETTINGS && -n $(setting PUBLIC_HOST) ]]; then
        say "$SETTINGS is there and stays as it is"
        if [[ -n ${PUBLIC_HOST:-} && $PUBLIC_HOST != "$(setting PUBLIC_HOST)" ]]; then
            refuse 64 "$SETTINGS says PUBLIC_HOST=$(setting PUBLIC_HOST), not $PUBLIC_HOST" \
                "Change it there, with PUBLIC_URL and PUBLIC_MQTT_HOST; then make prod-restart."
        fi
        return
    fi
    [[ -r $EXAMPLE ]] || refuse 66 "$EXAMPLE is not there; it is part of PlantOps"
    # In a variable first: a failure inside an argument would go unnoticed.
    host=$(public_host)
    mqtt=${PUBLIC_MQTT_HOST:-$host}
    is_host "$mqtt" || refuse 64 "PUBLIC_MQTT_HOST must be a name or an address; no mqtts://, port or path"
    if [[ -n ${ADMIN_EMAIL:-} ]]; then
        [[ $ADMIN_EMAIL =~ ^[^@[:space:]\|\\]+@[^@[:space:]\|\\]+$ ]] || refuse 64 "ADMIN_EMAIL must be an email address"
    fi
    if [[ ! -e $SETTINGS ]]; then
        cp "$EXAMPLE" "$SETTINGS"
        chmod 600 "$SETTINGS"
        # So that user 1000, who may read the secrets, can do the rest without root.
        own "$SETTINGS"
        say "made $SETTINGS"
    fi
    fill PUBLIC_HOST "$host"
    fill PUBLIC_URL "https://$(bracketed "$host")"
    fill PUBLIC_MQTT_HOST "$mqtt"
    fill ADMIN_EMAIL "${ADMIN_EMAIL:-admin@$(mail_domain "$host")}"
}

# make_secret NAME COMMAND...: what COMMAND prints, unless there is one. Written whole or not at all: half a key would
# lock the database's secrets away.
make_secret() {
    local file=$SECRETS/$1.txt name=$1
    shift
    if [[ -s $file ]]; then return; fi
    printf '%s' "$("$@")" >"$file.new"
    [[ -s $file.new ]] || refuse 70 "$name could not be made"
    own "$file.new"
    mv "$file.new" "$file"
    made+=("$name")
}

# Not everybody has one, but its file must be there to be mounted.
empty_secret() {
    local file=$SECRETS/$1.txt
    if [[ -e $file ]]; then return; fi
    : >"$file"
    own "$file"
}

# No characters that look alike: somebody will type it.
readable_password() { LC_ALL=C tr -dc "a-km-zA-HJ-NP-Z2-9" < <(head -c 4096 /dev/urandom) | head -c 20 || true; }

make_secrets() {
    local made=() file
    mkdir -p "$SECRETS/tls" deploy/docker/acme
    chmod 700 "$SECRETS" "$SECRETS/tls"
    # certbot writes there, nginx reads.
    chmod 755 deploy/docker/acme
    own "$SECRETS" "$SECRETS/tls" deploy/docker/acme
    # It is made first, so where others are without it, it was lost or has not been brought along.
    if [[ ! -s $SECRETS/ENCRYPTION_KEY.txt && -s $SECRETS/POSTGRES_PASSWORD.txt ]]; then
        refuse 65 "$SECRETS/ENCRYPTION_KEY.txt is gone; a new key would not open what the old one has sealed" \
            "Put it back. If there is nothing to open: openssl rand -hex 32 >$SECRETS/ENCRYPTION_KEY.txt, and run this again."
    fi
    make_secret ENCRYPTION_KEY openssl rand -hex 32
    make_secret POSTGRES_PASSWORD openssl rand -hex 24
    make_secret POSTGRES_SUPERUSER_PASSWORD openssl rand -hex 24
    make_secret MQTT_BACKEND_PASSWORD openssl rand -hex 24
    make_secret ADMIN_PASSWORD readable_password
    make_secret GRAFANA_ADMIN_PASSWORD readable_password
    empty_secret ENCRYPTION_KEYS_OLD
    empty_secret DISCORD_WEBHOOK_URL
    # Also of files that somebody else put there.
    for file in "$SECRETS"/*.txt; do
        chmod 600 "$file"
        own "$file"
    done
    if ((${#made[@]} > 0)); then say "made ${made[*]} in $SECRETS"; else say "all secrets in $SECRETS are there"; fi
}

next_steps() {
    cat <<TEXT

Next:
  1. Copy $SECRETS/ENCRYPTION_KEY.txt to a safe place that is not this machine. Backups cannot be opened without it.
  2. Look through $SETTINGS.
  3. make prod-build, then make prod-up
  4. Sign in at $(setting PUBLIC_URL) as $(setting ADMIN_EMAIL); the first password is in $SECRETS/ADMIN_PASSWORD.txt.
TEXT
}

make_settings
make_secrets
next_steps
