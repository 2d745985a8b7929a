"""What is measured, the same way for the portal and for the peer."""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import orjson

from benchmarks import events, load, memory, seeding, servers
from benchmarks import peer as alerta
from benchmarks.portal import Portal
from benchmarks.report import Line, say

ROWS = 50
AMONG = 100_000
BATCH = 5_000
LIST_CONNECTIONS = 8
WARM_UP_SECONDS = 3.0
SETTLE_SECONDS = 1.0
MOST_REQUESTS_A_SECOND = 9_000
MEMORY_LIMIT = 1_024
LIMITED = ("web", "worker", "beat", "simulator")
OPEN_PERCENT = 3


@dataclass(frozen=True)
class Plan:
    """How long and how often each case is measured."""

    seconds: float = 5.0
    rounds: int = 7


@dataclass(frozen=True)
class Figures:
    """The middle of several rounds of one case."""

    rate: float
    p50: float
    p99: float
    answered: int
    errors: int

    def __str__(self) -> str:
        return f"{self.rate:,.0f}/s, p50 {self.p50:.1f}, p99 {self.p99:.1f} ms"


@dataclass(frozen=True)
class Pair:
    """The portal's figures and the peer's; `ratio` is the middle of the rounds' ratios."""

    ours: Figures
    theirs: Figures | None = None
    ratio: float = 0.0


@dataclass(frozen=True)
class Intake:
    """What single events came to: by number of connections, and what was found afterwards."""

    pairs: dict[int, Pair]
    sent: int
    stored: int
    matched: int


Once = Callable[[float], load.Outcome]


def measure(plan: Plan, once: Once, warm_up: float = WARM_UP_SECONDS) -> Figures:
    """Return the middle of the rounds, after one that is not counted."""
    once(warm_up)
    return _middle([once(plan.seconds) for _ in range(plan.rounds)])


def measure_both(
    plan: Plan, portal: Portal, ours: Once, peer: alerta.Peer, theirs: Once
) -> Pair:
    """Measure the two in turns: a machine that is slower for a while is so for both.

    Whichever is not measured stands still with all its servers. A round of the portal is
    compared with the peer's rounds just before and after it.
    """
    whole = {portal.processes["supervisor"]}
    own: list[load.Outcome] = []
    others: list[load.Outcome] = []
    for seconds in (WARM_UP_SECONDS, *[plan.seconds] * plan.rounds):
        with servers.halted(whole):
            others.append(theirs(seconds))
        with servers.halted(peer.processes):
            time.sleep(SETTLE_SECONDS)
            own.append(ours(seconds))
    with servers.halted(whole):
        others.append(theirs(plan.seconds))
    own, others = own[1:], others[1:]
    return Pair(
        ours=_middle(own),
        theirs=_middle(others),
        ratio=statistics.median(
            2 * one.rate / (before.rate + after.rate)
            for one, (before, after) in zip(own, itertools.pairwise(others), strict=True)
        ),
    )


def _middle(rounds: Sequence[load.Outcome]) -> Figures:
    return Figures(
        rate=statistics.median(r.rate for r in rounds),
        p50=statistics.median(r.percentile(0.50) for r in rounds),
        p99=statistics.median(r.percentile(0.99) for r in rounds),
        answered=sum(r.requests for r in rounds),
        errors=sum(r.errors for r in rounds),
    )


# --- The peer ------------------------------------------------------------------------------
def peer_intake(peer: alerta.Peer, connections: int) -> Once:
    """Return what reports single alerts that are new each time."""
    numbers = itertools.count(peer.count())
    requests = (alerta.alert_request(number) for number in numbers)

    def once(seconds: float) -> load.Outcome:
        return load.run(peer.address, requests, connections=connections, seconds=seconds)

    return once


def peer_list(peer: alerta.Peer, portal: Portal, plan: Plan) -> Figures:
    """List 50 alerts among 100,000."""
    peer.seed(AMONG)
    with servers.halted({portal.processes["supervisor"]}):
        return _lists(peer.address, alerta.list_request(ROWS), plan)


