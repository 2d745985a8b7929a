"""Lists as files: streamed, and harmless to the spreadsheet that opens them."""

import csv
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from decimal import Decimal

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

# So many lines are sent in one piece: a piece for each would cost more than the reading.
TOGETHER = 500
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


class Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        """Return the text."""
        return text


def csv_of(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> StreamingHttpResponse:
    """Return the rows as a file to keep, written as they are read.

    The pieces are read one by one in the request's own thread: what hands a plain iterator to
    the server has all of it read before the first piece leaves.
    """
    pieces = _sent(_lines(columns, rows))
    answer = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def _lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    writer = csv.writer(Echo())
    lines = [writer.writerow(columns)]
    for row in rows:
        lines.append(writer.writerow([harmless(cell) for cell in row]))
        if len(lines) == TOGETHER:
            yield "".join(lines)
            lines.clear()
    yield "".join(lines)


async def _sent(pieces: Iterator[str]) -> AsyncIterator[str]:
    read = sync_to_async(lambda: next(pieces, None))
    while (piece := await read()) is not None:
        yield piece


def harmless(cell: object) -> str:
    """Return the cell as text that no spreadsheet takes for a formula.

    Numbers stay numbers, below zero too; what has parts is written as JSON.
    """
    if cell is None:
        return ""
    if isinstance(cell, int | float | Decimal):
        return str(cell)
    if isinstance(cell, dict | list):
        cell = json.dumps(cell, ensure_ascii=False)
    text = str(cell)
    return f"'{text}" if text[:1] in FORMULAS else text
