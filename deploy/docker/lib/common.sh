# shellcheck shell=bash
# Words to the user, settings, and Docker Compose. Sourced by plantops-docker.

KIND=prod
readonly SETTINGS=$REPO/.env.prod
readonly SECRETS=$HERE/secrets
# Those without which nothing starts; the others may be empty, but their files must be there.
readonly REQUIRED_SECRETS=(ENCRYPTION_KEY POSTGRES_PASSWORD POSTGRES_SUPERUSER_PASSWORD MQTT_BACKEND_PASSWORD)
readonly OPTIONAL_SECRETS=(ENCRYPTION_KEYS_OLD ADMIN_PASSWORD DISCORD_WEBHOOK_URL GRAFANA_ADMIN_PASSWORD)

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }

# die STATUS MESSAGE [FURTHER LINES...]
die() {
    local status=$1
    printf 'error: %s\n' "$2" >&2
    shift 2
    if (($# > 0)); then printf '       %s\n' "$@" >&2; fi
    exit "$status"
}

# setting NAME [DEFAULT]: as Docker Compose sees it: of the environment, else of .env.prod.
setting() {
    local value=${!1:-}
    if [[ -z $value && -r $SETTINGS ]]; then value=$(sed -n "s/^$1=//p" "$SETTINGS" | tail -n 1); fi
    printf '%s' "${value:-${2:-}}"
}

# find_compose COMMAND: Docker's own first; docker-compose is what Debian 12 has. Fills COMPOSE.
COMPOSE=()
find_compose() {
    if ((${#COMPOSE[@]} > 0)); then return; fi
    if command -v docker >/dev/null && docker compose version >/dev/null 2>&1; then
        COMPOSE=(docker compose)
    elif command -v docker-compose >/dev/null; then
        # It would say this in a hundred lines.
        [[ -n ${DOCKER_HOST:-} || -S /var/run/docker.sock || ${1:-} == config ]] ||
            die 69 "Docker does not run: there is no /var/run/docker.sock" "apt-get install docker.io"
        COMPOSE=(docker-compose)
    else
        die 69 "neither 'docker compose' nor docker-compose is installed" \
            "https://docs.docker.com/engine/install/debian/, or: apt-get install docker.io docker-compose"
    fi
}

# What is set by COMPOSE_PROFILES, or by with_all_profiles. As arguments, because versions differ in whether they look for
# that name in an --env-file.
profiles() {
    local profile
    tr -s ', ' '\n' <<<"${PROFILES:-$(setting COMPOSE_PROFILES)}" | sed '/^$/d' |
        while read -r profile; do printf '%s\n' --profile "$profile"; done
}
with_all_profiles() { PROFILES=backup,monitoring,restore "$@"; }

# With compose.local.yml, if there is one: what somebody adds for his own installation.
compose() {
    local options=() more=()
    require_settings
    find_compose "$@"
    mapfile -t options < <(profiles)
    if [[ -e $HERE/compose.local.yml ]]; then more=(-f "$HERE/compose.local.yml"); fi
    COMPOSE_PROFILES='' COMPOSE_PROJECT_NAME=$(setting COMPOSE_PROJECT_NAME plantops) \
        "${COMPOSE[@]}" --env-file "$SETTINGS" -f "$HERE/compose.yml" -f "$HERE/compose.$KIND.yml" "${more[@]}" \
        "${options[@]}" "$@"
}

require_settings() {
    [[ -r $SETTINGS ]] ||
        die 78 "there is no $SETTINGS that can be read" "Make it: make prod-prepare PUBLIC_HOST=plants.example.org"
}

# Everything that is missing at once, before anything is started.
require_prepared() {
    local name problems=()
    require_settings
    for name in PUBLIC_HOST PUBLIC_URL PUBLIC_MQTT_HOST; do
        if [[ -z $(setting "$name") ]]; then problems+=("$name is empty in .env.prod"); fi
    done
    for name in "${REQUIRED_SECRETS[@]}"; do
        if [[ ! -s $SECRETS/$name.txt ]]; then problems+=("the secret deploy/docker/secrets/$name.txt is missing"); fi
    done
    # Docker would make a folder in the place of a file that is not there.
    for name in "${OPTIONAL_SECRETS[@]}"; do
        if [[ ! -f $SECRETS/$name.txt ]]; then problems+=("deploy/docker/secrets/$name.txt is missing; it may be empty"); fi
    done
    for name in secrets/tls acme; do
        if [[ ! -d $HERE/$name ]]; then problems+=("the folder deploy/docker/$name is missing"); fi
    done
    # Nor may Docker make this one: it would belong to root.
    name=$(setting BACKUP_FOLDER)
    if [[ $name == */* && ! -d $name ]]; then
        problems+=("the folder $name (BACKUP_FOLDER) is missing: install -d -o 1000 -g 1000 -m 700 $name")
    fi
    if ((${#problems[@]} > 0)); then
        die 78 "this is not prepared yet:" "${problems[@]/#/- }" "make prod-prepare makes what is missing, and nothing else."
    fi
    case $(setting TLS_MODE on) in
        on) ;;
        off)
            [[ $KIND == dev || $(setting DASHBOARD_BIND 0.0.0.0) =~ ^(127\.[0-9.]+|\[?::1\]?)$ ]] ||
                die 78 "TLS_MODE=off: passwords would cross the network readably" \
                    "Set DASHBOARD_BIND=127.0.0.1 in .env.prod, and let a proxy on this machine speak TLS."
            ;;
        *) die 78 "TLS_MODE must be on or off" ;;
    esac
}

dashboard_is_up() { compose exec -T frontend /usr/local/lib/plantops/frontend-entrypoint.sh healthy >/dev/null 2>&1; }

# start_all [OPTIONS...]: in the order of depends_on, which also waits for jobs and health checks; the dashboard is the last.
start_all() {
    local tries=30
    if ! compose up --detach --no-build --remove-orphans "$@"; then
        compose ps || true
        die 1 "not everything is up" "deploy/docker/plantops-docker logs migrate backend broker database says more." \
            "If images are missing: make prod-build"
    fi
    until dashboard_is_up; do
        ((tries-- > 0)) || die 1 "the dashboard does not come up" "deploy/docker/plantops-docker logs frontend says more."
        sleep 1
    done
    if [[ $KIND == dev ]]; then
        say "The dashboard: http://127.0.0.1:8080   API: http://127.0.0.1:8000   database: 127.0.0.1:54329"
        return
    fi
    say "The dashboard: $(setting PUBLIC_URL)   MQTT: mqtts://$(setting PUBLIC_MQTT_HOST):$(setting PUBLIC_MQTT_PORT 8883)"
}

# install_tls CERTIFICATE KEY: nginx notices by itself within a minute. The key first: until the certificate follows, the
# two do not belong together, and nginx keeps what it has.
install_tls() {
    local key name
    (($# == 2)) || die 64 "tls needs a certificate and its key: tls fullchain.pem privkey.pem"
    [[ -r $1 && -r $2 ]] || die 66 "$1 or $2 cannot be read"
    key=$(openssl pkey -in "$2" -pubout 2>/dev/null) || die 65 "$2 is no private key without a password"
    [[ $(openssl x509 -in "$1" -noout -pubkey 2>/dev/null) == "$key" ]] || die 65 "$1 and $2 do not belong together"
    mkdir -p "$SECRETS/tls"
    install -m 600 "$2" "$SECRETS/tls/tls.key.new"
    install -m 600 "$1" "$SECRETS/tls/tls.crt.new"
    if ((EUID == 0)); then chown 1000:1000 "$SECRETS/tls" "$SECRETS"/tls/*.new; fi
    for name in tls.key tls.crt; do mv "$SECRETS/tls/$name.new" "$SECRETS/tls/$name"; done
    say "installed; the dashboard uses it within a minute"
}
