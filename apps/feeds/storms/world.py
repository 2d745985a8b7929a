"""The world as it is: the grid and who hangs where. What the portal believes is not in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from apps.network.topology import Grid


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter at its node (an index of the grid), with what others call it."""

    code: str
    node: int
    customer: str = ""
    phone: str = ""
    onu: str = ""


class World:
    """The grid in its normal state, its meters, and the devices that SCADA watches.

    `places` are latitude and longitude of each node, shape (nodes, 2), where they are known.
    """

    def __init__(
        self,
        grid: "Grid",
        meters: Sequence[Meter],
        watched: Iterable[str] = (),
        places: NDArray[np.float64] | None = None,
    ) -> None:
        self.grid = grid
        self.meters = tuple(meters)
        self.watched = frozenset(watched)
        self.places = places
        self._at: dict[int, tuple[int, ...]] = {}
        self._by_code = {meter.code: number for number, meter in enumerate(meters)}
        for number, meter in enumerate(self.meters):
            self._at[meter.node] = (*self._at.get(meter.node, ()), number)

    def number(self, code: str) -> int | None:
        """Return the number of the meter with this code, or None."""
        return self._by_code.get(code)

    def at_nodes(self, nodes: Iterable[int]) -> list[int]:
        """Return the numbers of the meters at these nodes."""
        return sorted(number for node in nodes for number in self._at.get(node, ()))

    def switched(self, grid: "Grid", device: str, *, closed: bool) -> "Grid":
        """Return the grid after the device has opened or closed; an unknown one changes nothing."""
        edge = self.grid.edge_index(device)
        return grid if edge is None else grid.switched({edge: closed})

    def interrupted(self, grid: "Grid", device: str) -> list[int]:
        """Return the meters that opening the device would put in the dark now."""
        edge = self.grid.edge_index(device)
        if edge is None:
            return []
        return self.at_nodes(grid.interrupted_by(edge).nodes.tolist())

    def below(self, device: str) -> list[int]:
        """Return the meters below the device, live or dead."""
        edge = self.grid.edge_index(device)
        return [] if edge is None else self.at_nodes(self.grid.downstream(edge).tolist())

    def live(self, grid: "Grid", numbers: Iterable[int]) -> list[int]:
        """Return those of the meters that a source feeds."""
        return [n for n in numbers if grid.energised(self.meters[n].node)]
