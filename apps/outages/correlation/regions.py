"""Which device stands above several places, and what lies below one. Pure."""

from collections.abc import Iterable

from apps.outages.correlation.parts import Devices


def covers(devices: Devices, edge: int, node: int) -> bool:
    """Return whether the device feeds the node."""
    return edge >= 0 and edge in devices.path(node)


def common_device(devices: Devices, nodes: Iterable[int]) -> int:
    """Return the lowest protective device that feeds all the nodes; -1 where none does."""
    wanted = list(dict.fromkeys(nodes))
    if not wanted:
        return -1
    others = [set(devices.path(node)) for node in wanted[1:]]
    for edge in devices.above(wanted[0]):
        if all(edge in path for path in others):
            return edge
    return -1
