"""The crews: who is where, what comes next, who is free."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.core.actor import Actor
from apps.crews import selectors as crews
from apps.crews import services as crew_services
from apps.crews.rules import CrewType, status_of
from apps.portal import outage
from apps.portal.lines import assignment_lines
from apps.portal.pages import Deed, Look, Page, act, for_people, show

DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class CrewLine:
    """A crew that could be sent."""

    crew_id: UUID
    name: str
    type_label: str
    leader: str
    skills: tuple[str, ...]
    position_at: datetime | None


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the board of crews prints; a crew member sees the own assignments."""
    return {
        "assignments": assignment_lines(viewer, look.at),
        "available": _available(viewer),
        "performance": crews.performance(viewer=viewer, since=look.at - DAY)
        if viewer.may("crews.view_crew")
        else [],
        "may_see_all": viewer.may("crews.view_crew"),
        "may_open": viewer.may("outages.view_outage"),
        "may_step": viewer.may("crews.assign_crew") or viewer.may("crews.work_assignment"),
    }


def _available(viewer: Actor) -> list[CrewLine]:
    if not viewer.may("crews.view_crew"):
        return []
    return [
        CrewLine(
            crew_id=found.crew_id,
            name=found.name,
            type_label=str(CrewType(found.crew_type).label),
            leader=found.leader,
            skills=found.skills,
            position_at=found.position_at,
        )
        for found in crews.available_crews(viewer=viewer)
    ]


PAGE = Page(
    name="crews",
    permission=("crews.view_crew", "crews.work_assignment"),
    parts=("active", "available", "performance"),
    compose=compose,
    topics=lambda _arguments: frozenset({"crews"}),
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Show the board."""
    return show(request, viewer, PAGE)


@require_POST
@for_people
def step(request: HttpRequest, viewer: Actor, assignment_id: UUID) -> HttpResponse:
    """Report the next step of an assignment, from the board or from its outage."""
    status = status_of(request.POST.get("status", ""))

    def do(_values: dict[str, Any], at: datetime) -> None:
        crew_services.move_assignment(
            assignment_id=assignment_id, status=status, notes="", by=viewer, at=at
        )

    deed = Deed(do, _("The crew is now: {status}.").format(status=status.label))
    if back := request.POST.get("outage", ""):
        return act(request, viewer, outage.PAGE, deed, outage_id=back)
    return act(request, viewer, PAGE, deed)
