#!/bin/sh
# Everything that a machine can hold against the code; all of it runs, then the verdict.
set -u
bin=.venv/bin
failed=""

look() {
    title=$1
    shift
    if said=$("$@" 2>&1); then
        echo "ok      $title"
    else
        printf 'FAILED  %s\n%s\n' "$title" "$said"
        failed="$failed, $title"
    fi
}

# Commands that start Django write nothing of theirs into the real var/.
OMS_VAR=$(mktemp -d)
export OMS_VAR
trap 'rm -rf "$OMS_VAR"' EXIT

look "format" $bin/ruff format --check .
look "lint" $bin/ruff check .
look "types" $bin/mypy
look "floors" $bin/lint-imports
look "templates" $bin/djlint templates --lint
look "migrations" $bin/python manage.py makemigrations --check --dry-run
look "API description" $bin/python manage.py spectacular --validate --fail-on-warn --file /dev/null
[ -z "$failed" ] || { echo "make check: ${failed#, }" >&2; exit 1; }
