# shellcheck shell=bash
# All services together.

readonly SERVICES=(postgres mosquitto backend nginx simulator)

port_of() {
    case $1 in
        postgres) echo "$PLANTOPS_DB_PORT" ;;
        mosquitto) echo "$PLANTOPS_MQTT_PORT" ;;
        backend) echo "$PLANTOPS_API_PORT" ;;
        nginx) echo "$PLANTOPS_HTTP_PORT" ;;
        *) echo - ;;
    esac
}

# Every port is looked at before anything is started. One that is in use by the service itself must
# be the one asked for.
require_ports() {
    end_leftovers nginx
    require_port postgres PostgreSQL 127.0.0.1 PLANTOPS_DB_PORT "$SAVED_DB_PORT"
    require_port mosquitto Mosquitto "$PLANTOPS_BIND" PLANTOPS_MQTT_PORT "$SAVED_MQTT_PORT"
    require_port backend "the backend" 127.0.0.1 PLANTOPS_API_PORT "$SAVED_API_PORT"
    require_port nginx nginx "$PLANTOPS_BIND" PLANTOPS_HTTP_PORT "$SAVED_HTTP_PORT"
    if { running mosquitto || running nginx; } && [[ $PLANTOPS_BIND != "${SAVED_BIND:-$PLANTOPS_BIND}" ]]; then
        die "this stack runs with PLANTOPS_BIND=$SAVED_BIND; to change that, stop it first (make down)"
    fi
}

require_port() {
    local name=$1 who=$2 host=$3 variable=$4 saved=$5
    local port=${!variable}
    if not_running "$name"; then
        require_free_port "$host" "$port" "$who" "$variable"
    elif [[ $port != "${saved:-$port}" ]]; then
        die "$name runs on port $saved, but $variable=$port" "To change it, stop the stack first (make down)."
    fi
}

remember_ports() {
    printf '%s=%q\n' SAVED_BIND "$PLANTOPS_BIND" SAVED_HTTP_PORT "$PLANTOPS_HTTP_PORT" \
        SAVED_API_PORT "$PLANTOPS_API_PORT" SAVED_MQTT_PORT "$PLANTOPS_MQTT_PORT" \
        SAVED_DB_PORT "$PLANTOPS_DB_PORT" >"$RUN_DIR/ports"
}

prepare() {
    local program
    for program in openssl curl setpriv realpath flock; do
        command -v "$program" >/dev/null || die "$program is not installed" "make packages installs what is missing"
    done
    make_folders
    # One at a time: a second one waits for the first, then finds everything running.
    exec 9>"$RUN_DIR/lock"
    flock 9
    make_secrets
}

# An existing state folder, without making one.
open_existing() {
    if [[ ! -e $PLANTOPS_HOME/.plantops ]]; then die "there is no stack in $PLANTOPS_HOME" "Start one with: make up"; fi
    choose_service_home
}

up() {
    local begun=$SECONDS
    require_binary
    prepare
    require_ports
    remember_ports
    write_environment
    say "starting PostgreSQL"
    start_postgres
    undo_killed_restore
    make_database
    if running mosquitto; then
        renew_certificates
    else
        say "starting Mosquitto"
        start_mosquitto
    fi
    if not_running backend; then
        say "migrating the database"
        migrate
    fi
    register_enrollment_token
    say "starting the backend"
    start_backend
    say "starting nginx"
    start_nginx
    if [[ $SIMULATE != 0 ]]; then
        say "starting simulated devices (SIMULATE=0 leaves them out)"
        start_simulator
    fi
    flock -u 9
    say "up in $((SECONDS - begun)) s"
}

# What the running backend says, not what is set here: it may have been started with other settings.
sign_in_required() {
    ! curl -sS --noproxy '*' --max-time 5 "http://127.0.0.1:$PLANTOPS_API_PORT/api/auth/me" 2>/dev/null |
        grep -Eq '"auth_mode" ?: ?"disabled"'
}

announce() {
    local required=yes
    if ! sign_in_required; then required=no; fi
    (
        # shellcheck disable=SC1091 # written by write_environment
        source "$PLANTOPS_HOME/env"
        login_lines() {
            if [[ $required == yes ]]; then
                echo "  Sign in     $PLANTOPS_ADMIN_EMAIL"
                echo "              first password: $PLANTOPS_ADMIN_PASSWORD   (until you change it)"
            else
                echo "  Sign in     not needed: AUTH_MODE=disabled. Whoever reaches the dashboard may do everything."
            fi
        }
        cat <<TEXT

  Dashboard   $PLANTOPS_URL
  API         $PLANTOPS_URL/api/health
  MQTT        mqtts://$(bracketed "$(public_host)"):$PLANTOPS_MQTT_PORT   (CA: $PLANTOPS_CA_CERT)
$(login_lines)
  State       $PLANTOPS_HOME   (logs/, certs/, env to source)

TEXT
    )
    case $PLANTOPS_BIND in
        127.* | ::1) ;;
        *)
            if [[ $required == yes ]]; then
                warn "PLANTOPS_BIND=$PLANTOPS_BIND: the dashboard is plain HTTP, so passwords cross this network readably"
            else
                warn "PLANTOPS_BIND=$PLANTOPS_BIND and AUTH_MODE=disabled: everybody on this network may do everything"
            fi
            ;;
    esac
}

