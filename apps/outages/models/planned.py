"""Planned work: a device taken out of service on purpose, for a time, agreed to by two."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from apps.outages.models.outage import Outage
from apps.outages.rules.planning import COMING, TEXT_LENGTH, TITLE_LENGTH, WorkState


class PlannedWork(models.Model):
    """Work at a device. While it is under way `outage` is its planned outage.

    `customers_count` and `critical_count` are those below the device as it was switched when
    the work was planned. The number is shown as PW001.
    """

    title = models.CharField(max_length=TITLE_LENGTH)
    description = models.CharField(max_length=TEXT_LENGTH, default="", blank=True)
    device_code = models.CharField(max_length=200)
    device_kind = models.CharField(max_length=16)
    feeder_number = models.BigIntegerField()
    feeder_code = models.CharField(max_length=200, default="", blank=True)
    region_code = models.CharField(max_length=200, default="", blank=True)
    customers_count = models.PositiveIntegerField()
    critical_count = models.PositiveIntegerField(default=0)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    state = models.CharField(
        max_length=10, choices=WorkState.choices, default=WorkState.PROPOSED
    )
    made_by = models.UUIDField(null=True)
    maker = models.CharField(max_length=300)
    made_at = models.DateTimeField()
    approved_by = models.UUIDField(null=True)
    approver = models.CharField(max_length=300, default="", blank=True)
    approved_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=TEXT_LENGTH, default="", blank=True)
    begun_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    outage = models.ForeignKey(
        Outage, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        permissions: ClassVar = [("approve_work", "Can agree to planned work")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=WorkState.values), name="work_state_known"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="work_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None)
                | Q(made_by=None)
                | ~Q(approved_by=F("made_by")),
                name="work_maker_is_not_approver",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[WorkState.APPROVED, WorkState.UNDER_WAY])
                | Q(approved_at__isnull=False),
                name="work_approved_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state=WorkState.UNDER_WAY) | Q(outage__isnull=False),
                name="work_under_way_has_outage",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["starts_at"], name="work_coming", condition=Q(state__in=COMING)
            ),
            models.Index(fields=["-starts_at", "-id"], name="work_newest"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """Return the number as people say it."""
        return f"PW{self.pk:03d}"

    def facts(self) -> dict[str, object]:
        """Return what the trail keeps of the row."""
        return {
            "state": self.state,
            "device": self.device_code,
            "starts_at": self.starts_at.isoformat(),
            "ends_at": self.ends_at.isoformat(),
            "customers": self.customers_count,
        }
