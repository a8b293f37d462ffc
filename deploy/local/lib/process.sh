# shellcheck shell=bash
# Starting and stopping processes by pid file: run/NAME.pid holds the number and nothing else,
# run/NAME.stamp what makes sure that it is still that process (the machine's start and the
# process's own start time; numbers are used again, those two together are not).

boot_id() { cat /proc/sys/kernel/random/boot_id; }

# The fields of /proc/PID/stat after the name, which may itself contain spaces and brackets.
stat_fields() {
    local line
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
    echo "${line##*) }"
}

process_stamp() {
    local fields
    # shellcheck disable=SC2207 # words are wanted
    fields=($(stat_fields "$1")) || return 1
    # A zombie has ended; only its parent has not asked yet.
    if [[ ${fields[0]:-Z} == Z ]]; then return 1; fi
    # Field 22 of the whole line.
    echo "$(boot_id) ${fields[19]}"
}

# A process that was killed a moment ago still looks alive, and still holds its port.
dying() {
    local key value
    { while read -r key value; do
        case $key in
            # Bit 8 of the pending signals is SIGKILL.
            SigPnd: | ShdPnd:) if ((16#$value & 16#100)); then return 0; fi ;;
        esac
    done <"/proc/$1/status"; } 2>/dev/null
    # Flag 4 of the ninth field: "exiting".
    # shellcheck disable=SC2207 # words are wanted
    local fields=($(stat_fields "$1"))
    ((${fields[6]:-0} & 4))
}

# pid_of NAME: the number if our process runs, else false.
pid_of() {
    local pid stamp tries=100
    [[ -s $RUN_DIR/$1.pid && -s $RUN_DIR/$1.stamp ]] || return 1
    pid=$(<"$RUN_DIR/$1.pid")
    stamp=$(<"$RUN_DIR/$1.stamp")
    while ((tries-- > 0)) && [[ $(process_stamp "$pid") == "$stamp" ]] && dying "$pid"; do sleep 0.1; done
    [[ $(process_stamp "$pid") == "$stamp" ]] || return 1
    echo "$pid"
}

running() { pid_of "$1" >/dev/null; }

# launch NAME USER COMMAND...: in the background, in a session of its own (Ctrl-C in the terminal
# is for this script, which then stops the services in order), output to logs/NAME.log.
launch() {
    local name=$1 user=$2 log=$LOG_DIR/$1.log pid
    shift 2
    end_leftovers "$name"
    rotate_log "$log"
    (
        # Descriptor 9 is the lock; a service must not keep it.
        exec 9>&- </dev/null >>"$log" 2>&1
        cd /
        # The simulator is a client of this stack and finds it by these names.
        if [[ $name != simulator ]]; then export -n "${OWN_VARIABLES[@]}"; fi
        as_user "$user" setsid "$@"
    ) &
    pid=$!
    echo "$pid" >"$RUN_DIR/$name.pid"
    process_stamp "$pid" >"$RUN_DIR/$name.stamp" || true
}

# As many open connections as the machine allows, within reason.
raise_file_limit() {
    local hard
    hard=$(ulimit -Hn)
    if [[ $hard == unlimited || $hard -gt 65536 ]]; then hard=65536; fi
    ulimit -Sn "$hard" || true
}

rotate_log() {
    if [[ -f $1 && $(stat -c %s "$1") -gt 10485760 ]]; then mv "$1" "$1.1"; fi
    if [[ ! -e $1 ]]; then (umask 077; : >"$1"); fi
}

# After a kill -9, helpers of the dead process may still hold its port (nginx's workers do). They
# are those in the session that it led; that number is not given away while the session lives.
end_leftovers() {
    local old fields stat pid
    [[ -s $RUN_DIR/$1.pid && -s $RUN_DIR/$1.stamp ]] || return 0
    if running "$1" || [[ $(<"$RUN_DIR/$1.stamp") != "$(boot_id) "* ]]; then return 0; fi
    old=$(<"$RUN_DIR/$1.pid")
    for stat in /proc/[0-9]*/stat; do
        pid=${stat#/proc/}
        pid=${pid%/stat}
        # shellcheck disable=SC2207 # words are wanted
        fields=($(stat_fields "$pid")) || continue
        if [[ ${fields[3]:-} == "$old" ]]; then kill -KILL "$pid" 2>/dev/null || true; fi
    done
}

not_running() { ! running "$1"; }

# await NAME SECONDS WHAT COMMAND...: until COMMAND succeeds. A process that ends, or does not come
# up in time, is an error that shows its log.
await() {
    local name=$1 seconds=$2 what=$3 deadline
    shift 3
    deadline=$((SECONDS + seconds))
    until "$@"; do
        if not_running "$name"; then
            show_log "$LOG_DIR/$name.log"
            die "$name ended while starting"
        elif ((SECONDS >= deadline)); then
            show_log "$LOG_DIR/$name.log"
            die "$name did not come up within $seconds s ($what)"
        fi
        sleep 0.1
    done
}

# end NAME SIGNAL SECONDS: waits; what has not ended by then is killed, and said.
end() {
    local pid
    if pid=$(pid_of "$1"); then
        kill "-$2" "$pid" 2>/dev/null || true
        if ! wait_until "$3" not_running "$1"; then
            warn "$1 (process $pid) was still running $3 s after SIG$2; killing it"
            kill -KILL "$pid" 2>/dev/null || true
            wait_until 10 not_running "$1" || die "$1 (process $pid) cannot be killed"
        fi
    fi
    end_leftovers "$1"
    rm -f "$RUN_DIR/$1.pid" "$RUN_DIR/$1.stamp"
}
