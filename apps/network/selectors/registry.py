"""Names of things: regions, feeders, meters, customers, and the search for them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from apps.network.models import (
    Customer,
    Edge,
    Feeder,
    Meter,
    Network,
    Region,
    Substation,
    SwitchingOperation,
)
from apps.network.rules import phone_number
from apps.network.selectors.snapshot import grid, snapshot


@dataclass(frozen=True, slots=True)
class RegionView:
    """A region; `meters` are those fed from it in the normal state."""

    pk: int
    code: str
    name: str
    capacity_mw: float
    time_zone: str
    meters: int


@dataclass(frozen=True, slots=True)
class FeederView:
    """A feeder with where it belongs."""

    pk: int
    code: str
    name: str
    breaker: str
    substation_code: str
    substation_name: str
    region_code: str


@dataclass(frozen=True, slots=True)
class MeterView:
    """A meter with its customer; `feeder_pk` and `region_code` are those of the normal state."""

    pk: int
    code: str
    node_pk: int
    customer_pk: int | None
    customer_code: str
    name: str
    phone: str
    email: str
    address: str
    critical: bool
    latitude: float
    longitude: float
    feeder_pk: int | None
    region_code: str
    load_profile: str
    load_kw: float | None


@dataclass(frozen=True, slots=True)
class CustomerView:
    """A customer and the codes of their meters."""

    pk: int
    code: str
    name: str
    phone: str
    email: str
    critical: bool
    meters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that a search found."""

    kind: str
    code: str
    name: str
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class Switching:
    """One switching of a device."""

    device: str
    closed: bool
    at: datetime
    label: str
    reason: str


_CUSTOMER = {
    field: Coalesce(f"customer__{field}", Value(""))
    for field in ("name", "phone", "email", "address")
}
_METER_FIELDS = (
    "pk",
    "code",
    "node_id",
    "customer_id",
    "customer_code",
    "name",
    "phone",
    "email",
    "address",
    "is_critical",
    "latitude",
    "longitude",
    "feeder_id",
    "region_code",
    "load_profile",
    "load_kw",
)


def networks() -> list[str]:
    """Return the names of the imported networks."""
    return list(Network.objects.values_list("name", flat=True))


def regions() -> list[RegionView]:
    """Return the regions by code."""
    counted = dict(
        Meter.objects.filter(retired=False, feeder__isnull=False)
        .values_list("feeder__substation__region")
        .annotate(Count("pk"))
        .order_by()
    )
    return [
        RegionView(
            region.pk,
            region.code,
            region.name,
            region.capacity_mw,
            region.time_zone,
            counted.get(region.pk, 0),
        )
        for region in Region.objects.filter(retired=False)
    ]


def feeders() -> dict[int, FeederView]:
    """Return the feeders by key, retired ones too, because history names them."""
    rows = Feeder.objects.values_list(
        "pk",
        "code",
        "name",
        "breaker",
        "substation__code",
        "substation__name",
        "substation__region__code",
    )
    return {row[0]: FeederView(*row) for row in rows}


def feeder_names(feeder_pk: int | None) -> FeederView | None:
    """Return what a feeder and its surroundings are called, or None."""
    if not feeder_pk:
        return None
    known = snapshot().remembered.feeders
    if feeder_pk not in known:
        known.update(feeders())
    return known.get(feeder_pk)


def meters(pks: Iterable[int] | None = None) -> QuerySet[Meter]:
    """Return live meters by code, all or those with the keys."""
    found = Meter.objects.filter(retired=False)
    return found if pks is None else found.filter(pk__in=list(pks))


def meter_views(rows: QuerySet[Meter], most: int | None = None) -> list[MeterView]:
    """Return the meters with their customers, in the order of the rows.

    With `most`, so many of them at most, those of critical customers first.
    """
    named = rows.annotate(
        customer_code=Coalesce("customer__code", Value("")),
        is_critical=Coalesce("customer__critical", Value(value=False)),
        region_code=Coalesce("feeder__substation__region__code", Value("")),
        **_CUSTOMER,
    )
    if most is not None:
        named = named.order_by("-is_critical", "code")
    return [MeterView(*row) for row in named.values_list(*_METER_FIELDS)[:most]]


def meters_under(code: str, most: int | None = None) -> list[MeterView]:
    """Return the meters below the edge with this code, live or dead, by code.

    With `most`, so many of them at most, those of critical customers first.
    """
    held = grid()
    edge = held.edge_index(code)
    if edge is None:
        return []
    nodes = held.layout.node_pk[held.downstream(edge)].tolist()
    below = meters().extra(where=["network_meter.node_id = ANY(%s)"], params=[nodes])
    return meter_views(below, most)


