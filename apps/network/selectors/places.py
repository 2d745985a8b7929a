"""Where a reference points to: the registry's answer to what events name."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from apps.core.bulk import texts, values_of
from apps.network.models import Edge, Feeder, Meter, Substation
from apps.network.rules import phone_number
from apps.network.selectors.registry import feeder_names
from apps.network.selectors.snapshot import Snapshot, snapshot
from apps.network.topology import Grid

REMEMBERED = 50_000
ALL_REMEMBERED = 20_000

Kind = Literal["device", "feeder", "substation", "meter"]


class PlaceRef(NamedTuple):
    """What an event says of its place, in the order in which it is believed."""

    device_id: str = ""
    feeder_id: str = ""
    substation_id: str = ""
    meter_id: str = ""
    asset_mrid: str = ""
    customer_id: str = ""
    phone: str = ""
    onu_id: str = ""


class Place(NamedTuple):
    """Where that is. Keys that do not apply are None, codes empty.

    A device's node is the one it feeds; a feeder is placed at its breaker, which is then its
    device. `feeder_pk` is the feeder that feeds the place now.
    """

    kind: Kind
    latitude: float
    longitude: float
    node_pk: int | None = None
    edge_pk: int | None = None
    feeder_pk: int | None = None
    meter_pk: int | None = None
    meter_code: str = ""
    device_code: str = ""
    feeder_code: str = ""
    substation_code: str = ""


Found = dict[str, Place]
Step = tuple[Callable[[PlaceRef], str], Callable[[Grid, list[str]], Found]]


def resolve(
    refs: Sequence[PlaceRef], *, held: Snapshot | None = None
) -> list[Place | None]:
    """Return where each reference points to, or None; one query a kind for those not known.

    The first part of a reference that is known decides: device (or meter) id, feeder,
    substation, meter number, asset mRID, customer, phone, ONU. A customer with several meters
    is at the first by code. Give the snapshot whose grid the places are to be looked up in.
    """
    held = snapshot() if held is None else held
    known = held.remembered.places
    if not held.remembered.has_all_meters and _is_small(held.grid):
        known.update(_all_meters(held.grid))
        held.remembered.has_all_meters = True
    unknown = {ref for ref in refs if ref not in known}
    if unknown:
        if len(known) + len(unknown) > REMEMBERED:
            known.clear()
        found = _look_up(held, unknown)
        known.update(found)
        return [found[ref] if ref in found else known.get(ref) for ref in refs]
    return [known[ref] for ref in refs]


def _is_small(grid: Grid) -> bool:
    """Return whether all meters of the grid may be remembered: asking for each costs more."""
    return int(grid.layout.meters.sum()) <= ALL_REMEMBERED


def _all_meters(grid: Grid) -> dict[PlaceRef, Place | None]:
    rows = Meter.objects.filter(retired=False)
    return {PlaceRef(meter_id=code): at for code, at in _placed(grid, "code", rows).items()}


def _look_up(held: Snapshot, refs: Iterable[PlaceRef]) -> dict[PlaceRef, Place | None]:
    answers: dict[PlaceRef, Place | None] = dict.fromkeys(refs)
    for said, find in _STEPS:
        waiting = [ref for ref, place in answers.items() if place is None and said(ref)]
        wanted = sorted({said(ref) for ref in waiting})
        found = find(held.grid, wanted) if wanted else {}
        for ref in waiting:
            answers[ref] = found.get(said(ref))
    return answers


def _devices(grid: Grid, codes: list[str]) -> Found:
    rows = Edge.objects.filter(code__in=codes, retired=False).select_related(
        "from_node", "to_node"
    )
    devices = {row.code: _at_edge(grid, row) for row in rows}
    return devices | _meters_by_code(grid, [code for code in codes if code not in devices])


def _at_edge(grid: Grid, row: Edge) -> Place:
    edge = grid.edge_index(row.code)
    fed = None if edge is None else grid.fed_node(edge)
    node = row.to_node
    if fed is not None and grid.node_pk(fed) == row.from_node_id:
        node = row.from_node
    feeder_pk = (int(grid.feeder_of_node[fed]) if fed is not None else 0) or row.feeder_id
    code, substation = _feeder_codes(feeder_pk)
    return Place(
        kind="device",
        latitude=node.latitude,
        longitude=node.longitude,
        node_pk=node.pk,
        edge_pk=row.pk,
        feeder_pk=feeder_pk,
        device_code=row.code,
        feeder_code=code,
        substation_code=substation,
    )


def _feeder_codes(feeder_pk: int | None) -> tuple[str, str]:
    feeder = feeder_names(feeder_pk)
    return (feeder.code, feeder.substation_code) if feeder else ("", "")


def _feeders(grid: Grid, codes: list[str]) -> Found:
    rows = list(
        Feeder.objects.filter(code__in=codes, retired=False).select_related("substation")
    )
    breakers = _devices(grid, [row.breaker for row in rows if row.breaker])
    return {row.code: _at_feeder(row, breakers.get(row.breaker)) for row in rows}


def _at_feeder(row: Feeder, breaker: Place | None) -> Place:
    return Place(
        kind="feeder",
        latitude=breaker.latitude if breaker else row.substation.latitude,
        longitude=breaker.longitude if breaker else row.substation.longitude,
        node_pk=breaker.node_pk if breaker else None,
        edge_pk=breaker.edge_pk if breaker else None,
        feeder_pk=row.pk,
        device_code=breaker.device_code if breaker else "",
        feeder_code=row.code,
        substation_code=row.substation.code,
    )


def _substations(_grid: Grid, codes: list[str]) -> Found:
    rows = Substation.objects.filter(code__in=codes, retired=False)
    return {
        row.code: Place(
            kind="substation",
            latitude=row.latitude,
            longitude=row.longitude,
            substation_code=row.code,
        )
        for row in rows
    }


def _meters(grid: Grid, field: str, values: list[str]) -> Found:
    # One parameter: Django's `in` over a list prepares, and PostgreSQL reads, each by itself.
    told = RawSQL("SELECT unnest(%s::text[])", [texts(values)])
    # Said twice, so that the indexes are used that hold what is not empty.
    named = Q((f"{field}__in", told)) & Q((f"{field}__gt", ""))
    rows = Meter.objects.filter(named, retired=False)
    return _placed(grid, field, rows)


def _placed(grid: Grid, field: str, meters: QuerySet[Meter]) -> dict[str, Place]:
    wanted = meters.order_by("code").values_list(
        field, "pk", "code", "node_id", "latitude", "longitude"
    )
    rows = values_of(wanted)
    nodes = grid.node_indexes([row[3] for row in rows])
    feeders = np.where(nodes >= 0, grid.feeder_of_node[nodes], 0).tolist() if rows else []
    found: dict[str, Place] = {}
    for (value, *row), feeder_pk in zip(rows, feeders, strict=True):
        if value in found:
            continue
        pk, code, node_pk, latitude, longitude = row
        feeder, substation = _feeder_codes(feeder_pk or None)
        found[value] = Place(
            kind="meter",
            latitude=latitude,
            longitude=longitude,
            node_pk=node_pk,
            feeder_pk=feeder_pk or None,
            meter_pk=pk,
            meter_code=code,
            feeder_code=feeder,
            substation_code=substation,
        )
    return found


def _meters_by_code(grid: Grid, codes: list[str]) -> Found:
    return _meters(grid, "code", codes) if codes else {}


def _meters_by_mrid(grid: Grid, mrids: list[str]) -> Found:
    found = _meters(grid, "mrid", mrids)
    return found | _meters_by_code(grid, [mrid for mrid in mrids if mrid not in found])


def _meter_numbers(grid: Grid, numbers: list[str]) -> Found:
    found = _meters_by_code(grid, numbers)
    rest = [number for number in numbers if number not in found]
    return found | (_meters(grid, "mrid", rest) if rest else {})


_STEPS: tuple[Step, ...] = (
    (lambda ref: ref.device_id, _devices),
    (lambda ref: ref.feeder_id, _feeders),
    (lambda ref: ref.substation_id, _substations),
    (lambda ref: ref.meter_id, _meter_numbers),
    (lambda ref: ref.asset_mrid, _meters_by_mrid),
    (lambda ref: ref.customer_id, lambda grid, ids: _meters(grid, "customer__code", ids)),
    (
        lambda ref: phone_number(ref.phone),
        lambda grid, phones: _meters(grid, "customer__phone", phones),
    ),
    (lambda ref: ref.onu_id, lambda grid, onus: _meters(grid, "onu", onus)),
)
