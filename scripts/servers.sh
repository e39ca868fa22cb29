#!/usr/bin/env bash
# Installs the real servers that tests use, where that is possible: scripts/servers.sh influxdb chromium mosquitto prometheus
# Says what could not be set up and why. In CI (INGEST_REQUIRE_SERVERS=1) a missing server is a failure.
set -uo pipefail
declare -A binary=([influxdb]=influxd [chromium]=chromium [mosquitto]=mosquitto [prometheus]=prometheus)
PATH=$PATH:/usr/sbin
missing=()
for package in "$@"; do
    command -v "${binary[$package]}" >/dev/null || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if ! command -v apt-get >/dev/null; then
    echo "not set up: ${missing[*]} (this system has no apt-get); tests that need them are skipped, but for the reading of the boards, which fails" >&2
elif [ "$(id -u)" -ne 0 ]; then
    echo "not set up: ${missing[*]} (not root); to have every test: sudo apt-get install ${missing[*]}" >&2
else
    echo "Installing ${missing[*]} for the tests."
    apt-get update -qq >/dev/null 2>&1
    # Two suites side by side: the second waits for the lock of the first.
    if ! said=$(DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" 2>&1); then
        echo "not set up: ${missing[*]} (apt-get failed: $(tail -n 1 <<<"$said"))" >&2
    fi
fi
for package in "${missing[@]}"; do
    command -v "${binary[$package]}" >/dev/null || [ "${INGEST_REQUIRE_SERVERS:-}" != 1 ] || exit 1
done
exit 0
