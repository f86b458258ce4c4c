# Every target may be run again at any time: what is done already is not done again.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --progress-bar off --constraint constraints.txt
DIGITS := 0 1 2 3 4 5 6 7 8 9
ISSUE ?=
SHOWN := tests/acceptance$(if $(ISSUE),/test_issue_$(if $(filter $(DIGITS),$(ISSUE)),0)$(ISSUE)*.py)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Two installs into one environment would race, and timings want the machine to themselves: `make -j` changes nothing.
.NOTPARALLEL:
.PHONY: help demo test acceptance bench lint types imports cards wheel clean

# dask already runs one thread a core; libraries that start their own beside it would oversubscribe the machine.
test acceptance bench: export OMP_NUM_THREADS ?= 1
test acceptance bench: export OPENBLAS_NUM_THREADS ?= 1
test acceptance bench: export MKL_NUM_THREADS ?= 1
test acceptance bench: export NUMEXPR_NUM_THREADS ?= 1
test acceptance bench: export MPLBACKEND := Agg

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "climbench needs Python 3.11 or newer, and $(PYTHON) is: $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Name another one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)

# An environment whose making was killed half-way may have Python and no pip: the first line mends that.
$(VENV)/.base: $(BIN)/python pyproject.toml constraints.txt
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade --default-pip >/dev/null
	@echo "Installing climbench (base: no torch) into $(VENV)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@echo "Installing what the tests and checks need into $(VENV)"
	@$(PIP) --editable '.[dev,models]'
	@touch $@

demo: $(VENV)/.base ## Score ClimateBench's baselines (on simulated data if the real is not here)
	@echo "Running: climbench run --task climatebench"
	@$(BIN)/climbench run --task climatebench

test: $(VENV)/.dev ## Run all tests
	@echo "Running the tests"
	@$(BIN)/python -m pytest --ignore=tests/acceptance --ignore=tests/performance

acceptance: $(VENV)/.dev ## Run what the issues ask to be shown (ISSUE=7: that one's only)
	@echo "Running $(SHOWN)"
	@$(BIN)/python -m pytest -s $(SHOWN)

bench: $(VENV)/.dev ## Measure speed and memory, and write bench.json
	@echo "Measuring; the ratios go to bench.json"
	@$(BIN)/python -m pytest -s tests/performance

lint: $(VENV)/.dev ## Check style and format
	@echo "Checking style and format"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.dev ## Check types
	@echo "Checking types"
	@$(BIN)/mypy climbench

imports: $(VENV)/.dev ## Check that imports go up the layers only
	@echo "Checking the layers of imports"
	@$(BIN)/lint-imports

cards: $(VENV)/.base ## Write the README of each folder of cards
	@echo "Writing datasets/README.md, models/README.md and benchmarks/README.md"
	@$(BIN)/python -m climbench.cards

wheel: $(VENV)/.dev ## Build the wheel into dist/
	@echo "Building the wheel into dist/"
	@$(BIN)/python -m build --wheel --outdir dist .

clean: ## Remove what was made here (downloaded data stay)
	@echo "Removing the environment, builds, runs and caches"
	@rm -rf $(VENV) dist build runs bench.json .coverage htmlcov .benchmarks .hypothesis \
		.pytest_cache .mypy_cache .ruff_cache .import_linter_cache
