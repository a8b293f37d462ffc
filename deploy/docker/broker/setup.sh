#!/bin/sh
# Makes the broker's first account, the backend's own, if the broker has none yet: the job "broker-setup".
#
#   broker-setup.sh [--force]
#
# --force makes it anew with the password of now, and forgets all devices; the backend tells the broker of them again,
# with the passwords they have. The broker must not run meanwhile: it would write its own file back.
set -eu

file=/var/lib/plantops/broker/dynamic-security.json
if [ "${1:-}" != --force ] && [ -s "$file" ]; then
    echo "the broker has its accounts already"
    exit 0
fi
exec plantops broker-init --force --output "$file"
