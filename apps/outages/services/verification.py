"""Ask meters whether they have power, take what they answer, and stop waiting in time.

An answer is an event like any other, whichever way it comes: `ping_powered` says that the meter
has power, `ping_dark` that it has none. What a verification shows is read from these events.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count

from apps.accounts.services import require
from apps.audit import services as audit
from apps.configuration.selectors import value
from apps.core.actor import Actor
from apps.core.errors import Conflict, Invalid, NotFound, Unprocessable
from apps.core.outbox import publish
from apps.outages.events import VerificationAnswered, VerificationRequested
from apps.outages.models import MeterPing, Outage, Verification
from apps.outages.rules import Report, Source, read_report
from apps.outages.rules import settings as declared
from apps.outages.rules.verification import (
    SILENT,
    WAITING,
    WORD_OF,
    PingState,
    VerificationReason,
    VerificationState,
)
from apps.outages.selectors.verification import VerificationNotFound, meters_to_ask
from apps.outages.services import trail
from apps.outages.services.intake import take_reports

# A restoration that became known longer ago is left alone.
STILL_NEWS = timedelta(minutes=10)
OPERATE, REPORT = "outages.operate_outage", "outages.report_event"


# In these words the index of the answers is made.
_IS_ANSWER = "e.event_type IN ('ping_powered', 'ping_dark', 'ping_no_answer')"
_ANSWERS = (
    "outages_meterping p JOIN outages_sourceevent e ON e.meter_number = p.meter_number "
    f"AND {_IS_ANSWER} AND p.state IN ('pending', 'sent')"
)


class VerificationOpen(Conflict):
    """Meters of the outage are being asked already."""


class VerificationOver(Conflict):
    """Nobody waits for answers any longer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a head-end says of one meter, and when that was so."""

    meter_code: str
    result: PingState
    at: datetime | None = None


@transaction.atomic
def request_verification(
    *,
    outage_id: UUID,
    reason: VerificationReason = VerificationReason.HAND,
    by: Actor,
    at: datetime,
) -> Verification:
    """Have some meters below the outage's device asked whether they have power.

    Raises Forbidden, OutageNotFound, VerificationOpen, or Unprocessable where no meter is known.
    """
    require(by, OPERATE)
    outage = trail.hold(outage_id)
    earlier = Verification.objects.filter(outage=outage)
    if earlier.open().exists():
        raise VerificationOpen("Meters of this outage are being asked already.")
    seed = f"{outage.device_code}:{earlier.count()}"
    most = value(declared.VERIFY_METERS)
    meters = meters_to_ask(outage=outage, most=most, seed=seed)
    if not meters:
        raise Unprocessable("No meter is known where the outage is.")
    row = Verification.objects.create(
        outage=outage,
        device_code=outage.device_code,
        reason=reason,
        requested_at=at,
        requested_by=by.label[:200],
        on_behalf_of=by.on_behalf_of[:200],
        expires_at=at + timedelta(seconds=value(declared.VERIFY_SECONDS)),
    )
    MeterPing.objects.bulk_create(
        MeterPing(verification=row, meter_number=number, meter_code=code)
        for number, code in meters
    )
    text = f"Verification, {reason.label.lower()}: {len(meters)} meters are asked"
    trail.tell(outage, "verification", text, by, at)
    _audit(row, "verification_request", {**row.facts(), "asked": len(meters)}, by, at)
    publish(
        VerificationRequested(
            verification_id=row.id,
            outage_id=outage.id,
            reason=reason.value,
            meters=tuple(code for _, code in meters),
            by=by.label,
            at=at,
        )
    )
    return row


def verify_automatically(
    *, outage_ids: Sequence[UUID], reason: VerificationReason, by: Actor, at: datetime
) -> int:
    """Ask meters where nobody asked for it, unless that is off, idle or too much at once.

    Returns at how many of the outages meters are asked. Raises Forbidden.
    """
    if not value(declared.VERIFY_AUTOMATICALLY):
        return 0
    room = value(declared.VERIFY_AT_ONCE) - Verification.objects.open().count()
    asked = 0
    for outage in Outage.objects.filter(id__in=outage_ids).order_by("number"):
        if asked >= room:
            break
        if _is_worth_asking(outage, reason, at):
            asked += _is_requested(outage.id, reason, by, at)
    return asked


def _is_requested(
    outage_id: UUID, reason: VerificationReason, by: Actor, at: datetime
) -> bool:
    try:
        request_verification(outage_id=outage_id, reason=reason, by=by, at=at)
    except (Conflict, NotFound, Unprocessable):
        return False
    return True


def _is_worth_asking(outage: Outage, reason: VerificationReason, at: datetime) -> bool:
    """Return whether the answers would still tell anybody something."""
    if outage.is_planned or outage.is_momentary:
        return False
    if reason is VerificationReason.RESTORED:
        return outage.updated_at > at - STILL_NEWS
    return outage.is_open or outage.merged_into_id is not None


def answer_verification(
    *, verification_id: UUID, answers: Sequence[Answer], by: Actor, at: datetime
) -> Verification:
    """Take what a head-end says of the meters that it was to ask.

    Answers are stored as events and matched to outages first. The same answer twice changes
    nothing. Raises Forbidden, VerificationNotFound, VerificationOver, or Invalid for a meter
    that is not asked and for an impossible time.
    """
    require(by, REPORT)
    row = Verification.objects.filter(id=verification_id).first()
    if row is None:
        raise VerificationNotFound("There is no such verification.")
    if row.state == VerificationState.COMPLETE:
        raise VerificationOver("The verification is complete.")
    reports = _reports(row, answers, at)
    if reports:
        take_reports(reports=[(by, report) for report in reports], at=at)
    sent = [one.meter_code for one in answers if one.result is PingState.SENT]
    with transaction.atomic():
        held = Verification.objects.select_for_update().get(id=row.id)
        if held.state == VerificationState.COMPLETE:
            return held
        held.pings.filter(state=PingState.PENDING, meter_code__in=sent).update(
            state=PingState.SENT, sent_at=at
        )
        _fold(held)
        _advance(held, by, at)
    return held


def settle_verifications(*, by: Actor, at: datetime) -> int:
    """Fold in the answers that came as events, stop waiting in time; return how many moved.

    Raises Forbidden.
    """
    require(by, OPERATE)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT v.id FROM outages_verification v "  # noqa: S608 - our own words
            "WHERE v.state <> 'complete' AND (v.expires_at <= %s "
            f"OR EXISTS (SELECT 1 FROM {_ANSWERS} WHERE p.verification_id = v.id "
            "AND e.accepted_at >= v.requested_at))",
            [at],
        )
        due = [row[0] for row in cursor.fetchall()]
    return sum(_settle(key, by, at) for key in due)


@transaction.atomic
def _settle(verification_id: UUID, by: Actor, at: datetime) -> bool:
    rows = Verification.objects.open().select_for_update(skip_locked=True)
    row = rows.filter(id=verification_id).first()
    if row is None:
        return False
    _fold(row)
    if row.expires_at <= at:
        row.pings.filter(state__in=WAITING).update(state=PingState.TIMED_OUT)
    _advance(row, by, at)
    return True


def _reports(row: Verification, answers: Sequence[Answer], at: datetime) -> list[Report]:
    pings = {ping.meter_code: ping for ping in row.pings.all()}
    unknown = sorted({one.meter_code for one in answers} - set(pings))
    if unknown:
        wrong = f"Not asked: {', '.join(unknown[:5])}."
        raise Invalid(wrong, fields={"answers": wrong})
    return [
        read_report(
            {
                "event_type": WORD_OF[one.result],
                "source_type": Source.SMART_METER.value,
                "source_event_id": f"ping-{pings[one.meter_code].pk}",
                "timestamp": (one.at or at).isoformat(),
                "meter_id": one.meter_code,
            },
            at=at,
        )
        for one in answers
        if one.result in WORD_OF
    ]


def _fold(row: Verification) -> None:
    """Note for each meter that is waited for what the latest answer of it says."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE outages_meterping p SET answered_at = x.at, "  # noqa: S608 - our own words
            "state = replace(x.word, 'ping_', '') FROM ("
            "SELECT DISTINCT ON (p.id) p.id, e.occurred_at AS at, e.event_type AS word "
            f"FROM {_ANSWERS} WHERE p.verification_id = %s AND e.accepted_at >= %s "
            "ORDER BY p.id, e.occurred_at DESC, e.id) AS x WHERE p.id = x.id",
            [row.id, row.requested_at],
        )


