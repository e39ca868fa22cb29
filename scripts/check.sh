#!/usr/bin/env bash
# Lint, types, contracts and the tests of the rooms: all but those that start the whole program, servers or a browser.
#   scripts/check.sh [--no-lint] [ARGUMENTS OF PYTEST]
set -euo pipefail
if [ "${1:-}" = --no-lint ]; then shift; else scripts/lint.sh; fi
# The tests start hundreds of processes: each would compile the whole program anew.
unset PYTHONDONTWRITEBYTECODE
if [ -w /dev/shm ]; then export PYTEST_DEBUG_TEMPROOT=/dev/shm; fi
slow=(--ignore tests/stories --ignore tests/servers --ignore tests/stack --ignore tests/browser)
exec .venv/bin/pytest -q -n "$(($(nproc) + 1))" --dist worksteal "${slow[@]}" "$@"
