#!/usr/bin/env bash
# Builds the dashboard: frontend/ (TypeScript, React) becomes frontend-dist/, which nginx serves.
#
#   scripts/build-frontend.sh          does nothing when nothing has changed
#   scripts/build-frontend.sh --force  builds in any case
#
# A page that is open, or being loaded, never sees half a build: scripts and styles carry a hash of their content in
# their names and are all there before index.html speaks of them, each file replaces its predecessor by a rename, and
# those of the build before stay, for pages of it that are open and have not asked for them yet.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 022

readonly SOURCE=frontend TARGET=frontend-dist
readonly WORK=$TARGET/.work
# Where Debian's packages put libraries for Node.
export NODE_PATH=/usr/share/nodejs
readonly DYGRAPHS=/usr/share/javascript/dygraphs

for program in esbuild tsc jq rsvg-convert gzip; do
    if ! command -v "$program" >/dev/null; then
        echo "build-frontend.sh: $program is not installed; make packages installs what is missing" >&2
        exit 69
    fi
done

# One at a time; a second one waits, and then finds nothing to do.
mkdir -p "$TARGET"
exec 9>>"$TARGET/.lock"
flock 9

# Everything that decides what comes out.
fingerprint() {
    {
        find "$SOURCE" scripts/build-frontend.sh scripts/render-template.sh -type f -print0 | LC_ALL=C sort -z |
            xargs -0 sha256sum
        esbuild --version
        cat "$NODE_PATH"/{react,react-dom,qrcode-generator}/package.json
        sha256sum "$DYGRAPHS/index.js"
    } | sha256sum | cut -d' ' -f1
}

wanted=$(fingerprint)
if [[ ${1:-} != --force && -s $TARGET/index.html && $(cat "$TARGET/.fingerprint" 2>/dev/null) == "$wanted" ]]; then
    exit 0
fi

echo "building the dashboard"
rm -rf "$WORK"
mkdir -p "$WORK/site/assets" "$TARGET/assets"
trap 'rm -rf "$WORK"' EXIT

check_types() { tsc --project "$SOURCE/$1" --incremental --tsBuildInfoFile "$TARGET/.types-$1" --pretty false; }
# Beside the rest: it takes longer than everything else together.
{ check_types tsconfig.json && check_types tsconfig.worker.json; } >"$WORK/types.log" 2>&1 &
types=$!

options=(--bundle --minify --target=es2020 --charset=utf8 --legal-comments=external --log-level=warning
    --define:process.env.NODE_ENV='"production"')

bundle() {
    esbuild "$SOURCE/src/main.tsx" "$SOURCE/styles/main.css" "${options[@]}" --splitting --format=esm --jsx=automatic \
        --alias:dygraphs="$DYGRAPHS/index.js" --outdir="$WORK/site" --metafile="$WORK/meta.json" \
        --entry-names='assets/[name]-[hash]' --chunk-names='assets/[name]-[hash]' --asset-names='assets/[name]-[hash]'
}

# Names and licences of what was bundled; most files have none.
notices() { find "$WORK/site" -name '*.LEGAL.txt' -empty -delete; }

# built QUERY: what jq finds among the outputs, as paths of the site.
built() { jq -r ".outputs | to_entries[] | $1" "$WORK/meta.json" | sed "s|^$WORK/site||"; }

page() {
    local script style preloads path
    script=$(built "select(.value.entryPoint == \"$SOURCE/src/main.tsx\") | .key")
    style=$(built "select(.value.entryPoint == \"$SOURCE/styles/main.css\") | .key")
    # What the entry cannot begin without, so that it need not be discovered one file after another.
    preloads=$(jq -r --arg entry "$SOURCE/src/main.tsx" '
        .outputs as $outputs
        | def needs: $outputs[.].imports[] | select(.kind == "import-statement") | .path | ., needs;
        first($outputs | to_entries[] | select(.value.entryPoint == $entry)).key | needs' "$WORK/meta.json" |
        sed "s|^$WORK/site||" | LC_ALL=C sort -u |
        while read -r path; do printf '<link rel="modulepreload" href="%s">' "$path"; done)
    scripts/render-template.sh "$SOURCE/index.html.in" SCRIPT="$script" STYLE="$style" PRELOADS="$preloads" \
        >"$WORK/site/index.html"
}

icons() {
    cp -R "$SOURCE/public/." "$WORK/site/"
    local icons=$WORK/site/icons
    rsvg-convert --width=192 --height=192 "$icons/icon.svg" --output "$icons/icon-192.png"
    rsvg-convert --width=512 --height=512 "$icons/icon.svg" --output "$icons/icon-512.png"
    rsvg-convert --width=512 --height=512 "$icons/maskable.svg" --output "$icons/maskable-512.png"
    rsvg-convert --width=180 --height=180 "$icons/maskable.svg" --output "$icons/apple-touch-icon.png"
}

# The worker knows by name what it keeps, and another build of anything is another worker.
service_worker() {
    local shell build
    shell=$(cd "$WORK/site" && find assets icons/icon.svg manifest.webmanifest -type f \
        ! -name '*.LEGAL.txt' | LC_ALL=C sort | jq -Rnc '["/"] + [inputs | "/" + .]')
    build=$(cd "$WORK/site" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
    esbuild "$SOURCE/src/service-worker.ts" "${options[@]}" --format=iife --define:SHELL="$shell" \
        --define:BUILD="\"$build\"" --outfile="$WORK/site/service-worker.js"
}

# nginx sends NAME.gz as it is where there is one.
compress() {
    find "$WORK/site" -type f -size +1k \
        \( -name '*.js' -o -name '*.css' -o -name '*.html' -o -name '*.svg' -o -name '*.webmanifest' \) \
        -exec gzip -9 --no-name --keep {} +
}

# Each file to its place by a rename; of index.html and the worker the compressed form first.
publish() {
    local path
    (cd "$WORK/site" && find assets -type f | LC_ALL=C sort) >"$WORK/assets"
    while read -r path; do mv -f "$WORK/site/$path" "$TARGET/$path"; done <"$WORK/assets"
    (cd "$WORK/site" && find . -type f ! -name 'service-worker.js*' ! -name 'index.html*' | sort -r) |
        while read -r path; do
            mkdir -p "$TARGET/$(dirname "$path")"
            mv -f "$WORK/site/$path" "$TARGET/$path"
        done
    # The page comes when all it speaks of is there; the worker, which keeps the page, after it.
    for path in index.html service-worker.js; do
        if [[ -e $WORK/site/$path.gz ]]; then mv -f "$WORK/site/$path.gz" "$TARGET/$path.gz"; else rm -f "$TARGET/$path.gz"; fi
        mv -f "$WORK/site/$path" "$TARGET/$path"
    done
}

# What neither this build nor the one before has.
tidy() {
    if ! cmp -s "$WORK/assets" "$TARGET/.assets"; then
        if [[ -e $TARGET/.assets ]]; then mv -f "$TARGET/.assets" "$TARGET/.assets-before"; fi
        mv -f "$WORK/assets" "$TARGET/.assets"
    fi
    local path
    (cd "$TARGET" && find assets -type f) | while read -r path; do
        if ! grep -qsxF -- "$path" "$TARGET/.assets" "$TARGET/.assets-before"; then rm -f "${TARGET:?}/$path"; fi
    done
}

bundle
notices
page
icons
service_worker
compress
if ! wait "$types"; then
    sed 's/^/    /' "$WORK/types.log" >&2
    echo "build-frontend.sh: the types are not right; what was built before stays" >&2
    exit 1
fi
publish
tidy
echo "$wanted" >"$TARGET/.fingerprint"
