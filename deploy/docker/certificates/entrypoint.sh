#!/usr/bin/env bash
# The certificates' container: it alone holds the key of the CA, and it has no network.
#
#   certificates-entrypoint.sh serve         make what is missing, then look twice a day whether something ends soon
#   certificates-entrypoint.sh once          make what is missing or ends soon, and end
#   certificates-entrypoint.sh renew         a new server certificate now; the CA stays, so devices notice nothing
#   certificates-entrypoint.sh client NAME   a certificate for a device, with its key, on standard output
#   certificates-entrypoint.sh healthy       whether the broker has a certificate that is good now
#
#   PUBLIC_HOST, PUBLIC_MQTT_HOST   names or addresses that browsers and devices use
#   CERT_HOSTS                      further ones, separated by commas
#
# /var/lib/plantops/authority holds everything. The broker and nginx see server-certificates, the backend
# client-certificates: copies of what they need.
set -euo pipefail
umask 077

HERE=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
readonly AUTHORITY=/var/lib/plantops/authority
readonly SERVER=/var/lib/plantops/server-certificates
readonly CLIENT=/var/lib/plantops/client-certificates
readonly LOOK_EVERY=${CERTIFICATE_RENEWAL_SECONDS:-43200}

# One at a time: "renew" may come while "serve" looks.
make_certs() { flock "$AUTHORITY" "$HERE/make-certs.sh" --out "$AUTHORITY" --quiet "$@"; }

# "broker" is its name among the containers.
hosts() {
    local name all=broker
    for name in "${PUBLIC_HOST:-}" "${PUBLIC_MQTT_HOST:-}" "${CERT_HOSTS:-}"; do
        if [[ -n $name ]]; then all+=",$name"; fi
    done
    echo "$all"
}

# publish FOLDER NAME...: each file takes the place of the old one whole, and only if it is another.
publish() {
    local folder=$1 name
    shift
    for name in "$@"; do
        if cmp -s "$AUTHORITY/$name" "$folder/$name"; then continue; fi
        mkdir -p "$(dirname "$folder/$name")"
        cp -p "$AUTHORITY/$name" "$folder/$name.new"
        mv "$folder/$name.new" "$folder/$name"
    done
}

once() {
    local names
    names=$(hosts)
    CERT_HOSTS=$names make_certs "$@"
    # Always there, so that MQTT_REQUIRE_CLIENT_CERT can be switched on without further ado.
    make_certs --client backend
    publish "$SERVER" ca.crt server.key server.crt
    publish "$CLIENT" ca.crt clients/backend.key clients/backend.crt
}

client() {
    make_certs --client "${1:?a name is missing}" >&2
    cat "$AUTHORITY/clients/$1.crt" "$AUTHORITY/clients/$1.key"
}

healthy() {
    openssl verify -purpose sslserver -CAfile "$SERVER/ca.crt" "$SERVER/server.crt" >/dev/null
    [[ -s $SERVER/server.key && -s $CLIENT/ca.crt ]]
}

serve() {
    once
    echo "looking every $LOOK_EVERY s whether a certificate ends soon"
    trap 'exit 0' TERM INT
    while :; do
        # In the background, because a trap waits for a foreground command to end.
        sleep "$LOOK_EVERY" &
        wait $!
        # Until the next look there are still weeks.
        "$0" once || echo "warning: the certificates could not be renewed; the next try is in $LOOK_EVERY s" >&2
    done
}

case ${1:-} in
    serve | once | healthy) "$1" ;;
    renew) once --renew ;;
    client) client "${2:-}" ;;
    *)
        echo "usage: certificates-entrypoint.sh serve|once|renew|client NAME|healthy" >&2
        exit 64
        ;;
esac
