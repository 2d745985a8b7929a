"""Why an outage is where it is said to be."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.core.actor import Actor
from apps.network import selectors as network
from apps.outages.correlation.explanation import Weighed, Why, explain
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.parts import Devices, devices_of
from apps.outages.selectors.hearing import Hearing, hear, identity_of
from apps.outages.selectors.outages import outage as find_outage

MOST = 12


@dataclass(frozen=True, slots=True)
class Candidate:
    """A device that may have opened; figures as in `correlation.explanation.Weighed`.

    `unexplained` are the reports of the outage that are not below it.
    """

    device_id: str
    device_kind: str
    customers: int
    reports_for: int
    silent: int
    against: int
    score: float
    named: bool
    chosen: bool
    why: Why
    unexplained: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """What speaks for an outage's device and against it.

    `basis` is `topology`, `space` (only coordinates are known), `people` (somebody confirmed or
    planned it, so it does not move), `part` (it stayed dark when the device above it closed:
    the reports are those of that outage) or `report` (a single meter).
    """

    outage_id: UUID
    device_id: str
    basis: str
    meters_reporting: int
    meters_back: int
    presumed_back: int
    candidates: tuple[Candidate, ...]


def explanation_of(*, outage_id: str | UUID, viewer: Actor, at: datetime) -> Explanation:
    """Return why the outage is where it is. Raises Forbidden or OutageNotFound."""
    row = find_outage(outage_id=outage_id, viewer=viewer)
    if row.feeder_number is None:
        return Explanation(row.id, row.device_code, "space", 0, 0, 0, ())
    grid = network.grid()
    heard = hear(grid, row.feeder_number, row.first_detected_at, at)
    devices = devices_of(grid)
    position = _position(heard, devices, row.id)
    if position is None:
        return Explanation(row.id, row.device_code, "report", 0, 0, 0, ())
    found, outcome = heard.found[position], heard.outcomes[position]
    weighed = explain(devices, found, outcome, heard.signals)
    return Explanation(
        row.id,
        row.device_code,
        _basis(found),
        len(found.lost),
        len(found.back),
        len(outcome.presumed),
        tuple(
            _candidate(w, grid.edge_code(w.edge), grid.edge_kind(w.edge), len(found.lost))
            for w in weighed
        )[:MOST],
    )


def _basis(found: Hypothesis) -> str:
    if found.pin is not None:
        return "people"
    if found.edge < 0:
        return "report"
    return "topology" if found.parent is None else "part"


def _position(heard: Hearing, devices: Devices, outage_id: UUID) -> int | None:
    """Return which hypothesis the outage is, or that into which it goes."""
    identity = identity_of(heard, devices)
    if outage_id in identity.kept:
        return identity.kept.index(outage_id)
    return identity.merged.get(outage_id)


def _candidate(weighed: Weighed, code: str, kind: str, reports: int) -> Candidate:
    return Candidate(
        code,
        kind,
        weighed.meters,
        weighed.reports,
        weighed.silent,
        weighed.against,
        weighed.score,
        weighed.named,
        weighed.chosen,
        weighed.why,
        reports - weighed.reports,
    )
