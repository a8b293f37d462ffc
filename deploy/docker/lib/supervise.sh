# shellcheck shell=bash
# Runs a server that reads its certificates anew on SIGHUP, and tells it when they have changed. Sourced by the
# entrypoints; this shell is then the container's first process and passes on the signal to stop.

# How long a renewed certificate waits until it is noticed.
CERTIFICATE_CHECK_SECONDS=${CERTIFICATE_CHECK_SECONDS:-60}

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }

# die STATUS MESSAGE
die() {
    printf 'error: %s\n' "$2" >&2
    exit "$1"
}

# A renewal replaces two files, one after the other; in between they do not belong together.
belong_together() {
    [[ -s $1 && -s $2 ]] &&
        [[ $(openssl x509 -in "$1" -noout -pubkey 2>/dev/null) == "$(openssl pkey -in "$2" -pubout 2>/dev/null)" ]]
}

# supervise STATE REFRESH PROGRAM...: until PROGRAM ends, with its exit status. STATE prints something that changes with
# the certificates, REFRESH prepares them and says whether PROGRAM shall read them.
supervise() {
    local state=$1 refresh=$2 seen now server pause ended status
    shift 2
    seen=$("$state")
    "$@" &
    server=$!
    # shellcheck disable=SC2064 # the number of now
    trap "kill -TERM $server 2>/dev/null || true" TERM INT
    while :; do
        sleep "$CERTIFICATE_CHECK_SECONDS" &
        pause=$!
        ended='' status=0
        wait -n -p ended "$server" "$pause" || status=$?
        if [[ ${ended:-} == "$server" ]]; then
            kill "$pause" 2>/dev/null || true
            return "$status"
        elif [[ ${ended:-} != "$pause" ]]; then
            # A signal, which the trap has passed on.
            kill "$pause" 2>/dev/null || true
            continue
        fi
        now=$("$state")
        if [[ $now != "$seen" ]] && "$refresh"; then
            seen=$now
            kill -HUP "$server"
            say "new certificates: the server reads them, connections stay"
        fi
    done
}
