# The two commands of the README do all the set-up: `make run` and `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
MEMBERS := contract gateway controller firmware-sim
UV := .tools/bin/uv
PY := .venv/bin/python
RUN_DIR ?= run
CONSOLE := $(shell find dashboards/console -name node_modules -prune -o -name dist -prune -o -type f -print)

.PHONY: help run test check format bench soak bundle lock pictures guides reference env clean

help: ## Show what can be done
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

env: .venv/.ready ## Build the environment from the lock

.tools/bin/uv:
	@.ci/bootstrap .tools

.venv/.ready: .tools/bin/uv requirements.lock $(MEMBERS:%=%/pyproject.toml) controller/hatch_build.py $(CONSOLE)
	@.ci/environment .venv

run: .venv/.ready ## The main job on embedded parts, with simulated devices; console at a printed URL
	@.venv/bin/lamplighter-demo --directory $(RUN_DIR)

test: .venv/.ready ## Everything: style, types, walls, and all tests on real parts
	@.ci/test

check: .venv/.ready ## Style, types and walls only
	@.ci/check

format: .venv/.ready ## Format the source
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .

bench: .venv/.ready ## Every headline figure, one JSON line each (NAME=... for some, QUICK=1 for short runs)
	@$(PY) -m benchmarks $(NAME) $(if $(QUICK),--quick) --json

soak: .venv/.ready ## The long campaigns
	@$(PY) -m benchmarks.soak $(NAME)

bundle: .venv/.ready ## A signed bundle of the gateway: ARCH=x86_64|aarch64 KEY=root.key OUT=file
	@.ci/bundle $(ARCH) $(KEY) $(OUT)

lock: .tools/bin/uv ## Renew requirements.lock (pins and hashes)
	@$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-annotate --no-header $(MEMBERS:%=--no-emit-package lamplighter-%) \
		--group dev pyproject.toml --output-file requirements.lock

pictures: .venv/.ready ## Take the README's pictures anew
	@$(PY) docs/images/make.py

guides: .venv/.ready ## Run what the installer's guide shows, and put its output and pictures there
	@$(PY) docs/guides/make.py

reference: .venv/.ready ## Generate docs/reference from the code
	@$(PY) docs/reference/make.py

clean: ## Forget the demo's data
	@rm -rf -- $(RUN_DIR)
