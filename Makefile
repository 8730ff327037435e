# `make demo` and `make test` do all the set-up; everything lands in .venv.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: worlds help demo test e2e mutants bench lint format types lock clean

help:  ## Show the commands
	@grep -hE '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

.venv/installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q agent validators prompts
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

demo: .venv/installed  ## Build "add CRUD for tasks" into demo-app/ and verify it
	$(BIN)/backendpro build "add CRUD for tasks" --into demo-app --model offline

test: .venv/installed-dev  ## Run all tests
	$(BIN)/python -m pytest -n auto

tests/e2e/node_modules/installed: tests/e2e/package.json tests/e2e/package-lock.json
	@command -v npm >/dev/null || { echo "make e2e needs Node 20 or later with npm." >&2; exit 2; }
	npm ci --prefix tests/e2e --silent
	@touch $@

e2e: .venv/installed-dev tests/e2e/node_modules/installed  ## Test with Better Auth and PgBouncer
	tests/e2e/install-pgbouncer
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/e2e

worlds: .venv/installed-dev  ## Check sound backends of many styles, and their leaky twins (15 min)
	$(BIN)/python -m pytest -n 2 tests/worlds

mutants: .venv/installed-dev  ## Print the score of the isolation proof on mutants
	$(BIN)/python -m tests.mutants

bench: .venv/installed-dev  ## Measure the checks as ratios, each with its bar
	$(BIN)/python benchmarks/static.py
	$(BIN)/python benchmarks/check.py

lint: .venv/installed-dev  ## Check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: .venv/installed-dev  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: .venv/installed-dev  ## Check types
	$(BIN)/mypy

lock: .venv/installed-dev  ## Pin the newest versions with hashes (needs uv)
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links -q -o requirements.txt
	uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links -q \
	  -c requirements.txt -o requirements-dev.txt

clean:  ## Remove the installation and the demo
	rm -rf .venv demo-app tests/e2e/node_modules
