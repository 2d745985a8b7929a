"""Open and close devices."""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from apps.accounts.services import require
from apps.audit import services as audit
from apps.core import outbox
from apps.core.actor import Actor
from apps.core.errors import Conflict, Invalid, NotFound, Unprocessable
from apps.network.events import DeviceSwitched
from apps.network.models import Edge, NetworkVersion, SwitchingOperation
from apps.network.rules import SWITCHABLE
from apps.network.selectors import feeder_names, grid, look_again


@transaction.atomic
def set_device_state(
    *, code: str, closed: bool, by: Actor, at: datetime, reason: str = ""
) -> bool:
    """Open or close a device; return whether that changed anything.

    What is older than the last thing known of the device changes nothing. Raises Forbidden,
    NotFound for an unknown code, Unprocessable for a line or cable.
    """
    require(by, "network.switch_device")
    known = _switchable(Edge.objects.filter(code=code, retired=False).first(), code)
    if known.state_at is not None and at < known.state_at:
        return False
    if known.is_closed == closed and _confirmed(known, at):
        return False
    version = locked_version()
    edge = Edge.objects.select_for_update().get(code=code)
    if edge.state_at is not None and at < edge.state_at:
        return False
    changed = edge.is_closed != closed
    edge.is_closed, edge.state_at = closed, at
    edge.save(update_fields=["is_closed", "state_at"])
    if changed:
        _record(version, edge, by, at, reason)
    return changed


@transaction.atomic
def switch_as_seen(
    *, code: str, closed: bool, version: int, reason: str, by: Actor, at: datetime
) -> bool:
    """Turn a device whose effect somebody has just been shown.

    Raises Conflict where anything was switched since, Invalid without a reason, and as
    set_device_state.
    """
    require(by, "network.switch_device")
    if not reason.strip():
        raise Invalid("Say why it is switched.", fields={"field": "reason"})
    if locked_version().state != version:
        raise Conflict(
            "The network was switched meanwhile. Look at the customers again, then decide."
        )
    return set_device_state(code=code, closed=closed, by=by, at=at, reason=reason.strip())


def _confirmed(edge: Edge, at: datetime) -> bool:
    """Note that the device was still in its state at that time; return whether it is so.

    SCADA says the same again and again: those who do so do not wait for each other.
    """
    same = Edge.objects.filter(Q(state_at=None) | Q(state_at__lte=at), pk=edge.pk)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM network_networkversion WHERE id = 1 FOR SHARE")
        if same.filter(is_closed=edge.is_closed).update(state_at=at):
            return True
        # Let go of the version: two who share it would wait for each other to change it.
        transaction.set_rollback(True)
    return False


def _switchable(edge: Edge | None, code: str) -> Edge:
    if edge is None:
        raise NotFound(f"There is no device {code}.")
    if edge.kind not in SWITCHABLE:
        raise Unprocessable(f"A {edge.kind} cannot be switched.", fields={"code": code})
    return edge


def locked_version() -> NetworkVersion:
    """Hold the version row until the transaction ends; imports and switchings wait here."""
    NetworkVersion.objects.get_or_create(id=1)
    return NetworkVersion.objects.select_for_update().get(id=1)


def _feeder_code(edge: Edge) -> str:
    """Return the feeder that fed the device before, or the one it was planned on."""
    held = grid()
    index = held.edge_index(edge.code)
    node = None if index is None else held.fed_node(index)
    feeder_pk = int(held.feeder_of_node[node]) if node is not None else 0
    feeder = feeder_names(feeder_pk or edge.feeder_id)
    return feeder.code if feeder else ""


def _record(
    version: NetworkVersion, edge: Edge, by: Actor, at: datetime, reason: str
) -> None:
    operation = SwitchingOperation.objects.create(
        edge=edge, closed=edge.is_closed, at=at, label=by.label[:200], reason=reason[:500]
    )
    version.state = operation.pk
    version.save(update_fields=["state"])
    audit.record(
        by=by,
        action="switch_device",
        resource="device",
        resource_id=edge.code,
        before={"closed": not edge.is_closed},
        after={"closed": edge.is_closed, "reason": operation.reason},
        at=at,
    )
    outbox.publish(
        DeviceSwitched(
            device=edge.code,
            feeder=_feeder_code(edge),
            closed=edge.is_closed,
            label=operation.label,
            reason=operation.reason,
            at=at,
        )
    )
    look_again()
