#!/usr/bin/env bash
# Format, lint, types and import contracts.
set -euo pipefail
bin=.venv/bin
$bin/ruff format --check --quiet .
$bin/ruff check --quiet .
$bin/mypy --no-error-summary
$bin/lint-imports --no-cache >/tmp/ingest-imports.log 2>&1 || { cat /tmp/ingest-imports.log; exit 1; }
