"""The overview: what is happening now, on one screen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.core.actor import Actor
from apps.crews import selectors as crews
from apps.outages import selectors as outages
from apps.outages import services as outage_services
from apps.outages.rules import Source
from apps.portal.lines import (
    assignment_lines,
    crews_by_outage,
    outage_line,
)
from apps.portal.mapping import crew_features, dead_edges, outage_points, spots
from apps.portal.pages import Deed, Look, Page, act, for_people, show

MOST, MOST_DRAWN = 50, 2_000
MINUTES, STEP = 60, 5


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the first line; `course` is how it went over the last hour, oldest first."""

    name: str
    label: str
    value: str
    note: str = ""
    state: str = ""
    course: Sequence[int] = ()

    @property
    def change(self) -> str:
        """Return by how much the figure is another than an hour ago."""
        return f"{self.course[-1] - self.course[0]:+,}" if self.course else ""

    @property
    def line(self) -> str:
        """Return the course as points of a line, 60 wide and 14 high."""
        low, high = min(self.course), max(self.course)
        width, height = 60 / (len(self.course) - 1), 14 / max(high - low, 1)
        return " ".join(
            f"{n * width:.1f},{15 - (value - low) * height:.1f}"
            for n, value in enumerate(self.course)
        )


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the overview prints."""
    at = look.at
    assignments = assignment_lines(viewer, at)
    there = crews_by_outage(assignments)
    drawn = spots(outages.open_outages(viewer=viewer)[:MOST_DRAWN])
    rows = outages.gravest(viewer=viewer)[:MOST]
    figures = outages.situation(viewer=viewer)
    points = outages.event_rate(viewer=viewer, at=at, minutes=MINUTES)
    course = courses(figures, outages.changes(viewer=viewer, at=at), points, at)
    return {
        "tiles": tiles(figures, course, crew_counts(viewer)),
        "outages": [outage_line(row, at, there.get(row.id, "")) for row in rows],
        "outages_total": figures.active_outages,
        "assignments": assignments,
        "rate": rate(points, at),
        "storm": outages.storm_mode(fresh=True),
        "rule": outages.rule_in_force(Source.SMART_METER),
        "may_storm": viewer.may("outages.storm_mode"),
        "map_data": {
            "outages": outage_points(drawn),
            "crews": crew_features(assignments),
            "dead": dead_edges(drawn),
        },
    }


def crew_counts(viewer: Actor) -> crews.CrewCounts | None:
    """Return how many crews are at work and free, where the viewer may know."""
    return crews.counts(viewer=viewer) if viewer.may("crews.view_crew") else None


def courses(
    now: outages.Situation,
    changes: Sequence[outages.Change],
    points: Sequence[outages.RatePoint],
    at: datetime,
) -> dict[str, list[int]]:
    """Return how outages, customers and events went over the last hour, by steps of minutes."""
    steps = [at - timedelta(minutes=n) for n in range(MINUTES, -1, -STEP)]
    later = [[c for c in changes if c.minute > step] for step in steps]
    return {
        "outages": [now.active_outages - sum(c.outages for c in some) for some in later],
        "customers": [
            now.total_affected_customers - sum(c.customers for c in some) for some in later
        ],
        "events": [
            sum(p.events for p in points if begin < p.minute <= end)
            for begin, end in pairwise(steps)
        ],
    }


def tiles(
    found: outages.Situation,
    course: Mapping[str, Sequence[int]],
    teams: crews.CrewCounts | None,
) -> list[Tile]:
    """Return the figures of the first line."""
    critical = found.by_severity["critical"]
    n = "{:,}".format
    return [
        Tile(
            "outages",
            _("Active outages"),
            n(found.active_outages),
            _("{n} critical").format(n=critical) if critical else "",
            "alarm" if critical else "",
            course["outages"],
        ),
        Tile(
            "customers",
            _("Customers out"),
            n(found.total_affected_customers),
            course=course["customers"],
        ),
        Tile(
            "unconfirmed",
            _("Not yet confirmed"),
            n(found.unconfirmed),
            state="watch" if found.unconfirmed else "",
        ),
        Tile(
            "sure", _("High confidence"), n(found.high_confidence_outages), _("over 80 %")
        ),
        Tile(
            "events",
            _("Events, last hour"),
            n(sum(course["events"])),
            course=course["events"],
        ),
        Tile(
            "crews",
            _("Crews at work"),
            n(teams.active) if teams else "–",
            _("{n} available").format(n=teams.available) if teams else "",
        ),
        Tile(
            "backlog",
            _("Backlog"),
            n(found.backlog),
            _("events to be judged"),
            "watch" if found.backlog > 500 else "",
        ),
    ]


def rate(points: Iterable[outages.RatePoint], at: datetime) -> dict[str, Any]:
    """Return the events a minute by source, the minutes without any filled with zero."""
    end = at.replace(second=0, microsecond=0)
    minutes = [end - timedelta(minutes=n) for n in range(MINUTES - 1, -1, -1)]
    place = {minute: i for i, minute in enumerate(minutes)}
    counts: dict[str, list[int]] = {}
    for point in points:
        if point.minute in place:
            row = counts.setdefault(point.source_type, [0] * MINUTES)
            row[place[point.minute]] = point.events
    return {
        "minutes": [int(minute.timestamp()) for minute in minutes],
        "series": [
            {"label": str(source.label), "counts": counts[source.value]}
            for source in Source
            if source.value in counts
        ],
    }


PAGE = Page(
    name="overview",
    permission="outages.view_outage",
    parts=("storm", "tiles", "outages", "crews", "map", "rate"),
    compose=compose,
    topics=lambda _arguments: frozenset({"outages", "crews", "events"}),
    every=5.0,
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Show the overview; a crew member starts at the own assignments instead."""
    if not PAGE.is_open_to(viewer) and viewer.may("crews.work_assignment"):
        return redirect("portal:work")
    return show(request, viewer, PAGE)


@require_POST
@for_people
def storm(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Have the simulator play a practice storm."""
    at = timezone.now().astimezone(UTC)
    outage_services.request_storm(by=viewer, at=at)
    messages.success(request, _("The simulator starts a practice storm."))
    return redirect("portal:overview")


@require_POST
@for_people
def storm_mode(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Switch storm mode by hand."""
    on = request.POST.get("on") == "yes"

    def do(_values: dict[str, Any], at: datetime) -> None:
        outage_services.set_storm_mode(on=on, by=viewer, at=at)

    done = _("Storm mode is on.") if on else _("Storm mode is off.")
    return act(request, viewer, PAGE, Deed(do, done))
