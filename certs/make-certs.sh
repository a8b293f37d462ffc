#!/usr/bin/env bash
# Makes what TLS needs, if it is missing or ends soon: a private certificate authority and a
# server certificate signed by it. Safe to run again and again.
#
#   certs/make-certs.sh [--out DIR] [--client NAME] [--renew] [--quiet]
#
#   --out DIR      where the files go (default: this folder)
#   --client NAME  a client certificate instead, for a broker that asks for one:
#                  DIR/clients/NAME.crt and NAME.key
#   --renew        a new certificate now; the CA stays, so devices notice nothing
#   --quiet        speak only when something was made
#
#   CERT_HOSTS=plants.example.org,203.0.113.7   further names and addresses of the server;
#   remembered in DIR/server.hosts, an empty CERT_HOSTS= forgets them
set -euo pipefail
umask 077

readonly CA_DAYS=3650
# The longest life that browsers and Apple's TLS accept of a server certificate.
readonly LEAF_DAYS=825
readonly RENEW_BEFORE_DAYS=30

out=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
client=
renew=no
quiet=no

while (($# > 0)); do
    case $1 in
        --out) out=${2:?--out needs a folder}; shift ;;
        --client)
            client=${2:?--client needs a name}
            if ! [[ $client =~ ^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$ ]]; then
                echo "make-certs.sh: a client's name has 1 to 64 letters, digits, dots, dashes or underscores" >&2
                exit 64
            fi
            shift
            ;;
        --renew) renew=yes ;;
        --quiet) quiet=yes ;;
        -h | --help) sed -n '2,/^set -euo/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; exit 0 ;;
        *) echo "make-certs.sh: unknown option $1 (try --help)" >&2; exit 64 ;;
    esac
    shift
done

say() { [[ $quiet == yes ]] || printf '%s\n' "$*"; }

command -v openssl >/dev/null || { echo "make-certs.sh: openssl is missing; apt-get install openssl" >&2; exit 69; }
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d "$out/.make-certs.XXXXXX")
trap 'rm -rf "$work"' EXIT

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

# 126 random bits, the first hex digit not 0 and not above 7: a serial is a positive number.
new_serial() { printf '0x%x%s' $((RANDOM % 7 + 1)) "$(openssl rand -hex 15)"; }

make_ca() {
    # Without the key nothing can be signed; with a stray key, the old certificate would be lost.
    if [[ -s $out/ca.crt && -s $out/ca.key ]]; then return; fi
    if [[ -e $out/ca.crt || -e $out/ca.key ]]; then
        echo "make-certs.sh: $out has only one of ca.crt and ca.key. Put the other back, or delete both" >&2
        echo "for a new CA (then every device must be given the new ca.crt)." >&2
        exit 65
    fi
    new_key "$work/ca.key"
    # pathlen:0 = may sign servers, no further CA. The name carries a random part, so that two
    # installations on one network are not taken for one another.
    openssl req -x509 -new -sha256 -key "$work/ca.key" -days "$CA_DAYS" -out "$work/ca.crt" \
        -set_serial "$(new_serial)" -subj "/O=PlantOps/CN=PlantOps private CA $(openssl rand -hex 4)" \
        -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' \
        -addext 'keyUsage=critical,keyCertSign,cRLSign' -addext 'subjectKeyIdentifier=hash'
    mv "$work/ca.key" "$work/ca.crt" "$out/"
    rm -f "$out/server.crt"
    echo "made a private CA, valid for ten years: $out/ca.crt"
}

is_ip() { [[ $1 =~ ^[0-9]+(\.[0-9]+){3}$ || $1 == *:* ]]; }

# Addresses under which other machines reach this one. Docker's and libvirt's own bridges are not
# among them, and IPv6 privacy addresses change daily.
lan_addresses() {
    if command -v ip >/dev/null; then
        ip -o addr show scope global | grep -v temporary |
            awk '$2 !~ /^(docker|br-|veth|virbr|cni|flannel|podman)/ { sub("/.*", "", $4); print $4 }'
    else
        hostname -I 2>/dev/null | tr ' ' '\n'
    fi
}

host_names() {
    printf '%s\n' localhost
    hostname 2>/dev/null || true
    hostname -f 2>/dev/null || true
    # Multicast DNS: how a Raspberry Pi and most home machines are found without a DNS server.
    local short
    short=$(hostname -s 2>/dev/null) && printf '%s.local\n' "$short"
}

extra_hosts() {
    if [[ -n ${CERT_HOSTS+set} ]]; then
        if [[ -n $CERT_HOSTS ]]; then printf '%s\n' "$CERT_HOSTS" >"$out/server.hosts"; else rm -f "$out/server.hosts"; fi
    fi
    if [[ -s $out/server.hosts ]]; then tr -s ', ' '\n' <"$out/server.hosts"; fi
}

