"""Say in the network's words where an outage is."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.configuration.rules import Definition
from apps.network import selectors as network
from apps.outages.correlation.matching import Candidate
from apps.outages.rules import PlaceKind
from apps.outages.rules import settings as declared

if TYPE_CHECKING:
    from apps.network.topology import Grid


@dataclass(frozen=True, slots=True)
class Description:
    """Names, numbers and customers of an outage's place."""

    device_code: str
    device_kind: str
    feeder_code: str
    feeder_name: str
    substation_code: str
    substation_name: str
    region_code: str
    edge_number: int | None
    node_number: int | None
    transformer_number: int | None
    latitude: float | None
    longitude: float | None
    customers: int
    etr_setting: Definition[int]


def describe(grid: "Grid", candidate: Candidate) -> Description:
    """Return the place of the outage as it stands."""
    feeder = network.feeder_names(candidate.feeder_number)
    kind = _kind(grid, candidate)
    code = candidate.meter_code
    if candidate.edge >= 0 and candidate.place_kind == PlaceKind.DEVICE:
        code = grid.edge_code(candidate.edge)
    return Description(
        device_code=code,
        device_kind=kind,
        feeder_code=feeder.code if feeder else "",
        feeder_name=feeder.name if feeder else "",
        substation_code=feeder.substation_code if feeder else candidate.substation,
        substation_name=feeder.substation_name if feeder else candidate.substation,
        region_code=feeder.region_code if feeder else "",
        edge_number=grid.edge_pk(candidate.edge) if candidate.edge >= 0 else None,
        node_number=grid.node_pk(candidate.node) if candidate.node >= 0 else None,
        transformer_number=(
            grid.edge_pk(candidate.transformer)
            if candidate.place_kind == PlaceKind.SERVICE_POINT
            and candidate.transformer >= 0
            else None
        ),
        latitude=candidate.latitude,
        longitude=candidate.longitude,
        customers=_customers(grid, candidate),
        etr_setting=declared.ETR_MINUTES.get(kind, declared.ETR_MINUTES["service"]),
    )


def _kind(grid: "Grid", candidate: Candidate) -> str:
    if candidate.place_kind == PlaceKind.DEVICE and candidate.edge >= 0:
        return str(grid.edge_kind(candidate.edge))
    return "service" if candidate.place_kind == PlaceKind.SERVICE_POINT else ""


def _customers(grid: "Grid", candidate: Candidate) -> int:
    match candidate.place_kind:
        case PlaceKind.SERVICE_POINT:
            return 1
        case PlaceKind.SUBSTATION:
            return network.meters_of_substation(candidate.substation)
        case PlaceKind.DEVICE if candidate.node >= 0:
            return int(grid.meters_below(candidate.node))
    return 1 if candidate.meter_code else 0
