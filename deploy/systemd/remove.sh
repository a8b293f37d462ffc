#!/usr/bin/env bash
# Takes away what install.sh has made. As root; safe to run again.
#
#   deploy/systemd/remove.sh [--purge] [--yes] [--dry-run]
#
#   --purge    the data too: database, broker's state, settings, secrets, certificates and backups (asks)
#   --yes      purge without asking
#   --dry-run  say what would be done, and do nothing
#
# Without --purge the data stays where it is, and the next install.sh finds it again. Debian's packages stay, and what
# was switched off for PlantOps comes back. More in docs/deployment.md.
set -euo pipefail

REPO=$(cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../.." && pwd)
DRY_RUN=no
for part in settings changes broker web services; do
    # shellcheck source=/dev/null
    source "$REPO/deploy/systemd/lib/$part.sh"
done

usage() { sed -n '2,/^set -euo/{/^#/s/^# \{0,1\}//p}' "$REPO/deploy/systemd/remove.sh"; }

confirm_purge() {
    local answer
    if [[ $1 == yes || $DRY_RUN == yes ]]; then return; fi
    [[ -t 0 ]] || die "--purge deletes the database, all secrets and all backups; say --yes if you mean it"
    say "This deletes the database plantops, $CONFIG_DIR, $SERVICE_HOME and every backup in /var/backups/plantops."
    read -r -p "Type purge to go on: " answer
    [[ $answer == purge ]] || die "nothing was changed"
}

remove_services() {
    local unit file
    for unit in "${TIMERS[@]}" plantops.service plantops-backup.service plantops-certificates.service plantops-mosquitto.service; do
        if [[ ! -e $UNIT_DIR/$unit ]]; then continue; fi
        # Whoever depends on a service ends before it.
        act units "stop $unit" systemctl stop "$unit"
        act units "remove $unit" remove_unit "$unit"
    done
    for file in "${HARDENING[@]}"; do
        if [[ -e $file ]]; then act units "remove $file" rm -f "$file"; fi
        change "the folder, if nobody has put something of his own there" \
            rmdir --ignore-fail-on-non-empty -- "$(dirname "$file")" 2>/dev/null || true
    done
    if changed units; then change "tell systemd" systemctl daemon-reload; fi
}

# shellcheck disable=SC2317 # called by its name, after "act"
remove_unit() {
    systemctl disable --quiet "$1"
    rm -f "${UNIT_DIR:?}/$1"
}

# What install.sh has put there, and nothing else: /opt/plantops may be the checkout it was run from.
remove_program() {
    local path
    if [[ $(readlink /usr/local/sbin/plantopsctl 2>/dev/null) == "$PROGRAM_DIR/"* ]]; then
        act program "remove /usr/local/sbin/plantopsctl" rm -f /usr/local/sbin/plantopsctl
    fi
    for path in "$PROGRAM_DIR"/{current,previous}{,.new} "$PROGRAM_DIR/releases"; do
        if [[ -e $path || -L $path ]]; then act program "remove $path" rm -rf -- "$path"; fi
    done
    if [[ -d $PROGRAM_DIR ]]; then change "the folder, if it is empty" rmdir --ignore-fail-on-non-empty -- "$PROGRAM_DIR"; fi
    # As install.sh makes it: not somebody who signs in under that name.
    if [[ $(getent passwd plantops) == *:/nonexistent:/usr/sbin/nologin ]]; then
        act program "remove the user plantops" userdel plantops
    fi
}

give_back() {
    remove_web
    if changed web && systemctl is-active --quiet nginx.service; then
        change "tell nginx" systemctl reload nginx.service
    fi
    if [[ -e $CONFIG_DIR/mosquitto-was-enabled ]]; then
        act debian-broker "switch Debian's own mosquitto.service on again" systemctl enable --quiet --now mosquitto.service
        change "forget" rm -f "$CONFIG_DIR/mosquitto-was-enabled"
    fi
}

# Ours, and those that restores have kept.
# shellcheck disable=SC2317 # called by its name, after "act"
purge_databases() {
    superuser_psql <<'SQL'
SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database
    WHERE datname = 'plantops' OR datname ~ '^plantops_(before|restore)_[0-9]{14}$' \gexec
DROP ROLE IF EXISTS plantops;
SQL
}

purge_data() {
    local folder file
    if [[ -n $PLANTOPS_CLUSTER_VERSION && -x $(postgres_bin)/psql ]]; then
        act data "delete the database and the role plantops" purge_databases
    fi
    for folder in "$SERVICE_HOME" /var/backups/plantops "$CONFIG_DIR" /run/plantops-install; do
        if [[ -e $folder ]]; then act data "delete $folder" rm -rf -- "$folder"; fi
    done
    for file in /etc/postgresql/*/main/conf.d/plantops.conf; do
        # Other databases may use it by now.
        if [[ -e $file ]]; then warn "PostgreSQL still loads TimescaleDB: delete $file before you remove TimescaleDB's package"; fi
    done
    if compgen -G '/var/log/nginx/plantops.log*' >/dev/null; then
        act data "delete nginx' log of PlantOps" eval 'rm -f /var/log/nginx/plantops.log*'
    fi
}

remove_everything() {
    local purge=no yes=no option
    for option in "$@"; do
        case $option in
            --purge) purge=yes ;;
            --yes) yes=yes ;;
            --dry-run) DRY_RUN=yes ;;
            -h | --help)
                usage
                exit
                ;;
            *)
                printf 'remove.sh: unknown option %s (try --help)\n' "$option" >&2
                exit 64
                ;;
        esac
    done
    is_root || die "this needs root" "sudo deploy/systemd/remove.sh"
    one_at_a_time
    if [[ $purge == yes ]]; then confirm_purge "$yes"; fi
    remove_services
    give_back
    remove_program
    if [[ $purge == yes ]]; then
        purge_data
    elif [[ -d $CONFIG_DIR ]]; then
        say "The data stays: the database plantops, $CONFIG_DIR, $SERVICE_HOME and /var/backups/plantops (--purge deletes it)."
    fi
    if ((CHANGES == 0)); then say "nothing to do"; fi
    # This file itself may be gone by now; bash must not look for its next line.
    exit 0
}

remove_everything "$@"
