#!/bin/sh
# Make the virtual environment $1 with the first Python that is new enough and has venv.
set -eu
for name in ${PYTHON3:-} python3.11 python3.12 python3.13 python3 python; do
    found=$(command -v "$name" 2>/dev/null) || continue
    "$found" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
        2>/dev/null || continue
    exec "$found" -m venv "$1"
done
echo "Python 3.11 or later with its venv module is needed (Debian: apt install python3-venv)." >&2
exit 1
