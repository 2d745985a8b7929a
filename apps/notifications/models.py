"""Rows of notices: who is told what, each attempt to tell them, and what they wish."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.core.work import WorkRow, WorkState
from apps.notifications.rules import Channel, Delivery, Progress, progress


class Notice(models.Model):
    """A message to the customers of an outage, or of planned work before it begins.

    `unknown` holds the customer ids that nobody has. `fingerprint` is the same for notices that
    say the same to the same people about the same outage. `finished_at` is set once nothing of it
    waits. Read through the selectors it carries the counts of its recipients.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    outage = models.ForeignKey(
        "outages.Outage",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    work = models.ForeignKey(
        "outages.PlannedWork", null=True, on_delete=models.PROTECT, related_name="+"
    )
    channel = models.CharField(max_length=5, choices=Channel.choices)
    message = models.TextField()
    estimated_restoration_at = models.DateTimeField(null=True, blank=True)
    is_safety = models.BooleanField(default=False)
    unknown = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    requested_by = models.CharField(max_length=200, default="", blank=True)
    on_behalf_of = models.CharField(max_length=200, default="", blank=True)
    fingerprint = models.CharField(max_length=64, default="", editable=False)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    total_count: int
    notified_count: int
    pending_count: int
    sent_count: int
    delivered_count: int
    failed_count: int

    class Meta:
        permissions: ClassVar = [("send_notice", "Can send notices to customers")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(channel__in=Channel.values), name="notice_channel_known"
            ),
            models.CheckConstraint(condition=~Q(message=""), name="notice_says_something"),
            models.CheckConstraint(
                condition=Q(outage=None, work__isnull=False)
                | Q(outage__isnull=False, work=None),
                name="notice_is_about_one",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="notice_newest"),
            models.Index(fields=["outage", "-created_at"], name="notice_outage"),
            models.Index(fields=["fingerprint", "-created_at"], name="notice_repeats"),
            models.Index(
                fields=["created_at"],
                name="notice_unfinished",
                condition=Q(finished_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def progress(self) -> Progress:
        """Return where the notice stands, by the counts that the selectors put on it."""
        return progress(
            total=self.total_count, pending=self.pending_count, failed=self.failed_count
        )


class NoticeRecipient(WorkRow):
    """One address that a notice goes to, once: `key` is made of the notice and the address.

    `delivery` is what became of it; the inherited `state` is that of the work. Who has no
    address or opted out is kept with the reason and nothing to do.
    """

    notice = models.ForeignKey(
        Notice, on_delete=models.CASCADE, related_name="recipients", db_index=False
    )
    customer_code = models.CharField(max_length=200)
    name = models.CharField(max_length=200, default="", blank=True)
    address = models.CharField(max_length=254, default="", blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    delivery = models.CharField(
        max_length=10, choices=Delivery.choices, default=Delivery.PENDING
    )
    reason = models.CharField(max_length=300, default="", blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["notice", "address"],
                name="recipient_address_once",
                condition=~Q(address=""),
            ),
            models.CheckConstraint(
                condition=Q(delivery__in=Delivery.values), name="recipient_delivery_known"
            ),
            models.CheckConstraint(
                condition=~Q(delivery__in=[Delivery.SENT, Delivery.DELIVERED])
                | Q(sent_at__isnull=False),
                name="recipient_sent_has_time",
            ),
            models.CheckConstraint(
                condition=Q(delivery=Delivery.DELIVERED, delivered_at__isnull=False)
                | (~Q(delivery=Delivery.DELIVERED) & Q(delivered_at=None)),
                name="recipient_delivered_has_time",
            ),
            models.CheckConstraint(
                condition=Q(
                    delivery=Delivery.PENDING,
                    state__in=[WorkState.PENDING, WorkState.LEASED],
                )
                | (
                    ~Q(delivery=Delivery.PENDING)
                    & Q(state__in=[WorkState.DONE, WorkState.QUARANTINED])
                ),
                name="recipient_pending_is_waiting",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["run_at"],
                name="recipient_due",
                condition=Q(state__in=[WorkState.PENDING, WorkState.LEASED]),
            ),
            models.Index(fields=["notice", "delivery"], name="recipient_notice"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_code} {self.delivery}"


class NoticeAttempt(models.Model):
    """One try to reach a recipient, written before it is made; its result afterwards.

    Without a result the process died in between, or is at it.
    """

    recipient = models.ForeignKey(
        NoticeRecipient, on_delete=models.CASCADE, related_name="tries", db_index=False
    )
    number = models.PositiveSmallIntegerField()
    transport = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    result = models.CharField(max_length=10, default="", blank=True)
    provider_id = models.CharField(max_length=200, default="", blank=True)
    error = models.TextField(default="", blank=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["recipient", "number"], name="attempt_once"),
        ]

    def __str__(self) -> str:
        return f"{self.recipient_id} #{self.number}"


class CustomerPreference(models.Model):
    """What a customer wishes: channels never used, and whether nights are quiet."""

    customer_code = models.CharField(max_length=200, unique=True)
    opted_out = ArrayField(
        models.CharField(max_length=5, choices=Channel.choices), default=list, blank=True
    )
    quiet_nights = models.BooleanField(default=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(opted_out__contained_by=Channel.values),
                name="preference_channels_known",
            ),
        ]

    def __str__(self) -> str:
        return self.customer_code

    def facts(self) -> dict[str, object]:
        """Return what the audit trail keeps of the row."""
        return {"opted_out": self.opted_out, "quiet_nights": self.quiet_nights}


class SentMessage(models.Model):
    """What the embedded transport carried; `key` makes a repeated message one message."""

    key = models.CharField(max_length=200, unique=True)
    channel = models.CharField(max_length=5, choices=Channel.choices)
    address = models.CharField(max_length=254)
    text = models.TextField()
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["-at", "-id"], name="sent_newest")]

    def __str__(self) -> str:
        return f"{self.channel} {self.address}"
