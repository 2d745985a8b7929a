"""Read notices, who got them, and what the embedded transport carried."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, Func, IntegerField, OuterRef, Q, QuerySet, Subquery

from apps.accounts.services import require
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.notifications.models import (
    CustomerPreference,
    Notice,
    NoticeRecipient,
    SentMessage,
)
from apps.notifications.rules import WIRE, Delivery, Reason

VIEW = "notifications.view_notice"
COUNTS = {
    "total_count": Q(),
    "notified_count": ~Q(reason__in=[Reason.OPTED_OUT, Reason.NO_ADDRESS]),
    "pending_count": Q(delivery=Delivery.PENDING),
    "sent_count": Q(delivery__in=[Delivery.SENT, Delivery.DELIVERED]),
    "delivered_count": Q(delivery=Delivery.DELIVERED),
    "failed_count": Q(delivery__in=[Delivery.FAILED, Delivery.SUPPRESSED]),
}


class NoticeNotFound(NotFound):
    """There is no such notice."""


@dataclass(frozen=True, slots=True)
class RecipientView:
    """One recipient of a notice. `state` is the published word for `delivery`."""

    customer_code: str
    name: str
    address: str
    delivery: str
    state: str
    reason: str
    attempts: int
    due_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None


def notices(*, viewer: Actor) -> QuerySet[Notice]:
    """Return all notices with the counts of their recipients, newest first."""
    require(viewer, VIEW)
    return _counted(Notice.objects.select_related("outage", "work"))


def notices_of(*, outage_id: UUID, viewer: Actor) -> QuerySet[Notice]:
    """Return the notices of an outage and of those merged into it, newest first."""
    found = Q(outage_id=outage_id) | Q(outage__merged_into=outage_id)
    return notices(viewer=viewer).filter(found)


def notices_of_work(*, work_id: int, viewer: Actor) -> QuerySet[Notice]:
    """Return the notices of planned work, newest first."""
    return notices(viewer=viewer).filter(work_id=work_id)


def notice(*, notice_id: UUID, viewer: Actor) -> Notice:
    """Return one notice with its counts. Raises NoticeNotFound."""
    row = notices(viewer=viewer).filter(id=notice_id).first()
    if row is None:
        raise NoticeNotFound(f"There is no notice {notice_id}.")
    return row


def recipients(*, notice_id: UUID, viewer: Actor) -> list[RecipientView]:
    """Return who a notice goes to, by customer. Raises NoticeNotFound."""
    require(viewer, VIEW)
    if not Notice.objects.filter(id=notice_id).exists():
        raise NoticeNotFound(f"There is no notice {notice_id}.")
    rows = NoticeRecipient.objects.filter(notice_id=notice_id).order_by(
        "customer_code", "id"
    )
    return [_recipient(row) for row in rows]


def sent_messages(*, viewer: Actor) -> QuerySet[SentMessage]:
    """Return what the embedded transport carried, newest first."""
    require(viewer, VIEW)
    return SentMessage.objects.order_by("-at", "-id")


def preferences(*, viewer: Actor) -> QuerySet[CustomerPreference]:
    """Return what customers wish, by customer."""
    require(viewer, VIEW)
    return CustomerPreference.objects.order_by("customer_code")


def _counted(rows: QuerySet[Notice]) -> QuerySet[Notice]:
    counts = {name: _count(which) for name, which in COUNTS.items()}
    return rows.annotate(**counts).order_by("-created_at", "-id")


def _count(which: Q) -> Subquery:
    """Count within the recipients of one notice: a page of notices reads no others'."""
    rows = NoticeRecipient.objects.filter(which, notice=OuterRef("pk")).order_by()
    count = rows.annotate(n=Func(F("id"), function="COUNT")).values("n")
    return Subquery(count, output_field=IntegerField())


def _recipient(row: NoticeRecipient) -> RecipientView:
    waiting = row.delivery == Delivery.PENDING
    return RecipientView(
        customer_code=row.customer_code,
        name=row.name,
        address=row.address,
        delivery=row.delivery,
        state=WIRE[Delivery(row.delivery)],
        reason=row.reason,
        attempts=row.attempts,
        due_at=row.run_at if waiting else None,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
    )
