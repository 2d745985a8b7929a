"""Telling customers something: who is told, by which address, and when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from apps.accounts.services import require
from apps.audit import services as audit
from apps.configuration.selectors import value
from apps.core.actor import Actor, system
from apps.core.locks import hold
from apps.core.outbox import publish
from apps.core.work import WorkState
from apps.notifications.events import NoticeRequested
from apps.notifications.models import CustomerPreference, Notice, NoticeRecipient
from apps.notifications.rules import (
    QUIET_FROM,
    QUIET_UNTIL,
    REPEAT_MINUTES,
    Channel,
    Delivery,
    Reason,
    address_of,
    channel_of,
    codes_of,
    may_disturb_at,
    message_of,
    notice_fingerprint,
    recipient_key,
)
from apps.notifications.services.audience import Person, affected, below, named
from apps.outages import selectors as outages
from apps.outages.services import record_contact

if TYPE_CHECKING:
    from apps.outages.models import Outage, PlannedWork

SEND = "notifications.send_notice"


@dataclass(frozen=True, slots=True)
class Sent:
    """A notice on its way: to how many, and which of the given customer ids nobody has."""

    notice: Notice
    notified: int
    unknown: list[str]


@dataclass(frozen=True, slots=True)
class _Draft:
    outage_id: UUID | str
    channel: str
    message: str
    customer_codes: Sequence[str] | None
    estimated_restoration_at: datetime | None
    is_safety: bool


@dataclass(frozen=True, slots=True)
class _Said:
    channel: Channel
    message: str
    is_safety: bool
    estimated_restoration_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _About:
    outage: "Outage | None" = None
    work: "PlannedWork | None" = None


def notify(
    *,
    outage_id: UUID | str,
    channel: str,
    message: str,
    customer_codes: Sequence[str] | None,
    estimated_restoration_at: datetime | None,
    by: Actor,
    at: datetime,
) -> Sent:
    """Tell the given customers, or all customers of the outage.

    Quiet hours put it off for a customer, an opt-out keeps it from them; both count by what is
    known now. The same notice asked for again within `notifications.repeat_minutes` is the one
    that was sent: nobody hears it twice. Raises Forbidden, Invalid for an impossible channel or
    message, OutageNotFound.
    """
    draft = _Draft(
        outage_id,
        channel,
        message,
        customer_codes,
        estimated_restoration_at,
        is_safety=False,
    )
    return _send(draft, by, at)


def warn(
    *,
    outage_id: UUID | str,
    channel: str,
    message: str,
    customer_codes: Sequence[str] | None,
    by: Actor,
    at: datetime,
) -> Sent:
    """Send a safety message: neither quiet hours nor opt-outs hold it back. Raises as notify."""
    draft = _Draft(outage_id, channel, message, customer_codes, None, is_safety=True)
    return _send(draft, by, at)


@transaction.atomic
def set_preference(
    *,
    customer_code: str,
    opted_out: Iterable[str],
    quiet_nights: bool,
    by: Actor,
    at: datetime,
) -> CustomerPreference:
    """Keep what a customer wishes; messages that wait already obey it too.

    Raises Forbidden, or Invalid for an unknown channel.
    """
    require(by, SEND)
    channels = sorted({channel_of(word).value for word in opted_out})
    (code,) = codes_of([customer_code])
    row, created = CustomerPreference.objects.select_for_update().get_or_create(
        customer_code=code, defaults={"updated_at": at}
    )
    before = None if created else row.facts()
    row.opted_out, row.quiet_nights, row.updated_at = channels, quiet_nights, at
    row.save()
    audit.record(
        by=by,
        action="preference_change",
        resource="customer",
        resource_id=code,
        before=before,
        after=row.facts(),
        at=at,
    )
    return row


@transaction.atomic
def announce(*, work_id: int, channel: str, message: str, by: Actor, at: datetime) -> Sent:
    """Tell the customers of planned work what is coming. Raises as `notify`, WorkNotFound."""
    require(by, SEND)
    said = _Said(channel_of(channel), message_of(message), is_safety=False)
    work = outages.planned_work(work_id=work_id, viewer=system("notifications"))
    fingerprint = notice_fingerprint(f"work {work.pk}", said.channel, said.message)
    if (earlier := _sent_before(fingerprint, at)) is not None:
        return earlier
    people = below(work.device_code, work.region_code)
    about = _About(work=work)
    return _write(about, said, fingerprint, people, [], by, at)


@transaction.atomic
def _send(draft: _Draft, by: Actor, at: datetime) -> Sent:
    require(by, SEND)
    said = _Said(
        channel_of(draft.channel),
        message_of(draft.message),
        draft.is_safety,
        draft.estimated_restoration_at,
    )
    outage = outages.outage(outage_id=draft.outage_id, viewer=system("notifications"))
    while outage.merged_into is not None:
        outage = outage.merged_into
    codes = draft.customer_codes
    fingerprint = notice_fingerprint(
        outage.id,
        said.channel,
        said.message,
        sorted(codes_of(codes)) if codes is not None else None,
        said.estimated_restoration_at,
        said.is_safety,
    )
    if (earlier := _sent_before(fingerprint, at)) is not None:
        return earlier
    people, unknown = _audience(codes, outage)
    return _write(_About(outage=outage), said, fingerprint, people, unknown, by, at)


def _write(
    about: _About,
    said: _Said,
    fingerprint: str,
    people: Sequence[Person],
    unknown: list[str],
    by: Actor,
    at: datetime,
) -> Sent:
    notice = Notice.objects.create(
        outage=about.outage,
        work=about.work,
        channel=said.channel,
        message=said.message,
        estimated_restoration_at=said.estimated_restoration_at,
        is_safety=said.is_safety,
        unknown=unknown,
        fingerprint=fingerprint,
        requested_by=by.label[:200],
        on_behalf_of=by.on_behalf_of[:200],
        created_at=at,
    )
    notified = _enlist(notice, said.channel, people, at)
    _tell(notice, said.channel, notified, by, at)
    return Sent(notice, notified, unknown)


def _sent_before(fingerprint: str, at: datetime) -> Sent | None:
    """Return the same notice of the last minutes; whoever asks for it at once waits here."""
    hold(f"notice\0{fingerprint}")
    notice = Notice.objects.filter(
        fingerprint=fingerprint,
        created_at__gt=at - timedelta(minutes=value(REPEAT_MINUTES)),
    ).first()
    if notice is None:
        return None
    tried = notice.recipients.exclude(reason__in=(Reason.NO_ADDRESS, Reason.OPTED_OUT))
    return Sent(notice, tried.count(), notice.unknown)


def _audience(
    codes: Sequence[str] | None, outage: "Outage"
) -> tuple[list[Person], list[str]]:
    if codes is None:
        return affected(outage), []
    return named(codes_of(codes), outage)


def _enlist(
    notice: Notice, channel: Channel, people: Sequence[Person], at: datetime
) -> int:
    """Write a row for each address; return how many of them will be tried."""
    codes = [person.customer_code for person in people]
    wishes = CustomerPreference.objects.filter(customer_code__in=codes)
    known = {wish.customer_code: wish for wish in wishes}
    rows: dict[str, NoticeRecipient] = {}
    for person in people:
        row = _recipient(notice, channel, person, known.get(person.customer_code), at)
        rows.setdefault(row.key, row)
    NoticeRecipient.objects.bulk_create(rows.values(), batch_size=1_000)
    return sum(row.delivery == Delivery.PENDING for row in rows.values())


def _recipient(
    notice: Notice,
    channel: Channel,
    person: Person,
    wish: CustomerPreference | None,
    at: datetime,
) -> NoticeRecipient:
    address = address_of(channel, person)
    row = NoticeRecipient(
        key=recipient_key(notice.id, address or f"customer {person.customer_code}"),
        notice=notice,
        customer_code=person.customer_code,
        name=person.name,
        address=address,
        time_zone=person.time_zone,
        run_at=at,
    )
    if not address:
        row.state, row.delivery, row.reason = (
            WorkState.DONE,
            Delivery.FAILED,
            Reason.NO_ADDRESS,
        )
    elif wish is not None and channel in wish.opted_out and not notice.is_safety:
        row.state, row.delivery, row.reason = (
            WorkState.DONE,
            Delivery.SUPPRESSED,
            Reason.OPTED_OUT,
        )
    elif not notice.is_safety and (wish is None or wish.quiet_nights):
        row.run_at = may_disturb_at(
            at,
            person.time_zone,
            quiet_from=value(QUIET_FROM),
            quiet_until=value(QUIET_UNTIL),
        )
    return row


def _tell(notice: Notice, channel: Channel, notified: int, by: Actor, at: datetime) -> None:
    text = f"{channel.label} to {notified} customers: {notice.message}"
    if notice.outage_id is not None:
        record_contact(outage_id=notice.outage_id, text=text, by=by, at=at)
    audit.record(
        by=by,
        action="notice_send",
        resource="notice",
        resource_id=notice.id,
        after={
            "outage": notice.outage_id,
            "planned_work": notice.work_id,
            "channel": channel,
            "message": notice.message,
            "recipients": notified,
            "unknown": notice.unknown,
            "is_safety": notice.is_safety,
        },
        at=at,
    )
    publish(
        NoticeRequested(
            notice_id=notice.id,
            outage_id=notice.outage_id,
            recipients=notified,
            by=by.label,
            at=at,
        )
    )
