"""Rows as people read them: what the lists, boards and maps of several pages print."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from apps.core.actor import Actor
from apps.crews import selectors as crews
from apps.crews.rules import FINAL as CREW_FINAL
from apps.crews.rules import STEPS, AssignmentStatus, CrewType
from apps.outages.rules import OPEN, PlaceKind, Severity, Source, Status

if TYPE_CHECKING:
    from apps.outages.models import Outage

NEW = timedelta(minutes=1)
FAR = COUNTED = 10_000
DEEPEST = 50_000


@dataclass(frozen=True, slots=True)
class OutageLine:
    """One outage in a list."""

    id: UUID
    label: str
    url: str
    status: str
    status_label: str
    severity: str
    severity_label: str
    confidence: float
    where: str
    context: str
    customers: int
    critical: bool
    since: datetime
    etr: datetime | None
    open: bool
    overdue: bool
    sources: str
    crews: str
    is_new: bool
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class AssignmentLine:
    """A crew at an outage, with the steps that may come next."""

    assignment_id: UUID
    outage_id: UUID
    outage_number: str
    crew_name: str
    type_label: str
    leader: str
    status: str
    status_label: str
    assigned_at: datetime
    estimated_arrival_at: datetime | None
    arrived_at: datetime | None
    updated_at: datetime
    notes: str
    late: bool
    next_steps: list[AssignmentStatus]
    latitude: float | None
    longitude: float | None


def outage_line(outage: "Outage", at: datetime, crews_there: str = "") -> OutageLine:
    """Return the outage as a list prints it."""
    labels = labels_in(get_language() or "")
    is_open = outage.status in OPEN
    etr = outage.estimated_restoration_at if is_open else ended_at(outage)
    return OutageLine(
        id=outage.id,
        label=outage.label,
        url=outage_url(outage.id),
        status=outage.status,
        status_label=labels["status"][outage.status],
        severity=outage.severity,
        severity_label=labels["severity"][outage.severity],
        confidence=outage.confidence,
        where=where(outage),
        context=context_of(outage),
        customers=outage.customers_count,
        critical=outage.critical_customers,
        since=outage.first_detected_at,
        etr=etr,
        open=is_open,
        overdue=bool(is_open and etr and etr < at),
        sources=_words(outage.sources, labels["source"]),
        crews=crews_there,
        is_new=at - outage.opened_at < NEW,
        latitude=outage.latitude,
        longitude=outage.longitude,
    )


def ended_at(outage: "Outage") -> datetime | None:
    """Return when an outage was over, whichever way."""
    return outage.restored_at or outage.cancelled_at


class Placed(Protocol):
    """What says where an outage is."""

    @property
    def place_kind(self) -> str:
        """Return by what the place is known."""

    @property
    def device_code(self) -> str:
        """Return the code of the device or meter."""

    @property
    def substation_code(self) -> str:
        """Return the code of the substation."""

    @property
    def substation_name(self) -> str:
        """Return the name of the substation."""

    @property
    def latitude(self) -> float | None:
        """Return the latitude in degrees."""

    @property
    def longitude(self) -> float | None:
        """Return the longitude in degrees."""


def where(outage: Placed) -> str:
    """Return the place that an outage is pinned to, in words."""
    match outage.place_kind:
        case PlaceKind.SERVICE_POINT:
            return _("Meter {code}").format(code=outage.device_code)
        case PlaceKind.SUBSTATION:
            return outage.substation_name or outage.substation_code
        case PlaceKind.DEVICE:
            return outage.device_code
    if outage.latitude is None or outage.longitude is None:
        return _("Place unknown")
    return f"{outage.latitude:.4f}, {outage.longitude:.4f}"


def context_of(outage: "Outage") -> str:
    """Return what surrounds the place: kind of device, feeder, region."""
    feeder = outage.feeder_name or outage.feeder_code
    kind = outage.device_kind.capitalize() if outage.device_kind else ""
    return " · ".join(part for part in (kind, feeder, outage.region_code) if part)


@cache
def labels_in(_language: str) -> Mapping[str, Mapping[str, str]]:
    """Return the words of states, severities and sources, in the language that is active."""
    kinds = {"status": Status, "severity": Severity, "source": Source}
    return {
        name: {word: str(label) for word, label in kind.choices}
        for name, kind in kinds.items()
    }


@cache
def _outage_page() -> str:
    return reverse("portal:outage", args=["-"]).removesuffix("-")


def outage_url(outage_id: UUID | str) -> str:
    """Return the address of an outage's page; lists have hundreds."""
    return f"{_outage_page()}{outage_id}"


