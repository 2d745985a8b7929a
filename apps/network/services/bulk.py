"""Fill an empty table fast: its indexes and foreign keys are made anew after the rows."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

LARGE = 50_000

_KEYS = (
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE conrelid = %s::regclass AND contype IN ('f', 'u') ORDER BY contype DESC, conname"
)
_INDEXES = (
    "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index i "
    "WHERE indrelid = %s::regclass AND NOT indisprimary AND NOT EXISTS "
    "(SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid) ORDER BY 1"
)
_OURS = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = %s::regclass"


@contextmanager
def filled(table: str, rows: int) -> Iterator[None]:
    """Fill the table within; an empty one gets its indexes and keys back afterwards.

    Their definitions come from the catalogue, so that they are the same as before. A table
    that has rows, gets only a few, or belongs to another role is left as it is.
    """
    if rows < LARGE or not _is_empty(table) or not _one(_OURS, table):
        yield
        return
    # PostgreSQL alters no table that has checks waiting for the end of the transaction.
    _run("SET CONSTRAINTS ALL IMMEDIATE")
    _run("SET CONSTRAINTS ALL DEFERRED")
    keys, indexes = _pairs(_KEYS, table), _pairs(_INDEXES, table)
    for name, _ in keys:
        _run(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for name, _ in indexes:
        _run(f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        _run(definition)
    for name, definition in keys:
        _run(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')


def _is_empty(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT NOT EXISTS (SELECT 1 FROM {table})")  # noqa: S608
        return bool(cursor.fetchone()[0])


def _one(query: str, table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(query, [table])
        row = cursor.fetchone()
    return bool(row and row[0])


def _pairs(query: str, table: str) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(query, [table])
        return list(cursor.fetchall())


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
