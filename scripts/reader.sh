#!/usr/bin/env bash
# Builds the reader of boards (tests/stack/reader) into .reader/, with the Node of the test packages. Quick when nothing changed.
#   scripts/reader.sh             what the tests read with
#   scripts/reader.sh pictures    what draws pictures, with Grafana's own parts: three times as large
#   scripts/reader.sh scenes      what opens boards with variables and links (tests/stack/scenes), for the long tests: 480 MB
set -euo pipefail
cd "$(dirname "$0")/.."
source=tests/stack/reader
if [ "${1:-}" = pictures ]; then
    out=.reader/pictures omit=() entry=draw.jsx
    how=(--platform=browser --format=iife --jsx=automatic --loader:.svg=text --loader:.ttf=empty
        '--define:process.env.NODE_ENV="production"' --outfile="$out/draw.js")
elif [ "${1:-}" = scenes ]; then
    source=tests/stack/scenes out=.reader/scenes omit=() entry=main.js
    how=(--platform=node --format=esm --outfile="$out/scenes.mjs" --external:jsdom --loader:.svg=text --loader:.css=empty
        --loader:.ttf=empty --loader:.woff2=empty --loader:.png=empty
        '--banner:js=import{createRequire}from"node:module";const require=createRequire(import.meta.url);')
else
    out=.reader omit=(--omit=dev) entry=main.js
    how=(--platform=node --format=esm --outfile="$out/read.mjs"
        '--banner:js=import{createRequire}from"node:module";const require=createRequire(import.meta.url);')
fi
mkdir -p "$out"
exec 9>"$out/lock"
flock 9
packages=$(sha256sum <"$source/package-lock.json")
if [ "$(cat "$out/packages" 2>/dev/null)" != "$packages" ]; then
    cp "$source/package.json" "$source/package-lock.json" "$out/"
    npm=$PWD/.venv/bin/npm
    (cd "$out" && "$npm" ci "${omit[@]+"${omit[@]}"}" --ignore-scripts --no-audit --no-fund --loglevel=error) >&2
    echo "$packages" >"$out/packages"
    rm -f "$out/sources"
fi
sources=$(cat "$source"/src/* scripts/reader.sh | sha256sum)
if [ "$(cat "$out/sources" 2>/dev/null)" != "$sources" ]; then
    NODE_PATH="$out/node_modules" .venv/bin/node "$out/node_modules/esbuild/bin/esbuild" "$source/src/$entry" --bundle \
        --log-level=error "${how[@]}" >&2
    echo "$sources" >"$out/sources"
fi
