#!/usr/bin/env bash
# The container of nginx with the dashboard.
#
#   frontend-entrypoint.sh serve     nginx, until it is told to stop
#   frontend-entrypoint.sh healthy   whether it serves the dashboard now
#
#   TLS_MODE            on: HTTPS on 8443, and 8080 sends on to it. With the certificate tls.crt and its key tls.key of
#                       /run/tls if there is one, else with one of the installation's own CA.
#                       off: plain HTTP on 8080, for a proxy in front that speaks TLS        (on)
#   API_UPSTREAM        the backend, host:port
#   PUBLIC_HTTPS_PORT   the port under which 8443 is reached from outside                    (443)
#   FRONT_PROXIES       with TLS_MODE=off: addresses of that proxy, separated by commas; what it says of the client's
#                       address and protocol is believed
#   RATE_LIMIT_API, RATE_LIMIT_SIGN_IN, RATE_LIMIT_REGISTRATION, CLIENT_HEADER_TIMEOUT, CLIENT_BODY_TIMEOUT
#                       see docs/configuration.md
set -euo pipefail
umask 077

HERE=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
readonly GIVEN=/run/tls
readonly OWN=/var/lib/plantops/server-certificates
readonly ACME=/run/acme
readonly STATE=/run/plantops
readonly TLS_MODE=${TLS_MODE:-on}
# shellcheck source=deploy/docker/lib/supervise.sh
source "$HERE/supervise.sh"

render() {
    local template=$1
    shift
    "$HERE/render-template.sh" "$HERE/$template" "$@"
}

# What is not set keeps the template's default. Fills the caller's variable "values".
limits() {
    local name
    for name in RATE_LIMIT_API RATE_LIMIT_SIGN_IN RATE_LIMIT_REGISTRATION; do
        if [[ -z ${!name:-} ]]; then continue; fi
        [[ ${!name} =~ ^[1-9][0-9]{0,5}$ ]] || die 78 "$name must be a whole number from 1 to 999999"
        values+=("$name=${!name}")
    done
    if [[ -n ${RATE_LIMIT_API:-} ]]; then values+=("RATE_LIMIT_API_BURST=$((4 * RATE_LIMIT_API))"); fi
    for name in CLIENT_HEADER_TIMEOUT CLIENT_BODY_TIMEOUT; do
        if [[ -z ${!name:-} ]]; then continue; fi
        [[ ${!name} =~ ^[1-9][0-9]{0,3}s$ ]] || die 78 "$name must be a number of seconds such as 10s"
        values+=("$name=${!name}")
    done
}

# choose_certificate: the one that was given, else our own; copied, because nginx reads both files at once.
choose_certificate() {
    local from=$OWN name=server
    if [[ -s $GIVEN/tls.crt || -s $GIVEN/tls.key ]]; then from=$GIVEN name=tls; fi
    if ! belong_together "$from/$name.crt" "$from/$name.key"; then
        warn "$from/$name.crt and $name.key are not there, cannot be read by user $EUID, or do not belong together"
        return 1
    fi
    mkdir -p "$STATE/tls"
    cp "$from/$name.key" "$STATE/tls/tls.key"
    cp "$from/$name.crt" "$STATE/tls/tls.crt"
}

state() { cat "$GIVEN"/tls.{crt,key} "$OWN"/server.{crt,key} 2>/dev/null | sha256sum || true; }
refresh() { [[ $TLS_MODE == on ]] && choose_certificate; }

tls_settings() {
    cat <<CONF
ssl_certificate $STATE/tls/tls.crt;
ssl_certificate_key $STATE/tls/tls.key;
ssl_protocols TLSv1.2 TLSv1.3;
ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;
ssl_session_cache shared:plantops_tls:2m;
ssl_session_timeout 1d;
ssl_session_tickets off;
CONF
}

# Behind a proxy: who the client is, and that it came over HTTPS, is what the proxy says.
proxy_settings() {
    local address
    while read -r address; do
        [[ $address =~ ^[0-9a-fA-F:./]+$ ]] || die 78 "FRONT_PROXIES must be addresses or blocks, separated by commas"
        echo "set_real_ip_from $address;"
    done < <(tr -s ', ' '\n' <<<"${FRONT_PROXIES:-}" | sed '/^$/d')
    cat <<'CONF'
real_ip_header X-Forwarded-For;
if ($http_x_forwarded_proto ~ "^https?$") {
    set $forwarded_proto $http_x_forwarded_proto;
}
CONF
}

configure() {
    local values=() port=''
    limits
    mkdir -p "$STATE/extra"
    case $TLS_MODE in
        on)
            choose_certificate || die 78 "there is no certificate for HTTPS"
            tls_settings >"$STATE/extra/tls.conf"
            values+=(NGINX_LISTEN="8443 ssl http2")
            ;;
        off)
            proxy_settings >"$STATE/extra/proxy.conf"
            values+=(NGINX_LISTEN=8080)
            ;;
        *) die 78 "TLS_MODE must be on or off" ;;
    esac
    if [[ ${PUBLIC_HTTPS_PORT:-443} != 443 ]]; then port=:$PUBLIC_HTTPS_PORT; fi
    [[ $port =~ ^(:[0-9]{1,5})?$ ]] || die 78 "PUBLIC_HTTPS_PORT must be a port"
    render nginx.conf.in USER_DIRECTIVE='' MIME_TYPES=/etc/nginx/mime.types STATE_DIR="$STATE" LOG_DIR="$STATE" \
        >"$STATE/nginx.conf"
    render plantops.conf.in "${values[@]}" API_UPSTREAM="${API_UPSTREAM:?}" WEB_ROOT=/usr/share/plantops/web \
        NGINX_EXTRA="$STATE/extra" >"$STATE/plantops.conf"
    if [[ $TLS_MODE == on ]]; then
        render redirect.conf.in HTTP_LISTEN=8080 ACME_ROOT="$ACME" HTTPS_PORT="$port" >>"$STATE/plantops.conf"
    fi
}

# Not the API: the dashboard says itself when the backend is away, and its own health is asked there. Whose name stands
# in the certificate is no question here.
healthy() {
    local address=http://127.0.0.1:8080/
    if [[ $TLS_MODE == on ]]; then address=https://127.0.0.1:8443/; fi
    curl -fsSk --noproxy '*' --max-time 5 -o /dev/null "$address" || exit 1
}

serve() {
    local log=$STATE/nginx-access.log status=0 reader
    configure
    # nginx opens its access log as a file, and may not open this container's output: that may belong to root.
    rm -f "$log"
    mkfifo "$log"
    # For reading and writing, so that it neither waits for nginx nor ends with one of its workers.
    cat <>"$log" &
    reader=$!
    supervise state refresh nginx -e stderr -c "$STATE/nginx.conf" -p "$STATE/" || status=$?
    kill "$reader"
    return "$status"
}

case ${1:-} in
    serve | healthy) "$1" ;;
    *) die 64 "usage: frontend-entrypoint.sh serve|healthy" ;;
esac
