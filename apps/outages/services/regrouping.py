"""Outages grouped by hand: merged, divided, placed elsewhere. What people say here stands.

An outage that somebody has grouped is confirmed at its device; the judge keeps confirmed ones
where they are and lets what happens below them belong to them, so it never undoes this.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from apps.accounts.services import require
from apps.core.actor import Actor
from apps.core.bulk import together
from apps.core.errors import Conflict, Invalid
from apps.core.outbox import publish
from apps.network import selectors as network
from apps.outages.correlation.matching import Candidate
from apps.outages.correlation.parts import Devices, devices_of
from apps.outages.correlation.regions import common_device, covers
from apps.outages.events import OutageMoved, OutagesRejudged
from apps.outages.models import Interruption, Outage, SourceEvent
from apps.outages.rules import PlaceKind, Status, confidence, severity
from apps.outages.selectors.regrouping import Seat, node_of, seats_of
from apps.outages.services import duework, trail, writing
from apps.outages.services.holding import lock_part
from apps.outages.services.places import describe

if TYPE_CHECKING:
    from apps.network.topology import Grid

OPERATE = "outages.operate_outage"


@dataclass(frozen=True, slots=True)
class _Act:
    by: Actor
    at: datetime


@transaction.atomic
def place_outage(*, outage_id: UUID, device_code: str, by: Actor, at: datetime) -> Outage:
    """Put an outage at a device of its feeder, and confirm it there.

    Raises Forbidden, OutageNotFound, Invalid for a device that is not of its feeder, or
    Conflict where the outage is over, planned or off the network.
    """
    require(by, OPERATE)
    (outage,), devices = _held([outage_id])
    edge = _device(devices, outage, device_code)
    before, act = outage.facts(), _Act(by, at)
    _stand_at(devices, outage, edge)
    _confirm(outage, act)
    outage.save()
    trail.tell(outage, "device", f"Placed by hand: {_name(devices.grid, edge)}", by, at)
    trail.record(outage, "outage_place", before, by, at)
    _judge_again([outage], [outage.id], at)
    return outage


@transaction.atomic
def merge_outages(*, outage_id: UUID, into_id: UUID, by: Actor, at: datetime) -> Outage:
    """Let an outage go into another: one cause. Return the one that stays, confirmed.

    On the network it stands at the lowest device that feeds both. Raises Forbidden,
    OutageNotFound, or Conflict where they are the same, over, planned or on two feeders.
    """
    require(by, OPERATE)
    (outage, into), devices = _held([outage_id, into_id])
    if outage.id == into.id:
        raise Conflict("An outage cannot go into itself.")
    if outage.feeder_number != into.feeder_number:
        raise Conflict("They are on two feeders: no device feeds both.")
    before, before_other, act = into.facts(), outage.facts(), _Act(by, at)
    nodes = [node_of(devices, one) for one in (into, outage)]
    edge = common_device(devices, nodes) if min(nodes) >= 0 else -1
    _absorb(into, outage, at)
    if edge >= 0:
        _stand_at(devices, into, edge)
    else:
        into.customers_count += outage.customers_count
    _confirm(into, act)
    into.save()
    trail.tell(into, "merge", f"{outage.label} merged here by hand: one cause", by, at)
    trail.tell(outage, "merge", f"Merged into {into.label} by hand: one cause", by, at)
    trail.record(into, "outage_merge", before, by, at, notes=outage.label)
    trail.record(outage, "outage_merge", before_other, by, at, notes=f"into {into.label}")
    _judge_again([into], [into.id, outage.id], at)
    return into


@transaction.atomic
def split_outage(*, outage_id: UUID, device_code: str, by: Actor, at: datetime) -> Outage:
    """Let what was reported below a device be an outage of its own; return that one.

    What is left stands at the lowest device that feeds the rest of the reports. Both are
    confirmed. Raises Forbidden, OutageNotFound, Invalid for a device that is not of its feeder,
    or Conflict where nothing, or everything, was reported below it, or the rest reaches past it.
    """
    require(by, OPERATE)
    (outage,), devices = _held([outage_id])
    edge = _device(devices, outage, device_code)
    seats = seats_of(devices, [outage.id])
    gone = [seat for seat in seats if covers(devices, edge, seat.node)]
    rest = [seat for seat in seats if not covers(devices, edge, seat.node)]
    if not gone:
        raise Conflict("Nothing was reported below that device.")
    if not rest:
        raise Conflict("Everything was reported below it: place the outage there instead.")
    left = common_device(devices, [seat.node for seat in rest if seat.node >= 0])
    if left < 0 or covers(devices, left, devices.fed(edge)):
        raise Conflict("The other reports reach past that device. Place the outage first.")
    before, act = outage.facts(), _Act(by, at)
    fresh = _open(devices, outage, edge, gone, act)
    _stand_at(devices, outage, left)
    _count(outage, rest)
    _confirm(outage, act)
    outage.save()
    trail.tell(outage, "split", f"{fresh.label} split from it by hand", by, at)
    trail.tell(fresh, "split", f"Split from {outage.label} by hand: own cause", by, at)
    trail.record(outage, "outage_split", before, by, at, notes=fresh.label)
    trail.record(fresh, "outage_split", {}, by, at, notes=f"from {outage.label}")
    _judge_again([outage, fresh], [outage.id, fresh.id], at)
    return fresh


def _held(outage_ids: Sequence[UUID]) -> tuple[list[Outage], Devices]:
    """Return the outages, held with their parts of the network, the parts first."""
    rows = Outage.objects.filter(id__in=outage_ids).values_list("feeder_number", flat=True)
    feeders = sorted({number for number in rows if number is not None})
    lock_part(feeders, space=None in rows)
    devices = devices_of(network.grid(fresh=True))
    held = {key: trail.hold(key) for key in sorted(outage_ids)}
    found = [held[key] for key in outage_ids]
    for outage in found:
        if not outage.is_open:
            raise Conflict(f"{outage.label} is over.")
        if outage.is_planned:
            raise Conflict(f"{outage.label} is planned work.")
    return found, devices


def _device(devices: Devices, outage: Outage, code: str) -> int:
    if outage.feeder_number is None:
        raise Conflict(f"{outage.label} is not on the network.")
    edge = devices.grid.edge_index(code)
    node = devices.fed(edge) if edge is not None else -1
    feeder = int(devices.grid.feeder_of_node[node]) if node >= 0 else -1
    if edge is None or feeder != outage.feeder_number:
        raise Invalid(
            f"{code!r} is no device of the outage's feeder.",
            fields={"field": "device_code"},
        )
    return edge


def _stand_at(devices: Devices, outage: Outage, edge: int) -> None:
    """Let the row say that the outage is at the device."""
    grid = devices.grid
    if outage.device_code == grid.edge_code(edge):
        return
    outage.place_kind = PlaceKind.DEVICE
    outage.device_code, outage.device_kind = grid.edge_code(edge), str(grid.edge_kind(edge))
    outage.edge_number = grid.edge_pk(edge)
    outage.node_number = grid.node_pk(devices.fed(edge))
    outage.transformer_number = None
    outage.customers_count = devices.size(edge)
    outage.counted_place = ""


def _absorb(into: Outage, outage: Outage, at: datetime) -> None:
    """Point the outage, and all that belongs to it, to the one that stays."""
    outage.merged_into, outage.updated_at = into, at
    outage.save(update_fields=["merged_into", "updated_at"])
    Outage.objects.filter(merged_into=outage).update(merged_into=into)
    SourceEvent.objects.filter(outage=outage).update(outage=into)
    Interruption.objects.filter(outage=outage).delete()
    into.sources = dict(sorted((Counter(into.sources) + Counter(outage.sources)).items()))
    into.first_detected_at = min(into.first_detected_at, outage.first_detected_at)
    into.last_event_at = max(into.last_event_at, outage.last_event_at)
    into.counted_place = ""


def _open(
    devices: Devices, outage: Outage, edge: int, seats: Sequence[Seat], act: _Act
) -> Outage:
    """Open an outage at the device for these reports, split from the other, and confirm it."""
    candidate = Candidate(
        id=uuid7(),
        status=Status.DETECTED,
        place_kind=PlaceKind.DEVICE,
        node=devices.fed(edge),
        edge=edge,
        feeder_number=outage.feeder_number,
        substation="",
        meter_code="",
        latitude=outage.latitude,
        longitude=outage.longitude,
        sources=_sources(seats),
        first_detected_at=seats[0].at,
        last_event_at=seats[-1].at,
        is_new=True,
    )
    writing.insert_outages(
        devices.grid, [candidate], {candidate.id: seats[0].event_id}, act.at
    )
    SourceEvent.objects.filter(id__in=[seat.event_id for seat in seats]).update(
        outage_id=candidate.id
    )
    fresh = trail.hold(candidate.id)
    fresh.split_from = outage
    text = f"Opened by hand: {describe(devices.grid, candidate).device_code}"
    trail.tell(fresh, "detected", text, act.by, act.at)
    _confirm(fresh, act)
    fresh.save()
    return fresh


def _count(outage: Outage, seats: Sequence[Seat]) -> None:
    """Let the outage's figures be those of these reports."""
    outage.sources = _sources(seats)
    outage.first_detected_at = seats[0].at
    outage.last_event_at = max(seat.at for seat in seats)
    outage.counted_place = ""


