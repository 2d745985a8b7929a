"""What a switching would do, before it is done."""

from dataclasses import dataclass

import numpy as np

from apps.core.errors import NotFound, Unprocessable
from apps.network.models import NetworkVersion
from apps.network.rules import SWITCHABLE
from apps.network.selectors.snapshot import grid


@dataclass(frozen=True, slots=True)
class Preview:
    """A device turned the other way: meters that would lose and regain power.

    `version` is the state of the network that was looked at; a switching that names it is
    refused once anything was switched since.
    """

    code: str
    closes: bool
    lost: int
    won: int
    version: int


def preview(*, code: str) -> Preview:
    """Return what turning the device would do. Raises NotFound or Unprocessable."""
    held = grid(fresh=True)
    edge = held.edge_index(code)
    if edge is None:
        raise NotFound(f"There is no device {code}.")
    if held.edge_kind(edge) not in SWITCHABLE:
        raise Unprocessable(f"A {held.edge_kind(edge)} cannot be switched.")
    closes = not bool(held.closed[edge])
    before = held.energised_nodes()
    after = held.switched({edge: closes}).energised_nodes()
    meters = held.layout.meters
    return Preview(
        code=code,
        closes=closes,
        lost=int(np.sum(meters[before & ~after])),
        won=int(np.sum(meters[~before & after])),
        version=state_version(),
    )


def state_version() -> int:
    """Return the number of the latest switching; it rises with each."""
    found = NetworkVersion.objects.filter(id=1).values_list("state", flat=True).first()
    return found or 0
