"""Many rows in one statement, several statements in one round trip."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import psycopg
from django.db import connection
from psycopg.types.json import set_json_loads

# Answers of `ask` hold JSON; Django's own fields decode theirs themselves.
set_json_loads(orjson.loads)


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Send the statements of the block without waiting for the answer of each.

    A fault is raised where an answer is read, at the latest when the block ends.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def ask(statement: str, values: Sequence[Any]) -> "psycopg.Cursor[Any]":
    """Send a question; its answer comes in PostgreSQL's binary form, which is quick to read.

    The statement stays prepared in its connection: to plan it would cost more than to run it.
    Only inside a transaction, because the connection is used directly.
    """
    cursor = psycopg.Cursor(connection.connection)
    return cursor.execute(statement, values, binary=True, prepare=True)


def insert(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert the rows in one statement."""
    records = [dict(zip(columns, row, strict=True)) for row in rows]
    if not records:
        return
    names = ", ".join(columns)
    change(
        f"INSERT INTO {table} ({names}) SELECT {names} "  # noqa: S608 - names of our own
        f"FROM json_populate_recordset(NULL::{table}, %s::json)",
        [orjson.dumps(records).decode()],
    )


def array(values: Iterable[int | UUID | datetime | None]) -> str:
    """Return numbers, ids and moments as PostgreSQL writes an array.

    A list costs psycopg ten times as much.
    """
    return "{" + ",".join(["NULL" if one is None else f'"{one}"' for one in values]) + "}"


def texts(values: Iterable[str]) -> str:
    """Return texts in the same way."""
    written = [one.replace("\\", "\\\\").replace('"', '\\"') for one in values]
    return '{"' + '","'.join(written) + '"}' if written else "{}"


def change(statement: str, values: Sequence[Any]) -> int:
    """Send a statement that changes rows, its values as they are; return how many it changed.

    The statement stays prepared, as that of a question.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = psycopg.Cursor(connection.connection)
        return cursor.execute(statement, values, prepare=True).rowcount
