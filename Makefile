# Everything runs in .venv, which is made on first use from what pyproject.toml names.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

EMULATORS := tests/emulators
AZURITE := $(EMULATORS)/node_modules/.installed

CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.PHONY: demo registry-data test check docs docs-check unit coverage browser engines bench faults clean

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Regista needs Python 3.11 or newer; run: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,examples]'
	touch $(STAMP)

demo: $(STAMP)  ## train real classifiers and take them through the whole job
	$(BIN)/python examples/demo.py

registry-data: $(STAMP)  ## make the committed registry again: one run of the demo
	rm -rf registry_data
	$(BIN)/python examples/demo.py --registry registry_data

test: check browser unit docs-check  ## everything that CI runs

check: $(STAMP)  ## style, types, layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

browser:  ## the site is tested in Chromium
ifeq ($(CHROMIUM),)
	@test "$$(id -u)" = 0 && command -v apt-get >/dev/null || \
	  { echo "the tests of the site need Chromium: install it, then run make test again"; exit 1; }
	apt-get -qq update
	DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends chromium
endif

$(AZURITE): $(EMULATORS)/package-lock.json  ## Azure's emulator, for the tests alone
	@command -v npm >/dev/null || \
	  { echo "the tests of Azure need Node.js with npm: install it, then run make test again"; exit 1; }
	npm ci --prefix $(EMULATORS) --ignore-scripts --no-audit --no-fund --loglevel error
	touch $@

unit: $(STAMP) $(AZURITE)  ## all tests
	$(BIN)/pytest -n 2 --dist loadgroup

coverage: $(STAMP) $(AZURITE)  ## all tests with branch coverage, which takes them half as long again
	$(BIN)/pytest -n 2 --dist loadgroup --cov --cov-report=term:skip-covered

docs: $(STAMP)  ## write the generated parts of the docs
	$(BIN)/python docs/generate.py

docs-check: $(STAMP)  ## are the generated parts what the code says, and does the site build?
	$(BIN)/python docs/generate.py --check
	# not with --quiet, which makes --strict overlook every warning
	$(BIN)/mkdocs build --strict --site-dir $$(mktemp -d)/site

engines: $(STAMP)  ## Spark reads the tables, too: half a gigabyte and a minute to install, needs Java
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[engines]'
	$(BIN)/pytest tests/engines

bench: $(STAMP)  ## the benchmarks that need no large registry; see benchmarks/README.md
	$(BIN)/python benchmarks/run.py

faults: $(STAMP)  ## kill, fail and cut off everything, and report it in docs/reliability.md
	$(BIN)/python tests/campaigns/faults.py

clean:
	rm -rf $(VENV) .faults $(EMULATORS)/node_modules demo site .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis
