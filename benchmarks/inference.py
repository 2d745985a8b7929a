"""How well storms are inferred, in memory: many storms on many networks within a minute or two.

Run with `python -m benchmarks.inference NETWORK/SETTING/SEEDS …`, as in
`varied:30000,91/hard/101-105`; networks are `varied:METERS,SEED`, `radial:METERS,SEED` and
`simbench:SUBNET`. Each event counts once, as it came in first, feeder by feeder; what the judge of
a portal infers in the end from the same events, posted in the order of their arrival, is the same.
"""

import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms.settings")
django.setup()

from apps.feeds import storms  # noqa: E402 - needs the line above
from apps.network.gateways import simbench  # noqa: E402
from apps.network.invention.radial import Plan  # noqa: E402
from apps.network.invention.varied import varied  # noqa: E402
from apps.outages.correlation.course import infer  # noqa: E402
from apps.outages.correlation.evidence import Signal, ordered, what_said  # noqa: E402
from apps.outages.correlation.outcome import conclude  # noqa: E402
from apps.outages.correlation.parts import Devices  # noqa: E402
from apps.outages.rules import Kind  # noqa: E402
from apps.outages.rules.words import kind_of  # noqa: E402

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
MOMENTARY, LATER, SAME_MOMENT = 300.0, 3600.0, 0.002
FIGURES = ("ari", "recall", "precision", "right_device")


@cache
def network(name: str) -> storms.World:
    """Return the network of that name."""
    kind, _, given = name.partition(":")
    document: dict[str, Any]
    if kind == "simbench":
        document = simbench.document(given)
    else:
        meters, seed = (int(number) for number in given.split(","))
        if kind == "varied":
            document = varied(meters, seed)
        else:
            document = Plan(meters, seed, "radial").document()
    return storms.world_of(document)


def heard(records: storms.World, storm: storms.Trial) -> dict[int, list[Signal]]:
    """Return what each feeder said, each event once."""
    directory, grid = storms.Directory(records), records.grid
    first: dict[tuple[str, str], Signal] = {}
    for told in storm.signals:
        event = told.event
        name = (event["source_type"], event["source_event_id"])
        kind, edge = kind_of(event["event_type"]), directory.edge(event)
        node = directory.node(event) if edge is None else grid.fed_node(edge)
        if name in first or node is None or kind in (None, Kind.IGNORED):
            continue
        at, call = datetime.fromisoformat(event["timestamp"]), told.is_call
        back, meter = kind is Kind.RESTORATION, directory.meter(event)
        arrived = told.arrives_at.isoformat(timespec="milliseconds")
        late = (datetime.fromisoformat(arrived) - at).total_seconds()
        first[name] = Signal(
            at.timestamp(),
            what_said(back=back, of_device=edge is not None, noticed=call),
            -1 if meter is None else meter,
            node,
            -1 if edge is None else edge,
            call,
            abs(late) > SAME_MOMENT,
            name,
        )
    found: dict[int, list[Signal]] = {}
    for signal in first.values():
        found.setdefault(int(grid.feeder_of_node[signal.node]), []).append(signal)
    return found


def answer(records: storms.World, parts: dict[int, list[Signal]]) -> storms.Answer:
    """Return what the inference makes of it."""
    grid, devices = records.grid, Devices(records.grid)
    events: dict[tuple[str, str], str | None] = {}
    outages: dict[str, storms.Declared] = {}
    for feeder, said in parts.items():
        signals = ordered(said)
        size = int(grid.layout.meters[grid.feeder_of_node == feeder].sum())
        all_found = infer(devices, signals, (), size)
        outcomes = conclude(all_found, devices, signals[-1].at + LATER, MOMENTARY)
        for number, (found, outcome) in enumerate(zip(all_found, outcomes, strict=True)):
            code = records.meters[found.meter].code if found.edge < 0 else ""
            key = f"{feeder}-{number}"
            code = code or grid.edge_code(found.edge)
            outages[key] = storms.Declared(code, outcome.momentary)
            events.update((signals[e].name, key) for e in found.events)
    return storms.Answer(events, outages)


def seeds(text: str) -> Iterator[int]:
    """Return the numbers of a list such as `1,4-6`."""
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def main() -> None:
    """Print one line a storm, and means with the least of each."""
    for wanted in sys.argv[1:]:
        name, setting, text = wanted.split("/")
        rows = []
        for seed in seeds(text):
            records = network(name)
            storm = storms.trial(
                records, storms.SETTINGS[setting], seed=seed, starts_at=START
            )
            parts, begun = heard(records, storm), time.monotonic()
            got = answer(records, parts)
            took = time.monotonic() - begun
            found = storms.score(storms.read_truth(storm.truth_lines()), got).as_dict()
            rows.append([float(found[figure]) for figure in FIGURES])
            tell(f"{name} {setting} {seed}", rows[-1], f"{took:.1f} s")
        columns = list(zip(*rows, strict=True))
        tell(f"{name} {setting} mean", [sum(c) / len(c) for c in columns])
        tell(f"{name} {setting} least", [min(c) for c in columns])


def tell(what: str, figures: list[float], more: str = "") -> None:
    """Print the figures of one line."""
    told = "  ".join(f"{n} {f:.3f}" for n, f in zip(FIGURES, figures, strict=True))
    sys.stdout.write(f"{what:<32}{told}  {more}\n")


if __name__ == "__main__":
    main()
