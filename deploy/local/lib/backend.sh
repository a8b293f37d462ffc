# shellcheck shell=bash
# The backend and the simulated devices. Whatever the caller set reaches them and wins; these are
# only the values of this stack for what is not set.

# default_to NAME VALUE: unless NAME or NAME_FILE is set.
default_to() {
    local file_name=$1_FILE
    if [[ -z ${!1+set} && -z ${!file_name+set} ]]; then export "$1=$2"; fi
}

# default_to_secret NAME [FILE]: handed on as a file.
default_to_secret() {
    local file_name=$1_FILE
    if [[ -z ${!1+set} && -z ${!file_name+set} ]]; then export "$file_name=$(secret_file "${2:-$1}")"; fi
}

# What devices and browsers are told to connect to. With PLANTOPS_BIND open to the network that is
# this machine's first address: unlike its name, every device understands it.
public_host() {
    local address
    case $PLANTOPS_BIND in
        127.* | ::1) echo localhost ;;
        0.0.0.0 | ::)
            address=$(hostname -I 2>/dev/null | cut -d' ' -f1)
            echo "${address:-localhost}"
            ;;
        *) echo "$PLANTOPS_BIND" ;;
    esac
}

backend_environment() {
    local public
    public=$(public_host)
    if [[ -z ${DATABASE_URL+set} && -z ${DATABASE_URL_FILE+set} ]]; then
        default_to POSTGRES_HOST 127.0.0.1
        default_to POSTGRES_PORT "$PLANTOPS_DB_PORT"
        default_to POSTGRES_USER plantops
        default_to POSTGRES_DB plantops
        default_to_secret POSTGRES_PASSWORD
    fi
    default_to MQTT_HOST "$(reach "$PLANTOPS_BIND")"
    default_to MQTT_PORT "$PLANTOPS_MQTT_PORT"
    default_to MQTT_CA_CERT "$CERT_DIR/ca.crt"
    default_to MQTT_BACKEND_USERNAME backend
    default_to_secret MQTT_BACKEND_PASSWORD
    default_to PUBLIC_MQTT_HOST "$public"
    default_to PUBLIC_MQTT_PORT "$PLANTOPS_MQTT_PORT"
    default_to PUBLIC_URL "http://$(bracketed "$public"):$PLANTOPS_HTTP_PORT"
    default_to_secret ENCRYPTION_KEY
    # nginx is in front; the backend itself stays on this machine also when the dashboard does not.
    default_to HTTP_HOST 127.0.0.1
    default_to HTTP_PORT "$PLANTOPS_API_PORT"
    default_to ADMIN_EMAIL "$(secret ADMIN_EMAIL)"
    default_to_secret ADMIN_PASSWORD
    client_certificate_of backend
}

# A certificate for the broker, if it asks for one.
client_certificate_of() {
    if ! client_certificates_required; then return; fi
    default_to MQTT_CLIENT_CERT "$CERT_DIR/clients/$1.crt"
    default_to MQTT_CLIENT_KEY "$CERT_DIR/clients/$1.key"
}

# For people and tests: how to reach this stack. Kept in $PLANTOPS_HOME/env.
print_environment() {
    printf '# How to reach this stack; for a shell: source %q\n' "$PLANTOPS_HOME/env"
    printf 'export %s=%q\n' \
        PLANTOPS_URL "http://$(bracketed "$(public_host)"):$PLANTOPS_HTTP_PORT" \
        PLANTOPS_API_URL "http://127.0.0.1:$PLANTOPS_API_PORT" \
        PLANTOPS_ADMIN_EMAIL "$(secret ADMIN_EMAIL)" \
        PLANTOPS_ADMIN_PASSWORD "$(secret ADMIN_PASSWORD)" \
        PLANTOPS_ENROLLMENT_TOKEN "$(secret ENROLLMENT_TOKEN)" \
        PLANTOPS_CA_CERT "$CERT_DIR/ca.crt" \
        MQTT_PORT "$PLANTOPS_MQTT_PORT" \
        DATABASE_URL "postgresql://plantops:$(secret POSTGRES_PASSWORD)@127.0.0.1:$PLANTOPS_DB_PORT/plantops"
}

write_environment() {
    print_environment >"$PLANTOPS_HOME/env.new"
    chmod 600 "$PLANTOPS_HOME/env.new"
    mv "$PLANTOPS_HOME/env.new" "$PLANTOPS_HOME/env"
}

require_binary() {
    if [[ ! -x $PLANTOPS_BIN ]]; then
        die "there is no $PLANTOPS_BIN" "Build it (make build), or set PLANTOPS_BIN to an existing one."
    fi
}

# once NAME ARGUMENTS...: runs the program to its end, with its output in logs/NAME.log.
once() {
    local log=$LOG_DIR/$1.log
    shift
    if ! (
        backend_environment
        export -n "${OWN_VARIABLES[@]}"
        "$PLANTOPS_BIN" "$@"
    ) >"$log" 2>&1; then
        show_log "$log"
        die "plantops $1 failed"
    fi
}

migrate() { once migrate migrate; }

# The token in env, by which devices on this machine enroll. Each time, because somebody may have
# deleted it: then it is made anew.
register_enrollment_token() {
    once enrollment-token enrollment-token create --label "this machine" --max-uses 1000000 \
        --expires-in-hours 87600 --token-file "$(secret_file ENROLLMENT_TOKEN)"
}

api_says_ok() { curl -fsS --noproxy '*' --max-time 2 -o /dev/null "http://127.0.0.1:$PLANTOPS_API_PORT$1" 2>/dev/null; }

start_backend() {
    if running backend; then return; fi
    require_free_port 127.0.0.1 "$PLANTOPS_API_PORT" "the backend" PLANTOPS_API_PORT
    (
        backend_environment
        raise_file_limit
        launch backend "$(id -un)" "$PLANTOPS_BIN" serve
    )
    # Without the services it depends on it should run all the same, though not be ready.
    if running postgres && running mosquitto; then
        await backend 60 "GET /api/ready" api_says_ok /api/ready
    else
        await backend 60 "GET /api/live" api_says_ok /api/live
    fi
}

# It promises to end within 10 s, what was taken in being stored by then.
stop_backend() { end backend TERM 11; }

start_simulator() {
    if running simulator; then return; fi
    (
        # shellcheck disable=SC1090 # written by write_environment
        set -a && source <(print_environment) && set +a
        client_certificate_of simulator
        launch simulator "$(id -un)" "$PLANTOPS_BIN" simulate --devices 6 --interval 10 --with-plants \
            --backfill 24 --state "$PLANTOPS_HOME/simulator.json"
    )
    # It has nothing to ask for readiness; one that cannot start ends at once.
    sleep 0.5
    if not_running simulator; then
        show_log "$LOG_DIR/simulator.log"
        warn "the simulated devices did not start; everything else runs"
    fi
}

stop_simulator() { end simulator TERM 10; }
