# Two commands do all the set-up on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
BIN = .venv/bin
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test test-all test-stan-oracle check format benchmark benchmark-quick docs clean

run: .venv/installed
	$(BIN)/pathfinder examples/eight_schools.py pathfinder data file=examples/eight_schools.data.json output file=output.csv
	$(BIN)/pathfinder summary output.csv

test: .venv/installed-test
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-all: .venv/installed-test
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile -m "not oracle"

test-stan-oracle: .venv/installed-test .venv/installed-oracle
	$(BIN)/python -m pytest tests/stan/with_stan/test_httpstan.py -m oracle

check: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

format: .venv/installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: .venv/installed-bench
	$(BIN)/python -m benchmarks.accuracy
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.latency

benchmark-quick: .venv/installed-bench
	$(BIN)/python -m benchmarks.latency --quick
	$(BIN)/python -m benchmarks.accuracy --seeds 2
	$(BIN)/python -m benchmarks.speed --quick --section warm paths overhead batch large

docs: .venv/installed-docs
	$(BIN)/mkdocs build --strict

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=...")'
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml
	$(INSTALL) --editable .
	touch $@

.venv/installed-%: .venv/bin/python pyproject.toml
	$(INSTALL) --editable ".[$*]"
	touch $@ .venv/installed

clean:
	rm -rf .venv build site .pytest_cache .ruff_cache *.egg-info
