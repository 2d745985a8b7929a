"""Where the simulated world comes from: the registry, and what an earlier run left behind."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from apps.feeds.simulator.client import Portal
from apps.feeds.simulator.simulation import Simulation
from apps.feeds.storms import Cause, Fault, Meter, World
from apps.network import selectors as network

if TYPE_CHECKING:
    from apps.network.topology import Grid

OURS = re.compile(r"sim-[0-9a-z]+-")
PING = re.compile(r"ping_")
MOST_DETAILS = 50


def world() -> World | None:
    """Return the registered network in its normal state; None where there are no meters."""
    grid = network.grid()
    rows = network.meters().values_list(
        "code",
        "node_id",
        "customer__code",
        "customer__phone",
        "onu",
        "node__latitude",
        "node__longitude",
    )
    meters, spots = [], []
    for code, node, customer, phone, onu, latitude, longitude in rows.iterator():
        if grid.has_node(node):
            at = grid.node_index(node)
            meters.append(Meter(code, at, customer or "", phone or "", onu))
            spots.append((latitude, longitude))
    if not meters:
        return None
    normal = type(grid).build(grid.layout)
    breakers = (view.breaker for view in network.feeders().values())
    return World(normal, meters, breakers, _places(normal, meters, spots))


def _places(
    grid: "Grid", meters: Sequence[Meter], spots: Sequence[tuple[float, float]]
) -> NDArray[np.float64]:
    """Return where each node lies: the middle of the meters below it, shape (nodes, 2)."""
    sums = np.zeros((len(grid.enter) + 1, 3))
    at = grid.enter[[meter.node for meter in meters]] + 1
    np.add.at(sums, at, np.column_stack([np.array(spots), np.ones(len(at))]))
    sums = np.cumsum(sums, axis=0)
    below: NDArray[np.float64] = sums[grid.leave] - sums[grid.enter]
    with np.errstate(invalid="ignore"):
        middle: NDArray[np.float64] = below[:, :2] / below[:, 2:]
    return middle


def is_current(held: World) -> bool:
    """Return whether the registered network still has the structure that the world has."""
    return network.grid().layout is held.grid.layout


def neighbours(meter_code: str) -> list[str]:
    """Return all meters on the feeder of a meter; none where it is unknown."""
    found = network.meters_by_code([meter_code])
    feeders = network.feeders()
    codes = {feeders[view.feeder_pk].code for view in found if view.feeder_pk in feeders}
    return [view.code for code in codes for view in network.meters_of_feeder(code)]


def take_over(simulation: Simulation, portal: Portal, now: datetime) -> int:
    """Adopt open outages whose events are all an earlier run's; return how many.

    Raises Away or Refused.
    """
    count = 0
    for row in portal.outages().get("outages", [])[:MOST_DETAILS]:
        detail = portal.outage(row["id"])
        fault = left_behind(simulation.world, detail, now)
        if fault is not None:
            simulation.adopt(fault, row["id"], row["status"])
            count += 1
    return count


def left_behind(world: World, detail: Mapping[str, Any], now: datetime) -> Fault | None:
    """Return the fault behind an outage that an earlier run caused, or None."""
    told_by = detail.get("sources", [])
    # What a meter answered when it was asked says nothing of who caused the outage.
    sources = [row for row in told_by if not PING.match(row.get("event_type", ""))]
    if not sources or not all(OURS.match(row["source_event_id"]) for row in sources):
        return None
    device = detail["outage"]["device_id"] or ""
    number = world.number(device)
    told = {n for row in sources if (n := world.number(row["meter_id"] or "")) is not None}
    meters = {number} if number is not None else set(world.below(device))
    if not meters and not told:
        return None
    began = datetime.fromisoformat(detail["outage"]["first_detected_at"]).astimezone(UTC)
    return Fault(
        number=0,
        cause=_cause(world, device, number),
        device=device,
        at=min(began, now),
        meters=tuple(sorted(meters | told)),
    )


def left_open(simulation: Simulation, run: str, now: datetime) -> list[dict[str, Any]]:
    """Return closings of breakers that an earlier run opened and nobody waits for."""
    grid, held = network.grid(fresh=True), simulation.world
    waited_for = {incident.fault.device for incident in simulation.incidents.values()}
    return [
        {
            "event_type": "breaker_close",
            "source_type": "scada",
            "source_event_id": f"{run}-left-{code}",
            "timestamp": now.isoformat(timespec="milliseconds"),
            "device_id": code,
        }
        for code in sorted(held.watched - waited_for)
        if (edge := grid.edge_index(code)) is not None
        and not grid.closed[edge]
        and held.grid.closed[edge]
        and any(OURS.search(s.reason) for s in network.switchings(code, limit=1))
    ]


def _cause(world: World, device: str, number: int | None) -> Cause:
    if number is not None:
        return Cause.SERVICE
    if device in world.watched:
        return Cause.FEEDER
    edge = world.grid.edge_index(device)
    kind = "" if edge is None else world.grid.edge_kind(edge)
    return Cause.TRANSFORMER if kind == "transformer" else Cause.SECTION
