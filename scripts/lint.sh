#!/usr/bin/env bash
# Format, lint, types and import contracts.
set -euo pipefail
bin=.venv/bin
$bin/ruff format --check --quiet .
$bin/ruff check --quiet .
$bin/mypy --no-error-summary
imports=$($bin/lint-imports --no-cache 2>&1) || { echo "$imports"; exit 1; }