# A new server certificate from the same CA, now, without disconnecting anybody.
renew_certs() {
    open_existing
    exec 9>"$RUN_DIR/lock"
    flock 9
    renew_certificates --renew
    if not_running mosquitto; then say "Mosquitto does not run; it reads the new certificate when it starts"; fi
    flock -u 9
}

# In the order that lets each one finish: whoever depends on a service ends before it.
down() {
    local name
    open_existing
    exec 9>"$RUN_DIR/lock"
    flock 9
    for name in simulator nginx backend mosquitto postgres; do
        if running "$name"; then say "stopping $name"; fi
        "stop_$name"
    done
    rm -f "$RUN_DIR/ports"
    flock -u 9
}

# In the foreground until Ctrl-C or SIGTERM.
run() {
    # From here on, also when something fails while starting.
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    trap 'stop_everything' EXIT
    up
    announce
    # Now it is the intended end.
    trap 'exit 0' INT TERM HUP
    say "Ctrl-C stops everything; make logs shows the logs. Simulated readings appear within 10 s."
    watch_services
}

stop_everything() {
    # A second Ctrl-C must not leave half of it running.
    trap '' INT TERM HUP
    trap - EXIT
    say ""
    # The lock may be held by this very shell.
    exec 9>&-
    if [[ -e $PLANTOPS_HOME/.plantops ]]; then down; fi
    say "stopped; the data stays in $PLANTOPS_HOME"
}

# Says once what ended by itself; ends when nothing is left (after a "make down" elsewhere).
watch_services() {
    local name known=' ' alive
    while :; do
        alive=0
        for name in "${SERVICES[@]}"; do
            if running "$name"; then
                alive=$((alive + 1))
                known=${known/ $name / }
            elif [[ -e $RUN_DIR/$name.pid && $known != *" $name "* ]]; then
                known+="$name "
                show_log "$LOG_DIR/$name.log"
                warn "$name has ended; 'deploy/local/plantops-local start $name' brings it back"
            fi
        done
        if ((alive == 0)); then
            say "everything has stopped"
            return
        fi
        # In the background, because a trap waits for a foreground command to end.
        sleep 1 &
        wait $! || true
    done
}

status() {
    local name pid wanted=0 up=0
    if [[ ! -e $PLANTOPS_HOME/.plantops ]]; then
        say "no stack in $PLANTOPS_HOME"
        return 3
    fi
    printf '%-10s %-8s %-8s %s\n' service state pid port
    for name in "${SERVICES[@]}"; do
        if pid=$(pid_of "$name"); then
            printf '%-10s %-8s %-8s %s\n' "$name" running "$pid" "$(port_of "$name")"
            up=$((up + 1))
        else
            printf '%-10s %-8s %-8s %s\n' "$name" stopped - "$(port_of "$name")"
        fi
        wanted=$((wanted + 1))
    done
    if running backend; then
        if api_says_ok /api/ready; then say "the backend is ready"; else say "the backend is not ready (make logs)"; fi
    fi
    # Simulated devices are an extra.
    if not_running simulator; then wanted=$((wanted - 1)); fi
    ((up == wanted)) || return 3
}

# logs [NAME...]: follows; with FOLLOW=0 shows the last lines and ends.
logs() {
    local name files=()
    open_existing
    for name in "$@"; do files+=("$LOG_DIR/$name.log"); done
    if ((${#files[@]} == 0)); then files=("$LOG_DIR"/*.log); fi
    if [[ ${FOLLOW:-1} == 0 ]]; then tail -n 40 "${files[@]}"; else exec tail -n 40 -F "${files[@]}"; fi
}

reset() {
    local answer
    if [[ ! -e $PLANTOPS_HOME/.plantops ]]; then
        say "nothing to delete in $PLANTOPS_HOME"
        return
    fi
    if [[ ${YES:-} != 1 ]]; then
        [[ -t 0 ]] || die "reset deletes the database and all secrets; say YES=1 if you mean it"
        read -r -p "Delete the database, secrets and certificates in $PLANTOPS_HOME? [y/N] " answer
        [[ $answer == [yY]* ]] || die "nothing deleted"
    fi
    down
    delete_state
    say "deleted the state in $PLANTOPS_HOME"
    if compgen -G "$(backups_folder)/plantops-*.tar" >/dev/null; then say "the backups stay in $(backups_folder)"; fi
}
