# shellcheck shell=bash
# Putting a backup back. Sourced by plantops-docker.

# in_restore ARGUMENTS...: the container that may. It is gone afterwards. Without a terminal, as when cron starts it.
in_restore() { PROFILES=restore compose run --rm -T --no-deps "$@"; }

ask_whether() {
    local answer
    if [[ ${YES:-} == 1 ]]; then return; fi
    [[ -t 0 ]] || die 64 "restore replaces the database; say YES=1 if you mean it"
    read -r -p "Stop PlantOps and put $1 in the place of what is in service now? [y/N] " answer
    [[ $answer == [yY]* ]] || die 1 "nothing was changed"
}

# restore_backup FILE: of this machine, or by its name among the backups there are. Also into an installation that was only
# just prepared, with the ENCRYPTION_KEY of the old one.
restore_backup() {
    local file=${1:-} name
    require_prepared
    if [[ -z $file ]]; then
        in_restore restore list </dev/null
        die 64 "say which one: make prod-restore FILE=..."
    fi
    name=$(basename -- "$file")
    if [[ -f $file ]]; then
        say "copying $file to the backups"
        in_restore restore import "$name" <"$file"
    elif [[ $file != "$name" ]]; then
        die 66 "there is no $file"
    fi
    # It must not read the answer to the question below.
    in_restore restore verify "$name" </dev/null
    ask_whether "$name"
    # The database, its role and the certificates must be there, also on a new machine.
    compose up --detach --no-build database certificates
    compose run --rm -T database-setup </dev/null
    say "stopping PlantOps"
    compose stop frontend backend broker certificates
    if ! in_restore -e YES=1 restore restore "$name" </dev/null; then
        warn "the backup was not put back; starting again what was in service"
        start_all --force-recreate
        exit 1
    fi
    # With the certificates that were in the backup, and the schema brought up to date.
    start_all --force-recreate
}
