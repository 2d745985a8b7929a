"""Many rows in one statement, several statements in one round trip."""

import contextlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import orjson
import psycopg
from django.db import connection, models
from django.db.models import QuerySet
from psycopg.generators import send
from psycopg.types.json import set_json_loads

if TYPE_CHECKING:
    from psycopg.abc import PQGen

Row = TypeVar("Row", bound=models.Model)

# Answers of `ask` hold JSON; Django's own fields decode theirs themselves.
set_json_loads(orjson.loads)


class AtOnce(psycopg.Pipeline):
    """A pipeline that sends what was asked when its block ends, or an answer is read.

    psycopg's own sends each statement by itself, which wakes the server once for each: that
    takes longer than most of them.
    """

    unfinished = False

    def _communicate_gen(self) -> "PQGen[None]":
        """Hand the statements to libpq, which sends them where they are many."""
        while self.command_queue:
            self.unfinished = True
            self.command_queue.popleft()()
        yield from ()

    def _sync_gen(self) -> "PQGen[None]":
        """Send all that was asked, and take the answers.

        Nothing where all was answered already: after a commit Django sets the connection back,
        which asks for this again.
        """
        if not (self.command_queue or self.unfinished):
            return
        self._enqueue_sync()
        yield from self._communicate_gen()
        yield from send(self.pgconn)
        yield from self._fetch_gen(flush=False)
        self.unfinished = False

    _exit_gen = _sync_gen


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Send the statements of the block without waiting for the answer of each.

    A fault is raised where an answer is read, at the latest when the block ends.
    """
    connection.ensure_connection()
    raw = connection.connection
    with connection.wrap_database_errors:
        pipeline = raw._pipeline = raw._pipeline or AtOnce(raw)
        try:
            with pipeline:
                yield
        finally:
            if pipeline.level == 0:
                raw._pipeline = None


class _Held(threading.local):
    """How the statements of this thread are planned."""

    planned = False
    is_told = False


_held = _Held()
_BY_INDEX = (
    "SELECT set_config('plan_cache_mode', 'force_generic_plan', true), "
    "set_config('enable_seqscan', 'off', true), "
    "set_config('enable_hashjoin', 'off', true), "
    "set_config('enable_mergejoin', 'off', true)"
)


@contextlib.contextmanager
def planned_by_index() -> Iterator[None]:
    """Have the statements of this transaction planned once, for any values, and by index.

    They stay prepared in their session: to plan them costs more than to run them. A plan is
    kept until statistics are taken anew. Made while a table is small it would read the whole of
    it, also by an index and to join a few rows, and go on doing so while a storm fills it.
    """
    before = _held.planned, _held.is_told
    _held.planned = True
    try:
        yield
    finally:
        _held.planned, _held.is_told = before


def _send(statement: str, values: Sequence[Any], *, binary: bool) -> "psycopg.Cursor[Any]":
    connection.ensure_connection()
    raw = connection.connection
    if _held.planned and not _held.is_told:
        _held.is_told = True
        psycopg.Cursor(raw).execute(_BY_INDEX, prepare=True)
    cursor = psycopg.Cursor(raw)
    return cursor.execute(statement, values, binary=binary, prepare=_held.planned)


def ask(statement: str, values: Sequence[Any]) -> "psycopg.Cursor[Any]":
    """Send a question; its answer comes in PostgreSQL's binary form, which is quick to read.

    A fault is the driver's own where it shows inside the block of a transaction.
    """
    return _send(statement, values, binary=True)


def values_of(wanted: QuerySet[Any, tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the rows of a `values_list` of plain values, asked as by `ask`."""
    with connection.wrap_database_errors:
        return ask(*wanted.query.sql_with_params()).fetchall()


def rows_of(model: type[Row], where: str, values: Sequence[Any]) -> list[Row]:
    """Return the rows of a model's table that the condition lets through, asked as by `ask`."""
    names, columns = _columns(model)
    table = model._meta.db_table
    found = ask(f"SELECT {columns} FROM {table} WHERE {where}", values)  # noqa: S608
    return [model.from_db(connection.alias, names, row) for row in found]


def rows_changed(model: type[Row], statement: str, values: Sequence[Any]) -> list[Row]:
    """Send a statement that changes rows of a model's table; return them as they are then."""
    names, columns = _columns(model)
    with connection.wrap_database_errors:
        found = ask(f"{statement} RETURNING {columns}", values).fetchall()
    return [model.from_db(connection.alias, names, row) for row in found]


@cache
def _columns(model: type[models.Model]) -> tuple[tuple[str, ...], str]:
    fields = model._meta.concrete_fields
    columns = ", ".join(str(field.column) for field in fields)
    return tuple(field.attname for field in fields), columns


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


def copy(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert many rows in half the time that `insert` takes; not inside of `together()`.

    PostgreSQL reads JSON as long as it takes to write the rows, but answers COPY by itself.
    """
    if not rows:
        return
    told = [_in_words(column) for column in zip(*rows, strict=True)]
    lines = "\n".join(map("\t".join, zip(*told, strict=True)))
    connection.ensure_connection()
    names = ", ".join(columns)
    with (
        connection.wrap_database_errors,
        psycopg.Cursor(connection.connection) as cursor,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN") as sink,
    ):
        sink.write(lines + "\n")


_NULL, _ESCAPED = (
    "\\N",
    str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}),
)


def _in_words(column: Sequence[Any]) -> Sequence[str]:
    """Return the values of a column as COPY reads them."""
    kinds = set(map(type, column))
    if kinds == {dict}:
        column = [orjson.dumps(one).decode() for one in column]
    elif not any(issubclass(kind, str) for kind in kinds):
        # Numbers, truths, ids and moments hold nothing that is to be escaped, and no comma.
        words = orjson.dumps(column).decode()[1:-1].replace('"', "")
        return words.replace("null", _NULL).split(",")
    elif type(None) in kinds:
        return [_NULL if one is None else one.translate(_ESCAPED) for one in column]
    told = "".join(column)
    is_plain = not any(sign in told for sign in "\\\t\n\r")
    return column if is_plain else [one.translate(_ESCAPED) for one in column]


def array(values: Iterable[float | UUID | datetime | str | None]) -> str:
    """Return finite numbers, truths, ids and moments as PostgreSQL writes an array.

    Or these in words. A list costs psycopg a hundred times as much.
    """
    written = orjson.dumps([*values], option=orjson.OPT_SERIALIZE_NUMPY).decode()
    return "{" + written[1:-1] + "}"


def texts(values: Iterable[str]) -> str:
    """Return texts in the same way."""
    written = [one.replace("\\", "\\\\").replace('"', '\\"') for one in values]
    return '{"' + '","'.join(written) + '"}' if written else "{}"


def change(statement: str, values: Sequence[Any]) -> int:
    """Send a statement that changes rows, its values as they are; return how many it changed."""
    with connection.wrap_database_errors:
        return _send(statement, values, binary=False).rowcount
