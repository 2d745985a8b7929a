"""Say in the inference's terms what a batch tells, and see what of it has a common cause."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from apps.network import selectors as network
from apps.outages.correlation.evidence import SAME_MOMENT, Signal, what_said
from apps.outages.correlation.foresight import Cause, foresee
from apps.outages.correlation.matching import Spot
from apps.outages.correlation.parts import devices_of
from apps.outages.rules import BY_PEOPLE, Kind, Report

if TYPE_CHECKING:
    from apps.network.topology import Grid

_RESTORATION = Kind.RESTORATION
_OF_POWER = (Kind.OUTAGE, _RESTORATION)


def causes_of(
    grid: "Grid",
    reports: Sequence[Report],
    spots: Sequence[Spot | None],
    places: Sequence[network.Place | None],
    fresh: Iterable[int],
) -> dict[int, Cause]:
    """Return the causes of the `fresh` ones of these events, by their position.

    Only what happened on the network has one, and only where there is enough of it.
    """
    told = {}
    for index in fresh:
        report, spot, place = reports[index], spots[index], places[index]
        if spot is None or not spot.feeder_number or spot.node < 0:
            continue
        if report.kind in _OF_POWER:
            meter = place.meter_pk if place is not None and not spot.by_device else None
            signal = _signal(report, spot, -1 if meter is None else meter)
            told[index] = (spot.feeder_number, signal)
    return foresee(devices_of(grid), told)


def _signal(report: Report, spot: Spot, meter: int) -> Signal:
    call, at = report.source_type in BY_PEOPLE, report.occurred_at
    return Signal(
        at.timestamp(),
        what_said(
            back=report.kind is _RESTORATION,
            of_device=spot.by_device,
            noticed=call,
            asked=report.is_answer,
        ),
        meter,
        spot.node,
        spot.edge,
        call,
        abs(at - report.received_at) > SAME_MOMENT,
        report.identity,
    )
