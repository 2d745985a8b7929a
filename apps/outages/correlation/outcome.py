"""Whether a hypothesis is over, since when, and whether it was momentary."""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.parts import Devices

PATIENCE = 300.0
"""Seconds after its neighbours' return for which a meter's own return is waited for."""

FEWEST = 4
MOST_BACK = 0.7
FEWEST_MOMENTARY = 3
MOST_BACK_MOMENTARY = 0.6
NEARLY_ALL = 0.9


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended. `ended_at` is None while it goes on.

    `presumed` holds the meters whose return was not heard, but whose neighbours' was, with the
    moment.
    """

    ended_at: float | None
    momentary: bool
    presumed: dict[int, float]


def conclude(
    found: Hypothesis, devices: Devices, now: float, momentary_seconds: float
) -> Outcome:
    """Return how the hypothesis stands at `now` (seconds since 1970)."""
    limit = found.since + momentary_seconds
    if found.closed_at is not None:
        return Outcome(found.closed_at, found.closed_at <= limit, {})
    silent = [m for m in found.lost if not _is_back(found, m)]
    back = list(found.back.values())
    if not back:
        return Outcome(None, momentary=False, presumed={})
    if not silent and max(back) <= limit:
        return Outcome(max(back), momentary=True, presumed={})
    early = {m: at for m, at in found.back.items() if at <= limit}
    later = [m for m in found.lost if m not in early]
    brief = _presume(found, devices, later, early, FEWEST_MOMENTARY, MOST_BACK_MOMENTARY)
    if early and len(early) + len(brief) >= NEARLY_ALL * (len(early) + len(later)):
        ended = max(early.values())
        if now >= ended + PATIENCE:
            return Outcome(ended, momentary=True, presumed=brief)
    if not silent:
        ended = max([at for m, at in found.back.items() if m in found.lost] or back)
        return Outcome(ended, ended <= limit, {})
    presumed = _presume(found, devices, silent, found.back, FEWEST, MOST_BACK)
    ended = max(back)
    over = len(presumed) == len(silent) and now >= ended + PATIENCE
    return Outcome(ended if over else None, over and ended <= limit, presumed)


def _is_back(found: Hypothesis, meter: int) -> bool:
    at = found.back.get(meter)
    return at is not None and at >= found.lost[meter]


def _presume(
    found: Hypothesis,
    devices: Devices,
    silent: Iterable[int],
    back: dict[int, float],
    fewest: int,
    share: float,
) -> dict[int, float]:
    """Return when the silent meters came back, where enough of their neighbours did."""
    groups: dict[int, list[int]] = {}
    for meter in found.lost:
        for edge in devices.above(found.nodes[meter]):
            groups.setdefault(edge, []).append(meter)
            if edge == found.edge:
                break
    since = {
        edge: max(returned)
        for edge, group in groups.items()
        if len(group) >= fewest
        and (returned := [back[m] for m in group if m in back])
        and len(returned) >= share * len(group)
    }
    presumed = {}
    for meter in silent:
        edge = _nearest(found, devices, meter, groups, fewest)
        if edge in since:
            presumed[meter] = since[edge]
    return presumed


def _nearest(
    found: Hypothesis,
    devices: Devices,
    meter: int,
    groups: dict[int, list[int]],
    fewest: int,
) -> int:
    """Return the nearest device above the meter below which enough of them reported, or -1."""
    for edge in devices.above(found.nodes[meter]):
        if len(groups.get(edge, ())) >= fewest:
            return edge
        if edge == found.edge:
            break
    return -1
