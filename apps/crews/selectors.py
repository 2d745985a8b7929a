"""Read crews, where they are sent, and who could be sent."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from apps.accounts.selectors import objects_of
from apps.accounts.services import require
from apps.configuration.selectors import value
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.crews.models import Assignment, AssignmentStep, Crew
from apps.crews.rules import (
    OPEN,
    TRAVEL_SPEED_KMH,
    AssignmentStatus,
    Availability,
    Course,
    Performance,
    availability,
    performance_of,
    right_types,
    travel_minutes,
)
from apps.outages.rules import distance_meters

if TYPE_CHECKING:
    from apps.outages.models import Outage


WORK = "crews.work_assignment"
MOST_COURSES = 2_000


class CrewNotFound(NotFound):
    """There is no such crew."""


class AssignmentNotFound(NotFound):
    """There is no such assignment, or not for this actor."""


@dataclass(frozen=True, slots=True)
class AssignmentView:
    """A crew at an outage. `crew_type` is what it was sent as."""

    assignment_id: UUID
    outage_id: UUID
    outage_number: str
    crew_id: UUID
    crew_code: str
    crew_name: str
    crew_type: str
    leader: str
    latitude: float | None
    longitude: float | None
    status: str
    assigned_at: datetime
    estimated_arrival_at: datetime | None
    en_route_at: datetime | None
    arrived_at: datetime | None
    completed_at: datetime | None
    cancelled_at: datetime | None
    updated_at: datetime
    notes: str
    assigned_by: str
    on_behalf_of: str


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of an assignment."""

    at: datetime
    before: str
    after: str
    notes: str
    actor_label: str
    on_behalf_of: str


@dataclass(frozen=True, slots=True)
class CrewView:
    """A crew and whether it can be sent."""

    crew_id: UUID
    code: str
    name: str
    crew_type: str
    leader: str
    members: tuple[str, ...]
    skills: tuple[str, ...]
    latitude: float | None
    longitude: float | None
    position_at: datetime | None
    shift: str
    on_shift: bool
    availability: Availability
    open_assignments: int
    is_ad_hoc: bool


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A crew that could go; distance and travel time are null where a place is unknown."""

    crew: CrewView
    distance_m: float | None
    minutes: int | None


@dataclass(frozen=True, slots=True)
class CrewCounts:
    """How many crews are at work, could be sent, and are known."""

    active: int
    available: int
    total: int


def active_crews(*, viewer: Actor) -> list[AssignmentView]:
    """Return the open assignments, the latest first; a crew member's are those of the own crew."""
    found = _visible(viewer).filter(status__in=OPEN)
    return [_assignment(row) for row in found.order_by("-assigned_at", "id")]


def available_crews(*, viewer: Actor) -> list[CrewView]:
    """Return the crews on shift that are sent nowhere, by name."""
    require(viewer, "crews.view_crew")
    return [_crew(row) for row in _available()]


def crews(*, viewer: Actor) -> list[CrewView]:
    """Return all crews, by name."""
    require(viewer, "crews.view_crew")
    return [_crew(row) for row in _with_load(Crew.objects.all())]


def crew(*, crew_id: UUID, viewer: Actor) -> CrewView:
    """Return one crew. Raises CrewNotFound."""
    require(viewer, "crews.view_crew")
    row = _with_load(Crew.objects.filter(id=crew_id)).first()
    if row is None:
        raise CrewNotFound(f"There is no crew {crew_id}.")
    return _crew(row)


def assignment(*, assignment_id: UUID, viewer: Actor) -> AssignmentView:
    """Return one assignment. Raises AssignmentNotFound."""
    row = _visible(viewer).filter(id=assignment_id).first()
    if row is None:
        raise AssignmentNotFound(f"There is no assignment {assignment_id}.")
    return _assignment(row)


def assignments_of(*, outage_id: UUID, viewer: Actor) -> list[AssignmentView]:
    """Return all assignments to an outage and to those merged into it, in their order."""
    found = _visible(viewer).filter(
        Q(outage_id=outage_id) | Q(outage__merged_into=outage_id)
    )
    return [_assignment(row) for row in found.order_by("assigned_at", "id")]


def steps_of(*, assignment_id: UUID, viewer: Actor) -> list[StepView]:
    """Return the steps of an assignment, in their order. Raises AssignmentNotFound."""
    assignment(assignment_id=assignment_id, viewer=viewer)
    rows = AssignmentStep.objects.filter(assignment_id=assignment_id).order_by("id")
    return [
        StepView(s.at, s.before, s.after, s.notes, s.actor_label, s.on_behalf_of)
        for s in rows
    ]


