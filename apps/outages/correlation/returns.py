"""Devices that trip and close by SCADA's word, and meters that come back."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.outages.correlation.darkness import SMALLEST, TOLD_BACK, Darkness
from apps.outages.correlation.evidence import Signal
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.state import CLOCKS, Part

FADES = 0.5
"""The share of its reporters with whose return an outage is over for most."""

SETTLES = 120.0
"""Seconds within which the returns that belong to one moment are heard."""

PROMPT = 10.0
"""Seconds within which a meter tells that power is back."""

REPEATS = 600.0
"""Seconds within which a second return of a meter is a repetition."""


@dataclass(slots=True)
class Returns:
    """Places what devices and meters say when power comes back, and SCADA's trips."""

    part: Part
    darkness: Darkness

    def trip(self, index: int, signal: Signal) -> None:
        """SCADA, or somebody, says that the device opened."""
        held = self.part.by_edge.get(signal.edge)
        if held is None or held.is_over(signal.at):
            held = self.part.open(signal.edge, signal.at)
            self._nest(held, signal.at)
        held.named = True
        held.events.append(index)

    def _nest(self, held: Hypothesis, at: float) -> None:
        """Tell what is open above that the device opened in its dark."""
        for above in self.part.open_above(held, at):
            above.inner.append(held)

    def close(self, index: int, signal: Signal) -> None:
        """SCADA, or somebody, says that the device closed."""
        held = self.part.by_edge.get(signal.edge)
        if held is None or held.closed_at is not None or signal.at < held.since:
            return
        held.events.append(index)
        held.close(signal.at)
        _widen(held, signal.at)
        self.darkness.expect(held, signal.at)

    def up(self, index: int, signal: Signal) -> None:
        """A meter says that it has power."""
        held = self._returning(signal)
        if held is not None:
            self._gain(held, index, signal, signal.at)

    def lit(self, index: int, signal: Signal) -> None:
        """A meter that was asked has power: since its outage was over, or else since now."""
        held = self._returning(signal)
        if held is None or signal.meter in held.back:
            return
        over = held.over_at
        at = signal.at if over is None else min(over, signal.at)
        self._gain(held, index, signal, max(at, held.lost.get(signal.meter, at)))

    def _gain(self, held: Hypothesis, index: int, signal: Signal, at: float) -> None:
        held.gain(index, signal.meter, signal.node, at)
        over = held.closed_at
        held.prompt += over is not None and at <= over + _settles(held, signal)
        if held.faded_at is None and held.edge >= 0 and not held.pin:
            if self._are_back(held, signal.at):
                held.fade(signal.at)
                _widen(held, signal.at)
                self.darkness.expect(held, signal.at + CLOCKS)
        elif held.remains:
            self.darkness.lighten(held, signal.at)

    def _are_back(self, held: Hypothesis, at: float) -> bool:
        """Return whether most are back of those whom no open device below holds in the dark."""
        if held.returned >= max(1.0, FADES * len(held.lost)):
            return True
        if not held.inner or held.returned < SMALLEST:
            return False
        return held.returned >= FADES * self.darkness.awaited(held, at)

    def _returning(self, signal: Signal) -> Hypothesis | None:
        """Return the hypothesis because of which the meter was dark: the first still in force.

        A return that nobody waited for belongs to what ended last.
        """
        over, lit = self._begun(signal)
        meter = signal.meter
        if len(over) == 1 and not lit:
            return over[0]
        silent = [h for h in over if meter not in h.back]
        if len(silent) < len(over):
            told = [h for h in over if meter in h.back]
            again = max(told, key=lambda h: h.back[meter])
            if _repeats(signal, again.back[meter], silent):
                return again
        return (
            self._begun_before(silent, signal)
            or self._awaiting(silent, signal)
            or self._awaiting(lit, signal)
            or _ended_last(silent, over, signal)
        )

    def _begun_before(
        self, silent: Sequence[Hypothesis], signal: Signal
    ) -> Hypothesis | None:
        """Return which of those that had begun by then it ends, not only by other clocks."""
        meter, at = signal.meter, signal.at
        begun = [h for h in silent if min(h.since, h.lost.get(meter, at)) < at]
        if len(begun) == len(silent):
            return None
        unheard = _unheard(begun, signal)
        return self._awaiting(begun, signal) or max(unheard, key=_since, default=None)

    def _awaiting(self, silent: Sequence[Hypothesis], signal: Signal) -> Hypothesis | None:
        """Return which of those that did not hear of the meter yet waits for its return."""
        meter, at = signal.meter, signal.at
        waited = [
            h
            for h in silent
            if h.over_at is None
            or at <= h.over_at + _settles(h, signal)
            or self._lags(h, signal)
        ]
        if not waited:
            return None
        unheard = _unheard(silent, signal)
        if len(waited) == 1 and not unheard:
            return waited[0]
        spoke = [h for h in waited if h.lost.get(meter, at) < at - _takes(h, signal)]
        if spoke:
            return max(spoke, key=lambda h: h.lost[meter])
        first = min(waited, key=_since)
        kept = [h for h in unheard if h.since <= first.since < (h.over_at or 0.0)]
        return min([first, *kept], key=_since)

    def _begun(self, signal: Signal) -> tuple[list[Hypothesis], list[Hypothesis]]:
        """Return what had begun by then and may have had the meter in the dark.

        Then of which others proved to have power, so that the meter, of which nothing was heard,
        may have had it, too.
        """
        meter, latest, lit = signal.meter, signal.at + CLOCKS, []
        held = self.part.by_meter.get(meter)
        over = [held] if held is not None and signal.at >= held.since else []
        for found in self.part.all_above(signal.node):
            if found.since > latest:
                continue
            if (
                not found.shrunk
                or meter in found.lost
                or signal.at <= found.shrunk_at + CLOCKS
            ):
                over.append(found)
            elif meter not in found.back:
                lit.append(found)
        return over, lit

    def _lags(self, held: Hypothesis, signal: Signal) -> bool:
        """Return whether the place stayed dark when most were back, and may come back now."""
        if not held.remains and not held.relit:
            return False
        position = self.part.devices.position(signal.node)
        return held.has_remains(position) or any(
            first <= position < last and signal.at <= at + SETTLES
            for first, last, at in held.relit
        )


