# shellcheck shell=bash
# The units, and everything started in its order.

# Drop-ins for all services whose name begins with plantops-, and for plantops itself.
readonly HARDENING=("$UNIT_DIR/plantops.service.d/10-hardening.conf" "$UNIT_DIR/plantops-.service.d/10-hardening.conf")
readonly TIMERS=(plantops-backup.timer plantops-certificates.timer)

install_units() {
    local unit file
    for unit in "$REPO"/deploy/systemd/units/*.{service,timer}; do
        put_file "${unit##*/}" "$UNIT_DIR/${unit##*/}" 644 <"$unit"
    done
    for file in "${HARDENING[@]}"; do
        put_folder "$(dirname "$file")" 755
        put_file hardening "$file" 644 <"$REPO/deploy/systemd/units/hardening.conf"
    done
    if ((CHANGES > 0)); then change "tell systemd" systemctl daemon-reload; fi
}

# enable UNIT...
enable() {
    local unit
    for unit in "$@"; do
        if systemctl is-enabled --quiet "$unit" 2>/dev/null; then continue; fi
        act "$unit" "start $unit with the machine" systemctl enable --quiet "$unit"
    done
}

# must_run start|restart UNIT
must_run() {
    if systemctl "$1" "$2"; then return; fi
    journalctl --no-pager -o cat -n 20 -u "$2" | sed 's/^/    /' >&2 || true
    die "$2 did not start" "Its last words are above; when that is mended, run this again."
}

# start UNIT WHAT...: or, if it runs and one of WHAT has changed, restart it.
start_or_restart() {
    local unit=$1
    shift
    if ! systemctl is-active --quiet "$unit"; then
        act "$unit" "start $unit" must_run start "$unit"
    elif changed "$@"; then
        act "$unit" "restart $unit" must_run restart "$unit"
    fi
}

start_everything() {
    enable plantops-mosquitto.service plantops.service "${TIMERS[@]}"
    start_or_restart plantops-mosquitto.service broker plantops-mosquitto.service hardening
    start_or_restart plantops.service program environment secrets plantops.service hardening
    if [[ $DRY_RUN == no ]]; then start_services 300; fi
    make_administrator
    if [[ $PLANTOPS_WEB == yes ]]; then
        enable nginx.service
        start_nginx_site
    elif changed web && systemctl is-active --quiet nginx.service; then
        act nginx "tell nginx" systemctl reload nginx.service
    fi
    for unit in "${TIMERS[@]}"; do start_or_restart "$unit" "$unit"; done
}

start_nginx_site() {
    if ! systemctl is-active --quiet nginx.service; then
        act nginx "start nginx" systemctl start nginx.service
    elif changed web certificates; then
        act nginx "tell nginx" systemctl reload nginx.service
    fi
    # A moment after it was told, its old workers still answer as before.
    if [[ $DRY_RUN == no ]]; then
        wait_until 30 site_serves || die "nginx does not serve PlantOps on port $PLANTOPS_HTTPS_PORT" \
            "/var/log/nginx/error.log and journalctl -u nginx say more."
    fi
}

# Once: an account that was removed later stays removed.
make_administrator() {
    if [[ -e $CONFIG_DIR/administrator ]]; then return; fi
    act administrator "make the administrator $PLANTOPS_ADMIN_EMAIL" first_administrator
}

first_administrator() {
    # Not in an installation whose data came from elsewhere.
    if (exec_program user list) | grep -q '@'; then
        say "there are accounts already"
    else
        (exec_program user create "$PLANTOPS_ADMIN_EMAIL" --role admin) < <(
            secret ADMIN_PASSWORD
            echo
        )
    fi
    printf '%s\n' "$PLANTOPS_ADMIN_EMAIL" >"$CONFIG_DIR/administrator"
}

announce() {
    if ((CHANGES == 0)); then
        say "nothing to do: PlantOps $SOURCE_VERSION is installed"
    elif [[ $DRY_RUN == yes ]]; then
        say "Nothing was done (--dry-run)."
    else
        cat <<TEXT

PlantOps $SOURCE_VERSION is installed.

  Dashboard   $(if [[ $PLANTOPS_WEB == yes ]]; then public_url; else echo "none (--no-nginx); the backend is http://127.0.0.1:$PLANTOPS_API_PORT"; fi)
  MQTT        mqtts://$(bracketed "$PLANTOPS_HOST"):$PLANTOPS_MQTT_PORT   (CA: $CERT_DIR/ca.crt)
  Sign in     $(cat "$CONFIG_DIR/administrator")
              first password: in $SECRETS_DIR/ADMIN_PASSWORD, readable by root only
  Settings    $CONFIG_DIR/plantops.env
  Key         $SECRETS_DIR/ENCRYPTION_KEY: keep a copy elsewhere; without it no backup can be restored
  Backups     /var/backups/plantops, every night at 03:15
  More        plantopsctl help

TEXT
    fi
}
