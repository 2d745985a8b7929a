"""When storm mode was on, by whose decision."""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q


class StormPeriod(models.Model):
    """One stretch of storm mode; the one without an end is in force.

    `quiet_since` is since when it has been calm. `is_armed` is False from when a person ends it
    until what comes in is no storm any more: so long the portal does not begin another.
    """

    began_at = models.DateTimeField()
    began_by = models.CharField(max_length=200)
    by_hand = models.BooleanField()
    reason = models.CharField(max_length=300, default="", blank=True)
    quiet_since = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=200, default="", blank=True)
    is_armed = models.BooleanField(default=True)

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("began_at")),
                name="storm_ends_after_start",
            ),
            ExclusionConstraint(
                name="storm_never_overlaps",
                expressions=[
                    (
                        Func(
                            F("began_at"),
                            F("ended_at"),
                            function="tstzrange",
                            output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"since {self.began_at:%Y-%m-%d %H:%M} by {self.began_by}"

    def facts(self) -> dict[str, object]:
        """Return what the audit trail keeps of the row."""
        return {
            "on": self.ended_at is None,
            "by_hand": self.by_hand,
            "reason": self.reason,
            "since": self.began_at.isoformat(),
        }


__all__ = ["StormPeriod"]