def meters_by_code(codes: Iterable[str], most: int | None = None) -> list[MeterView]:
    """Return the meters with these codes, by code.

    With `most`, so many of them at most, those of critical customers first.
    """
    return meter_views(meters().filter(code__in=list(codes)), most)


def meters_of_region(code: str) -> list[MeterView]:
    """Return the meters of a region in the normal state, by code."""
    return meter_views(meters().filter(feeder__substation__region__code=code))


def meters_of_substation(code: str) -> int:
    """Return how many meters a substation feeds in the normal state."""
    return meters().filter(feeder__substation__code=code).count()


def meters_of_feeder(code: str) -> list[MeterView]:
    """Return the meters of a feeder in the normal state, by code."""
    return meter_views(meters().filter(feeder__code=code))


def customers_by_code(codes: Iterable[str]) -> list[CustomerView]:
    """Return the customers with these codes, by code."""
    rows = list(Customer.objects.filter(code__in=list(codes), retired=False))
    held: dict[int, list[str]] = {row.pk: [] for row in rows}
    pairs = meters().filter(customer_id__in=held).values_list("customer_id", "code")
    for customer, meter in pairs:
        if customer is not None:
            held[customer].append(meter)
    return [
        CustomerView(
            row.pk,
            row.code,
            row.name,
            row.phone,
            row.email,
            row.critical,
            tuple(held[row.pk]),
        )
        for row in rows
    ]


def switchings(code: str, limit: int = 50) -> list[Switching]:
    """Return what was switched at a device, the latest first."""
    rows = SwitchingOperation.objects.filter(edge__code=code).order_by("-pk")
    fields = ("edge__code", "closed", "at", "label", "reason")
    return [Switching(*row) for row in rows.values_list(*fields)[:limit]]


def search(text: str, limit: int = 20) -> list[Hit]:
    """Return devices, feeders, substations, meters and customers that the text names.

    Codes and phones are found by their beginning, names and addresses by any part; at most
    `limit` of a kind.
    """
    text = text.strip()
    if not text:
        return []
    found = _devices(text, limit) + _feeders(text, limit) + _substations(text, limit)
    return found + _meters(text, limit) + _customers(text, limit)


def _devices(text: str, limit: int) -> list[Hit]:
    rows = Edge.objects.filter(code__startswith=text, retired=False)[:limit]
    rows = rows.select_related("to_node")
    return [
        Hit(row.kind, row.code, row.code, row.to_node.latitude, row.to_node.longitude)
        for row in rows
    ]


def _feeders(text: str, limit: int) -> list[Hit]:
    named = Q(code__istartswith=text) | Q(name__icontains=text)
    rows = Feeder.objects.filter(named, retired=False).select_related("substation")[:limit]
    return [
        Hit("feeder", row.code, row.name, row.substation.latitude, row.substation.longitude)
        for row in rows
    ]


def _substations(text: str, limit: int) -> list[Hit]:
    named = Q(code__istartswith=text) | Q(name__icontains=text)
    rows = Substation.objects.filter(named, retired=False)[:limit]
    return [Hit("substation", r.code, r.name, r.latitude, r.longitude) for r in rows]


def _meters(text: str, limit: int) -> list[Hit]:
    rows = meters().filter(code__startswith=text).select_related("customer")[:limit]
    return [
        Hit("meter", r.code, r.customer.name if r.customer else "", r.latitude, r.longitude)
        for r in rows
    ]


def _customers(text: str, limit: int) -> list[Hit]:
    named = Q(code__startswith=text) | Q(name__icontains=text) | Q(address__icontains=text)
    number = phone_number(text)
    if number.removeprefix("+").isdigit():
        named |= Q(phone__startswith=number)
    rows = Customer.objects.filter(named, retired=False)[:limit]
    places = _first_places([row.pk for row in rows])
    return [
        Hit("customer", row.code, row.name, *places.get(row.pk, (None, None)))
        for row in rows
    ]


def _first_places(customers: Sequence[int]) -> dict[int, tuple[float, float]]:
    rows = meters().filter(customer_id__in=customers).order_by("-code")
    fields = rows.values_list("customer_id", "latitude", "longitude")
    return {
        pk: (latitude, longitude) for pk, latitude, longitude in fields if pk is not None
    }
