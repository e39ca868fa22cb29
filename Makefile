# Everything a fresh machine needs: Python 3.11+, git and make.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run check test test-long coverage bench lint format docs commands faults changelog lock boards board-pictures secrets \
	image-test stack-test screenshots clean

run: $(VENV)/.installed
	@exec $(BIN)/ingest run

# While working: lint, types, contracts, and the tests of the rooms. Under three minutes.
check: $(VENV)/.tested
	@scripts/check.sh

test: $(VENV)/.tested
	@scripts/test.sh

test-long: $(VENV)/.tested
	@INGEST_LONG=1 scripts/test.sh

# How much of the program the tests of the rooms run through.
coverage: $(VENV)/.tested
	@scripts/check.sh --no-lint --cov --cov-report=term

bench: $(VENV)/.tested
	@scripts/servers.sh influxdb
	@$(BIN)/python -m bench

lint: $(VENV)/.tested
	@scripts/lint.sh

format: $(VENV)/.tested
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The documentation as a site: build/docs/index.html. Nothing in it is loaded from elsewhere.
docs: $(VENV)/.tested
	@$(BIN)/sphinx-build -q -W --keep-going -d build/doctrees docs build/docs
	@echo "build/docs/index.html"

# The command reference, from the commands themselves.
commands: $(VENV)/.tested
	@$(BIN)/python scripts/commands.py >docs/commands.md

# The table of docs/faults.md, from what every voice says of each fault.
faults: $(VENV)/.tested
	@INGEST_WRITE=1 $(BIN)/pytest -q tests/stories/test_faults_agree.py

# What the next release will say; with VERSION=0.2.0 it is written into CHANGELOG.md.
changelog: $(VENV)/.tested
	@$(BIN)/towncrier build $(if $(VERSION),--yes --version $(VERSION),--draft --version unreleased)

# Choose the newest versions that fit pyproject.toml, and write them down.
lock: $(VENV)/.tested
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --no-header --no-emit-index-url --python-version 3.11 pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --no-header --no-emit-index-url --python-version 3.11 --extra test pyproject.toml -o requirements-test.lock

$(VENV)/bin/python:
	@scripts/venv.sh $(PYTHON) $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing; this takes a minute or two the first time."
	@$(BIN)/pip install -qq --disable-pip-version-check -r requirements.lock
	@$(BIN)/pip install -qq --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.tested: requirements-test.lock $(VENV)/.installed
	@$(BIN)/pip install -qq --disable-pip-version-check --no-deps --no-compile -r requirements-test.lock
	@touch $@

# The boards of Grafana, from their parts in boards/.
boards: $(VENV)/.installed
	@$(BIN)/python -m boards

# Pictures of the boards in every situation, into .reader/shots.
board-pictures: $(VENV)/.tested
	@scripts/servers.sh influxdb chromium
	@scripts/reader.sh pictures
	@$(BIN)/python -m tests.stack.pictures

# The pictures of the README, from the simulator; and those of every state of the page, into build/screenshots.
screenshots: $(VENV)/.tested
	@scripts/servers.sh chromium
	@PYTHONPATH=. $(BIN)/python scripts/screenshots.py
	@PYTHONPATH=. $(BIN)/python scripts/states.py

# The files with passwords that the Docker stack needs; never overwrites.
secrets:
	@scripts/secrets.sh

# Builds the image and runs it read-only; for machines with a container engine.
image-test:
	@scripts/image-test.sh

# The whole stack from nothing, its database killed at ten moments of its start; for machines with a container engine.
stack-test:
	@scripts/stack-test.sh

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
