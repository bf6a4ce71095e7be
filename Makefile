# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

SHELL := /bin/sh
RUN := tests/setup/run main
export PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint sanity unit integration e2e test-faults bench cluster-up cluster-down build clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing: system packages, Python environments, collection path
	@tests/setup/packages
	@$(RUN) true

demo: setup ## watch an app go live, be released under load, rolled back, and a bad release refused
	@tests/demo/demo

test: setup ## lint, sanity, unit, integration and e2e, with the seconds of each
	@tests/setup/packages postgresql debootstrap
	@python3 tests/setup/tiers.py

lint: setup ## ruff, mypy, ansible-lint, yamllint, changelog, shellcheck
	@$(RUN) python3 tests/setup/lint.py

sanity: setup ## ansible-test sanity on the oldest and the newest ansible-core
	@python3 tests/setup/sanity.py

unit: setup ## pure code, seconds
	@$(RUN) pytest tests/unit $(PYTEST_ARGS)

integration: setup ## against a real local PostgreSQL, minutes
	@tests/setup/packages postgresql
	@python3 tests/setup/tiers.py integration

e2e: cluster-up ## against the real cluster, tens of minutes; the cluster stays up
	@tests/setup/packages postgresql-client
	@python3 tests/setup/tiers.py e2e

test-faults: cluster-up ## the tests that kill, exhaust or take something away, and the long ones that `test` leaves out
	@tests/setup/packages postgresql
	@python3 tests/setup/tiers.py faults

bench: cluster-up ## measure against peers; results land in docs/benchmarks.md
	@tests/bench/bench

cluster-up: setup ## start the test cluster and load the test images
	@python3 tests/setup/cluster_up.py

cluster-down: ## remove the test cluster without a trace
	@tests/cluster/cluster down

build: setup ## build the Galaxy artefact into build/
	@$(RUN) ansible-galaxy collection build --force --output-path build

clean: ## remove what was built in this checkout; the cache of downloads and builds stays
	@rm -rf build .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache tests/output
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
