# Everything a developer or CI does, from a fresh clone on: `make help` lists it.
# Needs Python 3.13, Node 20 or newer (only for Azurite) and make; the rest is installed into .venv and node_modules.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# The first of these that is 3.13; with pyenv, .python-version makes `python` the right one.
PYTHON := $(shell for python in python3.13 python3 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && echo "$$python" && break; \
	done)
BIN := .venv/bin
STAMPS := .venv/.requirements node_modules/.package-lock

.PHONY: help
help: ## List what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(STAMPS) ## Start the whole stack on this machine and print what to call
	@exec $(BIN)/python -m local.run

.PHONY: demo
demo: $(STAMPS) ## Play the whole story, beside `make run` or on a stack of its own
	@exec $(BIN)/python -m local.demo

.PHONY: test
test: check $(STAMPS) ## Run the checks and every test, as CI does
	@$(BIN)/python -m pytest --cov --cov-report=term

.PHONY: check
check: .venv/.requirements ## Check format, lint, types and the direction of imports
	@$(BIN)/ruff format --check --quiet . || { echo "Run .venv/bin/ruff format."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: bench
bench: $(STAMPS) ## Measure, and write docs/performance.md: ONLY="resolve growth", ROUNDS=9, QUICK=1
	@exec $(BIN)/python -m bench $(ONLY) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(QUICK),--quick)

.PHONY: plan
plan: .venv/.requirements ## Write what a deployment would make in Azure, infra/plans: BICEP names the Bicep CLI
	@exec $(BIN)/python -m infra.plans

.PHONY: zip
zip: .venv/.requirements ## Build dist/azure-sso.zip, what is deployed
	@$(BIN)/python -m local.deployable

.PHONY: export
export: .venv/.requirements ## Write the tables to a new file: make export FILE=../backup.jsonl (docs/operations.md)
	@$(BIN)/python -m infra.backup export "$${FILE:?Say which file: make export FILE=../backup.jsonl}"

.PHONY: import
import: .venv/.requirements ## Put a file back: make import FILE=../backup.jsonl; EXACT=yes removes what it does not have
	@$(BIN)/python -m infra.backup import "$${FILE:?Say which file: make import FILE=../backup.jsonl}" $(if $(EXACT),$(if $(filter yes,$(EXACT)),--exact,$(error EXACT is yes or not given)))

.PHONY: lock
lock: .venv/.requirements ## Pin the newest versions that the requirements*.in files allow
	@$(BIN)/uv pip compile --quiet --upgrade --python-version 3.13 --no-header --no-annotate --no-emit-index-url \
		requirements.in --output-file requirements.txt
	@$(BIN)/uv pip compile --quiet --upgrade --python-version 3.13 --no-header --no-annotate --no-emit-index-url \
		requirements-dev.in --output-file requirements-dev.txt

.PHONY: clean
clean: ## Remove everything that can be made again
	@rm -rf .venv node_modules .local dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.requirements: requirements-dev.txt
	@[ -n "$(PYTHON)" ] || { echo "Python 3.13 is needed and not found: install it, or \`pyenv install 3.13\`."; exit 1; }
	@echo "Installing the Python packages into .venv ..."
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@

node_modules/.package-lock: package-lock.json package.json
	@node -e 'process.exit(Number(parseInt(process.versions.node) < 20))' 2>/dev/null \
		|| { echo "Node 20 or newer is needed for Azurite and not found: https://nodejs.org/en/download."; exit 1; }
	@echo "Installing Azurite into node_modules ..."
	@npm ci --silent || { echo "npm ci failed: run it by hand to see why."; exit 1; }
	@touch $@
