"""Take events in: durable, once, matched to an outage before the answer.

A batch is one transaction, and one more for the parts that others held; a large one is several,
some of the feeders each, and one for what is off the network. Those that touch one feeder wait
for each other (an advisory lock a feeder). Those with places known by coordinates alone wait for
each other too, and for the feeders with open outages near these places. So two events that belong
together open one outage however they race.
"""

import contextlib
import itertools
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg
from django.db import IntegrityError, OperationalError, connection, transaction

from apps.accounts.services import require
from apps.core.actor import Actor
from apps.core.bulk import ask, planned_by_index, together
from apps.core.outbox import publish_all
from apps.network import selectors as network
from apps.outages.correlation.matching import Matcher
from apps.outages.rules import Disposition, MatchedBy, Report
from apps.outages.selectors.flood import BATCH_LOCK, LARGE_BATCH
from apps.outages.services.batch import Batch, Known
from apps.outages.services.holding import keep_intake_out
from apps.outages.services.spots import places_of

TRIES = 3
SPLIT_FROM, PORTIONS = 1_000, 4


_turns = itertools.count()


class Receipt(NamedTuple):
    """What became of one event."""

    event_id: uuid.UUID
    outage_id: uuid.UUID | None
    created: bool
    duplicate: bool
    matched_by: MatchedBy | None
    confidence_score: float | None
    disposition: Disposition


def take_reports(*, reports: Sequence[tuple[Actor, Report]], at: datetime) -> list[Receipt]:
    """Store the events and match each to an outage; return a receipt each, in their order.

    An event that is known already changes nothing and is answered with what it became.
    Raises Forbidden where one of the actors may not report events.
    """
    return [receipt for receipt in _tried(reports, at, wait=True) if receipt is not None]


def take_free_reports(
    *, reports: Sequence[tuple[Actor, Report]], at: datetime
) -> list[Receipt | None]:
    """Do the same with those events for which nothing has to be waited for.

    None for an event whose part of the network somebody else holds: nothing became of it.
    """
    return _tried(reports, at, wait=False)


def _tried(
    reports: Sequence[tuple[Actor, Report]], at: datetime, *, wait: bool
) -> list[Receipt | None]:
    for actor in {id(actor): actor for actor, _ in reports}.values():
        require(actor, "outages.report_event")
    held, told = network.snapshot(), [report for _, report in reports]
    places = places_of(held, told)
    receipts: list[Receipt | None] = [None] * len(told)

    def take(portion: Sequence[int], *, wait: bool) -> list[int]:
        """Take in these; return those for whose parts would have to be waited."""
        batch = Batch([told[i] for i in portion], [places[i] for i in portion], held, at)
        for index, receipt in zip(portion, _again(batch, wait=wait), strict=True):
            receipts[index] = receipt
        return [index for index in portion if receipts[index] is None]

    large = wait and len(told) >= SPLIT_FROM
    for portion in _portions(told, places) if large else [range(len(told))]:
        # Whoever waits for a part holds no other one meanwhile.
        missed = take(portion, wait=False) if len(portion) > 1 or not wait else portion
        if missed and wait:
            take(missed, wait=True)
    return receipts


def _portions(
    reports: Sequence[Report], places: Sequence[network.Place | None]
) -> list[list[int]]:
    """Divide a large batch by feeders, so that each is held shortly; return positions.

    What is off the network comes last: it may hold any feeder. Each batch begins with other
    feeders, so that several seldom wait for each other.
    """
    found: dict[int, list[int]] = {}
    first: dict[tuple[str, str], int] = {}
    for index, (report, place) in enumerate(zip(reports, places, strict=True)):
        feeder = None if place is None else place.feeder_pk
        part = first.setdefault(report.identity, feeder % PORTIONS if feeder else PORTIONS)
        found.setdefault(part, []).append(index)
    off = found.pop(PORTIONS, None)
    turn = next(_turns)
    ordered = sorted(found, key=lambda part: (part - turn) % PORTIONS)
    return [found[part] for part in ordered] + ([off] if off else [])


def _again(batch: Batch, *, wait: bool) -> list[Receipt | None]:
    for tried in range(1, TRIES + 1):
        try:
            return _take(batch, wait=wait)
        except (IntegrityError, psycopg.errors.UniqueViolation, OperationalError):
            # Another process stored one of these events between our look and our write, or the
            # two waited for each other. Nothing was written: look again.
            if tried == TRIES or not connection.is_usable():
                raise
            batch = batch.anew()
    raise AssertionError("unreachable")


def _take(batch: Batch, *, wait: bool) -> list[Receipt | None]:
    with contextlib.ExitStack() as last, transaction.atomic(), planned_by_index():
        receipts = _match(batch, wait=wait)
        told = batch.write()
        # What is told and the commit go out together.
        last.enter_context(together())
        publish_all(told)
    return receipts


def _match(batch: Batch, *, wait: bool) -> list[Receipt | None]:
    if wait:
        batch.look_around()
    with together():
        if len(batch.reports) >= LARGE_BATCH:
            ask("SELECT pg_advisory_xact_lock_shared(%s::int, 0)", [BATCH_LOCK])
        if wait:
            keep_intake_out(batch.locked_feeders, space=batch.has_space)
        else:
            batch.try_parts()
        batch.ask()
    batch.hear()
    batch.foresee()
    matcher = Matcher(batch.grid, batch.candidates)
    missed: set[tuple[str, str]] = set()
    receipts: list[Receipt | None] = []
    for index, identity in enumerate(batch.identities):
        # Of two that are the same event, the first is taken first.
        if batch.takes(index) and identity not in missed:
            receipts.append(_receive(batch, matcher, index))
        else:
            missed.add(identity)
            receipts.append(None)
    return receipts


def _receive(batch: Batch, matcher: Matcher, index: int) -> Receipt:
    report, identity = batch.reports[index], batch.identities[index]
    known = batch.known.get(identity)
    if known is not None:
        batch.note_repeat(report, known)
        return _repeated(known)
    outcome = batch.place(matcher, index)
    found = outcome.candidate
    receipt = Receipt(
        event_id=outcome.event_id,
        outage_id=found.id if found else None,
        created=outcome.created,
        duplicate=False,
        matched_by=outcome.how,
        confidence_score=found.sure if found else None,
        disposition=outcome.disposition,
    )
    batch.known[identity] = Known(
        receipt.event_id,
        receipt.outage_id,
        report.fingerprint,
        receipt.disposition,
        receipt.confidence_score,
    )
    return receipt


def _repeated(known: Known) -> Receipt:
    return Receipt(
        event_id=known.event_id,
        outage_id=known.outage_id,
        created=False,
        duplicate=True,
        matched_by=MatchedBy.DUPLICATE,
        confidence_score=known.confidence,
        disposition=Disposition(known.disposition),
    )
