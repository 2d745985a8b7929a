"""Writes of the grid: import a network file, open and close devices."""

from apps.network.services.erasing import erase_network
from apps.network.services.importing import ImportResult, import_network
from apps.network.services.switching import Confirming, set_device_state, switch_as_seen

__all__ = [
    "Confirming",
    "ImportResult",
    "erase_network",
    "import_network",
    "set_device_state",
    "switch_as_seen",
]
