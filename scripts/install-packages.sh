#!/usr/bin/env bash
# Installs the system packages PlantOps needs and this machine lacks (Debian 12, Ubuntu 24.04 and
# their kin). Does nothing, and needs no rights, when all are there.
#
#   scripts/install-packages.sh [build|run|frontend|check|production]...    (default: build run frontend)
#
#   build     what the Swift package links against
#   run       the servers and programs of the local setup
#   frontend  what the dashboard is made of and built with
#   check     what make check needs besides
#   production    what the tests of what is deployed need besides
#
# Packages that come as a running service are switched off right after they were installed here:
# PlantOps starts private ones of its own. What was installed before is left as it is.
set -euo pipefail

# Each line: package, then what shows that it is there (a program, or a path with *), so that
# another variant of a package (nginx-full, a PostgreSQL from elsewhere) is as good.
readonly BUILD='
pkg-config          pkg-config
libmosquitto-dev    /usr/include/mosquitto.h
libpq-dev           /usr/include/postgresql/libpq-fe.h
libssl-dev          /usr/include/openssl/evp.h
'
readonly RUN='
mosquitto           mosquitto
mosquitto-clients   mosquitto_pub
postgresql          /usr/lib/postgresql/*/bin/postgres
nginx-light         nginx
openssl             openssl
curl                curl
jq                  jq
ca-certificates     /etc/ssl/certs/ca-certificates.crt
tzdata              /usr/share/zoneinfo/Europe/Berlin
util-linux          setpriv
hostname            hostname
iproute2            ip
'
readonly FRONTEND='
esbuild             esbuild
node-typescript     tsc
node-react          /usr/share/nodejs/react/package.json
node-react-dom      /usr/share/nodejs/react-dom/package.json
node-csstype        /usr/share/nodejs/csstype/package.json
libjs-dygraphs      /usr/share/javascript/dygraphs/index.js
node-qrcode-generator   /usr/share/nodejs/qrcode-generator/package.json
librsvg2-bin        rsvg-convert
jq                  jq
'
readonly CHECK='
shellcheck          shellcheck
chromium            chromium
python3             python3
python3-venv        /usr/lib/python3*/ensurepip
'
# The Docker files are tried without Docker: images are made with mmdebstrap and run with bubblewrap.
readonly PRODUCTION='
prometheus          prometheus
bubblewrap          bwrap
docker-compose      docker-compose
mmdebstrap          mmdebstrap
debian-archive-keyring  /usr/share/keyrings/debian-archive-keyring.gpg
systemd             /lib/systemd/systemd
'

PATH=$PATH:/usr/sbin:/sbin

present() {
    case $1 in
        /*) compgen -G "$1" >/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

wanted=''
if (($# == 0)); then set -- build run frontend; fi
for group in "$@"; do
    case $group in
        build) wanted+=$BUILD ;;
        run) wanted+=$RUN ;;
        frontend) wanted+=$FRONTEND ;;
        check) wanted+=$CHECK ;;
        production) wanted+=$PRODUCTION ;;
        *) echo "install-packages.sh: unknown group $group (build, run, frontend, check, production)" >&2; exit 64 ;;
    esac
done

missing=()
while read -r package sign; do
    if [[ -n $package ]] && ! present "$sign"; then missing+=("$package"); fi
done <<<"$wanted"

if [[ " $* " == *" build "* ]] && ! command -v swift >/dev/null; then
    echo "install-packages.sh: there is no swift. Install Swift 6.2 or later from https://www.swift.org/install" >&2
    exit 69
fi
if ((${#missing[@]} == 0)); then exit 0; fi

by_hand() {
    echo "install-packages.sh: $1. Please install what is missing:" >&2
    echo "    sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 69
}

command -v apt-get >/dev/null || by_hand "this is not a Debian or Ubuntu system"
as_root=()
if [[ $EUID -ne 0 ]]; then
    command -v sudo >/dev/null || by_hand "this needs root, and there is no sudo"
    # Where nobody can type a password, sudo must not ask for one.
    if [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; then by_hand "this needs root"; fi
    as_root=(sudo)
fi

echo "installing ${missing[*]}"
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"
}
# Asked by Debian's packages before they start a service: 101 means "no". Left alone if there is one.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
    # shellcheck disable=SC2064 # the values of now
    trap "${as_root[*]} rm -f $policy" EXIT
fi
apt update || echo "install-packages.sh: apt-get update failed; trying with the package lists that are here" >&2
apt install -y --no-install-recommends "${missing[@]}"

# Nor at the machine's next start.
if [[ -d /run/systemd/system ]]; then
    for package in "${missing[@]}"; do
        case $package in
            mosquitto | postgresql | nginx-light | prometheus)
                "${as_root[@]}" systemctl disable --now "${package%-light}" 2>/dev/null || true
                ;;
        esac
    done
fi