def suggestions(*, outage: "Outage", viewer: Actor) -> list[Suggestion]:
    """Return the available crews of the right type, the soonest there first.

    The travel time is that of the straight line at the speed of the settings. Crews whose
    position is unknown come last; equals stand by name.
    """
    require(viewer, "crews.view_crew")
    speed = value(TRAVEL_SPEED_KMH)
    rows = _available().filter(crew_type__in=right_types(outage.severity))
    found = [_suggest(_crew(row), outage, speed) for row in rows]
    return sorted(found, key=_soonest)


def counts(*, viewer: Actor) -> CrewCounts:
    """Return how many crews are at work, available, and known, from one query."""
    require(viewer, "crews.view_crew")
    busy = Exists(Assignment.objects.filter(crew=OuterRef("pk"), status__in=OPEN))
    found = Crew.objects.annotate(busy=busy).aggregate(
        active=Count("pk", filter=Q(busy=True)),
        available=Count("pk", filter=Q(busy=False, on_shift=True)),
        total=Count("pk"),
    )
    return CrewCounts(**found)


def performance(*, viewer: Actor, since: datetime) -> list[Performance]:
    """Return how the crews did that were sent out since then, by name. Raises Forbidden."""
    require(viewer, "crews.view_crew")
    rows = (
        Assignment.objects.filter(assigned_at__gte=since)
        .exclude(status=AssignmentStatus.CANCELLED)
        .order_by("-assigned_at")
        .values_list(
            "crew__name",
            "assigned_at",
            "estimated_arrival_at",
            "on_site_at",
            "completed_at",
        )[:MOST_COURSES]
    )
    return performance_of(Course(*row) for row in rows)


def may_work(*, assignment_id: UUID, viewer: Actor) -> bool:
    """Return whether the viewer may report on the assignment: all who assign, and its crew."""
    if viewer.may("crews.assign_crew"):
        return True
    rows = Assignment.objects.filter(id=assignment_id)
    return bool(objects_of(viewer, WORK, rows).exists())


def _visible(viewer: Actor) -> QuerySet[Assignment]:
    rows = Assignment.objects.select_related("crew", "outage")
    if viewer.may("crews.view_crew"):
        return rows
    require(viewer, WORK)
    return objects_of(viewer, WORK, rows)


def _with_load(rows: QuerySet[Crew]) -> QuerySet[Crew]:
    load = Count("assignments", filter=Q(assignments__status__in=OPEN))
    return rows.annotate(load=load).order_by("name_key")


def _available() -> QuerySet[Crew]:
    busy = Exists(Assignment.objects.filter(crew=OuterRef("pk"), status__in=OPEN))
    return Crew.objects.filter(~busy, on_shift=True).order_by("name_key")


def _suggest(found: CrewView, outage: "Outage", speed: float) -> Suggestion:
    if None in (found.latitude, found.longitude, outage.latitude, outage.longitude):
        return Suggestion(found, None, None)
    meters = distance_meters(
        float(found.latitude or 0),
        float(found.longitude or 0),
        float(outage.latitude or 0),
        float(outage.longitude or 0),
    )
    return Suggestion(found, round(meters, 1), travel_minutes(meters, speed))


def _soonest(found: Suggestion) -> tuple[bool, float, str]:
    unknown = found.distance_m is None
    return (unknown, found.distance_m or 0.0, found.crew.name.casefold())


def _crew(row: Crew) -> CrewView:
    load: int = getattr(row, "load", 0)
    return CrewView(
        crew_id=row.id,
        code=row.code,
        name=row.name,
        crew_type=row.crew_type,
        leader=row.leader,
        members=tuple(row.members),
        skills=tuple(row.skills),
        latitude=row.latitude,
        longitude=row.longitude,
        position_at=row.position_at,
        shift=row.shift,
        on_shift=row.on_shift,
        availability=availability(on_shift=row.on_shift, open_assignments=load),
        open_assignments=load,
        is_ad_hoc=row.is_ad_hoc,
    )


def _assignment(row: Assignment) -> AssignmentView:
    return AssignmentView(
        assignment_id=row.id,
        outage_id=row.outage_id,
        outage_number=row.outage.label,
        crew_id=row.crew_id,
        crew_code=row.crew.code,
        crew_name=row.crew.name,
        crew_type=row.crew_type,
        leader=row.crew.leader,
        latitude=row.crew.latitude,
        longitude=row.crew.longitude,
        status=row.status,
        assigned_at=row.assigned_at,
        estimated_arrival_at=row.estimated_arrival_at,
        en_route_at=row.en_route_at,
        arrived_at=row.on_site_at,
        completed_at=row.completed_at,
        cancelled_at=row.cancelled_at,
        updated_at=row.updated_at,
        notes=row.notes,
        assigned_by=row.assigned_by,
        on_behalf_of=row.on_behalf_of,
    )
