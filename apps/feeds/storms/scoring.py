"""How good an answer is: what a portal made of a storm, compared with what was true. Pure.

A true outage *stands* if it was no momentary; it is *visible* if besides two different meters
were heard of it, or a SCADA trip. An outage of the answer is *declared* if it holds two different
meters or a SCADA trip and is no momentary. Two sets of events fit if their Jaccard index, common
over all, is at least 0.5.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from math import comb
from typing import Any

from apps.feeds.storms.telling import LOSSES, TRIP_WORDS, Named

FITS = 0.5
ENOUGH_METERS = 2
Name = tuple[str, str]
"""The source and the name that an event has there."""


@dataclass(frozen=True, slots=True)
class Whole:
    """One true outage. `period` is from its beginning to the last meter's return."""

    device: str
    is_momentary: bool
    events: tuple[Name, ...]
    period: tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class TruthSheet:
    """What was true of a storm. `named` has every event by its name, the noise included."""

    outages: tuple[Whole, ...]
    named: Mapping[Name, Named]


@dataclass(frozen=True, slots=True)
class Declared:
    """One outage as a portal has it."""

    device: str
    is_momentary: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a portal made of the events: the key of the outage of each, or None."""

    events: Mapping[Name, str | None]
    outages: Mapping[str, Declared]


@dataclass(frozen=True, slots=True)
class Score:
    """The figures. Shares are 0 to 1, and 1 where there is nothing to find.

    `ari` is the adjusted Rand index over the events of standing outages, `ari_losses` over those
    that report a loss. `recall` is the share of visible outages that a declared one fits,
    `precision` the share of declared ones that fit a standing one. `right_device` is the share
    of visible outages whose best declared one names the true device, `right_device_found` that
    among those found. `false_outages` are declared ones most of whose events belong to no
    standing outage.
    """

    ari: float
    ari_losses: float
    recall: float
    precision: float
    right_device: float
    right_device_found: float
    false_outages: int
    visible: int
    declared: int

    def as_dict(self) -> dict[str, float | int]:
        """Return the figures by name."""
        return asdict(self)


def read_truth(lines: Iterable[Mapping[str, Any]]) -> TruthSheet:
    """Return the truth from the lines of its file. Raises KeyError where they are no such."""
    outages, named = [], {}
    for line in lines:
        rows = [Named(*row) for row in line["noise" if "noise" in line else "events"]]
        named.update({(row.source, row.name): row for row in rows})
        if "noise" in line:
            continue
        ends = [datetime.fromisoformat(end) for _, end in line["meters"].values()]
        begun = datetime.fromisoformat(line["started_at"])
        names = tuple((row.source, row.name) for row in rows)
        period = (begun, max(ends, default=begun))
        outages.append(Whole(line["device_id"], line["momentary"], names, period))
    return TruthSheet(tuple(outages), named)


def score(truth: TruthSheet, answer: Answer) -> Score:
    """Return how well the answer fits the truth."""
    return _Comparison(truth, answer).score()


def adjusted_rand(pairs: Sequence[tuple[Any, Any]]) -> float:
    """Return the adjusted Rand index of two labellings, given as pairs of labels; exact."""
    count = comb(len(pairs), 2)
    both = sum(comb(n, 2) for n in Counter(pairs).values())
    ours = sum(comb(n, 2) for n in Counter(one for one, _ in pairs).values())
    theirs = sum(comb(n, 2) for n in Counter(other for _, other in pairs).values())
    most, by_chance = (ours + theirs) * count, 2 * ours * theirs
    return 1.0 if most == by_chance else (2 * both * count - by_chance) / (most - by_chance)


class _Comparison:
    def __init__(self, truth: TruthSheet, answer: Answer) -> None:
        self.truth, self.answer = truth, answer
        self.standing = [outage for outage in truth.outages if not outage.is_momentary]
        self.owner = {name: n for n, o in enumerate(self.standing) for name in o.events}
        self.held: dict[str, list[Name]] = {}
        for name, key in answer.events.items():
            if key is not None and name in truth.named:
                self.held.setdefault(key, []).append(name)
        self.visible = [n for n, o in enumerate(self.standing) if self._speaks(o.events)]
        self.declared = [
            key
            for key, names in self.held.items()
            if self._speaks(names) and not self._declared(key).is_momentary
        ]

    def _declared(self, key: str) -> Declared:
        return self.answer.outages.get(key, Declared(""))

    def _speaks(self, names: Iterable[Name]) -> bool:
        """Return whether the events name two different meters, or hold a SCADA trip."""
        rows = [self.truth.named[name] for name in names]
        meters = {row.meter for row in rows if row.meter}
        tripped = any(row.word in TRIP_WORDS for row in rows if row.source == "scada")
        return tripped or len(meters) >= ENOUGH_METERS

    def score(self) -> Score:
        fits = self._fits()
        best: dict[int, tuple[float, str]] = {}
        found, fitting = set(), set()
        for (number, key), index in fits.items():
            if index >= FITS:
                found.add(number)
                fitting.add(key)
            if number not in best or (index, key) > best[number]:
                best[number] = (index, key)
        right = {
            number
            for number, (_, key) in best.items()
            if self._declared(key).device == self.standing[number].device
        }
        visible = set(self.visible)
        return Score(
            ari=self._ari(losses=False),
            ari_losses=self._ari(losses=True),
            recall=_share(len(visible & found), len(visible)),
            precision=_share(len(fitting), len(self.declared))
            if self.declared or not visible
            else 0.0,
            right_device=_share(len(visible & right), len(visible)),
            right_device_found=_share(len(visible & found & right), len(visible & found)),
            false_outages=sum(self._is_false(key) for key in self.declared),
            visible=len(visible),
            declared=len(self.declared),
        )

    def _fits(self) -> dict[tuple[int, str], float]:
        """Return the Jaccard index of each standing and declared outage with common events."""
        found = {}
        for key in self.declared:
            names = self.held[key]
            common = Counter(self.owner[name] for name in names if name in self.owner)
            for number, both in common.items():
                of_all = len(self.standing[number].events) + len(names) - both
                found[number, key] = both / of_all
        return found

    def _ari(self, *, losses: bool) -> float:
        """Return the index; an event without an outage is a cluster of its own."""
        pairs: list[tuple[Any, Any]] = []
        for name, number in self.owner.items():
            if losses and self.truth.named[name].word not in LOSSES:
                continue
            key = self.answer.events.get(name)
            pairs.append((number, name if key is None else key))
        return adjusted_rand(pairs)

    def _is_false(self, key: str) -> bool:
        names = self.held[key]
        return 2 * sum(name in self.owner for name in names) < len(names)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
