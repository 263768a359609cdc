# Every target sets up what it needs first; a second run finds the stamp and starts at once.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
OUT := out
WORKERS ?= 2
ARGS ?=

.PHONY: help setup run tour test test-long test-pythons test-channels packages msi dmg deb tarball policies materials test-packaging bench bench-peers soak fuzz check format lock openapi overview clean

help: ## Show these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s%s\n", $$1, $$2}' Makefile

setup: ## Bring .venv and the system packages up to date
	@.ci/setup test

run: ## Open Parley (without a display: play the tour into out/tour)
	@.ci/setup run
	@if [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ] || [ "$$(uname -s)" = Darwin ]; then \
		exec $(PY) -m ui $(ARGS); \
	else \
		echo "No display here: playing the tour instead; pictures and report go to $(OUT)/tour."; \
		QT_QPA_PLATFORM=offscreen exec .ci/with-session-bus $(PY) -m ui --tour $(OUT)/tour; \
	fi

tour: ## Play the tour without a window into out/tour
	@.ci/setup run
	@QT_QPA_PLATFORM=offscreen exec .ci/with-session-bus $(PY) -m ui --tour $(OUT)/tour

# What takes minutes each: whole days of use, and programs killed in the middle of them.
LONG := tests/flows tests/faults

test: ## Run every test but the longer suites below (ARGS="-k name" narrows it)
	@.ci/setup test
	@exec .ci/with-session-bus $(PY) -m pytest -n $(WORKERS) --dist loadgroup $(LONG:%=--ignore=%) $(ARGS)

test-long: ## Run a thousand messages under kills, five thousand in a queue, every fault on purpose
	@.ci/setup test
	@exec .ci/with-session-bus $(PY) -m pytest -n $(WORKERS) --dist loadgroup $(LONG) $(ARGS)

test-pythons: ## Run the quick tests on every other Python 3.11-3.13 found here
	@.ci/setup test
	@exec .ci/other-pythons $(ARGS)

test-channels: ## Install the independent peers of real channels and run the connectors against them
	@.ci/setup test
	@.ci/peers
	@PARLEY_PEERS=$(CURDIR)/.peers exec .ci/with-session-bus $(PY) -m pytest tests/channels $(ARGS)

# Downloads and tools stand in .packaging, what is built in out/bundle and out/packages.
ALL_PACKAGES := bundle-linux deb tarball bundle-windows msi bundle-macos dmg policies materials
INSTALLERS := .ci/packaging-tools && PYTHONPATH=packaging exec $(PY) -m installers

packages: ## Build everything IT installs or imports, with its papers, into out/packages
	@.ci/setup test
	@$(INSTALLERS) $(ALL_PACKAGES)

msi: ## Build both Windows Installer packages (signed where PARLEY_SIGN_CERT and _KEY are set)
	@.ci/setup test
	@$(INSTALLERS) bundle-windows msi

dmg: ## Build the disk image for macOS
	@.ci/setup test
	@$(INSTALLERS) bundle-macos dmg

deb: ## Build the Debian package
	@.ci/setup test
	@$(INSTALLERS) bundle-linux deb

tarball: ## Build the archive for other Linux systems
	@.ci/setup test
	@$(INSTALLERS) bundle-linux tarball

policies: ## Write the administrators' templates of all managed settings
	@.ci/setup test
	@PYTHONPATH=packaging exec $(PY) -m installers policies

materials: ## Write the bill of materials, third-party notices and checksums
	@.ci/setup test
	@PYTHONPATH=packaging exec $(PY) -m installers materials

test-packaging: ## Build the packages, then install, upgrade, repair and remove them
	@.ci/setup test
	@.ci/packaging-tools
	@signing="$$(.ci/packaging-certificate)"; eval "$$signing"; \
		PYTHONPATH=packaging $(PY) -m installers $(ALL_PACKAGES); \
		PARLEY_PACKAGING=1 exec .ci/with-session-bus $(PY) -m pytest tests/packaging $(ARGS)

bench: ## Print each figure beside its goal and write out/bench.json (ARGS=hint: those lines)
	@.ci/setup test
	@exec .ci/with-session-bus $(PY) -m tests.benchmarks $(ARGS)

bench-peers: ## Print what other clients installed here take to start and to idle, beside ours
	@.ci/setup test
	@exec .ci/with-session-bus $(PY) -m tests.benchmarks.other_clients

soak: ## Use the app for a day's worth in minutes; fails when memory or anything else grows
	@.ci/setup test
	@PARLEY_SOAK=1 exec $(PY) -m pytest tests/soak -s $(ARGS)

fuzz: ## Look for inputs that crash policy or slow it down (FUZZ_S=20: seconds a target; ten minutes else)
	@.ci/setup test
	@exec $(PY) -m tests.fuzz $(ARGS)

check: ## Run every check that is not a test
	@.ci/setup test
	@exec $(PY) .ci/check.py

format: ## Let ruff format and mend what it can
	@.ci/setup test
	@$(PY) -m ruff check --quiet --fix .
	@$(PY) -m ruff format --quiet .

lock: ## Renew the hashed requirements after a change in pyproject.toml (UPGRADE=1: newer versions)
	@.ci/setup test
	@exec .ci/lock

openapi: ## Write contract/openapi.json from the code
	@.ci/setup test
	@exec $(PY) -m backend openapi

overview: ## Write docs/file-overview.md from the modules' first sentences
	@.ci/setup test
	@exec $(PY) .ci/file_overview.py

clean: ## Remove what can be made again (keeps .venv)
	@rm -rf $(OUT) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +
