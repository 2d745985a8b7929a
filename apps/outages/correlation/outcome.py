"""Whether a hypothesis is over, since when, and whether it was momentary."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf

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
    silent = [m for m, at in found.lost.items() if found.back.get(m, -inf) < at]
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


@dataclass(slots=True)
class _Group:
    """How many of a device's reporters there are, how many are back, and since when the last."""

    count: int = 0
    returned: int = 0
    latest: float = -inf


def _presume(
    found: Hypothesis,
    devices: Devices,
    silent: Iterable[int],
    back: Mapping[int, float],
    fewest: int,
    share: float,
) -> dict[int, float]:
    """Return when the silent meters came back, where enough of their neighbours did."""
    chains = {meter: devices.above(found.nodes[meter]) for meter in found.lost}
    groups = _groups(found, chains, back)
    since: dict[tuple[int, ...], float | None] = {}
    presumed = {}
    for meter in silent:
        chain = chains[meter]
        if chain not in since:
            group = _nearest(found, chain, groups, fewest)
            since[chain] = None if group is None else _returned(group, share)
        at = since[chain]
        if at is not None:
            presumed[meter] = at
    return presumed


def _groups(
    found: Hypothesis, chains: Mapping[int, tuple[int, ...]], back: Mapping[int, float]
) -> dict[int, _Group]:
    """Return those who reported by each device above them, up to the one that opened."""
    # Many report below the same devices: the way up is gone once for all of them.
    nearest: dict[tuple[int, ...], _Group] = {}
    for meter, chain in chains.items():
        group = nearest.get(chain)
        if group is None:
            group = nearest[chain] = _Group()
        group.count += 1
        at = back.get(meter)
        if at is not None:
            group.returned += 1
            group.latest = max(group.latest, at)
    groups: defaultdict[int, _Group] = defaultdict(_Group)
    for chain, part in nearest.items():
        for edge in _up_to(found.edge, chain):
            group = groups[edge]
            group.count += part.count
            group.returned += part.returned
            group.latest = max(group.latest, part.latest)
    return groups


def _up_to(edge: int, chain: tuple[int, ...]) -> tuple[int, ...]:
    """Return the devices up to this one, all where it is not among them."""
    return chain[: chain.index(edge) + 1] if edge in chain else chain


def _nearest(
    found: Hypothesis,
    chain: tuple[int, ...],
    groups: Mapping[int, _Group],
    fewest: int,
) -> _Group | None:
    """Return the nearest of the devices below which enough reported, or None."""
    for edge in _up_to(found.edge, chain):
        if groups[edge].count >= fewest:
            return groups[edge]
    return None


def _returned(group: _Group, share: float) -> float | None:
    """Return since when the group is back, or None: too few of it are."""
    enough = group.returned and group.returned >= share * group.count
    return group.latest if enough else None
