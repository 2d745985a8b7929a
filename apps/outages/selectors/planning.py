"""Read planned work: what is coming, what it takes from whom, what else happens then."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from apps.accounts.services import require
from apps.configuration.selectors import value
from apps.core.actor import Actor
from apps.core.errors import Invalid, NotFound
from apps.network import selectors as network
from apps.outages.models import PlannedWork
from apps.outages.rules import settings as declared
from apps.outages.rules.planning import COMING

VIEW = "outages.view_outage"


class WorkNotFound(NotFound):
    """There is no such planned work."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What taking a device out of service means, as the network is switched now."""

    device_code: str
    device_kind: str
    feeder_number: int
    feeder_code: str
    region_code: str
    customers: int
    critical: int


def planned_works(*, viewer: Actor) -> QuerySet[PlannedWork]:
    """Return all planned work, the latest first. Raises Forbidden."""
    require(viewer, VIEW)
    return PlannedWork.objects.select_related("outage").order_by("-starts_at", "-id")


def coming_works(*, viewer: Actor) -> QuerySet[PlannedWork]:
    """Return what is proposed, approved or under way, the next first. Raises Forbidden."""
    return planned_works(viewer=viewer).filter(state__in=COMING).order_by("starts_at", "id")


def planned_work(*, work_id: int, viewer: Actor) -> PlannedWork:
    """Return one planned work. Raises Forbidden or WorkNotFound."""
    found = planned_works(viewer=viewer).filter(pk=work_id).first()
    if found is None:
        raise WorkNotFound(f"There is no planned work {work_id}.")
    return found


def works_between(
    *, start: datetime, end: datetime, viewer: Actor
) -> QuerySet[PlannedWork]:
    """Return the work that is coming or done and lies in the period, in its order."""
    rows = planned_works(viewer=viewer).exclude(state__in=["rejected", "cancelled"])
    return rows.filter(starts_at__lt=end, ends_at__gt=start).order_by("starts_at", "id")


def conflicts_of(*, work: PlannedWork, viewer: Actor) -> QuerySet[PlannedWork]:
    """Return other work on the same feeder at the same time."""
    rows = coming_works(viewer=viewer).filter(feeder_number=work.feeder_number)
    overlapping = rows.filter(starts_at__lt=work.ends_at, ends_at__gt=work.starts_at)
    return overlapping.exclude(pk=work.pk)


def planned_end(*, at: datetime, told: datetime | None) -> datetime:
    """Return until when a plan for `at` lasts: as it was told, else the minutes of the setting."""
    return told or at + timedelta(minutes=value(declared.PLANNED_MINUTES))


def scope_of(device_code: str) -> Scope:
    """Return what hangs below the device now. Raises Invalid where it feeds nothing."""
    grid = network.grid()
    edge = grid.edge_index(device_code)
    node = grid.fed_node(edge) if edge is not None else None
    feeder = int(grid.feeder_of_node[node]) if node is not None else -1
    names = network.feeder_names(feeder) if feeder >= 0 else None
    if edge is None or node is None or names is None:
        raise Invalid(
            f"{device_code!r} is no device that feeds anybody.",
            fields={"field": "device_code"},
        )
    meters = network.meters_under(device_code)
    return Scope(
        device_code=device_code,
        device_kind=str(grid.edge_kind(edge)),
        feeder_number=feeder,
        feeder_code=names.code,
        region_code=names.region_code,
        customers=len(meters),
        critical=sum(meter.critical for meter in meters),
    )
