# Three commands matter: `make demo`, `make check` (all that takes a minute) and `make test` (everything). Each sets up
# what it needs in .venv.

PYTHON ?= python3
BIN := .venv/bin
PHOTO ?=

.PHONY: setup demo lint check test format

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[train,dev]'
	touch .venv/ready

# Restores a photo offline and writes demo/before_after.png: PHOTO=path for one of your own.
demo: setup
	$(BIN)/python examples/demo.py $(PHOTO)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

# Lint, types and the quick tests: what to run before every commit, under 90 s on two cores.
check: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "not slow"

test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
