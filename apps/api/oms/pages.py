"""Pages of the open outages, each read with one prepared statement over a connection of our own.

A page says how things stand when its statement runs, its rows and their total alike. It is kept
and said again as long as nothing was committed since; the database tells that for a twentieth
of what a page costs.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Any

import orjson
import psycopg
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from psycopg.types.json import set_json_loads

from apps.api.oms import quick
from apps.core.actor import system
from apps.outages import selectors

NEWEST = ("-first_detected_at", "-number")
MOST_KEPT = 32
PREPARED_AFTER = 2
_reader = system("list of outages")

Window = tuple[int, int]
"""Limit and offset."""

# Which transactions have ended: where that is the same, all that was committed is the same.
_STATE = "SELECT pg_current_snapshot()::text"
_BEGIN = """
SELECT head.*, page.*
FROM (SELECT pg_current_snapshot()::text, (SELECT count(*) FROM ({count}) counted)) head
LEFT JOIN ({page}"""
_END = """) page ON true
ORDER BY page.first_detected_at DESC, page.number DESC
"""


class OpenPages:
    """Reads pages of the open outages; one thread alone may use it."""

    def __init__(self) -> None:
        self.database: BaseDatabaseWrapper | None = None
        self.cursor: psycopg.Cursor[Any] | None = None
        self.statement = ""
        self.kept: dict[Window, tuple[str, bytes]] = {}

    def read(self, windows: Iterable[Window]) -> dict[Window, bytes]:
        """Return the pages as they are now; a connection that was lost is replaced once."""
        wanted = set(windows)
        try:
            return self._read(wanted)
        except psycopg.Error:
            if self.cursor is None or not self.cursor.connection.closed:
                raise
            self.close()
            return self._read(wanted)

    def close(self) -> None:
        """Let go of the connection and of what was read over it."""
        database, self.database, self.cursor, self.kept = self.database, None, None, {}
        if database is not None:
            database.close()

    def _read(self, windows: set[Window]) -> dict[Window, bytes]:
        cursor = self.cursor or self._open()
        (state,) = cursor.execute(_STATE, prepare=True).fetchone() or ("",)
        pages = {window: page for window, page in self.kept.items() if page[0] == state}
        for window in windows - pages.keys():
            pages[window] = self._page(cursor, *window)
        self.kept = dict(islice(pages.items(), MOST_KEPT))
        return {window: pages[window][1] for window in windows}

    def _page(
        self, cursor: psycopg.Cursor[Any], limit: int, offset: int
    ) -> tuple[str, bytes]:
        """Return a page and the state in which it was read."""
        statement = f"{self.statement} LIMIT {limit:d} OFFSET {offset:d}{_END}"
        found = cursor.execute(statement, binary=True).fetchall()
        state, total = found[0][:2]
        rows = [row[2:] for row in found if row[2] is not None]
        return state, quick.page_of(rows, total=total)

    def _open(self) -> psycopg.Cursor[Any]:
        """Connect as Django does, but beside its pool, and make out what to ask."""
        database = connection.copy()
        database.settings_dict["OPTIONS"].pop("pool", None)
        database.connect()
        raw = database.connection
        raw.prepare_threshold = PREPARED_AFTER
        cursor = psycopg.Cursor(raw)
        set_json_loads(orjson.loads, cursor)
        rows = selectors.open_outages(viewer=_reader)
        count = _written(raw, rows.order_by().values_list("pk"))
        page = _written(raw, rows.order_by(*NEWEST).values_list(*quick.COLUMNS))
        self.statement = _BEGIN.format(count=count, page=page)
        self.database, self.cursor = database, cursor
        return cursor


def _written(raw: "psycopg.Connection[Any]", rows: QuerySet[Any]) -> str:
    """Return the query with its values written out: only then a partial index can serve it."""
    return psycopg.ClientCursor(raw).mogrify(*rows.query.sql_with_params())
