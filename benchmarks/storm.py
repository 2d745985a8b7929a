"""What a storm costs: posted by batches, then judged until nothing waits any more.

Run with `python -m benchmarks.storm [--meters 30000] [--seed 7] [--kind hard]`. A portal of its
own takes in a storm on a network that was generated. Wall time depends on the machine and on who
else uses it: beside it stands the rule as one call of a database for each event, before and after
in the same run (`benchmarks.rule`). The processor seconds of each part a thousand events depend
on it less.
"""

import argparse
import itertools
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks import load, rule, servers
from benchmarks.portal import Portal, portal
from benchmarks.report import Line, say, write

BATCH = 5_000
CONNECTIONS = 4
LONGEST_SECONDS = 1_800
PAUSE = 0.05
TARGET, RULE = 10_000, 2_840
BY_RULE = 20_000
METERS = 30_000
TICKS = os.sysconf("SC_CLK_TCK")
WAITING = (
    "SELECT (SELECT coalesce(sum(waiting), 0) "
    "+ count(*) FILTER (WHERE state <> 'done' AND run_at <= now()) "
    "FROM outages_correlationwork) + (SELECT count(*) FROM core_outboxrow "
    "WHERE delivered_at IS NULL AND quarantined_at IS NULL)"
)
PLACES = "SELECT code, latitude, longitude FROM network_meter"
NOTES = (
    f"The peer is the rule (500 m, 15 min) as one indexed call of a database for each event, of "
    f"the first {BY_RULE:,} before and again after. It did {RULE:,}/s where {TARGET:,}/s became "
    f"the aim: the ratio is the aim on every other machine.",
    "Batches of 5,000 over 4 connections; settled when no part of the network waits to be "
    "judged and no event waits in the outbox.",
    "Processor seconds of every process of the portal, its servers included, a thousand events.",
    "A million repeats: the same event again and again in batches, all answered as duplicates.",
)


@dataclass(frozen=True)
class Course:
    """How a run went. Seconds since the first call; `spent` are processor seconds by part."""

    events: int
    posted: float
    settled: float
    spent: dict[str, float]

    def each_thousand(self) -> str:
        """Return what a thousand events cost, the costliest part first."""
        costs = sorted(self.spent.items(), key=lambda item: -item[1])
        return ", ".join(
            f"{name} {1000 * seconds / self.events:.3f}"
            for name, seconds in costs
            if seconds
        )

    @property
    def cost(self) -> float:
        """Return the processor seconds of all parts a thousand events."""
        return 1000 * sum(self.spent.values()) / self.events


def main() -> None:
    """Measure a storm, then repeats, and keep the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storm", description=__doc__)
    parser.add_argument("--meters", type=int, default=METERS)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--kind", choices=("easy", "hard", "gust"), default="hard")
    parser.add_argument("--repeats", type=int, default=1_000_000)
    options = parser.parse_args()
    out = servers.HOME / "storm.ndjson"
    with portal() as running:
        storm_on(running, out, meters=options.meters, kind=options.kind, seed=options.seed)
        lines = [_storm(running, out, options.kind, options.meters)]
        if options.repeats:
            lines.append(_repeats(running, out, options.repeats))
    say("\n" + write("storm", "A storm by batches", lines, NOTES))


def storm_on(running: Portal, file: Path, *, meters: int, kind: str, seed: int) -> None:
    """Generate a network, and a storm on it into the file; the demo plays on it from then on."""
    running.manage("generate_network", "--meters", str(meters), "--name", "storm")
    running.manage("simulate_storm", f"--{kind}", "--seed", str(seed), "--out", file)
    running.wait_for_simulator()


def events_of(running: Portal, file: Path) -> Course:
    """Post the events of a file, and wait until all is settled."""
    events = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    return course(running, _calls(running, events), len(events))


def _storm(running: Portal, file: Path, kind: str, meters: int) -> Line:
    peer = by_rule(running, file)
    went = events_of(running, file)
    peer = (peer + by_rule(running, file)) / 2
    rate, aim = went.events / went.settled, TARGET / RULE
    line = Line(
        case=f"{kind} storm of {went.events:,} events, {meters:,} meters",
        portal=(
            f"posted {went.events / went.posted:,.0f}/s, settled {rate:,.0f}/s; "
            f"{went.cost:.3f} s a thousand: {went.each_thousand()}"
        ),
        peer=f"{peer:,.0f}/s",
        ratio=f"{rate / peer:.2f} ×",
        target=f"≥ {TARGET:,}/s settled, or {aim:.2f} × the rule",
        reached=rate >= TARGET or rate / peer >= aim,
    )
    say(f"{line.case}: {line.portal}; the rule {line.peer}, {line.ratio}")
    return line


def by_rule(running: Portal, file: Path) -> float:
    """Return how many events a second the rule takes in, while the portal stands still."""
    with running.database() as asking:
        places = {code: (lat, lon) for code, lat, lon in asking.execute(PLACES)}
    with file.open("rb") as lines:
        events = [orjson.loads(line) for line in itertools.islice(lines, BY_RULE)]
    with servers.halted(running.processes.values()):
        return rule.rate(events, places)


def _repeats(running: Portal, file: Path, count: int) -> Line:
    with file.open("rb") as lines:
        event = orjson.loads(next(lines))
    call = _calls(running, [event] * BATCH)[0]
    went = course(running, [call] * (count // BATCH), count // BATCH * BATCH)
    line = Line(
        case=f"{went.events:,} repeats of one event",
        portal=(
            f"posted {went.events / went.posted:,.0f}/s; "
            f"{went.cost:.3f} s a thousand: {went.each_thousand()}"
        ),
    )
    say(f"{line.case}: {line.portal}")
    return line


def _calls(running: Portal, events: Sequence[dict[str, object]]) -> list[bytes]:
    path = "/api/oms/events/correlate/batch"
    return [
        running.request("POST", path, orjson.dumps({"events": events[at : at + BATCH]}))
        for at in range(0, len(events), BATCH)
    ]


def course(running: Portal, calls: Sequence[bytes], events: int) -> Course:
    """Post the calls and wait until all is settled."""
    before, began = spent(running), time.perf_counter()
    found = load.run(
        running.address, iter(calls), connections=CONNECTIONS, seconds=LONGEST_SECONDS
    )
    if found.errors or found.requests != len(calls):
        raise load.LoadFault(f"Not all was taken in: {found.statuses}")
    posted = time.perf_counter() - began
    with running.database() as asking:
        # Over one connection: each new one would cost the database more than the question.
        while asking.execute(WAITING).fetchall()[0][0]:
            if time.perf_counter() - began > LONGEST_SECONDS:
                raise load.LoadFault("The storm does not settle.")
            time.sleep(PAUSE)
    settled = time.perf_counter() - began
    after = spent(running)
    used = {name: seconds - before.get(name, 0.0) for name, seconds in after.items()}
    return Course(events, posted, settled, used)


def spent(running: Portal) -> dict[str, float]:
    """Return the processor seconds that each part of the portal has used with its children."""
    found: Counter[str] = Counter()
    for name, pid in running.processes.items():
        if name != "supervisor":
            found[name.partition("-")[0]] += _used(pid)
    return dict(found)


def _used(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [(task / "children").read_text().split() for task in tasks]
    except OSError:
        return 0.0
    own = sum(map(int, stat[11:15])) / TICKS
    return own + sum(_used(int(child)) for some in children for child in some)


if __name__ == "__main__":
    main()
