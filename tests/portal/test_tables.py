"""Lists as files: what a spreadsheet reads back is text and numbers, never a formula."""

import csv
import io
from decimal import Decimal

import pytest

from apps.portal.tables import csv_of

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("rest", ["cmd|' /C calc'!A0", "1+1", '"', 'HYPERLINK("x")', ""])
def test_no_cell_begins_like_a_formula(start, rest):
    text = b"".join(csv_of("x", ["a"], [[start + rest]])).decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows == [["a"], ["'" + start + rest]]


def test_numbers_stay_numbers_and_parts_are_json():
    row = [-3, Decimal("-0.50"), 2.5, None, {"état": [1, None]}, ["=1"], True]
    text = b"".join(csv_of("x", ["a"], [row])).decode()
    assert list(csv.reader(io.StringIO(text)))[1] == [
        "-3", "-0.50", "2.5", "", '{"état": [1, null]}', '["=1"]', "True",
    ]  # fmt: skip


@pytest.mark.asyncio
async def test_the_first_lines_leave_before_the_last_are_read():
    read = []

    def rows():
        for number in range(5_000):
            read.append(number)
            yield (number,)

    answer = csv_of("x", ["a"], rows())
    assert answer.is_async
    pieces = aiter(answer)
    assert (await anext(pieces)).startswith(b"a\r\n0\r\n")
    assert len(read) < 1_000
    assert b"".join([piece async for piece in pieces]).endswith(b"\r\n4999\r\n")
