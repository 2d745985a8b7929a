"""Who has power and who stayed dark: what the hypotheses say of the tree at a moment."""

from bisect import bisect_left, insort
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import inf, log

from apps.outages.correlation.evidence import Signal
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.live import Live
from apps.outages.correlation.state import CLOCKS, FREED, Part

TOLD_BACK = 0.2
"""The share of its meters that tells that a device feeds again."""

SMALLEST = 3
"""Meters below a device at which its silence says that it stayed dark."""

SILENT_RETURN = 1.5
"""What it costs that a meter which reported the loss has not told its return yet, in nats."""

SURE = 4.6
"""How much less likely chance must be, in nats."""

LEAST_SHARE = 1e-4
SMALL_PART = 0.2
"""The share up to which a part that stayed dark is an outage of its own."""


@dataclass(slots=True)
class Darkness:
    """Answers from the part's hypotheses.

    `waiting` are those to be looked at again, and when, `due` is when the first is.
    """

    part: Part
    waiting: list[tuple[float, Hypothesis]] = field(default_factory=list)
    due: float = inf

    def live(self, at: float, known: Mapping[int, Hypothesis]) -> Live:
        """Return how many meters below each device have power."""
        lit = [self.part.devices.span(edge) for edge in known]
        dark = [
            span
            for span in self._dark_spans(at, known)
            if not any(span[0] <= first and last <= span[1] for first, last in lit)
        ]
        return Live(self.part.devices, dark)

    def _dark_spans(
        self, at: float, known: Container[int]
    ) -> list[tuple[int, int, Sequence[int]]]:
        """Return the spans of the tree in the dark with where some are back, the widest first."""
        spans: list[tuple[int, int, Sequence[int]]] = []
        for held in self.part.by_edge.values():
            if held.node < 0 or held.since > at or held.shrunk or held.edge in known:
                continue
            if not held.is_over(at):
                spans.append((*self.part.devices.span(held.edge), self._places(held)))
            else:
                spans += [(first, last, ()) for first, last in held.remains]
        return sorted(spans, key=lambda span: (span[0], -span[1]))

    def expect(self, held: Hypothesis, at: float) -> None:
        """Look soon at what stayed dark; most are back since then."""
        self.waiting.append((at + CLOCKS, held))
        self.due = min(self.due, at + CLOCKS)

    def settle_until(self, at: float) -> None:
        """See what stayed dark where most were back a while ago."""
        if at < self.due:
            return
        due = [entry for entry in self.waiting if entry[0] <= at]
        self.waiting = [entry for entry in self.waiting if entry[0] > at]
        self.due = min((entry[0] for entry in self.waiting), default=inf)
        for _, held in sorted(due, key=lambda entry: (entry[0], entry[1].edge)):
            self._settle(held)

    def _settle(self, held: Hypothesis) -> None:
        if held.settled:
            return
        held.settled = True
        over = held.over_at
        if held.edge < 0 or over is None:
            return
        if len(held.back) < max(2.0, TOLD_BACK * self.awaited(held, over)):
            return
        dark = self._tops(held, self._kept(held, over))
        for edge in self.part.devices.known(list(dark)):
            other = self.part.by_edge.get(edge)
            if other is not None and other is not held and self._is_known(other, held):
                continue
            if self._is_of_its_own(held, edge, dark):
                self._part(held, edge, dark[edge])
            else:
                self._remain(held, edge, len(dark[edge]))

    def _remain(self, held: Hypothesis, edge: int, reporters: int) -> None:
        """Let the part below the device stay dark; a large one, where SCADA closed, is a step."""
        span = self.part.devices.span(edge)
        held.remains.append(span)
        is_large = reporters >= SMALLEST and self._share(held, edge) > SMALL_PART
        if is_large and self._feeds_again(held):
            held.steps[span] = edge

    def _share(self, held: Hypothesis, edge: int) -> float:
        """Return the share of the device's meters that hang below another one."""
        return self.part.devices.size(edge) / max(self.part.devices.size(held.edge), 1)

    def _feeds_again(self, held: Hypothesis) -> bool:
        """Return whether SCADA closed the device, and none above it explains who is still dark."""
        closed = held.closed_at
        return closed is not None and not self.part.open_above(held, closed)

    def _is_of_its_own(
        self, held: Hypothesis, edge: int, dark: Mapping[int, Sequence[int]]
    ) -> bool:
        """Return whether what stayed dark is an outage of its own and no step of this one.

        The device is closed, so something below it is open, unless a device above it keeps all
        in the dark: a step is the one large part that is switched later. That so many reporters
        are silent must be no chance, in nats.
        """
        if not self._feeds_again(held):
            return False
        share = self._share(held, edge)
        if len(dark) == 1 and share > SMALL_PART:
            return False
        return len(dark[edge]) * SILENT_RETURN >= SURE - log(max(share, LEAST_SHARE))

    def _tops(
        self, held: Hypothesis, kept: Sequence[tuple[int, int]]
    ) -> dict[int, list[int]]:
        """Return the uppermost devices below which nobody is back, with who reported there.

        Who hangs in the `kept` spans is in the dark because of what is open there.
        """
        lit = self._lit(held)
        tops: dict[tuple[int, ...], int] = {}
        dark: dict[int, list[int]] = {}
        for meter in held.lost:
            if meter in held.back or (kept and self._is_within(held.nodes[meter], kept)):
                continue
            chain = self.part.devices.above(held.nodes[meter])
            top = tops.get(chain)
            if top is None:
                top = tops[chain] = self._top(chain, held, lit)
            if top >= 0:
                dark.setdefault(top, []).append(meter)
        return dark

    def _top(self, chain: Sequence[int], held: Hypothesis, lit: Container[int]) -> int:
        """Return the last of these devices before a lit one, or -1: none, or a small one."""
        top = -1
        for edge in chain:
            if edge == held.edge or edge in lit:
                break
            top = edge
        return top if top >= 0 and self.part.devices.size(top) >= SMALLEST else -1

    @staticmethod
    def _is_known(other: Hypothesis, held: Hypothesis) -> bool:
        """Return whether the other says already what is dark, or was, until `held` was over."""
        if not other.settled or other.over_at is None or held.over_at is None:
            return True
        return other.over_at >= held.over_at - CLOCKS

    def awaited(self, held: Hypothesis, at: float) -> int:
        """Return how many of its reporters no open device below keeps in the dark."""
        if not held.inner:
            return len(held.lost)
        if len(held.lost_places) != len(held.lost):
            position = self.part.devices.position
            held.lost_places = sorted(position(held.nodes[m]) for m in held.lost)
        places, until, count = held.lost_places, 0, len(held.lost)
        for first, last in self._kept(held, at):
            if first >= until:
                count -= bisect_left(places, last) - bisect_left(places, first)
                until = last
        return count

    def _kept(self, held: Hypothesis, at: float) -> list[tuple[int, int]]:
        """Return the spans of the devices below that are still open, the wider first."""
        spans = [self.part.devices.span(h.edge) for h in held.inner if not h.is_over(at)]
        return sorted(spans, key=lambda span: (span[0], -span[1]))

    def _is_within(self, node: int, spans: Sequence[tuple[int, int]]) -> bool:
        position = self.part.devices.position(node)
        return any(first <= position < last for first, last in spans)

    def _lit(self, held: Hypothesis) -> set[int]:
        """Return the devices below which enough meters said that power is back."""
        devices = self.part.devices
        told = devices.count(held.nodes[meter] for meter in held.back)
        return {e for e, n in told.items() if n >= TOLD_BACK * devices.size(e)}

    def _part(self, held: Hypothesis, edge: int, meters: Sequence[int]) -> None:
        """Open what stayed dark below the closed device as an outage of its own."""
        part = self.part.open(edge, held.since, parent=held)
        for meter in meters:
            part.lost[meter] = held.lost.pop(meter)
            part.nodes[meter] = held.nodes[meter]

    def lighten(self, held: Hypothesis, at: float) -> None:
        """Take off the parts that had stayed dark and that most now say are fed again."""
        self._relight(held, self._places(held), TOLD_BACK, 1.0, at)

    def _places(self, held: Hypothesis) -> list[int]:
        """Return where those who are back hang, sorted."""
        for meter in islice(held.back, len(held.places), None):
            insort(held.places, self.part.devices.position(held.nodes[meter]))
        return held.places

    def forget(self, losses: Sequence[Signal]) -> None:
        """What reports a loss had power: it was not among what had stayed dark."""
        partly = [h for h in self.part.found if h.remains]
        if not partly:
            return
        places = sorted(self.part.devices.position(loss.node) for loss in losses)
        for held in partly:
            self._relight(held, places, FREED, 2.0, losses[0].at)

    def _relight(
        self,
        held: Hypothesis,
        places: Sequence[int],
        share: float,
        fewest: float,
        at: float,
    ) -> None:
        """Take off the parts of which such a share, and so many, speak from these places."""
        for first, last in list(held.remains):
            count = bisect_left(places, last) - bisect_left(places, first)
            if count >= max(fewest, share * self.part.devices.meters_between(first, last)):
                held.remains.remove((first, last))
                held.relit.append((first, last, at))
