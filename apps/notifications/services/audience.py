"""Who is told: the customers of an outage, or those that were named."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.core.actor import system
from apps.network import selectors as network
from apps.notifications.rules import zone_of
from apps.outages import selectors as outages

if TYPE_CHECKING:
    from apps.outages.models import Outage


@dataclass(frozen=True, slots=True)
class Person:
    """A customer as far as a notice needs one, with the time zone of their region."""

    customer_code: str
    name: str
    phone: str
    email: str
    time_zone: str


def affected(outage: "Outage") -> list[Person]:
    """Return the customers of the outage, each once, the critical ones first."""
    zone = zone_of(_zones().get(outage.region_code, ""))
    found = outages.affected_customers(outage=outage, viewer=system("notifications"))
    return _each_once(found, zone)


def below(device_code: str, region_code: str) -> list[Person]:
    """Return the customers below a device, each once, the critical ones first."""
    zone = zone_of(_zones().get(region_code, ""))
    found = outages.customers_below(device_code=device_code, viewer=system("notifications"))
    return _each_once(found, zone)


def named(codes: Sequence[str], outage: "Outage") -> tuple[list[Person], list[str]]:
    """Return the customers with these codes, and the codes that nobody has, in their order.

    A customer without a meter is taken to live where the outage is.
    """
    found = {row.code: row for row in network.customers_by_code(codes)}
    regions = _regions_of(row.meters[0] for row in found.values() if row.meters)
    zones = _zones()
    people = [
        Person(
            row.code,
            row.name,
            row.phone,
            row.email,
            zone_of(zones.get(_region(row, regions) or outage.region_code, "")),
        )
        for code in codes
        if (row := found.get(code)) is not None
    ]
    return people, [code for code in codes if code not in found]


def _each_once(found: Sequence[outages.AffectedCustomer], zone: str) -> list[Person]:
    people = {
        row.customer_code: Person(row.customer_code, row.name, row.phone, row.email, zone)
        for row in reversed(found)
        if row.customer_code
    }
    return list(reversed(people.values()))


def _region(row: network.CustomerView, regions: dict[str, str]) -> str:
    return regions.get(row.meters[0], "") if row.meters else ""


def _regions_of(meters: Iterable[str]) -> dict[str, str]:
    return {row.code: row.region_code for row in network.meters_by_code(list(meters))}


def _zones() -> dict[str, str]:
    return {region.code: region.time_zone for region in network.regions()}
