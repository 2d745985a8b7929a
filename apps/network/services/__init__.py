"""Writes of the grid: import a network file, open and close devices."""

from apps.network.services.switching import set_device_state

__all__ = ["set_device_state"]
