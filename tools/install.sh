#!/bin/sh
# Install packages into the virtual environment: with uv, and where it cannot, with pip.
set -eu
VIRTUAL_ENV=$PWD/.venv
export VIRTUAL_ENV
.venv/bin/python -m uv pip install --quiet --system-certs --compile-bytecode "$@" ||
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"
