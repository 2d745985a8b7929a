"""A bad night on one page: by region, how far each is, who is there, what nobody looked at."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from apps.core.actor import Actor
from apps.outages import selectors as outages
from apps.outages.rules import Status
from apps.portal.lines import AssignmentLine, OutageLine, assignment_lines, outage_line
from apps.portal.pages import Look, Page, for_people, show

MOST = 2_000
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

    def add(self, line: OutageLine) -> None:
        """Count one outage."""
        self.outages += 1
        self.customers += line.customers
        self.critical += line.critical
        self.phases[line.status] = self.phases.get(line.status, 0) + 1
        self.unassigned += not line.crews
        self.overdue += line.overdue
        if line.etr is not None:
            self.latest = max(line.etr, self.latest or line.etr)

    @property
    def steps(self) -> list[int]:
        """Return the number of outages of each phase, in order."""
        return [self.phases.get(phase, 0) for phase in PHASES]


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the page prints."""
    rows = list(outages.open_outages(viewer=viewer)[:MOST])
    crews = assignment_lines(viewer, look.at)
    there = _names(crews)
    lines = {row.id: outage_line(row, look.at, there.get(row.id, "")) for row in rows}
    zones: dict[str, Zone] = {}
    for row in rows:
        name = row.region_code or "–"
        zones.setdefault(name, Zone(name)).add(lines[row.id])
    regions = {row.id: row.region_code or "–" for row in rows}
    for line in crews:
        if line.outage_id in regions:
            zones[regions[line.outage_id]].crews.append(line.crew_name)
    waiting = [
        line for line in lines.values() if line.status == Status.DETECTED or not line.crews
    ]
    waiting.sort(key=lambda line: (not line.critical, -line.customers, line.since))
    return {
        "zones": sorted(zones.values(), key=lambda zone: -zone.customers),
        "phases": [phase.label for phase in PHASES],
        "waiting": waiting[:SHOWN],
        "waiting_count": len(waiting),
        "mode": outages.storm_mode(),
        "total": len(rows),
        "customers": sum(line.customers for line in lines.values()),
    }


def _names(crews: list[AssignmentLine]) -> dict[Any, str]:
    found: dict[Any, list[str]] = defaultdict(list)
    for line in crews:
        found[line.outage_id].append(line.crew_name)
    return {key: ", ".join(names) for key, names in found.items()}


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
