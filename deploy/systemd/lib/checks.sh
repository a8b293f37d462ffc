# shellcheck shell=bash
# shellcheck disable=SC2034 # used by the other files
# What has to be there before anything is changed.

check_system() {
    local ID='' VERSION_ID='' PRETTY_NAME='an unknown system'
    if [[ -r /etc/os-release ]]; then source /etc/os-release; fi
    case $ID in
        debian | raspbian) ;;
        *) die "this is $PRETTY_NAME; PlantOps is installed this way on Debian 12 and 13 and Raspberry Pi OS" \
            "Elsewhere, use Docker (docs/deployment.md) or the local setup (make run)." ;;
    esac
    [[ ${VERSION_ID%%.*} =~ ^[0-9]+$ && ${VERSION_ID%%.*} -ge 12 ]] ||
        die "this is $PRETTY_NAME; PlantOps needs Debian 12 or later" "Upgrade the system first."
    [[ -d /run/systemd/system ]] || die "systemd does not run here" \
        "In a container, use the images of deploy/docker instead."
    case $(uname -m) in
        x86_64 | aarch64) ;;
        *) die "this machine is $(uname -m); PlantOps needs a 64-bit system (amd64 or arm64)" \
            "On a Raspberry Pi 3 or later, install the 64-bit Raspberry Pi OS." ;;
    esac
}

# The services run as this user, who must not be a person: remove.sh takes him away again.
check_user() {
    local shell
    shell=$(getent passwd plantops | cut -d: -f7) || true
    case ${shell##*/} in
        '' | nologin | false) ;;
        *) die "there is a user plantops who can sign in ($shell); PlantOps needs that name for its own user" \
            "Rename him: usermod -l OTHER plantops" ;;
    esac
}

# In an installed copy the program lies beside these files, in a checkout where it was built.
check_sources() {
    local file
    for file in "$GIVEN_PROGRAM" "$REPO/bin/plantops" "$REPO/.build/release/plantops"; do
        if [[ -n $file ]]; then
            SOURCE_PROGRAM=$file
            if [[ -n $GIVEN_PROGRAM || -e $file ]]; then break; fi
        fi
    done
    [[ -f $SOURCE_PROGRAM && -x $SOURCE_PROGRAM ]] || die "there is no program $SOURCE_PROGRAM" \
        "Build it (make build), or name one: --program FILE."
    SOURCE_PROGRAM=$(realpath "$SOURCE_PROGRAM")
    if [[ $PLANTOPS_WEB == no ]]; then return; fi
    SOURCE_DASHBOARD=${GIVEN_DASHBOARD:-$REPO/frontend-dist}
    [[ -s $SOURCE_DASHBOARD/index.html ]] || die "there is no dashboard in $SOURCE_DASHBOARD" \
        "Build it (make frontend), or name its folder: --dashboard FOLDER; --no-nginx does without."
    SOURCE_DASHBOARD=$(realpath "$SOURCE_DASHBOARD")
}

# Only now, because the libraries may have come with the packages.
check_program() {
    local missing
    missing=$({ ldd "$SOURCE_PROGRAM" 2>/dev/null || true; } | sed -n 's/^\s*\(\S*\) => not found$/\1/p' | paste -sd' ')
    if [[ -n $missing ]]; then
        case $missing in
            *libswift* | *Foundation*) die "$SOURCE_PROGRAM needs a Swift toolchain on this machine ($missing)" \
                "Build it with the Swift libraries in it: make build" ;;
            *) die "$SOURCE_PROGRAM needs libraries that are not installed: $missing" ;;
        esac
    fi
    SOURCE_VERSION=$("$SOURCE_PROGRAM" --version 2>/dev/null) ||
        die "$SOURCE_PROGRAM does not run here" "It may have been built for another kind of machine; this is $(uname -m)."
}

# Each line: package, then what shows that it is there.
readonly PACKAGES_NEEDED='
postgresql          /usr/lib/postgresql/*/bin/postgres
mosquitto           /usr/sbin/mosquitto
libmosquitto1       /usr/lib/*/libmosquitto.so.1
libpq5              /usr/lib/*/libpq.so.5
openssl             /usr/bin/openssl
curl                /usr/bin/curl
jq                  /usr/bin/jq
ca-certificates     /etc/ssl/certs/ca-certificates.crt
tzdata              /usr/share/zoneinfo/Europe/Berlin
iproute2            /usr/bin/ss
hostname            /usr/bin/hostname
'

install_packages() {
    local package sign needed=$PACKAGES_NEEDED missing=()
    if [[ $PLANTOPS_WEB == yes ]]; then needed+='nginx-light /usr/sbin/nginx'; fi
    while read -r package sign; do
        if [[ -n $package ]] && ! compgen -G "$sign" >/dev/null && ! compgen -G "/bin/${sign##*/}" >/dev/null; then
            missing+=("$package")
        fi
    done <<<"$needed"
    if ((${#missing[@]} > 0)); then
        [[ $PACKAGES == yes ]] || die "these packages are missing: ${missing[*]}" \
            "apt-get install --no-install-recommends ${missing[*]}"
        act packages "install the packages ${missing[*]}" apt_install "${missing[@]}"
        # Nothing further can be looked at.
        if [[ $DRY_RUN == yes ]]; then
            say "The rest depends on those packages."
            exit 0
        fi
    fi
    check_program
}

apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q -o DPkg::Lock::Timeout=300 update || warn "apt-get update failed; trying with the package lists that are here"
    apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" ||
        die "the packages could not be installed" "Fix what apt-get says above, and run this again."
}

listener() { ss -Hltnp "sport = :$1" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)".*/\1/p' | sort -u | paste -sd' '; }

# in_use PORT OPTION WHO
in_use() {
    die "port $1 is in use by $(listener "$1"); $3 needs it" \
        "Stop that program (ss -ltnp 'sport = :$1' shows it), or choose another port: $2 PORT"
}

# check_port PORT OPTION WHO UNIT PROGRAM: free, or held by our own service.
check_port() {
    if [[ -z $(ss -Hltn "sport = :$1") ]] || { [[ $(listener "$1") == "$5" ]] && systemctl is-active --quiet "$4"; }; then
        return
    fi
    in_use "$1" "$2" "$3"
}

check_ports() {
    local port option
    check_port "$PLANTOPS_API_PORT" --api-port "the backend" plantops.service plantops
    check_port "$PLANTOPS_MQTT_PORT" --mqtt-port "the broker" plantops-mosquitto.service mosquitto
    if [[ $PLANTOPS_WEB == no ]]; then return; fi
    for option in http https; do
        port=PLANTOPS_${option^^}_PORT
        port=${!port}
        if [[ $port == 0 || -z $(ss -Hltn "sport = :$port") ]]; then continue; fi
        # Our own site, or Debian's welcome page, which goes.
        if [[ $(listener "$port") == nginx ]] && { site_listens "$port" || welcome_page_alone; }; then continue; fi
        in_use "$port" "--$option-port" nginx
    done
}
