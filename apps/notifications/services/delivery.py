"""Carrying notices: claimed under a lease, tried with one key, settled once.

An attempt is a row before it is made. A process that dies after it leaves the lease to run out;
then the message is sent again with the same key, by which a transport knows a repetition.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from apps.configuration.selectors import value
from apps.core import work
from apps.core.outbox import publish
from apps.core.work import WorkState
from apps.notifications.events import NoticeSent
from apps.notifications.gateways import Message, Outcome, TransportFault, transport
from apps.notifications.models import (
    CustomerPreference,
    Notice,
    NoticeAttempt,
    NoticeRecipient,
)
from apps.notifications.rules import (
    QUIET_FROM,
    QUIET_UNTIL,
    TRANSPORT,
    Delivery,
    Reason,
    may_disturb_at,
    pause,
)

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=20)
CRASHES = 20
WAITING = (WorkState.PENDING, WorkState.LEASED)


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed recipient with the attempt that was written for it."""

    row: NoticeRecipient
    attempt: NoticeAttempt
    message: Message


@transaction.atomic
def take_due(
    *, owner: str, at: datetime, limit: int, notice_id: UUID | None = None
) -> tuple[list[Job], int]:
    """Claim recipients that are due and write their attempts; return these and how many claimed.

    Who has opted out since is settled, who sleeps by now is put off; neither is tried.
    """
    only = ("true", []) if notice_id is None else ("notice_id = %s", [notice_id])
    claimed = work.claim(
        NoticeRecipient, owner=owner, at=at, lease=LEASE, limit=limit, only=only
    )
    notices = Notice.objects.in_bulk({row.notice_id for row in claimed})
    wanted = _willing(claimed, notices, at)
    name = value(TRANSPORT)
    attempts = NoticeAttempt.objects.bulk_create(
        NoticeAttempt(recipient=row, number=row.attempts, transport=name, started_at=at)
        for row in wanted
    )
    jobs = [
        Job(row, attempt, _message(row, notices[row.notice_id], at))
        for row, attempt in zip(wanted, attempts, strict=True)
    ]
    return jobs, len(claimed)


def deliver(*, job: Job, at: datetime) -> bool:
    """Carry one message and write its result; return whether it was carried.

    Nothing is sent once the lease has run out: the row may have another owner by then.
    """
    if job.row.lease_until is None or at >= job.row.lease_until:
        return False
    try:
        outcome = transport(job.attempt.transport).send(job.message)
    except TransportFault as fault:
        _postpone(job, str(fault), at)
        return False
    except Exception as fault:
        logger.exception("The transport failed on %s", job.row.key)
        _postpone(job, f"{type(fault).__name__}: {fault}", at)
        return False
    _settle(job, outcome, at)
    return outcome.delivery != Delivery.FAILED


@transaction.atomic
def close_finished(*, at: datetime) -> int:
    """Close the notices of which nothing waits any more; return how many."""
    waiting = NoticeRecipient.objects.filter(notice=OuterRef("pk"), state__in=WAITING)
    found = list(
        Notice.objects.filter(~Exists(waiting), finished_at=None)
        .order_by("created_at", "id")
        .select_for_update(skip_locked=True)[:500]
    )
    Notice.objects.filter(id__in=[notice.id for notice in found]).update(finished_at=at)
    for notice in found:
        publish(NoticeSent(notice_id=notice.id, outage_id=notice.outage_id, at=at))
    return len(found)


def _willing(
    claimed: Sequence[NoticeRecipient], notices: dict[UUID, Notice], at: datetime
) -> list[NoticeRecipient]:
    codes = {row.customer_code for row in claimed}
    wishes = CustomerPreference.objects.filter(customer_code__in=codes)
    known = {wish.customer_code: wish for wish in wishes}
    return [
        row
        for row in claimed
        if not _worn_out(row)
        and not _held_back(row, notices[row.notice_id], known.get(row.customer_code), at)
    ]


def _worn_out(row: NoticeRecipient) -> bool:
    """Give up on a message with which one process after the other has died."""
    if row.attempts <= CRASHES:
        return False
    error = "Every process that tried this died."
    work.finish(
        row,
        state=WorkState.QUARANTINED,
        delivery=Delivery.FAILED,
        reason=error,
        last_error=error,
    )
    return True


def _held_back(
    row: NoticeRecipient, notice: Notice, wish: CustomerPreference | None, at: datetime
) -> bool:
    if notice.is_safety:
        return False
    if wish is not None and notice.channel in wish.opted_out:
        work.finish(row, delivery=Delivery.SUPPRESSED, reason=Reason.OPTED_OUT)
        return True
    if wish is not None and not wish.quiet_nights:
        return False
    due_at = may_disturb_at(
        at, row.time_zone, quiet_from=value(QUIET_FROM), quiet_until=value(QUIET_UNTIL)
    )
    if due_at <= at:
        return False
    return work.finish(
        row, state=WorkState.PENDING, run_at=due_at, attempts=F("attempts") - 1
    )


def _message(row: NoticeRecipient, notice: Notice, at: datetime) -> Message:
    return Message(
        key=row.key, channel=notice.channel, address=row.address, text=notice.message, at=at
    )


@transaction.atomic
def _settle(job: Job, outcome: Outcome, at: datetime) -> None:
    sent = outcome.delivery in (Delivery.SENT, Delivery.DELIVERED)
    work.finish(
        job.row,
        delivery=outcome.delivery,
        reason=outcome.error[:300],
        sent_at=at if sent else None,
        delivered_at=at if outcome.delivery == Delivery.DELIVERED else None,
    )
    _write_result(job, outcome, at)


@transaction.atomic
def _postpone(job: Job, error: str, at: datetime) -> None:
    if job.row.attempts >= work.MAX_ATTEMPTS:
        work.finish(
            job.row,
            state=WorkState.QUARANTINED,
            delivery=Delivery.FAILED,
            reason=error[:300],
            last_error=error[:2000],
        )
    else:
        work.retry(job.row, error=error, run_at=at + pause(job.row.attempts))
    _write_result(job, Outcome(Delivery.FAILED, error=error), at)


def _write_result(job: Job, outcome: Outcome, at: datetime) -> None:
    job.attempt.finished_at, job.attempt.result = at, outcome.delivery
    job.attempt.provider_id, job.attempt.error = outcome.provider_id[:200], outcome.error
    job.attempt.save(update_fields=["finished_at", "result", "provider_id", "error"])
