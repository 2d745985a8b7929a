"""Whether a hypothesis is over, since when, and whether it was momentary."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.parts import Devices

PATIENCE = 300.0
"""Seconds after its neighbours' return for which a meter's own return is waited for."""

FEWEST = 4
MOST_BACK = 0.7
SOME_BACK = 1 / 3
"""Of those who reported below one transformer, which is fed as a whole: not by chance, nor because
some hang elsewhere."""
FEWEST_MOMENTARY = 3
MOST_BACK_MOMENTARY = 0.6
NEARLY_ALL = 0.9


@dataclass(frozen=True, slots=True)
class _Enough:
    """How many have to be back that the others are: below a device of so many reporters.

    `own` is the share below their own transformer, `share` that below a device further up.
    """

    fewest: int
    own: float
    share: float


_BRIEF = _Enough(FEWEST_MOMENTARY, MOST_BACK_MOMENTARY, MOST_BACK_MOMENTARY)
_LASTING = _Enough(FEWEST, SOME_BACK, MOST_BACK)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended. `ended_at` is None while it goes on.

    `presumed` holds the meters whose return was not heard, but whose neighbours' was, or who
    told of power later, with the moment. `due_at` is when silence alone ends it.
    """

    ended_at: float | None
    momentary: bool
    presumed: dict[int, float]
    due_at: float | None = None


def conclude(
    found: Sequence[Hypothesis], devices: Devices, now: float, momentary_seconds: float
) -> list[Outcome]:
    """Return how each hypothesis of a part stands at `now` (seconds since 1970).

    Who tells of power when another outage is over is not in the dark because of this one, even
    where its return then was not heard; nor is who lost it anew in one that is over.
    """
    outcomes = [_conclude(one, devices, now, momentary_seconds, {}) for one in found]
    unsure = {
        n: set(_silent(found[n])) for n, o in enumerate(outcomes) if o.ended_at is None
    }
    told = _told(found, outcomes, set().union(*unsure.values()))
    for number, silent in unsure.items():
        powered = _powered(found[number], silent & told.keys(), told)
        if powered:
            outcomes[number] = _conclude(
                found[number], devices, now, momentary_seconds, powered
            )
    return outcomes


def _silent(found: Hypothesis) -> list[int]:
    """Return who told of the loss and of no return after it."""
    return [m for m, at in found.lost.items() if found.back.get(m, -inf) < at]


def _told(
    found: Sequence[Hypothesis], outcomes: Sequence[Outcome], meters: set[int]
) -> dict[int, list[tuple[float, float]]]:
    """Return when these meters had power again, told or not, and when they had lost it before."""
    told: dict[int, list[tuple[float, float]]] = {}
    for one, outcome in zip(found, outcomes, strict=True):
        back = one.back
        whole = not (one.planned or one.remains or one.relit)
        if whole and outcome.ended_at is not None:
            back = dict.fromkeys(one.lost, outcome.ended_at) | back
        for meter in meters & back.keys():
            told.setdefault(meter, []).append((back[meter], one.lost.get(meter, -inf)))
    return told


def _powered(
    found: Hypothesis,
    silent: Iterable[int],
    told: Mapping[int, Sequence[tuple[float, float]]],
) -> dict[int, float]:
    """Return the silent meters that told of power later, and when they had it.

    As the others of the outage before them; where none is, when they told, or lost it anew.
    """
    returns = sorted(found.back.values())
    powered = {}
    for meter in silent:
        lost = found.lost[meter]
        had = [
            anew if lost + PATIENCE < anew < back else back
            for back, anew in told[meter]
            if back > lost
        ]
        if had:
            before = bisect_right(returns, min(had))
            at = returns[before - 1] if before else min(had)
            powered[meter] = max(lost, at)
    return powered


def _conclude(
    found: Hypothesis,
    devices: Devices,
    now: float,
    momentary_seconds: float,
    powered: Mapping[int, float],
) -> Outcome:
    limit = found.since + momentary_seconds
    if found.closed_at is not None:
        return Outcome(found.closed_at, found.closed_at <= limit, {})
    silent = _silent(found)
    back = list(found.back.values())
    if not (back or powered):
        return Outcome(None, momentary=False, presumed={})
    if not silent and max(back) <= limit:
        return Outcome(max(back), momentary=True, presumed={})
    brief = _brief(found, devices, limit, now)
    if brief is not None:
        return brief
    if not silent:
        ended = max([at for m, at in found.back.items() if m in found.lost] or back)
        return Outcome(ended, ended <= limit, {})
    presumed = {
        **powered,
        **_presume(found, devices, silent, found.back, _LASTING),
    }
    ended = max([*back, *powered.values()])
    due_at = ended + PATIENCE if len(presumed) == len(silent) else None
    if due_at is None or now < due_at:
        return Outcome(None, momentary=False, presumed=presumed, due_at=due_at)
    return Outcome(ended, ended <= limit, presumed)


def _brief(found: Hypothesis, devices: Devices, limit: float, now: float) -> Outcome | None:
    """Return how it ended where nearly all were back within the limit, else None."""
    early = {m: at for m, at in found.back.items() if at <= limit}
    if not early or now < (ended := max(early.values())) + PATIENCE:
        return None
    later = [m for m in found.lost if m not in early]
    presumed = _presume(found, devices, later, early, _BRIEF)
    if len(early) + len(presumed) < NEARLY_ALL * (len(early) + len(later)):
        return None
    return Outcome(ended, momentary=True, presumed=presumed)


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
    enough: _Enough,
) -> dict[int, float]:
    """Return when the silent meters came back, where enough of their neighbours did."""
    chains = {meter: devices.above(found.nodes[meter]) for meter in found.lost}
    groups = _groups(found, chains, back)
    since: dict[tuple[int, ...], float | None] = {}
    presumed = {}
    for meter in silent:
        chain = chains[meter]
        if chain not in since:
            since[chain] = _fed_since(found, chain, groups, enough)
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


def _fed_since(
    found: Hypothesis,
    chain: tuple[int, ...],
    groups: Mapping[int, _Group],
    enough: _Enough,
) -> float | None:
    """Return since when those who hang below these devices are back, or None.

    It is said by those below the nearest of them below which enough reported: by some of them
    where that is their transformer, else by most.
    """
    for edge in _up_to(found.edge, chain):
        group = groups[edge]
        if group.count >= enough.fewest:
            share = enough.own if edge == chain[0] else enough.share
            is_fed = group.returned > 1 and group.returned >= share * group.count
            return group.latest if is_fed else None
    return None
