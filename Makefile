# Four commands matter: `make demo`, `make check` (all that takes a minute), `make test` (everything but the page) and
# `make test-ui` (the page). Each sets up what it needs in .venv.

PYTHON ?= python3
BIN := .venv/bin
PHOTO ?=
# HASHES=yes takes no file but those whose hashes stand in constraints.txt: of Python 3.11 on Linux x86-64, torch for the
# CPU. Elsewhere, and by default, its versions alone are taken.
HASHES ?= no
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: setup demo lint check test test-ui screenshots format docs fuzz sbom

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
ifeq ($(HASHES),yes)
	$(PIP) install --require-hashes --requirement constraints.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
else
	sed '/--hash=/d; s/ *\\$$//' constraints.txt > .venv/versions.txt
	$(PIP) install --constraint .venv/versions.txt --editable '.[train,dev]'
endif
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
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "not slow and not browser"

test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

# The page in a real browser, which is installed where there is none and this is Debian or Ubuntu: two minutes.
test-ui: setup chromium
	$(BIN)/python -m pytest -m browser tests/page

# The pictures in docs/page.md.
screenshots: setup chromium
	$(BIN)/python -m tests.page.screenshots

.PHONY: chromium
chromium: setup
	$(BIN)/python -m tests.page.window || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; }

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The documentation as a site in site/, with every signature of the API; a broken link or name is an error.
docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Ten minutes on two cores: 10,000 damaged photos, 1,000 damaged weights and run folders; `--seed` in them for others.
fuzz: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz.photos --count 10000 --seed 0
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz.weights --count 1000 --seed 0

# What is installed, as a CycloneDX bill of materials: sbom.json. Its program has an environment of its own.
sbom: setup
	test -x .venv/sbom/bin/cyclonedx-py || $(PYTHON) -m venv .venv/sbom
	.venv/sbom/bin/python -m pip install --quiet --disable-pip-version-check cyclonedx-bom==7.5.0
	.venv/sbom/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file sbom.json $(BIN)/python
