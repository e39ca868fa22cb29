#!/usr/bin/env bash
# Builds the reader of boards (tests/stack/reader) into .reader/, with the Node of the test packages. Quick when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."
source=tests/stack/reader
out=.reader
mkdir -p "$out"
exec 9>"$out/lock"
flock 9
packages=$(sha256sum <"$source/package-lock.json")
if [ "$(cat "$out/packages" 2>/dev/null)" != "$packages" ]; then
    cp "$source/package.json" "$source/package-lock.json" "$out/"
    (cd "$out" && ../.venv/bin/npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >&2
    echo "$packages" >"$out/packages"
    rm -f "$out/sources"
fi
sources=$(cat "$source"/src/*.js | sha256sum)
if [ "$(cat "$out/sources" 2>/dev/null)" != "$sources" ]; then
    NODE_PATH="$out/node_modules" .venv/bin/node "$out/node_modules/esbuild/bin/esbuild" "$source/src/main.js" --bundle \
        --platform=node --format=esm --log-level=error --outfile="$out/read.mjs" \
        --banner:js='import{createRequire}from"node:module";const require=createRequire(import.meta.url);' >&2
    echo "$sources" >"$out/sources"
fi
