"""What size costs: a storm on networks of 5,000 to 1,000,000 meters, and one large feeder alone.

Run with `python -m benchmarks.scale [--meters 5000 50000 1000000]`. The first cases are a portal
of its own each, as in `benchmarks.storm`; the last ones infer in memory what one feeder of 5,000
meters said, beside the time it takes to read the same events as JSON.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import django
import orjson

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms.settings")
django.setup()

from apps.feeds import storms  # noqa: E402 - needs the line above
from apps.network.invention.radial import Builder, Plan  # noqa: E402
from apps.outages.correlation.course import infer  # noqa: E402
from apps.outages.correlation.evidence import ordered  # noqa: E402
from apps.outages.correlation.parts import Devices  # noqa: E402
from benchmarks.inference import START, heard  # noqa: E402
from benchmarks.portal import portal  # noqa: E402
from benchmarks.report import Line, say, write  # noqa: E402
from benchmarks.servers import HOME  # noqa: E402
from benchmarks.storm import Course, events_of, storm_on  # noqa: E402

SIZES = (5_000, 50_000, 1_000_000)
FEEDER, FAULTS, TURNS, LONGEST_MS = 5_000, (1, 5, 20), 15, 50.0
FLAT = 1.5
NOTES = (
    "Processor seconds of every process of the portal, its servers included, a thousand events "
    "from the first post until nothing waits to be judged; the ratio is to the smallest network.",
    "A storm on a smaller network is smaller: its faults put fewer meters in the dark.",
    "One feeder: everything that it said in a whole storm is inferred at once; the middle of "
    "fifteen turns. The peer reads the same events with orjson.",
)


class OneFeeder(Builder):
    """Builds a grid of a single feeder."""

    meters_per_feeder = FEEDER


def main() -> None:
    """Measure, print and keep the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--meters", type=int, nargs="*", default=SIZES)
    options = parser.parse_args()
    lines = [_feeder(faults) for faults in FAULTS]
    found: list[tuple[int, Course]] = []
    for meters in options.meters:
        found.append((meters, _course(meters)))
        lines.append(_sized(found))
        say(f"{lines[-1].case}: {lines[-1].portal}")
    say("\n" + write("scale", "What size costs", lines, NOTES))


def _course(meters: int) -> Course:
    with portal() as running:
        file = HOME / "scale.ndjson"
        storm_on(running, file, meters=meters, kind="hard", seed=11)
        return events_of(running, file)


def _sized(found: Sequence[tuple[int, Course]]) -> Line:
    meters, went = found[-1]
    ratio = went.cost / found[0][1].cost
    return Line(
        case=f"hard storm of {went.events:,} events, {meters:,} meters",
        portal=f"{went.cost:.3f} s a thousand: {went.each_thousand()}",
        ratio=f"{ratio:.2f} ×",
        target=f"≤ {FLAT} × the smallest" if len(found) > 1 else "",
        reached=ratio <= FLAT if len(found) > 1 else None,
    )


def _feeder(faults: int) -> Line:
    plan = Plan(FEEDER, 3, "one")
    OneFeeder(plan).build()
    document = {"name": plan.name, **plan.sections, "sources": plan.sources}
    world = storms.world_of(document)
    setting = replace(storms.SETTINGS["hard"], faults=faults)
    storm = storms.trial(world, setting, seed=faults, starts_at=START)
    said = max(heard(world, storm).values(), key=len)
    grid, signals = world.grid, ordered(said)
    devices = Devices(grid)
    took = _middle(lambda: infer(devices, signals, (), int(grid.layout.meters.sum())))
    packed = [orjson.dumps(told.event) for told in storm.signals[: len(signals)]]
    peer = _middle(lambda: [orjson.loads(one) for one in packed])
    line = Line(
        case=f"one feeder of {FEEDER:,} meters, {faults} faults, {len(signals):,} signals",
        portal=f"{took:.1f} ms",
        peer=f"{peer:.1f} ms",
        ratio=f"{took / peer:.1f} ×",
        target=f"≤ {LONGEST_MS:.0f} ms",
        reached=took <= LONGEST_MS,
    )
    say(f"{line.case}: {line.portal}")
    return line


def _middle(do: Callable[[], object]) -> float:
    times = []
    for _ in range(TURNS):
        began = time.perf_counter()
        do()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


if __name__ == "__main__":
    main()
