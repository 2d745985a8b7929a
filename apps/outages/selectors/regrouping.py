"""How an outage may be grouped by hand: what it can join, be divided at, or be placed at."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from apps.core.actor import Actor
from apps.network import selectors as network
from apps.outages.correlation.parts import Devices, devices_of
from apps.outages.correlation.regions import common_device, covers
from apps.outages.models import Outage, SourceEvent
from apps.outages.rules import Kind, PlaceKind
from apps.outages.selectors.outages import outage as outage_of

if TYPE_CHECKING:
    from apps.network.topology import Grid

MOST = 50


@dataclass(frozen=True, slots=True)
class Seat:
    """A report that speaks for an outage, and the node where it comes from (-1: none)."""

    event_id: UUID
    node: int
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """A device where an outage may stand: its customers, and how many reports are below it."""

    code: str
    kind: str
    customers: int
    reports: int


@dataclass(frozen=True, slots=True)
class MergeChoice:
    """An outage to go into, the device both would stand at, and its customers."""

    outage: Outage
    device: str
    kind: str
    customers: int


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be done with an outage by hand."""

    merges: list[MergeChoice]
    splits: list[DeviceChoice]
    places: list[DeviceChoice]


def node_of(devices: Devices, outage: Outage) -> int:
    """Return the node that the outage's place feeds, or where its meter is; -1 off the network."""
    grid = devices.grid
    if outage.place_kind == PlaceKind.DEVICE:
        edge = grid.edge_index(outage.device_code)
        return devices.fed(edge) if edge is not None else -1
    return node_at(grid, outage.node_number)


def node_at(grid: "Grid", number: int | None) -> int:
    """Return the node of that number; -1 where the network has none."""
    if number is None or not grid.has_node(number):
        return -1
    return grid.node_index(number)


def seats_of(devices: Devices, outage_ids: Iterable[UUID]) -> list[Seat]:
    """Return the reports that speak for these outages, in the order in which they happened."""
    rows = (
        SourceEvent.objects.filter(outage__in=list(outage_ids))
        .exclude(kind=Kind.RESTORATION)
        .order_by("occurred_at", "id")
        .values_list(
            "id", "node_number", "meter_number", "device_code", "source_type", "occurred_at"
        )
    )
    return [
        Seat(key, _seat(devices, node, device if meter is None else ""), source, at)
        for key, node, meter, device, source, at in rows
    ]


def _seat(devices: Devices, node: int | None, device: str) -> int:
    edge = devices.grid.edge_index(device) if device else None
    return devices.fed(edge) if edge is not None else node_at(devices.grid, node)


def choices(*, outage_id: UUID | str, viewer: Actor) -> Choices:
    """Return what can be done with the outage by hand. Raises Forbidden, OutageNotFound."""
    outage = outage_of(outage_id=outage_id, viewer=viewer)
    if not outage.is_open or outage.is_planned:
        return Choices([], [], [])
    devices = devices_of(network.grid())
    seats = seats_of(devices, [outage.id])
    return Choices(
        merges=_merges(devices, outage),
        splits=_splits(devices, outage, seats),
        places=_places(devices, outage, seats),
    )


def _merges(devices: Devices, outage: Outage) -> list[MergeChoice]:
    others = (
        Outage.objects.open()
        .filter(feeder_number=outage.feeder_number, is_planned=False)
        .exclude(id=outage.id)
        .order_by("-first_detected_at")[:MOST]
    )
    return [_merge(devices, outage, other) for other in others]


def _merge(devices: Devices, outage: Outage, other: Outage) -> MergeChoice:
    nodes = [node_of(devices, one) for one in (other, outage)]
    edge = common_device(devices, nodes) if min(nodes) >= 0 else -1
    if edge < 0:
        customers = other.customers_count + outage.customers_count
        return MergeChoice(other, other.device_code, other.device_kind, customers)
    grid = devices.grid
    return MergeChoice(
        other, grid.edge_code(edge), str(grid.edge_kind(edge)), devices.size(edge)
    )


def _splits(devices: Devices, outage: Outage, seats: list[Seat]) -> list[DeviceChoice]:
    """Return the devices that have some of the reports below them, and not all."""
    found = _devices_over(devices, seats)
    return [choice for choice in found if 0 < choice.reports < len(seats)]


def _places(devices: Devices, outage: Outage, seats: list[Seat]) -> list[DeviceChoice]:
    """Return the devices above the outage's place, and those above its reports."""
    node = node_of(devices, outage)
    above = [seat for seat in seats if seat.node >= 0]
    found = _devices_over(devices, above, extra=devices.above(node))
    return [choice for choice in found if choice.code != outage.device_code]


def _devices_over(
    devices: Devices, seats: list[Seat], extra: Iterable[int] = ()
) -> list[DeviceChoice]:
    edges = set(extra)
    for seat in seats:
        edges.update(devices.above(seat.node))
    grid = devices.grid
    found = [
        DeviceChoice(
            code=grid.edge_code(edge),
            kind=str(grid.edge_kind(edge)),
            customers=devices.size(edge),
            reports=sum(covers(devices, edge, seat.node) for seat in seats),
        )
        for edge in edges
    ]
    return sorted(found, key=lambda c: (-c.customers, c.code))[:MOST]