def _advance(row: Verification, by: Actor, at: datetime) -> None:
    """Bring the verification to where its meters are; tell who looks."""
    rows = row.pings.values_list("state").annotate(n=Count("id"))
    found = {PingState(state): n for state, n in rows.order_by()}
    asked, pending = sum(found.values()), found.get(PingState.PENDING, 0)
    counts = {
        "powered": found.get(PingState.POWERED, 0),
        "dark": found.get(PingState.DARK, 0),
        "silent": sum(found.get(state, 0) for state in SILENT),
    }
    complete = sum(counts.values()) == asked
    untouched = pending == asked
    row.state = VerificationState.PENDING if untouched else VerificationState.SENT
    if complete:
        row.state, row.completed_at = VerificationState.COMPLETE, max(at, row.requested_at)
    row.save(update_fields=["state", "completed_at"])
    if complete:
        _conclude(row, {"asked": asked, **counts}, by, at)
    publish(
        VerificationAnswered(
            verification_id=row.id,
            outage_id=row.outage_id,
            complete=complete,
            at=at,
            **counts,
        )
    )


def _conclude(row: Verification, counts: dict[str, int], by: Actor, at: datetime) -> None:
    outage = Outage.objects.select_related("merged_into").get(id=row.outage_id)
    text = "Verification: " + ", ".join(f"{n} {word}" for word, n in counts.items())
    trail.tell(outage.merged_into or outage, "verification", text, by, at)
    _audit(row, "verification_complete", {**row.facts(), **counts}, by, at)


def _audit(
    row: Verification, action: str, after: dict[str, object], by: Actor, at: datetime
) -> None:
    audit.record(
        by=by,
        action=action,
        resource="verification",
        resource_id=str(row.id),
        after=after,
        at=at,
    )
