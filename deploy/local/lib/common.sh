# shellcheck shell=bash
# Words to the user, waiting, and ports. Sourced by plantops-local and scripts/test-services.sh.

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
    printf 'error: %s\n' "$1" >&2
    shift
    if (($# > 0)); then printf '       %s\n' "$@" >&2; fi
    exit 1
}

is_root() { [[ $EUID -eq 0 ]]; }

# wait_until SECONDS COMMAND...: true as soon as COMMAND is, false when the time is up.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        if ((SECONDS >= deadline)); then return 1; fi
        sleep 0.1
    done
}

# The host to connect to when a server listens on $1.
reach() {
    case $1 in
        0.0.0.0 | 127.*) echo 127.0.0.1 ;;
        :: | ::1) echo ::1 ;;
        *) echo "$1" ;;
    esac
}

# As a URL wants it: an IPv6 address stands in brackets.
bracketed() { if [[ $1 == *:* ]]; then echo "[$1]"; else echo "$1"; fi; }

port_answers() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

# require_free_port HOST PORT WHO VARIABLE
require_free_port() {
    if ! [[ $2 =~ ^[0-9]+$ && $2 -ge 1 && $2 -le 65535 ]]; then die "$4=$2 is not a port number"; fi
    if port_answers "$(reach "$1")" "$2"; then
        die "port $2 is in use by another program; $3 needs it" \
            "Stop that program (ss -ltnp 'sport = :$2' shows it), or choose another port with $4=..."
    fi
}

# A port nobody listens on, below the range the kernel takes outgoing connections from.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        if ! port_answers 127.0.0.1 "$port"; then
            echo "$port"
            return
        fi
    done
}

# show_log FILE: its end, indented, for an error message.
show_log() {
    say "--- the last lines of $1:" >&2
    tail -n 20 "$1" 2>/dev/null | sed 's/^/    /' >&2 || true
}
