"""A bad night on one page: by region, how far each is, who is there, what nobody looked at."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from apps.core.actor import Actor
from apps.outages import selectors as outages
from apps.outages.rules import Status
from apps.outages.selectors import RegionFigures
from apps.portal.lines import AssignmentLine, assignment_lines, outage_line
from apps.portal.pages import Look, Page, for_people, show

SHOWN = 50
PHASES = (Status.DETECTED, Status.CONFIRMED, Status.IN_PROGRESS)


@dataclass(slots=True)
class Zone:
    """One region: its open outages by phase, its crews, and when the last of it is back."""

    name: str
    outages: int = 0
    customers: int = 0
    critical: int = 0
    phases: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PHASES, 0))
    crews: list[str] = field(default_factory=list)
    unassigned: int = 0
    latest: datetime | None = None
    overdue: int = 0
    waiting: int = 0

    def add(self, found: RegionFigures) -> None:
        """Count the outages of one phase; what nobody confirmed waits, as does what has no crew."""
        self.outages += found.outages
        self.customers += found.customers
        self.critical += found.critical
        self.phases[found.status] = self.phases.get(found.status, 0) + found.outages
        self.unassigned += found.unassigned
        self.overdue += found.overdue
        detected = found.status == Status.DETECTED
        self.waiting += found.outages if detected else found.unassigned
        if found.latest is not None:
            self.latest = max(found.latest, self.latest or found.latest)

    @property
    def steps(self) -> list[int]:
        """Return the number of outages of each phase, in order."""
        return [self.phases.get(phase, 0) for phase in PHASES]


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the page prints."""
    crews = assignment_lines(viewer, look.at)
    there = _names(crews)
    zones: dict[str, Zone] = {}
    for found in outages.by_region(sent=there.keys(), viewer=viewer, at=look.at):
        name = found.region_code or "–"
        zones.setdefault(name, Zone(name)).add(found)
    for row in outages.open_outages(viewer=viewer).filter(pk__in=there.keys()):
        zone = zones.setdefault(row.region_code or "–", Zone(row.region_code or "–"))
        zone.crews += there[row.id]
    waiting = outages.unattended(sent=there.keys(), viewer=viewer)[:SHOWN]
    return {
        "zones": sorted(zones.values(), key=lambda zone: -zone.customers),
        "phases": [phase.label for phase in PHASES],
        "waiting": [
            outage_line(row, look.at, ", ".join(there.get(row.id, []))) for row in waiting
        ],
        "waiting_count": sum(zone.waiting for zone in zones.values()),
        "mode": outages.storm_mode(),
        "total": sum(zone.outages for zone in zones.values()),
        "customers": sum(zone.customers for zone in zones.values()),
    }


def _names(crews: list[AssignmentLine]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = defaultdict(list)
    for line in crews:
        found[line.outage_id].append(line.crew_name)
    return dict(found)


PAGE = Page(
    name="bad-night",
    permission="outages.view_outage",
    parts=("zones", "waiting"),
    compose=compose,
    topics=lambda _arguments: frozenset({"outages", "crews"}),
    every=10.0,
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponseBase:
    """Show the page."""
    return show(request, viewer, PAGE)
