"""Measure the portal beside the peer: `make bench`, or `python -m benchmarks --quick`."""

import argparse
import sys

from benchmarks import cases
from benchmarks.browser import measure_browser
from benchmarks.load import LoadFault
from benchmarks.pages import measure_pages
from benchmarks.peer import peer
from benchmarks.portal import portal
from benchmarks.report import Line, say, write

CONNECTIONS = (8, 32)
LEAST_TIMES = {8: 10, 32: 20}
LONGEST_AT_8 = 30.0
LEAST_LISTS, LONGEST_LIST = 300, 60.0
NOTES = (
    "Both are measured in this run, one after the other, on the same machine, with the same "
    "client, each on its own embedded PostgreSQL with the same settings (fsync on).",
    "Rates are the middle of several rounds after a warm-up. The client shares the cores.",
    "The portal runs whole meanwhile: web, relay, worker, beat and simulator.",
    "Peer: Alerta 9 behind gunicorn with 4 workers. Each alert is new; nothing is matched.",
    "Portal: each event is durable and matched before its answer. 89 of 100 events name a "
    "meter, 6 a device, 5 only coordinates.",
)


def main() -> int:
    """Measure, print and keep the table; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round of each case")
    parser.add_argument("--no-peer", action="store_true", help="measure the portal alone")
    parser.add_argument(
        "--pages", action="store_true", help="what each page costs, instead"
    )
    parser.add_argument(
        "--browser", action="store_true", help="what the overview costs a browser, instead"
    )
    options = parser.parse_args()
    if options.pages:
        return measure_pages()
    if options.browser:
        return measure_browser()
    plan = cases.Plan(seconds=2.0, rounds=1) if options.quick else cases.Plan()
    try:
        theirs = {} if options.no_peer else _peer(plan)
        lines = _portal(plan, theirs)
    except LoadFault as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    name = "portal-try" if options.quick or options.no_peer else "portal"
    say("\n" + write(name, "The portal beside its peer", lines, NOTES))
    return 1 if any(line.reached is False for line in lines) else 0


def _peer(plan: cases.Plan) -> dict[str, cases.Figures]:
    say("The peer starts.")
    found: dict[str, cases.Figures] = {}
    with peer() as running:
        for number in CONNECTIONS:
            found[f"intake-{number}"] = cases.peer_intake(running, plan, number)
            say(f"  peer, single events at {number}: {found[f'intake-{number}']}")
        found["list"] = cases.peer_list(running, plan)
        say(f"  peer, list: {found['list']}")
    return found


def _portal(plan: cases.Plan, theirs: dict[str, cases.Figures]) -> list[Line]:
    say("The portal starts.")
    with portal() as running:
        intake = cases.portal_intake(running, plan, CONNECTIONS)
        lines = [_intake_line(n, f, theirs) for n, f in intake.figures.items()]
        lines.append(_kept_line(intake))
        lines.append(cases.portal_batches(running))
        all_open, few_open = cases.portal_list(running, plan)
        lines.append(_list_line("all open", all_open, theirs))
        lines.append(_list_line(f"{cases.OPEN_PERCENT} % open", few_open, theirs))
        held, _ = cases.memory_lines(running)
    return [*lines, *held]


def _intake_line(
    number: int, ours: cases.Figures, theirs: dict[str, cases.Figures]
) -> Line:
    other = theirs.get(f"intake-{number}")
    least, is_narrow = LEAST_TIMES[number], number == min(LEAST_TIMES)
    limit = f", p99 ≤ {LONGEST_AT_8:.0f} ms" if is_narrow else ""
    ratio = ours.rate / other.rate if other else 0.0
    good = ratio >= least and ours.errors == 0
    good = good and (not is_narrow or ours.p99 <= LONGEST_AT_8)
    line = Line(
        case=f"events/correlate, single, {number} connections",
        portal=str(ours),
        peer=str(other or ""),
        ratio=f"{ratio:.1f} ×" if other else "",
        target=f"≥ {least} ×{limit}",
        reached=good if other else None,
    )
    say(f"  {line.case}: {line.portal} {line.ratio}")
    return line


def _kept_line(intake: cases.Intake) -> Line:
    line = Line(
        case="of these single events: answered / stored / matched",
        portal=f"{intake.sent:,} / {intake.stored:,} / {intake.matched:,}",
        target="all equal",
        reached=intake.sent == intake.stored == intake.matched,
    )
    say(f"  {line.case}: {line.portal}")
    return line


def _list_line(what: str, ours: cases.Figures, theirs: dict[str, cases.Figures]) -> Line:
    other = theirs.get("list")
    good = ours.rate >= LEAST_LISTS and ours.p99 <= LONGEST_LIST and ours.errors == 0
    line = Line(
        case=f"list of {cases.ROWS} outages among {cases.AMONG:,}, {what}",
        portal=str(ours),
        peer=str(other or ""),
        ratio=f"{ours.rate / other.rate:.1f} ×" if other else "",
        target=f"≥ {LEAST_LISTS}/s, p99 ≤ {LONGEST_LIST:.0f} ms",
        reached=good,
    )
    say(f"  {line.case}: {line.portal} {line.ratio}")
    return line


if __name__ == "__main__":
    sys.exit(main())
