"""Measure the portal beside the peer: `make bench`, or `python -m benchmarks --quick`."""

import argparse
import contextlib
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
    "Both are measured in this run, on the same machine, with the same client, each on its own "
    "embedded PostgreSQL with the same settings (fsync on). Single events: round by round in "
    "turns, while the other one stands still; each of the portal is compared with the peer's "
    "before and after it, the ratio is the middle of these.",
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
        lines = _measure(plan, with_peer=not options.no_peer)
    except LoadFault as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    name = "portal-try" if options.quick or options.no_peer else "portal"
    say("\n" + write(name, "The portal beside its peer", lines, NOTES))
    return 1 if any(line.reached is False for line in lines) else 0


def _measure(plan: cases.Plan, *, with_peer: bool) -> list[Line]:
    with portal() as running:
        their_list = None
        with peer() if with_peer else contextlib.nullcontext() as other:
            intake = cases.portal_intake(running, plan, CONNECTIONS, other)
            lines = [_intake_line(n, pair) for n, pair in intake.pairs.items()]
            lines.append(_kept_line(intake))
            if other is not None:
                their_list = cases.peer_list(other, running, plan)
        lines.append(cases.portal_batches(running))
        all_open, few_open = cases.portal_list(running, plan)
        lines.append(_list_line("all open", all_open, their_list))
        lines.append(_list_line(f"{cases.OPEN_PERCENT} % open", few_open, their_list))
        held, _ = cases.memory_lines(running)
    return [*lines, *held]


def _intake_line(number: int, pair: cases.Pair) -> Line:
    least, is_narrow = LEAST_TIMES[number], number == min(LEAST_TIMES)
    limit = f", p99 ≤ {LONGEST_AT_8:.0f} ms" if is_narrow else ""
    good = pair.ratio >= least and pair.ours.errors == 0
    good = good and (not is_narrow or pair.ours.p99 <= LONGEST_AT_8)
    line = Line(
        case=f"events/correlate, single, {number} connections",
        portal=str(pair.ours),
        peer=str(pair.theirs or ""),
        ratio=f"{pair.ratio:.1f} ×" if pair.theirs else "",
        target=f"≥ {least} ×{limit}",
        reached=good if pair.theirs else None,
    )
    say(f"  {line.case}: {line.portal} {line.ratio} {line.peer}")
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


def _list_line(what: str, ours: cases.Figures, other: cases.Figures | None) -> Line:
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
