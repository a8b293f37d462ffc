# shellcheck shell=bash
# The broker, with the same configuration file as in production.

# Debian puts it into the architecture's library folder; elsewhere it is in one of the others.
dynsec_plugin() {
    local file
    if [[ -n ${MOSQUITTO_DYNSEC_PLUGIN:-} ]]; then
        echo "$MOSQUITTO_DYNSEC_PLUGIN"
        return
    fi
    for file in $(dpkg -L mosquitto 2>/dev/null | grep '/mosquitto_dynamic_security\.so$') \
        /usr/lib/*/mosquitto_dynamic_security.so /usr/{local/lib,lib,lib64}/mosquitto_dynamic_security.so; do
        if [[ -e $file ]]; then
            echo "$file"
            return
        fi
    done
    die "Mosquitto's dynamic security plugin was not found" \
        "Install Mosquitto 2 (make packages), or set MOSQUITTO_DYNSEC_PLUGIN to mosquitto_dynamic_security.so"
}

# The first accounts: the backend's own. Later ones are added by the backend over MQTT, so the file
# is written once and never again.
init_broker() {
    local user=$1 state=$SERVICE_HOME/mosquitto
    if [[ -s $state/dynamic-security.json ]]; then return; fi
    say "making the broker's first account"
    rm -f "$state/dynamic-security.json"
    if ! (
        export -n "${OWN_VARIABLES[@]}"
        export MQTT_BACKEND_USERNAME=${MQTT_BACKEND_USERNAME:-backend}
        if [[ -z ${MQTT_BACKEND_PASSWORD:-}${MQTT_BACKEND_PASSWORD_FILE:-} ]]; then
            MQTT_BACKEND_PASSWORD_FILE=$(secret_file MQTT_BACKEND_PASSWORD)
            export MQTT_BACKEND_PASSWORD_FILE
        fi
        "$PLANTOPS_BIN" broker-init --output "$state/dynamic-security.json"
    ) >"$LOG_DIR/broker-init.log" 2>&1; then
        rm -f "$state/dynamic-security.json"
        show_log "$LOG_DIR/broker-init.log"
        die "plantops broker-init failed"
    fi
    if is_root; then chown "$user:" "$state/dynamic-security.json"; fi
}

client_certificates_required() { [[ $MQTT_REQUIRE_CLIENT_CERT == true ]]; }

# make_certificates [--renew]: those of the broker; and those of its clients on this machine, if it
# asks for them.
make_certificates() {
    local client
    [[ $MQTT_REQUIRE_CLIENT_CERT == true || $MQTT_REQUIRE_CLIENT_CERT == false ]] ||
        die "MQTT_REQUIRE_CLIENT_CERT=$MQTT_REQUIRE_CLIENT_CERT is neither true nor false"
    "$REPO/certs/make-certs.sh" --out "$CERT_DIR" --quiet "$@"
    if ! client_certificates_required; then return; fi
    for client in backend simulator; do "$REPO/certs/make-certs.sh" --out "$CERT_DIR" --quiet --client "$client"; done
}

# Copies, because the broker's user may not pass through the folder of the originals. Each one is
# replaced whole: the broker, which gave up root long ago, reads them again while it runs.
copy_certificates() {
    local user=$1 to=$SERVICE_HOME/mosquitto/certs name
    own_folder "$user" "$to"
    for name in ca.crt server.key server.crt; do
        install -m 600 "$CERT_DIR/$name" "$to/$name.new"
        if is_root; then chown "$user:" "$to/$name.new"; fi
        mv "$to/$name.new" "$to/$name"
    done
}

# The serial number that a new connection is shown. Not by the end of the program: a broker that wants
# a certificate from us ends the connection, but has shown its own by then.
shown_serial() {
    { timeout 5 openssl s_client -connect "$(bracketed "$(reach "$PLANTOPS_BIND")"):$PLANTOPS_MQTT_PORT" \
        </dev/null 2>/dev/null || true; } | openssl x509 -noout -serial 2>/dev/null
}

shows_new_certificate() { [[ $(shown_serial) == "$(openssl x509 -in "$CERT_DIR/server.crt" -noout -serial)" ]]; }

# renew_certificates [--renew]: what is due, or with --renew the server's in any case. A broker that
# runs reads them on SIGHUP and keeps every connection it has.
renew_certificates() {
    local pid user copies=$SERVICE_HOME/mosquitto/certs
    make_certificates "$@"
    if ! pid=$(pid_of mosquitto); then return; fi
    if ! cmp -s "$CERT_DIR/ca.crt" "$copies/ca.crt" || ! cmp -s "$CERT_DIR/server.crt" "$copies/server.crt"; then
        user=$(service_user mosquitto nobody)
        copy_certificates "$user"
        kill -HUP "$pid"
        if ! wait_until 10 shows_new_certificate; then
            # So that the next try does not take it for done.
            rm -f "$copies/server.crt"
            show_log "$LOG_DIR/mosquitto.log"
            die "Mosquitto does not use the new certificate"
        fi
        say "Mosquitto uses the new certificate; nobody was disconnected"
        reload_nginx_certificate
    fi
}

configure_mosquitto() {
    local user=$1 state=$SERVICE_HOME/mosquitto
    make_certificates
    mkdir -p "$state"
    copy_certificates "$user"
    # In a variable first: a failure inside an argument would go unnoticed.
    local plugin
    plugin=$(dynsec_plugin)
    "$REPO/scripts/render-template.sh" "$REPO/deploy/mosquitto/mosquitto.conf.in" \
        MQTT_BIND="$PLANTOPS_BIND" MQTT_PORT="$PLANTOPS_MQTT_PORT" MQTT_USER="$user" \
        MQTT_MAX_QUEUED_BYTES="$PLANTOPS_MQTT_QUEUE_BYTES" \
        MQTT_REQUIRE_CLIENT_CERT="$MQTT_REQUIRE_CLIENT_CERT" DYNSEC_PLUGIN="$plugin" \
        CERT_DIR="$state/certs" STATE_DIR="$state" >"$state/mosquitto.conf"
    if is_root; then chown -R "$user:" "$state"; fi
}

# A TLS handshake with a certificate that fits the CA and the name: what a device needs.
broker_answers() {
    local client=()
    if client_certificates_required; then
        client=(-cert "$CERT_DIR/clients/backend.crt" -key "$CERT_DIR/clients/backend.key")
    fi
    timeout 5 openssl s_client "${client[@]}" -connect "$(bracketed "$(reach "$PLANTOPS_BIND")"):$PLANTOPS_MQTT_PORT" -CAfile "$CERT_DIR/ca.crt" \
        -verify_return_error -verify_hostname localhost </dev/null >/dev/null 2>&1
}

start_mosquitto() {
    local user
    if running mosquitto; then return; fi
    require_free_port "$PLANTOPS_BIND" "$PLANTOPS_MQTT_PORT" Mosquitto PLANTOPS_MQTT_PORT
    command -v mosquitto >/dev/null || die "Mosquitto is not installed" "make packages installs it"
    user=$(service_user mosquitto nobody)
    own_folder "$user" "$SERVICE_HOME/mosquitto"
    init_broker "$user"
    configure_mosquitto "$user"
    # The plugin writes its file with the mode it is given: passwords (hashed) are in it. One
    # descriptor per device; the usual 1024 are few.
    (
        umask 077
        raise_file_limit
        # It gives up root by itself ("user" in its configuration), after reading that file.
        launch mosquitto "$(id -un)" mosquitto -c "$SERVICE_HOME/mosquitto/mosquitto.conf"
    )
    await mosquitto 30 "a TLS connection to port $PLANTOPS_MQTT_PORT" broker_answers
}

stop_mosquitto() { end mosquitto TERM 30; }
