# shellcheck shell=bash
# nginx, with the same site configuration as in production. Its working folders, and as root also
# its workers' user, are set here.

# The built dashboard, or a page that says that it is not built yet. Looked up at every start.
web_root() {
    if [[ -s $REPO/frontend-dist/index.html ]]; then echo "$REPO/frontend-dist"; else echo "$REPO/deploy/web"; fi
}

# served_root USER: what that user's nginx serves. Workers that may not enter this repository serve a copy.
served_root() {
    local user=$1 state=$SERVICE_HOME/nginx root copy
    root=$(web_root)
    if ! is_root || (as_user "$user" test -r "$root/index.html"); then
        echo "$root"
        return
    fi
    copy=$(mktemp -d "$state/web-XXXXXX")
    cp -R "$root/." "$copy/"
    chown -R "$user:" "$copy"
    # Another copy takes its place at once, and an open page never sees half of one.
    ln -s "${copy##*/}" "$copy.link"
    mv -fT "$copy.link" "$state/web"
    find "$state" -maxdepth 1 -type d -name 'web-*' ! -path "$copy" -exec rm -rf {} +
    echo "$state/web"
}

mime_types() {
    local file
    for file in /etc/nginx/mime.types /usr/share/nginx/mime.types /usr/local/etc/nginx/mime.types; do
        if [[ -r $file ]]; then
            echo "$file"
            return
        fi
    done
    die "nginx's mime.types was not found" "make packages installs nginx"
}

# What is not set keeps the template's default. Fills the caller's variable "limits".
rate_limits() {
    local name
    for name in RATE_LIMIT_API RATE_LIMIT_SIGN_IN RATE_LIMIT_REGISTRATION; do
        if [[ -z ${!name:-} ]]; then continue; fi
        [[ ${!name} =~ ^[1-9][0-9]{0,5}$ ]] ||
            die "$name=${!name} is not a whole number from 1 to 999999" "It is the number of requests per $(
                if [[ $name == RATE_LIMIT_API ]]; then echo second; else echo minute; fi) from one address."
        limits+=("$name=${!name}")
    done
    if [[ -n ${RATE_LIMIT_API:-} ]]; then limits+=("RATE_LIMIT_API_BURST=$((4 * RATE_LIMIT_API))"); fi
}

configure_nginx() {
    local user=$1 state=$SERVICE_HOME/nginx root types directive='' limits=()
    rate_limits
    types=$(mime_types)
    mkdir -p "$state"
    if is_root; then
        directive="user $user $(id -gn "$user");"
        chown "$user:" "$state"
    fi
    root=$(served_root "$user")
    if [[ $root == "$state/web" ]]; then say "note: user $user cannot read $REPO; nginx serves a copy of the dashboard"; fi
    "$REPO/scripts/render-template.sh" "$REPO/deploy/nginx/nginx.conf.in" USER_DIRECTIVE="$directive" \
        MIME_TYPES="$types" STATE_DIR="$state" LOG_DIR="$LOG_DIR" >"$state/nginx.conf"
    "$REPO/scripts/render-template.sh" "$REPO/deploy/nginx/plantops.conf.in" \
        NGINX_LISTEN="$(bracketed "$PLANTOPS_BIND"):$PLANTOPS_HTTP_PORT" API_UPSTREAM="127.0.0.1:$PLANTOPS_API_PORT" \
        WEB_ROOT="$root" NGINX_EXTRA="$state/extra" "${limits[@]}" >"$state/plantops.conf"
}

nginx_answers() {
    curl -fsS --noproxy '*' --max-time 2 -o /dev/null \
        "http://$(bracketed "$(reach "$PLANTOPS_BIND")"):$PLANTOPS_HTTP_PORT/" 2>/dev/null
}

# The dashboard may have been built, or built anew, since nginx was started.
refresh_dashboard() {
    local config=$SERVICE_HOME/nginx/plantops.conf root
    root=$(served_root "$(service_user www-data nobody)")
    if grep -qF "    root $root;" "$config"; then return; fi
    sed -i "s|^    root .*;|    root $root;|" "$config"
    kill -HUP "$(pid_of nginx)"
}

start_nginx() {
    if running nginx; then
        refresh_dashboard
        return
    fi
    # Its workers outlive a kill -9 and keep the port.
    end_leftovers nginx
    require_free_port "$PLANTOPS_BIND" "$PLANTOPS_HTTP_PORT" nginx PLANTOPS_HTTP_PORT
    command -v nginx >/dev/null || die "nginx is not installed" "make packages installs it"
    configure_nginx "$(service_user www-data nobody)"
    (
        raise_file_limit
        rotate_log "$LOG_DIR/nginx-access.log"
        launch nginx "$(id -un)" nginx -e stderr -c "$SERVICE_HOME/nginx/nginx.conf" -p "$SERVICE_HOME/nginx/"
    )
    await nginx 20 "GET /" nginx_answers
}

# Only if it serves TLS with certificates of its own (put into nginx/extra): open event streams
# stay with the old workers until they end.
reload_nginx_certificate() {
    local pid
    if ! grep -qs '^[^#]*ssl_certificate ' "$SERVICE_HOME"/nginx/extra/*.conf; then return; fi
    if pid=$(pid_of nginx); then kill -HUP "$pid"; fi
}

# Fast: waiting for open event streams to end by themselves would take for ever.
stop_nginx() { end nginx TERM 10; }
