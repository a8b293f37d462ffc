# shellcheck shell=bash
# The broker: a unit, a configuration and a state of its own. Debian's mosquitto.service is left to whoever has set it up or
# uses it; otherwise it would only keep a plain listener open on this machine, and is switched off.

set_up_broker() {
    local before after
    before=$(broker_sums)
    # The name in the certificate follows --host.
    if ! grep -qsxF -- "$PLANTOPS_HOST" < <({ tr -s ', ' '\n' <"$CERT_DIR/server.hosts"; } 2>/dev/null); then
        note_change certificates "put $PLANTOPS_HOST into the certificate"
        export CERT_HOSTS=$PLANTOPS_HOST
    fi
    if [[ $DRY_RUN == yes ]]; then
        if [[ -z $before ]]; then note_change broker "make certificates and the broker's configuration and first account"; fi
    else
        init_broker mosquitto
        if running mosquitto; then renew_certificates; fi
        configure_mosquitto mosquitto
        after=$(broker_sums)
        if [[ $after != "$before" ]]; then note_change broker "wrote the broker's configuration"; fi
    fi
    quiet_debian_broker
}

# What a running broker does not take by itself.
broker_sums() { sha256sum "$SERVICE_HOME/mosquitto/mosquitto.conf" 2>/dev/null || true; }

# untouched PACKAGE FILE: as Debian's package brought it.
untouched() {
    dpkg-query -W -f='${Conffiles}\n' "$1" 2>/dev/null | grep -qx " $2 $(md5sum "$2" 2>/dev/null | cut -d' ' -f1)"
}

# Without any configuration it serves programs of this machine on this port, such as a home automation.
debian_broker_has_clients() { ss -Htn state established 'sport = :1883' | grep -q .; }

quiet_debian_broker() {
    # They may just not be connected at a later run.
    if [[ -e $CONFIG_DIR/mosquitto-is-used ]]; then return; fi
    if ! systemctl is-enabled --quiet mosquitto.service 2>/dev/null && ! systemctl is-active --quiet mosquitto.service; then
        return
    fi
    if debian_broker_has_clients; then
        warn "programs of this machine use Debian's mosquitto.service; it stays as it is, beside PlantOps' own broker"
        change "remember" touch "$CONFIG_DIR/mosquitto-is-used"
    elif untouched mosquitto /etc/mosquitto/mosquitto.conf && ! compgen -G '/etc/mosquitto/conf.d/*.conf' >/dev/null; then
        act debian-broker "switch off Debian's own mosquitto.service, which nobody has configured or uses" \
            systemctl disable --quiet --now mosquitto.service
        change "remember" touch "$CONFIG_DIR/mosquitto-was-enabled"
    else
        warn "Debian's mosquitto.service has a configuration of somebody's and stays as it is, beside PlantOps' own broker"
    fi
}