def _widen(held: Hypothesis, at: float) -> None:
    """Let it be of all below again where it ended then: who proved to have power had it back."""
    if at <= held.shrunk_at + CLOCKS:
        held.shrunk = False


def _settles(held: Hypothesis, signal: Signal) -> float:
    """Return within how many seconds after it was over the return is of that moment.

    Where the closing was told and the meter has a clock, only the clocks differ.
    """
    return CLOCKS if signal.exact and held.closed_at is not None else SETTLES


def _takes(held: Hypothesis, signal: Signal) -> float:
    """Return how long after its loss a meter's return may still be that of an earlier outage.

    By a meter's own clock it is some seconds; without one it may have waited in a queue.
    """
    if signal.exact:
        return PROMPT
    return 0.0 if held.over_at is not None else SETTLES


def _repeats(signal: Signal, before: float, silent: Sequence[Hypothesis]) -> bool:
    """Return whether the return only repeats the one `before`: nothing was lost in between."""
    if before <= signal.at - REPEATS:
        return False
    return not any(before < h.lost.get(signal.meter, h.since) < signal.at for h in silent)


def _ended_last(
    silent: Sequence[Hypothesis], over: Sequence[Hypothesis], signal: Signal
) -> Hypothesis | None:
    """Return the last of those of which nobody was heard, where there are any, else of all."""
    return max(_unheard(silent, signal) or over, key=_since, default=None)


def _unheard(silent: Sequence[Hypothesis], signal: Signal) -> list[Hypothesis]:
    """Return those of which almost nobody came back when SCADA said that they were over."""
    return [
        h
        for h in silent
        if h.closed_at is not None
        and signal.at <= h.replaced_at + _settles(h, signal)
        and h.prompt < TOLD_BACK * len(h.lost)
    ]


def _since(held: Hypothesis) -> float:
    return held.since
