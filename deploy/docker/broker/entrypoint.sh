#!/usr/bin/env bash
# The broker's container.
#
#   broker-entrypoint.sh serve     Mosquitto, until it is told to stop
#   broker-entrypoint.sh healthy   whether the backend can sign in over TLS now
#
#   MQTT_MAX_QUEUED_BYTES      what waits for a client that is away, in bytes of payload   (16 MiB)
#   MQTT_REQUIRE_CLIENT_CERT   true: who connects must show a certificate, too             (false)
#   MQTT_BACKEND_USERNAME      the account that "healthy" uses                             (backend)
#
# Folders: /var/lib/plantops/broker is the broker's own; server-certificates and client-certificates beside it are
# read only, and filled by the service "certificates". /run/plantops is for what is made at the start.
set -euo pipefail
umask 077

HERE=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
readonly STATE=/var/lib/plantops/broker
readonly CERTIFICATES=/var/lib/plantops/server-certificates
readonly CLIENT=/var/lib/plantops/client-certificates
readonly RUNTIME=/run/plantops
readonly PASSWORD=/run/secrets/MQTT_BACKEND_PASSWORD
# shellcheck source=deploy/docker/lib/supervise.sh
source "$HERE/supervise.sh"

# Debian puts it into the architecture's library folder.
dynsec_plugin() {
    local file
    for file in /usr/lib/*/mosquitto_dynamic_security.so; do
        if [[ -e $file ]]; then
            echo "$file"
            return
        fi
    done
    die 69 "Mosquitto's dynamic security plugin is not in this image"
}

# Not root, so the "user" in the template is ignored; any name does.
configure() {
    local plugin
    plugin=$(dynsec_plugin)
    "$HERE/render-template.sh" "$HERE/mosquitto.conf.in" \
        MQTT_BIND=0.0.0.0 MQTT_PORT=8883 MQTT_USER=mosquitto \
        MQTT_MAX_QUEUED_BYTES="${MQTT_MAX_QUEUED_BYTES:-16777216}" \
        MQTT_REQUIRE_CLIENT_CERT="${MQTT_REQUIRE_CLIENT_CERT:-false}" DYNSEC_PLUGIN="$plugin" \
        CERT_DIR="$CERTIFICATES" STATE_DIR="$STATE" >"$RUNTIME/mosquitto.conf"
}

# In a file that mosquitto_sub reads by itself: a command line is readable by every user of the machine. The broker asks
# for the certificate only if it is told to.
configure_health_check() {
    {
        printf '%s\n' "-h localhost" "-p 8883" "--cafile $CERTIFICATES/ca.crt" "-u ${MQTT_BACKEND_USERNAME:-backend}" \
            "-P $(<"$PASSWORD")"
        if [[ -s $CLIENT/clients/backend.crt && -s $CLIENT/clients/backend.key ]]; then
            printf '%s\n' "--cert $CLIENT/clients/backend.crt" "--key $CLIENT/clients/backend.key"
        fi
    } >"$RUNTIME/mosquitto_sub"
}

# TLS with a certificate that fits the CA and the name, the account of the backend, and a subscription it may make: what
# the backend needs. No device has the id "health-check", so nothing is delivered.
healthy() {
    XDG_CONFIG_HOME=$RUNTIME timeout 8 mosquitto_sub -E -q 0 -t devices/health-check/status >/dev/null || exit 1
}

state() { cat "$CERTIFICATES"/{ca.crt,server.crt,server.key} | sha256sum; }
refresh() { belong_together "$CERTIFICATES/server.crt" "$CERTIFICATES/server.key"; }

serve() {
    [[ ${MQTT_REQUIRE_CLIENT_CERT:-false} =~ ^(true|false)$ ]] || die 78 "MQTT_REQUIRE_CLIENT_CERT must be true or false"
    [[ ${MQTT_MAX_QUEUED_BYTES:-0} =~ ^[0-9]{1,12}$ ]] || die 78 "MQTT_MAX_QUEUED_BYTES must be a number of bytes"
    [[ -r $PASSWORD ]] || die 78 "$PASSWORD cannot be read by user $EUID"
    [[ -s $STATE/dynamic-security.json ]] || die 78 "there is no $STATE/dynamic-security.json; the job broker-setup makes it"
    refresh || die 78 "there is no certificate and key in $CERTIFICATES; the service certificates makes them"
    configure
    configure_health_check
    supervise state refresh mosquitto -c "$RUNTIME/mosquitto.conf"
}

case ${1:-} in
    serve | healthy) "$1" ;;
    *) die 64 "usage: broker-entrypoint.sh serve|healthy" ;;
esac
