"""Meters that are asked whether they have power."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Count, Q

from apps.outages.models.outage import Outage
from apps.outages.rules.verification import (
    SILENT,
    WAITING,
    PingState,
    VerificationReason,
    VerificationState,
)


class VerificationRows(models.QuerySet["Verification"]):
    """Filters of verifications."""

    def open(self) -> "VerificationRows":
        """Return those that wait for answers."""
        return self.exclude(state=VerificationState.COMPLETE)

    def counted(self) -> "VerificationRows":
        """Return them with how many meters were asked and what they said."""
        return self.annotate(
            asked=Count("pings"),
            powered=Count("pings", filter=Q(pings__state=PingState.POWERED)),
            dark=Count("pings", filter=Q(pings__state=PingState.DARK)),
            silent=Count("pings", filter=Q(pings__state__in=SILENT)),
        )


class Verification(models.Model):
    """Some meters of an outage are asked; one verification of an outage at a time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    outage = models.ForeignKey(
        Outage, on_delete=models.CASCADE, related_name="verifications"
    )
    device_code = models.CharField(max_length=200)
    reason = models.CharField(max_length=8, choices=VerificationReason.choices)
    state = models.CharField(
        max_length=8,
        choices=VerificationState.choices,
        default=VerificationState.PENDING,
    )
    requested_at = models.DateTimeField()
    requested_by = models.CharField(max_length=200)
    on_behalf_of = models.CharField(max_length=200, default="", blank=True)
    expires_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)

    objects: ClassVar[VerificationRows] = VerificationRows.as_manager()  # type: ignore[assignment]

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["outage"],
                name="verification_one_at_a_time",
                condition=~Q(state=VerificationState.COMPLETE),
            ),
            models.CheckConstraint(
                condition=Q(state=VerificationState.COMPLETE, completed_at__isnull=False)
                | (~Q(state=VerificationState.COMPLETE) & Q(completed_at=None)),
                name="verification_complete_has_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-requested_at", "-id"], name="verification_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.device_code} {self.requested_at:%Y-%m-%d %H:%M}"

    def facts(self) -> dict[str, object]:
        """Return what the audit trail keeps of the row."""
        return {
            "outage": str(self.outage_id),
            "device": self.device_code,
            "reason": self.reason,
            "state": self.state,
        }


class MeterPing(models.Model):
    """One meter that is asked. `answered_at` is the time that the answer gives."""

    verification = models.ForeignKey(
        Verification, on_delete=models.CASCADE, related_name="pings"
    )
    meter_number = models.BigIntegerField()
    meter_code = models.CharField(max_length=200)
    state = models.CharField(
        max_length=9, choices=PingState.choices, default=PingState.PENDING
    )
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["verification", "meter_code"], name="ping_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["verification"],
                name="ping_waiting",
                condition=Q(state__in=WAITING),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.meter_code}: {self.state}"


__all__ = ["MeterPing", "Verification", "VerificationRows"]
