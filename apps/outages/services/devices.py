"""The device of an outage that somebody has ended: it is closed again, whatever SCADA said."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from apps.core.actor import system
from apps.network import selectors as network
from apps.network import services as switching
from apps.network.rules import SWITCHABLE
from apps.outages.models import Outage
from apps.outages.rules import PlaceKind
from apps.outages.services import duework
from apps.outages.services.holding import lock_part

if TYPE_CHECKING:
    from apps.network.topology import Grid

CLOSER = system("outages")


def hold_part(outage_id: UUID) -> None:
    """Hold the part of the network where the outage is, before its row and the switch state.

    The intake and the judge take them in that order too. What an outage is merged into is on
    the same feeder.
    """
    row = Outage.objects.filter(id=outage_id).values_list("feeder_number", "place_kind")
    for feeder, place_kind in row:
        if feeder is not None:
            lock_part([feeder])
        elif place_kind == PlaceKind.DEVICE:
            lock_part([], space=True)


def close_device(outage: Outage, *, at: datetime) -> None:
    """Close the outage's device in the actual network where it is open against its rule.

    Else what is out below it later would wait for it for ever. Other outages that wait there
    are judged again.
    """
    if not _is_open_against_its_rule(network.grid(fresh=True), outage):
        return
    closed = switching.set_device_state(
        code=outage.device_code,
        closed=True,
        by=CLOSER,
        at=max(at, outage.last_event_at),
        reason=f"{outage.status}: {outage.label}",
    )
    if closed and outage.feeder_number is not None:
        key = f"feeder:{outage.feeder_number}"
        duework.add_work({key: 1}, {key: outage.first_detected_at}, at)


def _is_open_against_its_rule(grid: "Grid", outage: Outage) -> bool:
    if outage.place_kind != PlaceKind.DEVICE:
        return False
    edge = grid.edge_index(outage.device_code)
    if edge is None or grid.edge_kind(edge) not in SWITCHABLE:
        return False
    return bool(grid.layout.edges.normally_closed[edge] and not grid.closed[edge])
