# `make help` lists what can be done. Everything happens in .venv; nothing else on the machine is touched.

SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
STAMP := $(VENV)/.installed
TESTS ?= tests
# Files in their own order: by the number of their tests the few long ones would come last of all,
# and one of the two would wait for the other.
PARALLEL := -n 2 --dist loadfile --no-loadscope-reorder
SOAK ?= tests

.DEFAULT_GOAL := help
.PHONY: help install demo test soak bench lint clean

help: ## list these words
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{printf "  make %-8s %s\n", $$1, $$2}'

install: $(STAMP) ## make .venv and install everything into it

$(STAMP): setup.cfg pyproject.toml
	@test -n "$(PYTHON)" || { echo "oneform needs Python 3.11 or newer; none was found on the PATH" >&2; exit 1; }
	@echo "Installing into $(VENV) (a minute or two) …"
	@$(PYTHON) -m venv $(VENV)
	@{ $(PIP) --upgrade pip && $(PIP) -e '.[dev]'; } >$(VENV)/install.log 2>&1 \
		|| { cat $(VENV)/install.log >&2; exit 1; }
	@touch $(STAMP)

demo: install ## start oneform with a real county and tell its story (PORT=8081)
	@$(BIN)/oneform demo $(if $(PORT),--port $(PORT))

test: install ## run every test that is not marked soak
	@sh scripts/browser-packages.sh
	$(BIN)/python -m pytest -m 'not soak' $(PARALLEL) $(TESTS)

soak: install ## run the tests that take long (SOAK=tests/contract picks some)
	$(BIN)/python -m pytest -m soak $(SOAK)

bench: install ## measure beside the bare engine (BENCH=resolve,export BENCH_SIZE=small)
	@$(BIN)/python -m benchmarks

lint: install ## look at the code: ruff, mypy, the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean: ## remove what the tools left behind
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
