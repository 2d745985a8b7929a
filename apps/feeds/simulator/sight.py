"""What the simulator sees of the portal, and what it wants done there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import cos, hypot, radians
from typing import Any, Self

METERS_PER_DEGREE = 111_195.0


@dataclass(frozen=True, slots=True)
class OpenOutage:
    """An open outage as the list shows it."""

    id: str
    status: str
    severity: str
    device: str
    customers: int
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class Sent:
    """A crew that was sent to an outage and is not done."""

    id: str
    outage_id: str
    crew_name: str
    status: str


@dataclass(frozen=True, slots=True)
class FreeCrew:
    """A crew that could be sent."""

    name: str
    crew_type: str
    leader: str
    latitude: float | None
    longitude: float | None

    def meters_to(self, outage: OpenOutage) -> float:
        """Return how far away the outage is; very far where a place is unknown."""
        here, there = (self.latitude, self.longitude), (outage.latitude, outage.longitude)
        if here[0] is None or here[1] is None or there[0] is None or there[1] is None:
            return 1e9
        east = (there[1] - here[1]) * cos(radians(here[0]))
        return hypot(there[0] - here[0], east) * METERS_PER_DEGREE


@dataclass(frozen=True, slots=True)
class Sight:
    """The open outages, the crews under way and the free ones, at one moment."""

    outages: Mapping[str, OpenOutage] = field(default_factory=dict)
    sent: Sequence[Sent] = ()
    free: Sequence[FreeCrew] = ()

    @classmethod
    def of(cls, outages: Mapping[str, Any], crews: Mapping[str, Any]) -> Self:
        """Read the answers of the lists of outages and crews."""
        return cls(
            outages={row["id"]: _outage(row) for row in outages["outages"]},
            sent=[
                Sent(
                    row["assignment_id"], row["outage_id"], row["crew_name"], row["status"]
                )
                for row in crews["active_crews"]
            ],
            free=[
                FreeCrew(
                    row["crew_name"],
                    row["crew_type"],
                    row["leader"] or row["crew_name"],
                    row["latitude"],
                    row["longitude"],
                )
                for row in crews["available_crews"]
            ],
        )


def _outage(row: Mapping[str, Any]) -> OpenOutage:
    return OpenOutage(
        id=row["id"],
        status=row["status"],
        severity=row["severity"],
        device=row["device_id"] or "",
        customers=row["affected_customers_count"],
        latitude=row["latitude"],
        longitude=row["longitude"],
    )


# --- What is wanted -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SetStatus:
    """The control room takes a step with an outage."""

    outage_id: str
    status: str
    notes: str


@dataclass(frozen=True, slots=True)
class SendCrew:
    """The control room sends a crew; `minutes` is when it expects it there."""

    outage_id: str
    crew: FreeCrew
    minutes: float
    notes: str


@dataclass(frozen=True, slots=True)
class MoveCrew:
    """A crew reports its step."""

    assignment_id: str
    crew_name: str
    status: str
    notes: str


@dataclass(frozen=True, slots=True)
class Tell:
    """The control room tells the customers of an outage."""

    outage_id: str
    message: str
    minutes: float


@dataclass(frozen=True, slots=True)
class Ask:
    """A head-end sends an event again, which tells where it belongs now."""

    event: Mapping[str, Any]


Act = SetStatus | SendCrew | MoveCrew | Tell | Ask
