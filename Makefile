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
STAMPS := .venv/.requirements node_modules/.package-lock tests/clients/spa/node_modules/.package-lock panel/dist/azure-sso-panel.js

.PHONY: help
help: ## List what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: install
install: $(STAMPS) ## Install what development needs into .venv and node_modules

.PHONY: hooks
hooks: .venv/.requirements ## Run the checks before each commit, by Git's own hook
	@$(BIN)/pre-commit install

.PHONY: run
run: $(STAMPS) ## Start the whole stack on this machine and print what to call; APP=no leaves the app to func start
	@exec $(BIN)/python -m local.run $(if $(filter no,$(APP)),--without-app)

.PHONY: demo
demo: $(STAMPS) ## Play the whole story, beside `make run` or on a stack of its own
	@exec $(BIN)/python -m local.demo

# A worker for each core, and one more, since tests wait for services now and then. Bytecode is kept even where the
# environment says not to: tests start many an interpreter.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal

# Coverage adds two thirds to the time of the Python that it follows: it follows tests that reach every branch, and not the
# others. A new folder is among the others.
MEASURED := tests/contract tests/http tests/unit
OTHERS := $(filter-out $(MEASURED) tests/support tests/__pycache__,$(patsubst %/,%,$(wildcard tests/*/)))

.PHONY: test
test: $(if $(T),,check) $(STAMPS) ## Run the checks and every test; SLOW=1 all in a browser and at full size, as CI does; T=tests/http/test_policy.py a part
ifdef T
	@$(PYTEST) $(if $(SLOW),--slow) $(T)
else
	@failed=; \
	$(PYTEST) $(if $(SLOW),--slow) $(MEASURED) --cov --cov-report=term || failed=yes; \
	$(PYTEST) $(if $(SLOW),--slow) $(OTHERS) || failed=yes; \
	[ -z "$$failed" ]
endif

.PHONY: unit
unit: $(STAMPS) ## Run the tests of single parts
	@$(PYTEST) tests/unit

.PHONY: check
check: .venv/.requirements ## Check format, lint, types and the direction of imports
	@$(MAKE) --jobs=4 format lint types imports

.PHONY: format lint types imports
format:
	@$(BIN)/ruff format --check --quiet . || { echo "Run .venv/bin/ruff format."; exit 1; }
lint:
	@$(BIN)/ruff check --quiet .
types:
	@$(BIN)/mypy
imports:
	@$(BIN)/lint-imports --no-logo

# The az CLI of its own, 700 MB: only who wants to hold the scripts against it need have it.
AZ := .local/az
AZ_VERSION := 2.91.0

.PHONY: check-az
check-az: $(AZ)/.$(AZ_VERSION) .venv/.requirements ## Check every call of az, and what we say that it says, against the real one
	@rm -f $(AZ)/calls.jsonl
	@AZ_CALLS=$(CURDIR)/$(AZ)/calls.jsonl $(BIN)/python -m pytest tests/scripts --quiet --numprocesses=auto
	@$(AZ)/bin/python tests/scripts/real_az.py $(AZ)/calls.jsonl

.PHONY: clients
clients: $(STAMPS) ## Let client libraries of many languages sign in, those that this machine can run: ONLY="node go_oidc"
	@exec $(BIN)/python -m tests.clients $(ONLY)

.PHONY: clients-page
clients-page: .venv/.requirements ## Write the table and the lines of docs/clients.md from tests/clients
	@$(BIN)/python -m tests.clients.page

# The products that `make bench PEERS=1` measures beside the service; nothing else needs them.
PEER_STAMP := bench/peers/npm/node_modules/.package-lock

.PHONY: bench
bench: $(STAMPS) $(if $(PEERS),$(PEER_STAMP)) ## Measure, and write docs/performance.md: ONLY="resolve growth", ROUNDS=9, QUICK=1, PEERS=1 beside other products
	@exec $(BIN)/python -m bench $(ONLY) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(QUICK),--quick) $(if $(PEERS),--peers)

.PHONY: soak
soak: $(STAMPS) ## Let mixed traffic run for MINUTES=10, and fail if memory, descriptors or rows grow; PACE=2 is twice as much
	@exec $(BIN)/python -m bench.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(PACE),--pace $(PACE))

.PHONY: plan
plan: .venv/.requirements ## Write what a deployment would make in Azure, infra/plans: BICEP names the Bicep CLI
	@exec $(BIN)/python -m infra.plans

.PHONY: panel
panel: panel/node_modules/.package-lock ## Build the panel into panel/dist, and write its size and its hash for Subresource Integrity into docs/panel.md
	@cd panel && node build.mjs --docs

.PHONY: components
components: $(STAMPS) ## Run the component tests of the panel, in a Chromium of this machine; make test does, too
	@$(PYTEST) tests/browser/test_components.py

.PHONY: screenshots
screenshots: $(STAMPS) ## Take the pictures of docs/panel: every screen, light and dark, in a Chromium of this machine
	@exec $(BIN)/python -m tests.browser.screenshots

.PHONY: zip
zip: .venv/.requirements panel/dist/azure-sso-panel.js ## Build dist/azure-sso.zip, what is deployed
	@$(BIN)/python -m local.deployable

.PHONY: openapi
openapi: .venv/.requirements ## Write docs/openapi.json, which a test compares with the code
	@$(BIN)/python -m local.openapi

.PHONY: public-domains
public-domains: .venv/.requirements ## Renew the list of public mail domains, shared/domains/public_domains.txt, from its source
	@$(BIN)/python -m local.public_domains

.PHONY: release
release: .venv/.requirements $(if $(DRY),,panel/dist/azure-sso-panel.js) ## Tag the version of pyproject.toml, and pack the panel for npm; DRY=yes only checks. Pushes nothing
	@$(BIN)/python -m local.release $(if $(DRY),--dry-run)
	@$(if $(DRY),:,mkdir -p dist && cd panel && npm pack --silent --pack-destination ../dist)

.PHONY: export
export: .venv/.requirements ## Write the tables to a new file: make export FILE=../backup.jsonl (docs/operations.md)
	@$(BIN)/python -m infra.backup export "$${FILE:?Say which file: make export FILE=../backup.jsonl}"

.PHONY: import
import: .venv/.requirements ## Put a file back: make import FILE=../backup.jsonl; EXACT=yes removes what it does not have
	@$(BIN)/python -m infra.backup import "$${FILE:?Say which file: make import FILE=../backup.jsonl}" $(if $(EXACT),$(if $(filter yes,$(EXACT)),--exact,$(error EXACT is yes or not given)))

# Hashes make pip refuse a file that was exchanged behind its version; uv lists those of every platform.
LOCK := $(BIN)/uv pip compile --quiet --python-version 3.13 --generate-hashes --no-header --no-annotate --no-emit-index-url

.PHONY: lock
lock: .venv/.requirements ## Pin what requirements*.in ask for, and keep the other versions; UPGRADE=yes takes the newest
	@for file in requirements requirements-dev .ci/requirements tests/clients/python{,_apart}/requirements; do \
		$(LOCK) $(if $(UPGRADE),--upgrade) $$file.in --output-file $$file.txt; \
	done

.PHONY: clean
clean: ## Remove everything that can be made again
	@rm -rf .venv node_modules tests/clients/spa/node_modules bench/peers/npm/node_modules .local dist panel/node_modules panel/dist panel/src/generated .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.requirements: requirements-dev.txt
	@[ -n "$(PYTHON)" ] || { echo "Python 3.13 is needed and not found: install it, or \`pyenv install 3.13\`."; exit 1; }
	@echo "Installing the Python packages into .venv ..."
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--requirement requirements-dev.txt
	@touch $@

$(AZ)/.$(AZ_VERSION):
	@[ -n "$(PYTHON)" ] || { echo "Python 3.13 is needed and not found: install it, or \`pyenv install 3.13\`."; exit 1; }
	@echo "Installing azure-cli $(AZ_VERSION) into $(AZ), which takes minutes ..."
	@[ -x $(AZ)/bin/python ] || $(PYTHON) -m venv $(AZ)
	@$(AZ)/bin/python -m pip install --quiet --disable-pip-version-check azure-cli==$(AZ_VERSION)
	@touch $@

node_modules/.package-lock: package-lock.json package.json
	@node -e 'process.exit(Number(parseInt(process.versions.node) < 20))' 2>/dev/null \
		|| { echo "Node 20 or newer is needed for Azurite and not found: https://nodejs.org/en/download."; exit 1; }
	@echo "Installing Azurite into node_modules ..."
	@npm ci --silent || { echo "npm ci failed: run it by hand to see why."; exit 1; }
	@touch $@

tests/clients/spa/node_modules/.package-lock: tests/clients/spa/package-lock.json tests/clients/spa/package.json
	@echo "Installing the client of the browser application into tests/clients/spa/node_modules ..."
	@cd tests/clients/spa && npm ci --silent || { echo "npm ci failed in tests/clients/spa: run it by hand to see why."; exit 1; }
	@touch $@

$(PEER_STAMP): bench/peers/npm/package-lock.json bench/peers/npm/package.json
	@echo "Installing the peers of the bench into bench/peers/npm/node_modules ..."
	@cd bench/peers/npm && npm ci --omit=optional --silent || { echo "npm ci failed in bench/peers/npm: run it by hand to see why."; exit 1; }
	@touch $@

panel/node_modules/.package-lock: panel/package-lock.json panel/package.json
	@node -e 'process.exit(Number(parseInt(process.versions.node) < 20))' 2>/dev/null \
		|| { echo "Node 20 or newer is needed to build the panel and not found: https://nodejs.org/en/download."; exit 1; }
	@echo "Installing what the panel is built with into panel/node_modules ..."
	@cd panel && npm ci --silent || { echo "npm ci failed in panel: run it by hand to see why."; exit 1; }
	@touch $@

panel/dist/azure-sso-panel.js: panel/node_modules/.package-lock panel/build.mjs panel/words.mjs docs/openapi.json $(shell find panel/src panel/test -name generated -prune -o -type f -print)
	@echo "Building the panel ..."
	@cd panel && node build.mjs >/dev/null
