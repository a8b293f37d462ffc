# shellcheck shell=bash
# Every change goes through here, so that --dry-run changes nothing and a second run says that nothing was to do.

CHANGES=0
declare -A CHANGED=()

one_at_a_time() {
    exec 9>/run/plantops-install.lock
    flock --wait 3 9 || die "another install.sh or remove.sh is running" "Wait for its end, and try again."
}

# note_change WHAT TEXT: that WHAT is another than before.
note_change() {
    CHANGES=$((CHANGES + 1))
    CHANGED[$1]=yes
    if [[ $DRY_RUN == yes ]]; then say "would $2"; else say "$2"; fi
}

changed() {
    local what
    for what in "$@"; do
        if [[ -n ${CHANGED[$what]:-} ]]; then return 0; fi
    done
    return 1
}

# change TEXT COMMAND...: without a word, for what is of no interest by itself.
change() {
    shift
    if [[ $DRY_RUN == no ]]; then "$@"; fi
}

# act WHAT TEXT COMMAND...: and said.
act() {
    note_change "$1" "$2"
    shift 2
    if [[ $DRY_RUN == no ]]; then "$@"; fi
}

# put_file WHAT FILE MODE [OWNER]: the standard input, if FILE is not that already.
put_file() {
    local content
    content=$(cat; printf x)
    if [[ -f $2 && $(cat "$2"; printf x) == "$content" ]]; then return; fi
    note_change "$1" "write $2"
    if [[ $DRY_RUN == yes ]]; then return; fi
    (umask 077 && printf '%s' "${content%x}" >"$2.new")
    chmod "$3" "$2.new"
    if [[ -n ${4:-} ]]; then chown "$4" "$2.new"; fi
    mv "$2.new" "$2"
}

# put_folder FOLDER MODE [OWNER]
put_folder() {
    if [[ -d $1 ]]; then return; fi
    act folders "make $1" install -d -m "$2" -o "${3:-root}" -g "${3:-root}" "$1"
}

# put_link TARGET LINK
put_link() {
    if [[ $(readlink "$2" 2>/dev/null) == "$1" ]]; then return; fi
    act "$2" "link $2 to $1" ln -sfnT "$1" "$2"
}
