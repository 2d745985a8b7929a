"""Words and judgement of crews: kinds, steps of an assignment, travel times. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from apps.configuration.rules import declare
from apps.core.errors import Conflict, Invalid, Unprocessable
from apps.outages.rules import Severity

NAME_LENGTH = 200
NOTES_LENGTH = 2_000
WORDS = 100

TRAVEL_SPEED_KMH = declare(
    "crews.travel_speed_kmh",
    30.0,
    "number",
    minimum=1.0,
    maximum=200.0,
    help="How fast crews travel, in kilometres an hour along the straight line.",
)


class CrewType(TextChoices):
    """What a crew is equipped for."""

    LINE_CREW = "line_crew", _("Line crew")
    TREE_CREW = "tree_crew", _("Tree crew")
    INSPECTION_CREW = "inspection_crew", _("Inspection crew")
    EMERGENCY_CREW = "emergency_crew", _("Emergency crew")


class Availability(TextChoices):
    """Whether a crew can be sent. It follows from its shift and its open assignments."""

    AVAILABLE = "available", _("Available")
    ASSIGNED = "assigned", _("Assigned")
    OFF_SHIFT = "off_shift", _("Off shift")


class AssignmentStatus(TextChoices):
    """Where an assignment stands. Forward only; skips are allowed."""

    ASSIGNED = "assigned", _("Assigned")
    EN_ROUTE = "en_route", _("En route")
    ON_SITE = "on_site", _("On site")
    WORK_COMPLETED = "work_completed", _("Work completed")
    CANCELLED = "cancelled", _("Cancelled")


OPEN = (AssignmentStatus.ASSIGNED, AssignmentStatus.EN_ROUTE, AssignmentStatus.ON_SITE)
FINAL = (AssignmentStatus.WORK_COMPLETED, AssignmentStatus.CANCELLED)
STEPS = (*OPEN, AssignmentStatus.WORK_COMPLETED)
"""The steps that a crew reports, in their order."""

_RANK = {status: rank for rank, status in enumerate(STEPS)}


class StepRefused(Conflict):
    """The assignment is not in a status from which it could go there."""


class OutageClosed(Conflict):
    """The outage is restored or cancelled: nobody is sent there any more."""


class CrewExists(Conflict):
    """Another crew has this name or code."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a crew. Without a code one is made."""

    name: str
    crew_type: CrewType
    code: str = ""
    leader: str = ""
    members: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    shift: str = ""
    on_shift: bool = True


def check_step(now: AssignmentStatus, then: AssignmentStatus) -> None:
    """Raise StepRefused where an assignment may not go from `now` to `then`."""
    if now in FINAL:
        raise StepRefused(f"The assignment is already {now.value}; that is final.")
    if then is not AssignmentStatus.CANCELLED and _RANK[then] <= _RANK[now]:
        raise StepRefused(
            f"The assignment is already {now.value}; it cannot become {then.value}."
        )


def status_of(word: str) -> AssignmentStatus:
    """Return the step that the word names; raise Unprocessable where there is none."""
    allowed = [status.value for status in STEPS]
    if word not in allowed:
        raise Unprocessable(
            f"Unknown status {word!r}.",
            fields={"field": "status", "allowed_values": allowed},
        )
    return AssignmentStatus(word)


def crew_type_of(word: str) -> CrewType:
    """Return the type that the word names; raise Invalid where there is none."""
    try:
        return CrewType(word)
    except ValueError:
        raise Invalid(
            f"Unknown crew type {word!r}.",
            fields={"field": "crew_type", "allowed_values": list(CrewType.values)},
        ) from None


def name_of(text: str) -> str:
    """Return the name with single spaces; raise Invalid where it is none."""
    name = " ".join(text.split())
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise Invalid(
            f"A crew's name has 1 to {NAME_LENGTH} printable characters.",
            fields={"field": "crew_name"},
        )
    return name


def name_key(name: str) -> str:
    """Return what two spellings of one name have in common."""
    return " ".join(name.split()).casefold()


def notes_of(text: str) -> str:
    """Return the notes, trimmed; raise Invalid where they are too long or hold a NUL."""
    notes = text.strip()
    if len(notes) > NOTES_LENGTH or "\0" in notes:
        raise Invalid(
            f"Notes have at most {NOTES_LENGTH} characters.", fields={"field": "notes"}
        )
    return notes


def words_of(words: Iterable[str], field: str) -> list[str]:
    """Return names or skills, each trimmed and once; raise Invalid where they are too many."""
    kept = list(dict.fromkeys(found for word in words if (found := " ".join(word.split()))))
    if len(kept) > WORDS or any(len(word) > NAME_LENGTH or "\0" in word for word in kept):
        raise Invalid(
            f"At most {WORDS} entries of {NAME_LENGTH} characters.", fields={"field": field}
        )
    return kept


def check_position(latitude: float, longitude: float) -> None:
    """Raise Invalid where these are no coordinates in degrees."""
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise Invalid("This is no place on earth.", fields={"field": "latitude"})


def availability(*, on_shift: bool, open_assignments: int) -> Availability:
    """Return whether a crew can be sent."""
    if not on_shift:
        return Availability.OFF_SHIFT
    return Availability.ASSIGNED if open_assignments else Availability.AVAILABLE


def right_types(severity: str) -> tuple[CrewType, ...]:
    """Return the types of crew that an outage of this severity is proposed."""
    if severity == Severity.CRITICAL:
        return (CrewType.EMERGENCY_CREW, CrewType.LINE_CREW)
    return (CrewType.LINE_CREW,)


def travel_minutes(meters: float, speed_kmh: float) -> int:
    """Return the whole minutes that a distance takes, rounded up."""
    return -int(-(meters * 60) // (speed_kmh * 1000))


@dataclass(frozen=True, slots=True)
class Course:
    """When an assignment was given, promised, reached and done."""

    crew_name: str
    assigned_at: datetime
    promised_at: datetime | None
    arrived_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Performance:
    """How a crew did: medians over its assignments; None where there is nothing to count.

    `response` is from the assignment to the arrival, `work` from there to the end, `late` the
    arrival against the time that was promised (negative: earlier), `on_time` the share of those
    with a promise that were kept to within five minutes.
    """

    crew_name: str
    assignments: int
    response: timedelta | None
    work: timedelta | None
    late: timedelta | None
    on_time: float | None


ON_TIME = timedelta(minutes=5)


def performance_of(courses: Iterable[Course]) -> list[Performance]:
    """Return how each crew did, by name."""
    by_crew: dict[str, list[Course]] = {}
    for course in courses:
        by_crew.setdefault(course.crew_name, []).append(course)
    return [_performance(name, found) for name, found in sorted(by_crew.items())]


def _performance(name: str, courses: list[Course]) -> Performance:
    arrived = [c for c in courses if c.arrived_at is not None]
    late = [c.arrived_at - c.promised_at for c in arrived if c.arrived_at and c.promised_at]
    return Performance(
        crew_name=name,
        assignments=len(courses),
        response=_median([c.arrived_at - c.assigned_at for c in arrived if c.arrived_at]),
        work=_median(
            [
                c.completed_at - c.arrived_at
                for c in arrived
                if c.arrived_at and c.completed_at
            ]
        ),
        late=_median(late),
        on_time=sum(one <= ON_TIME for one in late) / len(late) if late else None,
    )


def _median(spans: list[timedelta]) -> timedelta | None:
    if not spans:
        return None
    return timedelta(seconds=median(span.total_seconds() for span in spans))
