"""Many rows in one statement, several statements in one round trip."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import psycopg
from django.db import connection
from psycopg.generators import send
from psycopg.types.json import set_json_loads

if TYPE_CHECKING:
    from psycopg.abc import PQGen

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
        """Send all that was asked, and take the answers."""
        self._enqueue_sync()
        yield from self._communicate_gen()
        yield from send(self.pgconn)
        yield from self._fetch_gen(flush=False)
        self.unfinished = False

    def _exit_gen(self) -> "PQGen[None]":
        """Do the same, unless all was sent and answered already, as by a commit."""
        if self.command_queue or self.unfinished:
            yield from self._sync_gen()


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


def plan_by_index() -> None:
    """Have the statements of this transaction planned once, for any values, and by index.

    A plan is kept until statistics are taken anew. Made while a table is small it would read
    the whole of it, and go on doing so while a storm fills it.
    """
    ask(
        "SELECT set_config('plan_cache_mode', 'force_generic_plan', true), "
        "set_config('enable_seqscan', 'off', true)",
        [],
    )


def ask(statement: str, values: Sequence[Any]) -> "psycopg.Cursor[Any]":
    """Send a question; its answer comes in PostgreSQL's binary form, which is quick to read.

    The statement stays prepared in its connection: to plan it would cost more than to run it.
    The connection is used directly, so it must be open, as inside a transaction or `together`.
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


def array(values: Iterable[float | UUID | datetime | None]) -> str:
    """Return numbers, truths, ids and moments as PostgreSQL writes an array.

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