# --- The portal ----------------------------------------------------------------------------
def portal_intake(
    portal: Portal, plan: Plan, connections: tuple[int, ...], peer: alerta.Peer | None
) -> Intake:
    """Report single events; afterwards look whether each is stored and was matched."""
    places = events.places_of(portal)
    pairs: dict[int, Pair] = {}
    answers: list[load.Outcome] = []
    for number in connections:
        storm = events.Storm(places, f"single-{number}")

        def once(
            seconds: float, storm: events.Storm = storm, n: int = number
        ) -> load.Outcome:
            requests = storm.requests(portal, int(seconds * MOST_REQUESTS_A_SECOND))
            answers.append(
                load.run(
                    portal.address,
                    requests,
                    connections=n,
                    seconds=seconds,
                    keep_bodies=True,
                )
            )
            return answers[-1]

        pairs[number] = (
            Pair(measure(plan, once))
            if peer is None
            else measure_both(plan, portal, once, peer, peer_intake(peer, number))
        )
    bodies = [orjson.loads(body) for answer in answers for body in answer.bodies]
    return Intake(
        pairs=pairs,
        sent=len(bodies),
        stored=_stored(portal, [body.get("event_id") for body in bodies]),
        matched=sum(bool(body.get("outage_id")) for body in bodies),
    )


def _stored(portal: Portal, event_ids: list[str | None]) -> int:
    return portal.number(
        "SELECT count(*) FROM outages_sourceevent WHERE id = ANY(%s::uuid[])",
        [one for one in event_ids if one],
    )


def portal_batches(portal: Portal, count: int = 8) -> Line:
    """Report events 5,000 at a time over one connection."""
    storm = events.Storm(events.places_of(portal), "batch")
    load.run(portal.address, storm.batches(portal, 1, BATCH), connections=1, seconds=60)
    found = load.run(
        portal.address, storm.batches(portal, count, BATCH), connections=1, seconds=60
    )
    rate = found.requests * BATCH / found.seconds
    text = f"{rate:,.0f} events/s, p50 {found.percentile(0.5):,.0f} ms a batch"
    return Line(f"events/correlate/batch, {BATCH:,} events a call", text)


def portal_list(portal: Portal, plan: Plan) -> tuple[Figures, Figures]:
    """List 50 outages among 100,000: with all of them open, and with 3 in a hundred."""
    request = portal.request("GET", f"/api/oms/outages?limit={ROWS}")
    seeding.add_outages(portal, AMONG)
    _check_list(portal, request, AMONG)
    all_open = _lists(portal.address, request, plan)
    seeding.restore_most(portal, OPEN_PERCENT)
    return all_open, _lists(portal.address, request, plan)


def _check_list(portal: Portal, request: bytes, least: int) -> None:
    found = load.run(
        portal.address, iter([request]), connections=1, seconds=60, keep_bodies=True
    )
    body = orjson.loads(found.bodies[0])
    if len(body.get("outages", [])) != ROWS or body["total"] < least:
        raise load.LoadFault(
            f"The list is not what was asked for: {found.bodies[0][:200]!r}"
        )


def _lists(address: tuple[str, int], request: bytes, plan: Plan) -> Figures:
    def once(seconds: float) -> load.Outcome:
        requests: Iterator[bytes] = itertools.repeat(request)
        return load.run(address, requests, connections=LIST_CONNECTIONS, seconds=seconds)

    return measure(plan, once)


def memory_lines(portal: Portal) -> tuple[list[Line], float]:
    """Return what each part holds, and all of them together as PSS."""
    held = memory.held_by(portal.processes)
    lines = [
        Line(f"memory of {one.name}", f"RSS {one.rss:,.0f} MB, PSS {one.pss:,.0f} MB")
        for one in held
    ]
    rss, pss = sum(one.rss for one in held), sum(one.pss for one in held)
    lines.append(
        Line(
            "memory of all parts, servers apart, after the load",
            f"RSS {rss:,.0f} MB, PSS {pss:,.0f} MB",
        )
    )
    limited = sum(one.rss for one in held if one.name.partition("-")[0] in LIMITED)
    lines.append(
        Line(
            "of it web, worker, beat and simulator",
            f"RSS {limited:,.0f} MB",
            target="RSS ≤ 1.0 GB",
            reached=limited <= MEMORY_LIMIT,
        )
    )
    for line in lines:
        say(f"  {line.case}: {line.portal}")
    return lines, rss
