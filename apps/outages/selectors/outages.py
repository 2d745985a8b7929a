"""Reads of outages: lists, one of them, who is concerned, where it is."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.services import require
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.network import selectors as network
from apps.outages.models import EtrEstimate, Interruption, Outage, TimelineEntry
from apps.outages.rules import PlaceKind

VIEW = "outages.view_outage"
_NUMBER = re.compile(r"OUT0*([1-9]\d{0,17})", re.ASCII)


class OutageNotFound(NotFound):
    """There is no such outage."""


@dataclass(frozen=True, slots=True)
class AffectedCustomer:
    """A customer concerned by an outage, and since when; `ended_at` where power is back."""

    meter_code: str
    customer_code: str
    name: str
    phone: str
    email: str
    critical: bool
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class OutageTopology:
    """Where an outage is on the network, from the source down to its device."""

    substation: str
    feeder: str
    device: str
    transformers: int
    customers: int
    path: list[str]


def outages(*, viewer: Actor) -> QuerySet[Outage]:
    """Return all outages that were not merged into another, newest first."""
    require(viewer, VIEW)
    return Outage.objects.standing().order_by("-first_detected_at", "-number")


def outages_of_work(*, outage_ids: Iterable[UUID]) -> dict[UUID, Outage]:
    """Return the outages of assignments by the id that these name, also where merged since.

    The caller has asked whose assignments they are: what a crew is sent to, it may see.
    """
    rows = Outage.objects.filter(id__in=list(outage_ids)).select_related("merged_into")
    return {row.id: row.merged_into or row for row in rows}


def open_outages(*, viewer: Actor) -> QuerySet[Outage]:
    """Return the outages somebody still has to act on, newest first."""
    require(viewer, VIEW)
    return Outage.objects.open().order_by("-first_detected_at", "-number")


def outage(*, outage_id: str | UUID, viewer: Actor) -> Outage:
    """Return one outage by its UUID or its number (`OUT001`). Raises OutageNotFound."""
    require(viewer, VIEW)
    found = _find(str(outage_id))
    if found is None:
        raise OutageNotFound("There is no such outage.")
    return found


def timeline(*, outage: Outage) -> QuerySet[TimelineEntry]:
    """Return what happened to the outage, oldest first."""
    return TimelineEntry.objects.filter(outage=outage).order_by("at", "id")


def estimates(*, outage: Outage) -> QuerySet[EtrEstimate]:
    """Return every published estimate of its restoration, newest first."""
    return EtrEstimate.objects.filter(outage=outage).order_by("-published_at", "-id")


def affected_customers(
    *, outage: Outage, viewer: Actor, most: int | None = None
) -> list[AffectedCustomer]:
    """Return the customers that the outage concerns, the critical ones first.

    Those of the interruptions where they are written, else those below the device; no more
    than `most` where that is given.
    """
    require(viewer, VIEW)
    rows = Interruption.objects.filter(outage=outage)
    times = {
        code: (began, ended)
        for code, began, ended in rows.values_list("meter_code", "started_at", "ended_at")
    }
    if not times:
        return _in_order(_customer(m, None, None) for m in _meters_of(outage, most))
    return _in_order(
        _customer(meter, *times[meter.code])
        for meter in network.meters_by_code(list(times), most)
    )


def affected_count(*, outage: Outage, viewer: Actor) -> int:
    """Return how many customers the outage concerns, of those that `affected_customers` names."""
    require(viewer, VIEW)
    rows = Interruption.objects.filter(outage=outage)
    recorded = rows.values("meter_code").distinct().count()
    if recorded or outage.place_kind != PlaceKind.DEVICE:
        return recorded or len(_meters_of(outage, None))
    grid = network.grid()
    edge = grid.edge_index(outage.device_code)
    return 0 if edge is None else grid.counts_below(edge).customers


def customers_below(*, device_code: str, viewer: Actor) -> list[AffectedCustomer]:
    """Return who is without supply when the device is open, the critical ones first."""
    require(viewer, VIEW)
    meters = network.meters_under(device_code)
    return _in_order(_customer(meter, None, None) for meter in meters)


def topology_of(*, outage: Outage) -> OutageTopology:
    """Return where the outage is on the network as it is switched now."""
    grid = network.grid()
    node = outage.node_number
    edge = grid.edge_index(outage.device_code) if outage.edge_number else None
    path: list[str] = []
    if node is not None and grid.has_node(node):
        path = [grid.edge_code(e) for e in reversed(grid.path(grid.node_index(node)))]
    transformers = 0 if edge is None else grid.counts_below(edge).transformers
    return OutageTopology(
        substation=outage.substation_name or outage.substation_code,
        feeder=outage.feeder_name or outage.feeder_code,
        device=outage.device_code,
        transformers=transformers,
        customers=outage.customers_count,
        path=path,
    )


def _find(text: str) -> Outage | None:
    named = _NUMBER.fullmatch(text)
    if named:
        return Outage.objects.filter(number=int(named[1])).first()
    try:
        return Outage.objects.filter(id=UUID(text)).first()
    except ValueError:
        return None


def _meters_of(outage: Outage, most: int | None) -> list[network.MeterView]:
    match outage.place_kind:
        case PlaceKind.DEVICE if outage.device_code:
            return list(network.meters_under(outage.device_code, most))
        case PlaceKind.SERVICE_POINT:
            return network.meters_by_code([outage.device_code])
    return []


def _customer(
    meter: network.MeterView, started_at: datetime | None, ended_at: datetime | None
) -> AffectedCustomer:
    return AffectedCustomer(
        meter_code=meter.code,
        customer_code=meter.customer_code,
        name=meter.name,
        phone=meter.phone,
        email=meter.email,
        critical=meter.critical,
        started_at=started_at,
        ended_at=ended_at,
    )


def _in_order(found: Iterable[AffectedCustomer]) -> list[AffectedCustomer]:
    return sorted(found, key=lambda c: (not c.critical, c.meter_code))
