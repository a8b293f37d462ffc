# shellcheck shell=bash
# shellcheck disable=SC2034 # used by the other files
# Where everything is on a machine with systemd. What install.sh was told is remembered in install.conf. The functions of
# the local setup are used with these places; what systemd and Debian do differently is below.

readonly PROGRAM_DIR=/opt/plantops
readonly CONFIG_DIR=/etc/plantops
readonly UNIT_DIR=/etc/systemd/system
readonly PROGRAM=$PROGRAM_DIR/current/bin/plantops
readonly SITE=/etc/nginx/sites-available/plantops.conf
readonly SITE_LINK=/etc/nginx/sites-enabled/plantops.conf
readonly SETTINGS=(PLANTOPS_HOST PLANTOPS_ADMIN_EMAIL PLANTOPS_WEB PLANTOPS_HTTP_PORT PLANTOPS_HTTPS_PORT
    PLANTOPS_MQTT_PORT PLANTOPS_API_PORT PLANTOPS_CERTIFICATE PLANTOPS_CERTIFICATE_KEY PLANTOPS_CLUSTER_VERSION
    PLANTOPS_DB_PORT)

# Nothing of the caller's environment counts, but for the program and the dashboard that were given.
GIVEN_PROGRAM=${PLANTOPS_BIN:-}
GIVEN_DASHBOARD=${PLANTOPS_DASHBOARD:-}
unset "${SETTINGS[@]}" HTTP_PORT PLANTOPS_BIND PLANTOPS_BIN PLANTOPS_DASHBOARD PLANTOPS_TIMESCALE PLANTOPS_DB_FSYNC \
    PLANTOPS_MQTT_QUEUE_BYTES MQTT_REQUIRE_CLIENT_CERT CERT_HOSTS DATABASE_URL ADMIN_EMAIL ADMIN_PASSWORD RATE_LIMIT_API \
    RATE_LIMIT_SIGN_IN RATE_LIMIT_REGISTRATION

# read_settings FILE: exports its lines NAME=VALUE, as systemd reads them; nothing in it is run.
read_settings() {
    local line
    if [[ ! -r $1 ]]; then return; fi
    while IFS= read -r line || [[ -n $line ]]; do
        if ! [[ $line =~ ^[[:space:]]*([A-Z][A-Z0-9_]*)=(.*)$ ]]; then continue; fi
        local name=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
        value=${value%"${value##*[![:space:]]}"}
        if [[ $value =~ ^\"(.*)\"$ || $value =~ ^\'(.*)\'$ ]]; then value=${BASH_REMATCH[1]}; fi
        export "$name=$value"
    done <"$1"
}
read_settings "$CONFIG_DIR/install.conf"

# What nobody has said; an empty PLANTOPS_HOST is found out by install.sh.
: "${PLANTOPS_HOST:=}" "${PLANTOPS_ADMIN_EMAIL:=admin@plantops.local}" "${PLANTOPS_WEB:=yes}" "${PLANTOPS_HTTP_PORT:=80}"
: "${PLANTOPS_HTTPS_PORT:=443}" "${PLANTOPS_MQTT_PORT:=8883}" "${PLANTOPS_API_PORT:=8000}" "${PLANTOPS_CERTIFICATE:=}"
: "${PLANTOPS_CERTIFICATE_KEY:=}" "${PLANTOPS_CLUSTER_VERSION:=}" "${PLANTOPS_DB_PORT:=5432}"

PLANTOPS_HOME=/var/lib/plantops
PLANTOPS_BIN=$PROGRAM
for part in common settings secrets postgres mosquitto nginx backend; do
    # shellcheck source=/dev/null
    source "$REPO/deploy/local/lib/$part.sh"
done
SECRETS_DIR=$CONFIG_DIR/secrets
CERT_DIR=$CONFIG_DIR/certs
SERVICE_HOME=$PLANTOPS_HOME
LOG_DIR=/run/plantops-install
# Devices come over the network.
PLANTOPS_BIND=0.0.0.0

pid_of() {
    local pid
    pid=$(systemctl show -p MainPID --value "plantops-$1.service" 2>/dev/null)
    [[ ${pid:-0} != 0 ]] && echo "$pid"
}

running() { pid_of "$1" >/dev/null; }
not_running() { ! running "$1"; }

postgres_bin() { echo "/usr/lib/postgresql/$PLANTOPS_CLUSTER_VERSION/bin"; }

# Debian lets the account postgres in over the socket, and nobody else, as superuser.
superuser_psql() (
    cd /
    export PGOPTIONS="-c client_min_messages=error"
    as_user postgres "$(postgres_bin)/psql" -XqAt -v ON_ERROR_STOP=1 -h /var/run/postgresql -p "$PLANTOPS_DB_PORT" \
        -d "${1:-postgres}"
)

# Open event streams stay with nginx' old workers until they end.
reload_nginx_certificate() {
    if grep -qs "ssl_certificate $CERT_DIR/" "$CONFIG_DIR"/nginx/*.conf && systemctl is-active --quiet nginx; then
        systemctl reload nginx
        say "nginx uses the new certificate"
    fi
}

# exec_program ARGUMENTS...: the program with the service's settings and as its user. A subshell's: it replaces it.
exec_program() {
    local name
    read_settings "$CONFIG_DIR/installed.env"
    read_settings "$CONFIG_DIR/plantops.env"
    for name in ENCRYPTION_KEY POSTGRES_PASSWORD MQTT_BACKEND_PASSWORD; do export "$name=$(secret "$name")"; done
    export -n "${OWN_VARIABLES[@]}" "${SETTINGS[@]}"
    cd /
    as_user plantops "$PROGRAM" "$@"
}

api_ready() { api_says_ok /api/ready; }

# Backend and broker, in the order in which they need each other.
start_services() {
    systemctl start plantops-mosquitto.service plantops.service
    wait_until "${1:-120}" api_ready || die "the backend did not get ready" \
        "journalctl -u plantops -u plantops-mosquitto -n 50 says more; so does: plantopsctl doctor"
}
