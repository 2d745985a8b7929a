"""What stays dark in large parts when a device closes again: switched later, as a step.

To the inference a step is still the same outage, and what is told there belongs to it. To the
room it is not over: the part is an outage of its own, since the other began, until it is fed.
"""

from collections.abc import Iterator, Sequence

from apps.outages.correlation.evidence import Signal, What
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.parts import Devices
from apps.outages.correlation.returns import SETTLES
from apps.outages.correlation.state import CLOCKS


def parts_left(
    found: Sequence[Hypothesis], devices: Devices, signals: Sequence[Signal]
) -> list[Hypothesis]:
    """Return the parts that stayed dark, or still do, after a closing.

    They have no events but that SCADA says that their own device closed, if it does.
    """
    pinned = {h.edge for h in found if h.pin is not None}
    parts = [
        part
        for held in found
        if held.steps and held.closed_at is not None
        for part in _parts_of(held, devices)
        if part.edge not in pinned
    ]
    for part in parts:
        _close(part, found, signals)
    return parts


def settles_at(found: Hypothesis) -> float | None:
    """Return when it is seen what stayed dark after the closing; None where that is seen."""
    if found.closed_at is None or found.edge < 0 or found.settled or found.pin:
        return None
    return found.closed_at + CLOCKS + 1.0


def _parts_of(held: Hypothesis, devices: Devices) -> Iterator[Hypothesis]:
    closed_at = held.closed_at or held.since
    dark: list[tuple[tuple[int, int], float | None]] = [(s, None) for s in held.remains]
    dark += [((first, last), at) for first, last, at in held.relit]
    for span, fed_at in dark:
        if span not in held.steps or (fed_at is not None and fed_at <= closed_at + SETTLES):
            continue
        edge = held.steps[span]
        part = Hypothesis(edge, devices.fed(edge), -1, held.since, parent=held)
        _fill(part, held, devices, span)
        if fed_at is not None:
            part.fade(fed_at)
        yield part


def _close(
    part: Hypothesis, found: Sequence[Hypothesis], signals: Sequence[Signal]
) -> None:
    """Let the part be over where its device was told to close, after the other was over."""
    since = part.parent.closed_at if part.parent is not None else None
    told = {e for h in found if h.edge == part.edge for e in h.events}
    for index, signal in enumerate(signals):
        closes = signal.what is What.CLOSE and signal.edge == part.edge
        if closes and index not in told and signal.at > (since or part.since):
            part.events.append(index)
            part.close(signal.at)
            return


def _fill(
    part: Hypothesis, held: Hypothesis, devices: Devices, span: tuple[int, int]
) -> None:
    """Let the part have those who reported in its span, and those who are back there."""
    for meter, node in held.nodes.items():
        if not span[0] <= devices.position(node) < span[1]:
            continue
        part.nodes[meter] = node
        if meter in held.back:
            part.back[meter] = held.back[meter]
        if meter in held.lost:
            part.lost[meter] = held.lost[meter]