def source_words(sources: Mapping[str, int]) -> str:
    """Return which sources spoke, and how often."""
    return _words(sources, labels_in(get_language() or "")["source"])


def _words(sources: Mapping[str, int], labels: Mapping[str, str]) -> str:
    return ", ".join(f"{labels.get(word, word)} {n}" for word, n in sorted(sources.items()))


def assignment_line(found: crews.AssignmentView, at: datetime) -> AssignmentLine:
    """Return the assignment as a board prints it."""
    status = AssignmentStatus(found.status)
    later = [] if status in CREW_FINAL else list(STEPS[STEPS.index(status) + 1 :])
    expected = found.estimated_arrival_at
    return AssignmentLine(
        assignment_id=found.assignment_id,
        outage_id=found.outage_id,
        outage_number=found.outage_number,
        crew_name=found.crew_name,
        type_label=str(CrewType(found.crew_type).label),
        leader=found.leader,
        status=found.status,
        status_label=str(status.label),
        assigned_at=found.assigned_at,
        estimated_arrival_at=expected,
        arrived_at=found.arrived_at,
        updated_at=found.updated_at,
        notes=found.notes,
        late=bool(expected and found.arrived_at is None and expected < at),
        next_steps=later,
        latitude=found.latitude,
        longitude=found.longitude,
    )


def assignment_lines(viewer: Actor, at: datetime) -> list[AssignmentLine]:
    """Return the crews at work as the viewer may see them."""
    if not (viewer.may("crews.view_crew") or viewer.may("crews.work_assignment")):
        return []
    return [assignment_line(found, at) for found in crews.active_crews(viewer=viewer)]


def crews_by_outage(lines: Iterable[AssignmentLine]) -> dict[UUID, str]:
    """Return who is at each outage, in words."""
    names: dict[UUID, list[str]] = {}
    for line in lines:
        names.setdefault(line.outage_id, []).append(line.crew_name)
    return {
        outage: found[0]
        if len(found) == 1
        else ngettext(
            "{first} and {n} more", "{first} and {n} more", len(found) - 1
        ).format(first=found[0], n=len(found) - 1)
        for outage, found in names.items()
    }


def _slice(rows: Any, start: int, size: int) -> list[Any]:
    """Return so many rows from a place on.

    Far from the beginning the keys are looked up first: what is passed over is then read from
    an index and not from the table.
    """
    if start < FAR:
        return list(rows[start : start + size])
    keys = list(rows.values_list("pk", flat=True)[start : start + size])
    held = rows.in_bulk(keys)
    return [held[key] for key in keys if key in held]


@dataclass(frozen=True, slots=True)
class Pager:
    """Which part of a list is shown; where there is `more` than `total`, nobody counted it.

    It is `cut` where the list goes on behind the last page that can be turned to.
    """

    total: int
    first: int
    last: int
    previous: int | None
    next: int | None
    more: bool = False
    cut: bool = False


def paged(rows: Any, wish: str, size: int) -> tuple[list[Any], Pager]:
    """Return one page of a queryset, and where it lies in the whole.

    One row more than the page is read: on the last page it tells the total by itself. Else
    rows are counted as far as COUNTED, since to count a million takes longer than the page. A
    page beyond the end is the last one, and so is the one that reaches DEEPEST: a database walks
    over all that is passed over.
    """
    deepest = max(1, DEEPEST // size)
    page = min(max(1, int(wish)), deepest) if _is_number(wish) else 1
    start = (page - 1) * size
    found = _slice(rows, start, size + 1)
    if not found and page > 1:
        page = max(1, -(-rows.count() // size))
        start = (page - 1) * size
        found = _slice(rows, start, size + 1)
    shown = found[:size]
    last, has_next = start + len(shown), len(found) > size
    total = _counted(rows, last) if has_next else last
    return shown, Pager(
        total=min(total, max(COUNTED, last)),
        first=start + 1 if shown else 0,
        last=last,
        previous=page - 1 if page > 1 else None,
        next=page + 1 if has_next and page < deepest else None,
        more=has_next and total > max(COUNTED, last),
        cut=has_next and page == deepest,
    )


def _counted(rows: Any, last: int) -> int:
    """Return how many rows there are, one more than COUNTED where they are more."""
    if last >= COUNTED:
        return last + 1
    return int(rows.order_by()[: COUNTED + 1].count())


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
