"""Which outage of record a hypothesis is: identity follows the events. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from apps.outages.correlation.hypothesis import Hypothesis


@dataclass(frozen=True, slots=True)
class Identity:
    """`kept` names for each hypothesis the outage that it continues, or None for a new one.

    `merged` says into which hypothesis (a position) an outage goes whose events went there;
    `split` from which outage a new one's events come.
    """

    kept: list[UUID | None]
    merged: dict[UUID, int]
    split: dict[int, UUID]


def identify(
    found: Sequence[Hypothesis],
    current: Sequence[UUID | None],
    order: Mapping[UUID, tuple[float, int]],
    fixed: frozenset[UUID],
    parts: Mapping[UUID, tuple[UUID, int]] = MappingProxyType({}),
) -> Identity:
    """Match hypotheses with outages by the events that they share, the most first.

    `current` is the outage of each event, `order` the age of the outages in question: of equals
    the oldest keeps its identity. The `fixed` are never merged away. Of those that stayed dark
    when another was over, `parts` tells which other, and the device: the losses stay with that
    one, so that nothing may speak for the part but that nobody is back. It goes into the other
    once that is no longer so.
    """
    shared = [
        Counter(c for e in h.events if (c := current[e]) is not None and c in order)
        for h in found
    ]
    kept: list[UUID | None] = [h.pin for h in found]
    taken = {key for key in kept if key is not None}
    pairs = sorted(
        (-count, order[key], position, key)
        for position, counter in enumerate(shared)
        for key, count in counter.items()
        if kept[position] is None and key not in fixed
    )
    for _, _, position, key in pairs:
        if kept[position] is None and key not in taken:
            kept[position] = key
            taken.add(key)
    merged: dict[UUID, int] = {}
    most: dict[UUID, int] = {}
    split: dict[int, UUID] = {}
    for position, counter in enumerate(shared):
        for key, count in counter.items():
            if key not in taken and key not in fixed and count > most.get(key, 0):
                merged[key], most[key] = position, count
        if kept[position] is None and counter:
            split[position] = min(counter, key=lambda k: (-counter[k], order[k]))
    _name_parts(found, kept, taken, dict(_places(parts, kept, merged)))
    merged = {key: place for key, place in merged.items() if key not in taken}
    split = {place: key for place, key in split.items() if kept[place] is None}
    alone = parts.keys() - fixed - taken - set(current)
    _join_parts({key: parts[key][0] for key in alone}, kept, merged)
    return Identity(kept, merged, split)


def _places(
    parts: Mapping[UUID, tuple[UUID, int]],
    kept: Sequence[UUID | None],
    merged: Mapping[UUID, int],
) -> Iterator[tuple[tuple[UUID, int], UUID]]:
    """Return the parts by what they are part of, where that has gone, and their device."""
    for key, (whole, edge) in parts.items():
        stays = kept[merged[whole]] if whole in merged else whole
        if stays is not None:
            yield (stays, edge), key


def _name_parts(
    found: Sequence[Hypothesis],
    kept: list[UUID | None],
    taken: set[UUID],
    named: Mapping[tuple[UUID, int], UUID],
) -> None:
    """Name the parts of outages that share no event with anything by what they are part of."""
    if not named:
        return
    places = {id(h): position for position, h in enumerate(found)}
    for position, held in enumerate(found):
        if kept[position] is not None or held.parent is None:
            continue
        place = places.get(id(held.parent))
        whole = None if place is None else kept[place]
        key = None if whole is None else named.get((whole, held.edge))
        if key is not None and key not in taken:
            kept[position] = key
            taken.add(key)


def _join_parts(
    wholes: Mapping[UUID, UUID], kept: Sequence[UUID | None], merged: dict[UUID, int]
) -> None:
    """Let parts for which nothing speaks any more go to where what they were part of went."""
    places = {key: position for position, key in enumerate(kept) if key is not None}
    for key, whole in wholes.items():
        if (place := places.get(whole, merged.get(whole))) is not None:
            merged[key] = place
