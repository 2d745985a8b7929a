"""Which outage of record a hypothesis is: identity follows the events. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
) -> Identity:
    """Match hypotheses with outages by the events that they share, the most first.

    `current` is the outage of each event, `order` the age of the outages in question: of equals
    the oldest keeps its identity. The `fixed` are never merged away.
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
    return Identity(kept, merged, split)
