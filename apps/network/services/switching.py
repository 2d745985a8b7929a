"""Open and close devices."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from apps.accounts.services import require
from apps.audit import services as audit
from apps.core import outbox
from apps.core.actor import Actor
from apps.core.bulk import array, ask, texts, together
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
    if known.is_closed == closed and _confirmed(known, at, by):
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


_CONFIRM = (
    "WITH v AS MATERIALIZED ("
    "SELECT id FROM network_networkversion WHERE id = 1 FOR SHARE) "
    "UPDATE network_edge e SET state_at = greatest(e.state_at, x.at) "
    "FROM v, unnest(%s::text[], %s::bool[], %s::timestamptz[]) AS x(code, closed, at) "
    "WHERE e.code = x.code AND NOT e.retired AND e.is_closed = x.closed RETURNING e.code"
)


class Confirming:
    """Notes that devices are still in a state, without waiting for others that do the same.

    SCADA says the same again and again. Ask within `bulk.together()`; `states` is whether each
    device, by its code, is closed, and when. Raises Forbidden.
    """

    def __init__(self, states: Mapping[str, tuple[bool, datetime]], *, by: Actor) -> None:
        require(by, "network.switch_device")
        self.codes = list(states)
        ask("SAVEPOINT confirming", [])
        self._confirmed = ask(
            _CONFIRM,
            [
                texts(self.codes),
                array(closed for closed, _ in states.values()),
                array(at for _, at in states.values()),
            ],
        )

    def answer(self) -> bool:
        """Return whether it is so of all; else nothing was noted of any."""
        if len(self._confirmed.fetchall()) == len(self.codes):
            return True
        # Let go of the version: two who share it would wait for each other to change it.
        ask("ROLLBACK TO SAVEPOINT confirming", [])
        return False


def _confirmed(edge: Edge, at: datetime, by: Actor) -> bool:
    with together():
        confirming = Confirming({edge.code: (edge.is_closed, at)}, by=by)
    return confirming.answer()


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
