#!/bin/sh
# Fills in a configuration template: every @NAME@ becomes the value given for NAME.
#
#   scripts/render-template.sh TEMPLATE NAME=VALUE... > FILE
#
# @NAME=DEFAULT@ is for a value that need not be given. Plain POSIX sh and sed, so that it also runs
# inside small container images. A name that the template does not have, or one left without a value,
# is an error: a server started with half a configuration is worse than one that does not start.
set -eu

template=${1:?usage: render-template.sh TEMPLATE NAME=VALUE...}
shift

# Lines that are only comments may speak of @NAME@ without meaning it.
code() { sed '/^[[:space:]]*#/d' "$@"; }

program=
for pair in "$@"; do
    name=${pair%%=*}
    value=${pair#*=}
    case $name in
        '' | *[!A-Z0-9_]*) echo "render-template.sh: not NAME=VALUE: $pair" >&2; exit 64 ;;
    esac
    case $value in
        *'
'*) echo "render-template.sh: the value of $name has more than one line" >&2; exit 64 ;;
    esac
    if ! code "$template" | grep -E "@$name(=[^@]*)?@" >/dev/null; then
        echo "render-template.sh: $template has no @$name@" >&2
        exit 64
    fi
    escaped=$(printf '%s\n' "$value" | sed 's/[\\&|]/\\&/g')
    program="$program
s|@$name(=[^@]*)?@|$escaped|g"
done

rendered=$(sed -E "$program
s/@[A-Z][A-Z0-9_]*=([^@]*)@/\1/g" "$template")
missing=$(printf '%s\n' "$rendered" | code | grep -o '@[A-Z][A-Z0-9_]*@' | sort -u | tr '\n' ' ' || true)
if [ -n "$missing" ]; then
    echo "render-template.sh: $template needs a value for $missing" >&2
    exit 64
fi
printf '%s\n' "$rendered"
