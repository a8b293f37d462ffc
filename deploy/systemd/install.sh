#!/usr/bin/env bash
# Installs PlantOps on Debian 12 or 13 or Raspberry Pi OS, without Docker, or upgrades it. As root; safe to run again.
#
#   deploy/systemd/install.sh [OPTION...]
#
#   --host NAME             the name or address under which browsers and devices find this machine  (its first address)
#   --email ADDRESS         the first administrator                                                 (admin@plantops.local)
#   --certificate FILE      the dashboard's certificate and its chain   (one of PlantOps' own authority, which browsers
#   --certificate-key FILE  and its key                                  do not know yet)
#   --own-certificate       back to one of PlantOps' own authority
#   --http-port PORT        leads to the dashboard; 0: none     (80)
#   --https-port PORT       the dashboard and the API           (443)
#   --mqtt-port PORT        the broker, TLS only                (8883)
#   --api-port PORT         the backend, on 127.0.0.1 only      (8000)
#   --no-nginx              no dashboard and no nginx: something else leads to the backend
#   --program FILE          the program     (PLANTOPS_BIN, else what "make build" made)
#   --dashboard FOLDER      the dashboard   (PLANTOPS_DASHBOARD, else what "make frontend" made)
#   --encryption-key FILE   the key of another installation, whose backup is to be restored here
#   --no-packages           install no Debian packages; say which are missing
#   --dry-run               say what would be done, and do nothing
#
# What was said once is remembered; a second run changes only what is new. An upgrade is a run with a new program and
# dashboard: the backend is restarted and finishes what it has begun, the broker stays. remove.sh takes it away again.
# More in docs/deployment.md.
set -euo pipefail
umask 022

REPO=$(cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../.." && pwd)
for part in settings options changes checks release configuration database broker web services; do
    # shellcheck source=/dev/null
    source "$REPO/deploy/systemd/lib/$part.sh"
done

usage() { sed -n '2,/^set -euo/{/^#/s/^# \{0,1\}//p}' "$REPO/deploy/systemd/install.sh"; }

install_everything() {
    read_options "$@"
    is_root || die "this needs root" "sudo deploy/systemd/install.sh"
    check_system
    check_user
    one_at_a_time
    check_sources
    install_packages
    find_cluster
    check_ports

    change "make the run folder" mkdir -p -m 700 "$LOG_DIR"
    make_users_and_folders
    write_configuration
    make_own_secrets
    install_release
    set_up_database
    set_up_broker
    if [[ $PLANTOPS_WEB == yes ]]; then set_up_web; else remove_web; fi
    install_units
    start_everything
    change "clear up" rm -rf "$LOG_DIR"
    announce
}

install_everything "$@"
