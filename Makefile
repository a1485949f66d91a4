# make run     makes its own environment, answers the story of the embedded case, writes the report
# make test    the same environment with the tools for checking, then the tests
# make check   format, lint, types, import layers
# make bench   speed, as ratios measured in one run
# make format  rewrite the sources in the project's format
# make locks   pin every dependency again (needs uv)

PYTHON := $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
CASE ?= ampere
MARK ?= not slow
PYTEST_ARGS ?=

.PHONY: run test check bench format locks clean

run: $(VENV)/.package
	@$(BIN)/keiretsu run $(CASE)

test: $(VENV)/.package-dev
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -m "$(MARK)" -n 2 --dist loadfile $(PYTEST_ARGS)

check: $(VENV)/.package-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

bench: $(VENV)/.package-dev
	@set -e; for script in benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python $$script; done

format: $(VENV)/.package-dev
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

locks:
	uv pip compile pyproject.toml --extra dev --python-version 3.11 --generate-hashes \
		--no-annotate --no-header -o requirements-dev.lock.txt
	uv pip compile pyproject.toml --extra build --python-version 3.11 --generate-hashes \
		--no-annotate --no-header -c requirements-dev.lock.txt -o requirements.lock.txt

clean:
	rm -rf $(VENV)

# Stamps: an install is done again only when what it was made from has changed.
$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found on the path."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: requirements.lock.txt | $(VENV)/.made
	$(PIP) install --quiet --require-hashes -r requirements.lock.txt
	@touch $@

$(VENV)/.dev: requirements-dev.lock.txt | $(VENV)/.made
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock.txt
	@touch $@

$(VENV)/.package: pyproject.toml $(VENV)/.runtime
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.package-dev: pyproject.toml $(VENV)/.dev
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.runtime $(VENV)/.package
