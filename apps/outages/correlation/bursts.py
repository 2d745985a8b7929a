"""Cut the losses of one part into bursts that may have one cause."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

GAP = 45.0
LONGEST = 150.0
LEAST_GAP = 3.0
AROUND = 25.0


def cut(times: Sequence[float]) -> list[tuple[int, int]]:
    """Return the bursts as [first, last) of the sorted times.

    A pause of more than `GAP` seconds ends a burst. One that lasts too long, because lone
    reports bridge the pauses, is cut where the fewest reports are around a pause.
    """
    found: list[tuple[int, int]] = []
    first = 0
    for index in range(1, len(times) + 1):
        if index == len(times) or times[index] - times[index - 1] > GAP:
            found += _shorten(times, first, index)
            first = index
    return found


def _shorten(times: Sequence[float], first: int, last: int) -> list[tuple[int, int]]:
    done, waiting = [], [(first, last)]
    while waiting:
        start, end = waiting.pop()
        at = _quietest(times, start, end) if times[end - 1] - times[start] > LONGEST else -1
        if at < 0:
            done.append((start, end))
        else:
            waiting += [(start, at), (at, end)]
    return sorted(done)


def _quietest(times: Sequence[float], start: int, end: int) -> int:
    """Return before which report the burst is cut best, or -1."""
    best, found = (len(times) + 1, 0.0), -1
    for index in range(start + 1, end):
        pause = times[index] - times[index - 1]
        if pause < LEAST_GAP:
            continue
        middle = times[index] - pause / 2
        around = bisect_right(times, middle + AROUND, start, end)
        around -= bisect_left(times, middle - AROUND, start, end)
        if (around, -pause) < best:
            best, found = (around, -pause), index
    return found
