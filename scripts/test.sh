#!/usr/bin/env bash
# Every test, with the servers they need. INGEST_LONG=1: many more seeds and kills.
set -euo pipefail
if [ "${CI:-}" = true ]; then export INGEST_REQUIRE_SERVERS=1; fi
# Side by side: the former needs the processor, what is set up meanwhile the network.
scripts/lint.sh &
lint=$!
scripts/servers.sh influxdb chromium mosquitto prometheus
scripts/reader.sh
wait "$lint"
# Some tests wait for servers and processes: one worker more than there are cores keeps those busy.
# Thousands of small durable transactions wait for the disk; what is asserted does not depend on it.
# The tests start hundreds of processes: each would compile the whole program anew.
unset PYTHONDONTWRITEBYTECODE
if [ -w /dev/shm ]; then export PYTEST_DEBUG_TEMPROOT=/dev/shm; fi
exec .venv/bin/pytest -q -n "$(($(nproc) + 1))" --dist worksteal "$@"
