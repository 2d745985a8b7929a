# The commands of this project: `make run`, `make test`, `make check`, `make bench`, `make clean`.
# They need nothing but make and Python 3.11 or later with its venv module.

VENV := .venv
PYTHON := $(VENV)/bin/python
UV := 0.13.9

# A stamp carries the hash of what it was made from: a fresh checkout does not disturb it.
hash = $(shell cat $(1) 2>/dev/null | sha256sum | cut -c1-16)
RUNTIME := requirements.txt requirements-demo.txt requirements-assets.txt
INSTALLED := $(VENV)/installed-$(call hash,$(RUNTIME))
FOR_TESTS := $(VENV)/for-tests-$(call hash,$(RUNTIME) requirements-dev.txt)

# Compiled modules make every start faster.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test check bench assets install install-tests clean

help:
	@echo "make run     start the portal with its demo data (PORT moves it from 9100)"
	@echo "make test    run every test"
	@echo "make check   format, lint, types, floors, templates, migrations, API description"
	@echo "make bench   measure, beside the peers (half an hour; ARGS=--quick a minute)"
	@echo "make clean   remove what was built; the data in var/ stays"

run: assets
	@exec $(PYTHON) manage.py up --demo

install: $(INSTALLED)

install-tests: $(FOR_TESTS)

assets: $(INSTALLED)
	@NODE_USE_SYSTEM_CA=1 $(PYTHON) tools/assets.py

test: $(FOR_TESTS) assets
	@sh tools/install_chromium.sh
	@$(PYTHON) -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile $(ARGS)

check: $(FOR_TESTS) assets
	@sh tools/check.sh

bench: $(FOR_TESTS) assets
	@$(PYTHON) -m benchmarks $(ARGS)
	@$(if $(ARGS),,for one in storm scale held; do $(PYTHON) -m benchmarks.$$one || exit 1; done)

clean:
	rm -rf $(VENV) build node_modules staticfiles .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/made:
	@sh tools/make_venv.sh $(VENV)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check uv==$(UV)
	@touch $@

$(INSTALLED): $(VENV)/made
	@echo "Installing what the portal runs on"
	@sh tools/install.sh -r requirements.txt -r requirements-assets.txt
	@sh tools/install.sh --no-deps -r requirements-demo.txt
	@rm -f $(VENV)/installed-* && touch $@

$(FOR_TESTS): $(INSTALLED)
	@echo "Installing what the tests need"
	@sh tools/install.sh -r requirements-dev.txt
	@rm -f $(VENV)/for-tests-* && touch $@
