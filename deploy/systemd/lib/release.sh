# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the keys of CHANGED are words, not variables
# The program, the dashboard and these scripts, each version in a folder of its own under /opt/plantops/releases, named by
# its content. "current" leads to one of them and is changed in one step; "previous" is for plantopsctl rollback.

make_users_and_folders() {
    if ! id plantops >/dev/null 2>&1; then
        act user "make the user plantops" useradd --system --user-group --home-dir /nonexistent --no-create-home \
            --shell /usr/sbin/nologin plantops
    fi
    put_folder "$CONFIG_DIR" 755
    put_folder "$SECRETS_DIR" 700
    # Others may read the certificates in it; the keys are root's.
    put_folder "$CERT_DIR" 755
    put_folder "$CONFIG_DIR/nginx" 755
    put_folder "$SERVICE_HOME" 755
    put_folder "$SERVICE_HOME/mosquitto" 700 mosquitto
    put_folder /var/backups/plantops 700
    put_folder "$PROGRAM_DIR" 755
    put_folder "$PROGRAM_DIR/releases" 755
}

# What belongs to a release: where it is, and where it goes.
release_files() {
    local name
    printf '%s\t%s\n' "$SOURCE_PROGRAM" bin/plantops
    if [[ $PLANTOPS_WEB == yes ]]; then
        find "$SOURCE_DASHBOARD" -type f -printf "%p\tfrontend-dist/%P\n"
    fi
    for name in certs/make-certs.sh scripts/render-template.sh; do printf '%s\t%s\n' "$REPO/$name" "$name"; done
    for name in backup local mosquitto nginx systemd; do
        find "$REPO/deploy/$name" -type f -printf "%p\tdeploy/$name/%P\n"
    done
}

release_name() {
    local source target
    {
        while IFS=$'\t' read -r source target; do
            printf '%s %s\n' "$(sha256sum <"$source")" "$target"
        done < <(release_files | sort -t$'\t' -k2)
    } | sha256sum | cut -c1-12
}

# All of it, or nothing.
copy_release() {
    local new source target mode
    new=$(mktemp -d "$PROGRAM_DIR/releases/.new.XXXXXX")
    while IFS=$'\t' read -r source target; do
        mode=644
        if [[ -x $source ]]; then mode=755; fi
        mkdir -p "$(dirname "$new/$target")"
        install -m "$mode" "$source" "$new/$target"
    done < <(release_files)
    chmod 755 "$new"
    mv -T "$new" "$1"
}

install_release() {
    local name before release
    name=${SOURCE_VERSION//[^A-Za-z0-9.-]/}-$(release_name)
    before=$(readlink "$PROGRAM_DIR/current" 2>/dev/null || true)
    if [[ $before == "releases/$name" ]]; then return; fi
    if [[ ! -d $PROGRAM_DIR/releases/$name ]]; then
        act release "install PlantOps $SOURCE_VERSION in $PROGRAM_DIR/releases/$name" \
            copy_release "$PROGRAM_DIR/releases/$name"
    fi
    if ! cmp -s "$SOURCE_PROGRAM" "$PROGRAM"; then CHANGED[program]=yes; fi
    act current "let $PROGRAM_DIR/current be $name" switch_release "$name" "$before"
    put_link "$PROGRAM_DIR/current/deploy/systemd/plantopsctl" /usr/local/sbin/plantopsctl
    # The one in service and the one before are kept.
    for release in "$PROGRAM_DIR"/releases/* "$PROGRAM_DIR"/releases/.new.*; do
        case $release in
            "$PROGRAM_DIR/releases/$name" | "$PROGRAM_DIR/$before") ;;
            *) if [[ -d $release ]]; then act release "delete the older $release" rm -rf -- "$release"; fi ;;
        esac
    done
}

switch_release() {
    if [[ -n $2 ]]; then
        ln -sfn "$2" "$PROGRAM_DIR/previous.new" && mv -fT "$PROGRAM_DIR/previous.new" "$PROGRAM_DIR/previous"
    fi
    ln -sfn "releases/$1" "$PROGRAM_DIR/current.new" && mv -fT "$PROGRAM_DIR/current.new" "$PROGRAM_DIR/current"
}
