# Everything here may be run again at any time; what is done already is not done again.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
ISSUE ?=

# One thread a library: tests and runs use processes and dask where they want more.
export OMP_NUM_THREADS ?= 2
export OPENBLAS_NUM_THREADS ?= 2
export MKL_NUM_THREADS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test acceptance bench lint types imports cards wheel clean

help: ## Say what there is to make
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "climbench needs Python 3.11 or newer; name one with make PYTHON=..."; exit 1; }
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.base: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing climbench (base: no torch) into $(VENV)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@echo "Installing what the tests and checks need into $(VENV)"
	@$(PIP) --editable '.[dev]'
	@touch $@

demo: $(VENV)/.base ## Score the baselines of ClimateBench (simulated data if the real is not here)
	@echo "Running: climbench run --task climatebench"
	@$(BIN)/climbench run --task climatebench

test: $(VENV)/.dev ## Run all tests
	@echo "Running the tests"
	@$(BIN)/python -m pytest

acceptance: $(VENV)/.dev ## Run what issues ask to be shown (ISSUE=NN for one)
	@echo "Running the acceptance tests $(if $(ISSUE),of issue $(ISSUE))"
	@$(BIN)/python -m pytest -s $(if $(ISSUE),tests/acceptance/test_issue_$(shell printf '%02d' $(ISSUE)).py,tests/acceptance)

bench: $(VENV)/.dev ## Measure speed and memory; writes bench.json
	@echo "Measuring; ratios go to bench.json"
	@$(BIN)/python -m pytest -s tests/performance

lint: $(VENV)/.dev ## Check style and format
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.dev ## Check types
	@$(BIN)/mypy climbench

imports: $(VENV)/.dev ## Check that imports go up the layers only
	@$(BIN)/lint-imports

cards: $(VENV)/.base ## Write the README of each folder of cards
	@$(BIN)/python -m climbench.cards

wheel: $(VENV)/.dev ## Build the wheel into dist/
	@$(BIN)/python -m build --wheel

clean: ## Remove what was made here (not downloaded data)
	@rm -rf $(VENV) dist build bench.json runs .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
