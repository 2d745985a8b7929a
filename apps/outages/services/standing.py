"""What the row of an outage says after a judgement: its place, sources, beginning and end."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING, Any

from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.matching import Candidate
from apps.outages.correlation.outcome import Outcome
from apps.outages.models import Outage
from apps.outages.rules import PlaceKind
from apps.outages.selectors.hearing import EventRow, moment
from apps.outages.services.comparing import losses_of, sources_of
from apps.outages.services.places import describe

if TYPE_CHECKING:
    from apps.network.topology import Grid

SAME = timedelta(seconds=1)


def take_in(outage: Outage, found: Hypothesis, events: Sequence[EventRow]) -> None:
    """Count the events of an outage whose place is fixed; its beginning only moves back."""
    members = [events[p] for p in found.events]
    outage.sources = {**outage.sources, **sources_of(losses_of(members))}
    outage.last_event_at = max([outage.last_event_at, *(e.at for e in members)])


def add_late(outage: Outage, now: Outage, since: Mapping[str, int]) -> None:
    """Keep what later events added to the row since it was read with these sources."""
    more = {k: n - since.get(k, 0) for k, n in now.sources.items() if n > since.get(k, 0)}
    outage.sources = {
        k: outage.sources.get(k, 0) + more.get(k, 0) for k in {**outage.sources, **more}
    }
    outage.last_event_at = max(outage.last_event_at, now.last_event_at)


def move_to(grid: "Grid", outage: Outage, candidate: Candidate) -> list[tuple[str, str]]:
    """Let the row say where and since when it is; return what to tell of it, by kind."""
    place = describe(grid, candidate)
    told = []
    if outage.device_code != place.device_code:
        told.append(("device", f"Device inferred: {place.device_kind} {place.device_code}"))
        outage.place_kind = candidate.place_kind
        outage.device_code, outage.device_kind = place.device_code, place.device_kind
        outage.edge_number, outage.node_number = place.edge_number, place.node_number
        outage.transformer_number = place.transformer_number
        outage.customers_count = place.customers
        outage.counted_place = ""
    fresh = sorted(set(candidate.sources) - set(outage.sources))
    told += [("source", f"Also reported by {source}") for source in fresh]
    outage.sources = candidate.sources
    began = candidate.first_detected_at
    outage.first_detected_at = min(began, outage.restored_at or began)
    outage.last_event_at = candidate.last_event_at
    return told


def over(outage: Outage) -> float:
    """Return when an outage that is not open ended, in seconds."""
    ended_at = outage.restored_at or outage.cancelled_at or outage.last_event_at
    return ended_at.timestamp()


def ends_now(grid: "Grid", outage: Outage, found: Hypothesis, outcome: Outcome) -> bool:
    """Return whether an open outage is over, or only waits for its device to close."""
    if outcome.ended_at is None or outage.is_planned or not outage.is_open:
        return False
    return not is_held_open(grid, outage, found) or outage.restoration_candidate_at is None


def is_corrected(outage: Outage, outcome: Outcome) -> bool:
    """Return whether late evidence moves the end of an outage that evidence ended."""
    if outcome.ended_at is None or not outage.ended_by_evidence:
        return False
    if outage.restored_at is None:
        return False
    ended_at = max(moment(outcome.ended_at), outage.first_detected_at)
    return abs(ended_at - outage.restored_at) > SAME or (
        outage.is_momentary != outcome.momentary
    )


def is_held_open(grid: "Grid", outage: Outage, found: Hypothesis) -> bool:
    """Return whether the actual switch state still says that the device is open.

    Where it opened again since then, that is another outage.
    """
    if outage.place_kind != PlaceKind.DEVICE or found.replaced_at < inf:
        return False
    edge = grid.edge_index(outage.device_code)
    return edge is not None and not bool(grid.closed[edge])


def has_more(outage: Outage, read: Mapping[str, Any]) -> bool:
    """Return whether events joined since these values of the row were read.

    Estimates may have changed others.
    """
    joined = ("sources", "first_detected_at", "last_event_at")
    return any(getattr(outage, name) != read[name] for name in joined)
