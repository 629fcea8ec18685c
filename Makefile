# The two commands of the README are `make demo` and `make test`; everything sets itself up.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON := .venv/bin/python
export PYTHONUNBUFFERED = 1

.PHONY: help setup demo up test check bench upgrade clean

help:
	@echo "make demo    issue a card, tap it, prove it, and see clone, impostor and lost card refused"
	@echo "make up      the same programs kept running; their addresses are printed"
	@echo "make test    the whole test suite (ARGS=... for some)"
	@echo "make check   format, lint, types, import contracts"
	@echo "make bench   every published figure (ONLY=pattern for some; ONLY=million for what takes long)"
	@echo "make upgrade the newest Python packages that setup.cfg allows, into constraints.txt; then: make check test"

setup:
	@bash monitoring/machine_setup.sh

demo: setup
	@$(PYTHON) -m monitoring demo

up: setup
	@$(PYTHON) -m monitoring up

# Files of tests side by side, one a core; then what measures a time, with nothing beside it.
test: setup
ifdef ARGS
	@$(PYTHON) -m pytest $(ARGS)
else
	@$(PYTHON) -m pytest -n $(shell nproc) --dist loadfile --no-loadscope-reorder -m 'not alone'
	@$(PYTHON) -m pytest -m alone
endif

check: setup
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports --config setup.cfg

bench: setup
	@$(PYTHON) -m tests.benchmarks $(if $(ONLY),--only '$(ONLY)')

upgrade: setup
	@.venv/bin/pip install -q --upgrade --upgrade-strategy eager --config-settings editable_mode=compat \
		-e '.[agent,server,kit,dev]'
	@.venv/bin/pip freeze --exclude-editable > constraints.txt

clean:
	rm -rf .venv .run build *.egg-info
