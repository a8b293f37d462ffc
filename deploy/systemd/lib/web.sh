# shellcheck shell=bash
# Debian's nginx: one site of ours. Other sites stay; Debian's welcome page goes if its port is needed and
# nobody has changed it.

site_listens() { [[ -e $SITE_LINK ]] && grep -qE "^\s*listen .*\b$1( |;)" "$SITE" "$CONFIG_DIR"/nginx/*.conf; }

welcome_page_alone() {
    [[ $(find /etc/nginx/sites-enabled -mindepth 1 ! -path "$SITE_LINK" -printf '%f ') == 'default ' ]] && welcome_page_untouched
}

# Its folder may also be served to somebody as it is, without a word in the configuration.
welcome_page_untouched() {
    [[ -L /etc/nginx/sites-enabled/default ]] && untouched nginx-common /etc/nginx/sites-available/default &&
        [[ -z $(find /var/www/html -mindepth 1 -type f ! -name index.nginx-debian.html ! -path '*/.well-known/*' -print -quit 2>/dev/null) ]]
}

# On its port it would answer for every name.
welcome_page_in_the_way() { [[ " $PLANTOPS_HTTP_PORT $PLANTOPS_HTTPS_PORT " == *' 80 '* ]] && welcome_page_untouched; }

# With the certificate it is to have, and with the backend behind it.
site_serves() {
    local wanted shown port=$PLANTOPS_HTTPS_PORT
    wanted=$(openssl x509 -in "${PLANTOPS_CERTIFICATE:-$CERT_DIR/server.crt}" -noout -fingerprint)
    shown=$({ timeout 5 openssl s_client -connect "127.0.0.1:$port" </dev/null 2>/dev/null || true; } |
        openssl x509 -noout -fingerprint 2>/dev/null) || return 1
    [[ $shown == "$wanted" ]] && curl -fsSk --noproxy '*' --max-time 5 -o /dev/null "https://127.0.0.1:$port/api/ready" 2>/dev/null
}

render_site() {
    local name limits=()
    for name in RATE_LIMIT_API RATE_LIMIT_SIGN_IN RATE_LIMIT_REGISTRATION; do
        read_settings <(grep -hs "^$name=" "$CONFIG_DIR/plantops.env")
    done
    rate_limits
    echo "# Written by PlantOps' install.sh at every run. What you add goes to $CONFIG_DIR/nginx/*.conf; as it is now,"
    # So that nginx reads it again when it has changed.
    echo "# its sum is $(cat "$CONFIG_DIR"/nginx/*.conf 2>/dev/null | cksum)."
    "$REPO/scripts/render-template.sh" "$REPO/deploy/nginx/plantops.conf.in" \
        NGINX_LISTEN="$PLANTOPS_HTTPS_PORT ssl http2$(also_ipv6 "$PLANTOPS_HTTPS_PORT" ssl http2)" API_UPSTREAM="127.0.0.1:$PLANTOPS_API_PORT" \
        WEB_ROOT="$PROGRAM_DIR/current/frontend-dist" NGINX_EXTRA="$CONFIG_DIR/nginx" "${limits[@]}"
    if [[ $PLANTOPS_HTTP_PORT != 0 ]]; then
        "$REPO/scripts/render-template.sh" "$REPO/deploy/nginx/redirect.conf.in" \
            HTTP_LISTEN="$PLANTOPS_HTTP_PORT$(also_ipv6 "$PLANTOPS_HTTP_PORT")" HTTPS_PORT="$(other_port)" ACME_ROOT=/var/www/html
    fi
}

# also_ipv6 PORT OPTIONS...: a second "listen" after the first one. On a machine without IPv6 nginx would not start.
also_ipv6() { if grep -qs . /proc/net/if_inet6; then printf '; listen [::]:%s' "$*"; fi; }

other_port() { if [[ $PLANTOPS_HTTPS_PORT != 443 ]]; then echo ":$PLANTOPS_HTTPS_PORT"; fi; }

render_tls() {
    echo "# Written by PlantOps' install.sh at every run."
    cat <<TLS
ssl_certificate ${PLANTOPS_CERTIFICATE:-$CERT_DIR/server.crt};
ssl_certificate_key ${PLANTOPS_CERTIFICATE_KEY:-$CERT_DIR/server.key};
ssl_protocols TLSv1.2 TLSv1.3;
ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;
ssl_session_cache shared:plantops_tls:2m;
ssl_session_tickets off;
access_log /var/log/nginx/plantops.log plantops;
TLS
}

set_up_web() {
    local linked=no
    put_file web "$CONFIG_DIR/nginx/tls.conf" 644 < <(render_tls)
    put_file web "$SITE" 644 < <(render_site)
    if welcome_page_in_the_way; then
        act web "take nginx' welcome page away" rm -f /etc/nginx/sites-enabled/default
        change "remember" touch "$CONFIG_DIR/welcome-page-was-enabled"
    fi
    if [[ $(readlink "$SITE_LINK" 2>/dev/null) != ../sites-available/plantops.conf ]]; then
        linked=yes
        act web "let nginx serve $SITE" ln -sfn ../sites-available/plantops.conf "$SITE_LINK"
    fi
    # Refused, it must not keep nginx from starting; what runs goes on as it was.
    if changed web && [[ $DRY_RUN == no ]] && ! nginx -t -q 2>"$LOG_DIR/nginx.log"; then
        if [[ $linked == yes ]]; then rm -f "$SITE_LINK"; fi
        # The next run is to look at it once more.
        echo "# refused" >>"$SITE"
        show_log "$LOG_DIR/nginx.log"
        die "nginx refuses the configuration; it goes on with the one from before until it is restarted" \
            "Mend what you have added in $CONFIG_DIR/nginx, and run this again."
    fi
}

remove_web() {
    if [[ -L $SITE_LINK || -e $SITE ]]; then act web "take PlantOps out of nginx" rm -f "$SITE_LINK" "$SITE"; fi
    if [[ -e $CONFIG_DIR/welcome-page-was-enabled ]]; then
        act web "put nginx' welcome page back" ln -sfn /etc/nginx/sites-available/default /etc/nginx/sites-enabled/default
        change "forget" rm -f "$CONFIG_DIR/welcome-page-was-enabled"
    fi
}
