"""What the grid tells the rest of the house."""

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class NetworkImported(Event):
    """A network file changed the grid; `structure` is the version after it."""

    name: ClassVar[str] = "network.imported"
    network: str
    structure: int
    created: int
    updated: int
    retired: int

    @property
    def subject(self) -> str:
        """Return the key within which imports keep their order."""
        return f"network:{self.network}"


@dataclass(frozen=True, kw_only=True)
class DeviceSwitched(Event):
    """A device opened or closed. `feeder` is the code of the feeder it is on, or empty."""

    name: ClassVar[str] = "network.device_switched"
    device: str
    feeder: str
    closed: bool
    label: str
    reason: str

    @property
    def subject(self) -> str:
        """Return the key within which switchings keep their order."""
        return f"device:{self.device}"