def _sources(seats: Sequence[Seat]) -> dict[str, int]:
    return dict(sorted(Counter(seat.source for seat in seats).items()))


def _confirm(outage: Outage, act: _Act) -> None:
    """Confirm the outage where it stands, and bring its judgement up to date."""
    outage.updated_at = act.at
    outage.confidence = confidence(outage.sources)
    outage.severity = severity(
        sure=outage.confidence,
        customers=outage.customers_count,
        critical=outage.critical_customers,
    )
    if outage.status != Status.DETECTED:
        return
    outage.status = Status.CONFIRMED
    outage.confirmed_at = max(act.at, outage.first_detected_at)
    publish(
        OutageMoved(
            outage_id=outage.id,
            before=Status.DETECTED.value,
            after=Status.CONFIRMED.value,
            by=act.by.label,
            at=act.at,
        )
    )


def _judge_again(outages: Sequence[Outage], changed: Sequence[UUID], at: datetime) -> None:
    """Have the part of the network judged again around them, and tell what changed."""
    feeder = outages[0].feeder_number
    key = f"feeder:{feeder}" if feeder is not None else "space"
    earliest = min(outage.first_detected_at for outage in outages)
    with together():
        duework.add_work({key: 1}, {key: earliest}, at)
    publish(OutagesRejudged(key=key, changed=tuple(sorted(changed)), at=at))


def _name(grid: "Grid", edge: int) -> str:
    return f"{grid.edge_kind(edge)} {grid.edge_code(edge)}"
