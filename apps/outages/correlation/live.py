"""How many meters below a device have power at a moment, when parts of the tree are in the dark."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from apps.outages.correlation.parts import Devices


class Live(dict[int, int]):
    """The number of live meters by device, counted when it is asked for first.

    `dark` are the spans of the tree in the dark, [first, last), with the positions of the meters
    there that are back, sorted; the widest first where several begin at one position. Spans of
    devices lie in each other or apart: only the outermost are kept.
    """

    def __init__(
        self, devices: Devices, dark: Iterable[tuple[int, int, Sequence[int]]]
    ) -> None:
        self._devices = devices
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self._back: list[Sequence[int]] = []
        self._gone: list[int] = []
        until = 0
        for first, last, back in dark:
            if first >= until:
                self._firsts.append(first)
                self._lasts.append(last)
                self._back.append(back)
                self._gone.append(devices.meters_between(first, last) - len(back))
                until = last

    def __missing__(self, edge: int) -> int:
        live = self._devices.size(edge)
        if self._firsts:
            live = self._lit(live, *self._devices.span(edge))
        self[edge] = live
        return live

    def surely(self, edge: int) -> int:
        """Return how many are known to have power below a device where nobody reports a loss."""
        if self._firsts:
            first, last = self._devices.span(edge)
            back = self._back_around(first, last)
            if back is not None:
                return bisect_left(back, last) - bisect_left(back, first)
        return self[edge]

    def _back_around(self, first: int, last: int) -> Sequence[int] | None:
        """Return who is back in the dark span that has all of this one, None without such."""
        around = bisect_right(self._firsts, first) - 1
        return self._back[around] if around >= 0 and last <= self._lasts[around] else None

    def _lit(self, size: int, first: int, last: int) -> int:
        """Return how many of the meters in the span of a device have power."""
        back = self._back_around(first, last)
        if back is not None:
            return min(size, len(back))
        begin, end = bisect_left(self._firsts, first), bisect_left(self._firsts, last)
        return size - max(0, sum(self._gone[begin:end])) if begin < end else size
