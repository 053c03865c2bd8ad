# Every target sets up what it needs. Start with `make demo`; `make down` stops everything.
PYTHON ?= python3
VENV := .venv/bin

.PHONY: help setup demo down test lint bench fuzz trials

help:
	@echo "make demo   one whole campaign against a lab on this machine; leaves the stack up"
	@echo "make down   stop everything"
	@echo "make test   the whole suite on real servers"
	@echo "make lint   ruff, mypy, import-linter, size gate, plugin conformance"
	@echo "make bench  measures into bench/results.json"
	@echo "make fuzz   10,000 damaged outputs and bombs against the parsers"
	@echo "make trials kills, outages, cancelling, doubled requests: campaigns end as if nothing had happened"

setup:
	@$(PYTHON) scripts/setup.py

demo: setup
	@$(VENV)/python -m cli demo

down: setup
	@$(VENV)/python -m cli down

test: setup
	$(VENV)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

lint: setup
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/mypy
	$(VENV)/lint-imports
	$(VENV)/python scripts/size_gate.py
	$(VENV)/python -m pytest -q tests/architecture

bench: setup
	$(VENV)/python -m bench

fuzz: setup
	$(VENV)/python -m bench.fuzz

trials: setup
	$(VENV)/python -m bench.trials