wanted_names() {
    local name
    { host_names; printf '%s\n' 127.0.0.1 ::1; lan_addresses || true; extra_hosts; } |
        tr '[:upper:]' '[:lower:]' | grep -E '^[a-z0-9*._:-]+$' | sort -u |
        while read -r name; do
            if ! is_ip "$name"; then
                echo "DNS:$name"
                continue
            fi
            echo "IP:$name"
            # mbedTLS before 3.5 (most ESP32 firmware) compares a host only with the DNS names,
            # also when it is an IPv4 address.
            if [[ $name != *:* ]]; then echo "DNS:$name"; fi
        done
}

# reason_to_sign FILE PURPOSE: why FILE.crt is needed anew; nothing if it is not.
reason_to_sign() {
    local crt=$1.crt key=$1.key
    if [[ ! -s $crt || ! -s $key ]]; then echo "there was none"
    elif [[ $renew == yes ]]; then echo "asked for"
    elif [[ $(openssl pkey -in "$key" -pubout 2>/dev/null) != $(openssl x509 -in "$crt" -noout -pubkey 2>/dev/null) ]]; then
        echo "it did not belong to its key"
    elif ! openssl verify -purpose "$2" -CAfile "$out/ca.crt" "$crt" >/dev/null 2>&1; then
        echo "it did not fit the CA or had expired"
    elif ! openssl x509 -in "$crt" -noout -checkend $((RENEW_BEFORE_DAYS * 86400)) >/dev/null; then
        echo "it had less than $RENEW_BEFORE_DAYS days left"
    fi
}

# sign FILE NAME USAGE [NAMES]: a certificate and its key. A new key with every certificate: a key that
# leaked stops being useful at the next renewal.
sign() {
    local new=$work/leaf
    new_key "$new.key"
    openssl req -new -sha256 -key "$new.key" -subj "/O=PlantOps/CN=$2" -out "$new.csr"
    {
        echo 'basicConstraints = critical,CA:FALSE'
        # The second one is for RSA key exchange, and some clients ask for it all the same.
        echo 'keyUsage = critical,digitalSignature,keyEncipherment'
        echo "extendedKeyUsage = $3"
        echo 'subjectKeyIdentifier = hash'
        echo 'authorityKeyIdentifier = keyid'
        if [[ -n ${4:-} ]]; then echo "subjectAltName = $(paste -sd, <<<"$4")"; fi
    } >"$new.ext"
    openssl x509 -req -sha256 -in "$new.csr" -CA "$out/ca.crt" -CAkey "$out/ca.key" \
        -set_serial "$(new_serial)" -days "$LEAF_DAYS" -extfile "$new.ext" -out "$new.crt" 2>/dev/null
    # Certificates are public; whoever must read them need not be able to read the keys.
    chmod 644 "$new.crt"
    mv "$new.key" "$1.key"
    mv "$new.crt" "$1.crt"
}

valid_until() { openssl x509 -in "$1" -noout -enddate | cut -d= -f2; }

make_server() {
    local names reason
    names=$(wanted_names)
    reason=$(reason_to_sign "$out/server" sslserver)
    if [[ -z $reason && $(cat "$out/server.san" 2>/dev/null) != "$names" ]]; then
        reason="the machine's names or addresses changed"
    fi
    if [[ -z $reason ]]; then
        say "nothing to do: $out/server.crt is valid until $(valid_until "$out/server.crt")"
        return
    fi
    sign "$out/server" "PlantOps server" serverAuth "$names"
    printf '%s\n' "$names" >"$work/server.san"
    mv "$work/server.san" "$out/"
    echo "made a server certificate ($reason), valid for $LEAF_DAYS days: $out/server.crt"
    # Also in quiet mode: a name that is missing here is the commonest TLS error.
    echo "  for $(grep -v '^DNS:[0-9.]*$' <<<"$names" | sed 's/^[A-Z]*://' | paste -sd' ')"
}

make_client() {
    local file=$out/clients/$1 reason
    mkdir -p "$out/clients"
    reason=$(reason_to_sign "$file" sslclient)
    if [[ -z $reason ]]; then
        say "nothing to do: $file.crt is valid until $(valid_until "$file.crt")"
        return
    fi
    sign "$file" "$1" clientAuth
    echo "made a client certificate ($reason), valid for $LEAF_DAYS days: $file.crt"
}

make_ca
if [[ -n $client ]]; then make_client "$client"; else make_server; fi

# Also of files that somebody else put here.
chmod 644 "$out/ca.crt"
for key in "$out"/{ca,server}.key "$out"/clients/*.key; do
    if [[ -e $key ]]; then chmod 600 "$key"; fi
done
