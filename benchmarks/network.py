"""How long a large network takes to import, and its questions to answer.

Run with `DATABASE_URL=… python -m benchmarks.network [METERS]`: the database is migrated and
filled. Prints one line a figure. Every question is asked of a grid that is loaded, 200 times.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import psutil

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 - needs the line above

from apps.network import selectors  # noqa: E402
from apps.network.topology import Grid  # noqa: E402

ROUNDS = 200


def main() -> None:
    """Generate, import from the file, again, and ask."""
    meters = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    call_command("migrate", verbosity=0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.json"
        with timed(f"invent and write {meters:,} meters"):
            call_command("generate_network", meters=meters, name="bench", out=file)
        tell(f"file: {file.stat().st_size / 1e6:,.0f} MB")
        with timed("import the file"):
            call_command("import_network", str(file))
        with timed("import it again"):
            call_command("import_network", str(file))
    ask()


def ask() -> None:
    """Print the latency of each question."""
    with timed("load the grid from the rows"):
        grid = selectors.grid(fresh=True)
    nodes, edges = len(grid.parent), len(grid.closed)
    tell(f"{nodes:,} nodes, {edges:,} edges, deepest {int(grid.depth.max())}")
    with timed("build the forest anew"):
        Grid.build(grid.layout, grid.closed)
    chance = random.Random(7)  # noqa: S311 - picks samples
    top = [f"BENCH-CB{number:04d}" for number in range(1, nodes) if number < 600]
    breakers = [e for code in top if (e := grid.edge_index(code)) is not None]
    tree = [int(e) for e in grid.parent_edge if e >= 0]
    some = [chance.choice(tree) for _ in range(ROUNDS)]
    each("upstream devices", lambda e: grid.upstream_devices(int(grid.tree.child[e])), some)
    each("path to the source", lambda e: grid.path(int(grid.tree.child[e])), some)
    each("downstream of a feeder", grid.counts_below, breakers)
    each("interrupted by a feeder breaker", grid.interrupted_by, breakers)
    each("ties that restore a feeder", grid.restoring_ties, breakers)
    each("edge by code", lambda e: grid.edge_index(grid.edge_code(e)), some)
    each("switch a breaker (new state)", lambda e: grid.switched({e: False}), breakers)
    refs = [
        selectors.PlaceRef(meter_id=f"bench-meter-{chance.randrange(1, 1000)}")
        for _ in range(ROUNDS)
    ]
    each("resolve a meter, first time", lambda ref: selectors.resolve([ref]), refs)
    each("resolve a meter, known", lambda ref: selectors.resolve([ref]), refs)
    each(
        "meters under a feeder",
        lambda e: selectors.meters_under(grid.edge_code(e)),
        breakers,
    )
    each("search a name", selectors.search, ["haddad", "bench-meter-77", "+96277000"] * 3)


def tell(figure: str) -> None:
    """Print one figure."""
    sys.stdout.write(f"{figure}\n")
    sys.stdout.flush()


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long the block took and the memory this process holds then."""
    began = time.perf_counter()
    yield
    resident = psutil.Process().memory_info().rss / 1e6
    tell(f"{what}: {time.perf_counter() - began:,.1f} s (resident {resident:,.0f} MB)")


def each(what: str, call: Callable[[Any], object], values: list[Any]) -> None:
    """Print the median and the worst time of the call over the values."""
    took = []
    for value in values[:ROUNDS]:
        began = time.perf_counter()
        call(value)
        took.append((time.perf_counter() - began) * 1000)
    tell(f"{what}: median {statistics.median(took):.3f} ms, worst {max(took):.3f} ms")


if __name__ == "__main__":
    main()
