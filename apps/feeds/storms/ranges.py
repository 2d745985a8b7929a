"""The devices of a world as ranges of its meters, so that a storm needs no grid per fault."""

from dataclasses import dataclass
from math import cos, radians
from random import Random

import numpy as np
from numpy.typing import NDArray

from apps.feeds.storms.settings import Target
from apps.feeds.storms.world import Meter, World

METERS_PER_DEGREE = 111_200.0
NEAREST = 6
OWN_FEEDER = 0.85


@dataclass(frozen=True, slots=True)
class Reach:
    """What can break and whom it feeds: the meters at positions `first` to `last` - 1."""

    target: Target
    code: str
    first: int
    last: int
    feeder: int
    x: float
    y: float


class Ranges:
    """The meters of a world in the order of its forest, and each device as a range of them.

    `order[p]` is the number of the meter at position p, `feeder[p]` its feeder.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        grid = world.grid
        self.nodes = np.array([meter.node for meter in world.meters], np.int64)
        entered = grid.enter[self.nodes]
        self.order = np.argsort(entered, kind="stable")
        self.sorted = entered[self.order]
        self.feeder = grid.feeder_of_node[self.nodes[self.order]]
        self.places = flat_places(world)
        self.reaches = [*self._devices(), *self._services()]
        self.by_target = {
            target: [reach for reach in self.reaches if reach.target == target]
            for target in Target
        }

    def _devices(self) -> list[Reach]:
        grid, found = self.world.grid, []
        for edge in np.flatnonzero(grid.layout.protects()).tolist():
            node = grid.fed_node(edge)
            if node is None or not grid.tree.bridge[node] or not grid.energised(node):
                continue
            first, last = np.searchsorted(self.sorted, (grid.enter[node], grid.leave[node]))
            if first == last:
                continue
            target, (x, y) = self._target(edge), self.places[node].tolist()
            code, feeder = grid.edge_code(edge), int(grid.feeder_of_node[node])
            found.append(Reach(target, code, int(first), int(last), feeder, x, y))
        return found

    def _target(self, edge: int) -> Target:
        grid = self.world.grid
        if grid.edge_kind(edge) == Target.FUSE and not grid.counts_below(edge).transformers:
            return Target.LOW_FUSE
        return Target(grid.edge_kind(edge))

    def _services(self) -> list[Reach]:
        live = self.world.grid.energised_nodes()
        found = []
        for position, number in enumerate(self.order.tolist()):
            meter = self.world.meters[number]
            if live[meter.node]:
                x, y = self.places[meter.node].tolist()
                feeder = int(self.feeder[position])
                found.append(
                    Reach(Target.SERVICE, meter.code, position, position + 1, feeder, x, y)
                )
        return found


def flat_places(world: World) -> NDArray[np.float64]:
    """Return where each node lies, in metres east and north; shape (nodes, 2).

    Where nothing is known of places the forest is laid out on a line instead.
    """
    count = len(world.grid.enter)
    if world.places is None:
        line = np.zeros((count, 2))
        line[:, 0] = world.grid.enter * 20.0
        return line
    latitude = np.nan_to_num(world.places[:, 0])
    longitude = np.nan_to_num(world.places[:, 1])
    known = latitude[latitude != 0.0]
    wide = METERS_PER_DEGREE * cos(radians(float(known.mean()) if len(known) else 0.0))
    return np.column_stack([longitude * wide, latitude * METERS_PER_DEGREE])


def misplaced(world: World, share: float, rng: Random) -> World:
    """Return the world in which a share of the meters hang at a neighbouring transformer.

    The given one is what the records say, the returned one what is true. Most neighbours are
    on the same feeder, some on another.
    """
    grid, places = world.grid, flat_places(world)
    transformer = grid.transformer_of_node
    spots: dict[int, list[int]] = {}
    for meter in world.meters:
        if (edge := int(transformer[meter.node])) >= 0:
            spots.setdefault(edge, []).append(meter.node)
    edges = np.array(sorted(spots), np.int64)
    if len(edges) < 2 or share <= 0:
        return world
    low = grid.tree.child[edges]
    where, feeder = places[low], grid.feeder_of_node[low]
    row = {int(edge): at for at, edge in enumerate(edges)}
    meters = list(world.meters)
    for number, meter in enumerate(world.meters):
        at = row.get(int(transformer[meter.node]))
        if at is None or rng.random() >= share:
            continue
        far = np.hypot(*(where - where[at]).T)
        far[at] = np.inf
        own = feeder == feeder[at]
        wanted = own if rng.random() < OWN_FEEDER else ~own
        if np.isfinite(far[wanted]).any():
            far = np.where(wanted, far, np.inf)
        near = np.argsort(far, kind="stable")[:NEAREST]
        near = near[np.isfinite(far[near])]
        chosen = near[min(int(rng.expovariate(0.7)), len(near) - 1)]
        node = rng.choice(spots[int(edges[chosen])])
        meters[number] = Meter(meter.code, node, meter.customer, meter.phone, meter.onu)
    return World(grid, meters, world.watched, world.places)
