"""A little world without a database."""

import pytest

from apps.feeds.storms import Meter, World
from apps.network.topology import Grid, Layout

EDGES = [
    (0, 1, "breaker"),  # e0, the feeder's breaker
    (1, 2, "line"),
    (2, 3, "fuse"),  # e2, above two transformers
    (3, 4, "transformer"),  # e3: meters 1-6
    (3, 5, "transformer"),  # e4: meters 7-12
    (2, 6, "transformer"),  # e5: meters 13-18
    (0, 7, "breaker"),  # e6, another feeder
    (7, 8, "transformer"),  # e7: meters 19-24
]
NODES = {4: range(1, 7), 5: range(7, 13), 6: range(13, 19), 8: range(19, 25)}


@pytest.fixture(scope="session")
def world():
    layout = Layout.simple(
        nodes=9,
        edges=EDGES,
        sources=[0],
        meters={node: len(numbers) for node, numbers in NODES.items()},
        feeders={0: 1, 6: 2},
    )
    meters = [
        Meter(f"m{n}", node, f"c{n}", f"+9627{n:08d}", f"onu-{n}" if n % 2 else "")
        for node, numbers in NODES.items()
        for n in numbers
    ]
    return World(Grid.build(layout), meters, ["e0", "e6"])
