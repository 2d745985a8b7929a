"""Put a hypothesis in the shape of the record, and see what of it the record lacks."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from apps.network import selectors as network
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.matching import Candidate
from apps.outages.correlation.outcome import Outcome
from apps.outages.models import Outage
from apps.outages.rules import Disposition, Kind, PlaceKind, Status
from apps.outages.selectors.hearing import EventRow, Hearing, moment
from apps.outages.services.places import describe

if TYPE_CHECKING:
    from apps.network.topology import Grid

FEW = 3


def candidate_of(
    grid: "Grid", feeder: int, key: UUID, found: Hypothesis, events: Sequence[EventRow]
) -> Candidate:
    """Return the hypothesis in the shape in which outages are described and written."""
    members = [events[position] for position in found.events]
    losses = losses_of(members)
    first = min(losses, key=lambda e: (e.at, e.source, e.name), default=None)
    since = moment(found.since)
    if first is not None and (found.edge < 0 or len(losses) < FEW):
        since = first.at
    node = found.node
    return Candidate(
        id=key,
        status=Status.DETECTED,
        place_kind=PlaceKind.DEVICE if found.edge >= 0 else PlaceKind.SERVICE_POINT,
        node=node,
        edge=found.edge,
        feeder_number=feeder,
        substation="",
        meter_code=first.meter_code if first is not None and found.edge < 0 else "",
        latitude=first.latitude if first is not None else None,
        longitude=first.longitude if first is not None else None,
        sources=sources_of(losses) or _inherited(found, events),
        first_detected_at=since,
        last_event_at=max((e.at for e in members), default=since),
        transformer=int(grid.transformer_of_node[node]) if node >= 0 else -1,
        is_new=True,
    )


def _inherited(found: Hypothesis, events: Sequence[EventRow]) -> dict[str, int]:
    """Return the sources of what it was part of, for want of its own."""
    parent = found.parent
    told = [events[p].source for p in parent.events] if parent is not None else []
    return dict.fromkeys(sorted(set(told)), 1)


def losses_of(members: Sequence[EventRow]) -> list[EventRow]:
    """Return the events that speak for an outage."""
    return [event for event in members if event.kind != Kind.RESTORATION]


def sources_of(losses: Sequence[EventRow]) -> dict[str, int]:
    """Return how many of the events come from each source, by source."""
    return dict(sorted(Counter(event.source for event in losses).items()))


def disposition_of(event: EventRow, found: Hypothesis, outcome: Outcome) -> str:
    """Return what the event means under the hypothesis."""
    if event.kind == Kind.RESTORATION:
        return Disposition.RESTORATION
    if found.planned:
        return Disposition.PLANNED
    return Disposition.MOMENTARY if outcome.momentary else Disposition.OUTAGE


def differs(grid: "Grid", outage: Outage, candidate: Candidate) -> bool:
    """Return whether the record says anything else of the outage."""
    place = describe(grid, candidate)
    return (
        outage.device_code != place.device_code
        or outage.place_kind != candidate.place_kind
        or outage.sources != candidate.sources
        or outage.first_detected_at != candidate.first_detected_at
        or outage.last_event_at != candidate.last_event_at
    )


def lacks(outage: Outage, found: Hypothesis, events: Sequence[EventRow]) -> bool:
    """Return whether an outage with a fixed place has events that it did not count yet."""
    last = max((events[p].at for p in found.events), default=outage.last_event_at)
    return last > outage.last_event_at


def supplied(feeder: int, heard: Hearing) -> network.Supplied:
    """Return the meters of the feeder; where only single ones are in question, those alone."""
    rows = heard.outages.values()
    single = all(h.edge < 0 for h in heard.found) and all(
        row.place_kind == PlaceKind.SERVICE_POINT for row in rows
    )
    if not single:
        return network.supplied_by(feeder)
    codes = {row.device_code for row in rows} | {e.meter_code for e in heard.events}
    return network.supplied_by(feeder, only=codes)
