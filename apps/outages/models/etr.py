"""Estimates of the time of restoration: what was published, and what holds for a whole zone."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from apps.outages.models.outage import Outage
from apps.outages.rules import EtrSource, ZoneKind


class EtrEstimate(models.Model):
    """One published estimate of the time of restoration; never changed but by its score.

    The interval holds 80 % of `samples` like outages, which `basis` names; all three only where
    the source is statistics. `error_seconds` is by how much later than estimated power came
    back (negative: earlier), null until it has.
    """

    outage = models.ForeignKey(Outage, on_delete=models.CASCADE, related_name="estimates")
    estimate_at = models.DateTimeField()
    low_at = models.DateTimeField(null=True)
    high_at = models.DateTimeField(null=True)
    samples = models.PositiveIntegerField(null=True)
    basis = models.CharField(max_length=300, default="", db_default="", blank=True)
    source = models.CharField(max_length=10, choices=EtrSource.choices)
    published_at = models.DateTimeField()
    actor_label = models.CharField(max_length=200, default="", blank=True)
    error_seconds = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(low_at=None, high_at=None)
                | Q(low_at__lte=F("estimate_at"), high_at__gte=F("estimate_at")),
                name="etr_within_its_interval",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["-published_at"],
                name="etr_scored",
                condition=Q(error_seconds__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.estimate_at:%Y-%m-%d %H:%M}"


class ZoneEstimate(models.Model):
    """When power is expected back in a whole zone, said by a person.

    It holds for what is out there and for what goes out there before `until`, unless somebody
    withdraws it or says something else of the zone.
    """

    zone_kind = models.CharField(max_length=8, choices=ZoneKind.choices)
    zone_code = models.CharField(max_length=200)
    estimate_at = models.DateTimeField()
    until = models.DateTimeField()
    set_at = models.DateTimeField()
    set_by = models.CharField(max_length=200)
    on_behalf_of = models.CharField(max_length=200, default="", blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["zone_kind", "zone_code"],
                name="zone_estimate_one_in_force",
                condition=Q(ended_at=None),
            ),
            models.CheckConstraint(
                condition=Q(until__gt=F("set_at"), estimate_at__gt=F("set_at")),
                name="zone_estimate_looks_ahead",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.zone_kind} {self.zone_code}: {self.estimate_at:%Y-%m-%d %H:%M}"


__all__ = ["EtrEstimate", "ZoneEstimate"]
