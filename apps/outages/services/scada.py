"""What SCADA says of switching devices: the actual network follows it."""

from datetime import datetime
from typing import TYPE_CHECKING

from apps.core.actor import system
from apps.network import services as switching
from apps.network.rules import SWITCHABLE
from apps.outages.correlation.matching import Spot
from apps.outages.rules import Kind, Report, Source

if TYPE_CHECKING:
    from apps.network.topology import Grid

SCADA = system("scada")


class ToldStates:
    """The states that the events of one batch tell."""

    def __init__(self, grid: "Grid") -> None:
        self.grid = grid
        self.told: list[tuple[int, Report]] = []
        self.confirming: switching.Confirming | None = None

    def add(self, spot: Spot | None, report: Report) -> None:
        """Take an event; what says nothing of a switching device is left out."""
        if spot is None or not spot.by_device or report.source_type != Source.SCADA:
            return
        if report.kind not in (Kind.OUTAGE, Kind.RESTORATION) or spot.edge < 0:
            return
        if self.grid.edge_kind(spot.edge) in SWITCHABLE:
            self.told.append((spot.edge, report))

    def ask(self) -> None:
        """Within `bulk.together()`, note what is as it was known, if nothing is otherwise."""
        turned = self._turned()
        if self.told and not turned:
            latest: dict[int, datetime] = {}
            for edge, report in self.told:
                latest[edge] = max(report.occurred_at, latest.get(edge, report.occurred_at))
            self.confirming = switching.Confirming(
                {
                    self.grid.edge_code(edge): (bool(self.grid.closed[edge]), at)
                    for edge, at in latest.items()
                },
                by=SCADA,
            )

    def write(self) -> None:
        """Let the devices follow, those first that do not change.

        The last thing that is done: one row of the network is held from here on by those who
        change something against all others.
        """
        if self.confirming is not None and self.confirming.answer():
            return
        turned = self._turned()
        for edge, report in sorted(self.told, key=lambda one: one[0] not in turned):
            switching.set_device_state(
                code=self.grid.edge_code(edge),
                closed=report.kind is Kind.RESTORATION,
                by=SCADA,
                at=report.occurred_at,
                reason=f"{report.event_type} {report.source_event_id}",
            )

    def _turned(self) -> set[int]:
        """Return the devices of which an event says otherwise than was known."""
        return {
            edge
            for edge, report in self.told
            if bool(self.grid.closed[edge]) != (report.kind is Kind.RESTORATION)
        }
