# One command each: set up and see it work, test, lint, measure.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint format bench engines docs clean

$(READY): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(READY)

## Plan, apply and re-plan the shop example on an embedded database, and see its work being done.
demo: $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" scripts/demo

## PostgreSQL 17 and 15 with the real pg_cron, zsh and fish (needs root once; quick afterwards).
engines:
	scripts/provision-engines

## Everything, on the embedded database, on the real servers and in the real shells. What is missing is an error.
test: $(READY) engines
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup $(PYTEST)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

## The site, in build/site: first the pages that are made from code, then all of docs, each link looked at.
docs: $(READY)
	$(BIN)/python -m orchestra.check.docs
	$(BIN)/python scripts/reference.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "build/site/index.html"

bench: $(READY) engines
	$(BIN)/python -m benchmarks $(BENCH)

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
