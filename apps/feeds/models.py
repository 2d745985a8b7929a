"""Rows of the machines' doors: storms that wait to be played."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class StormRequest(models.Model):
    """A storm that somebody asked for; the simulator plays it once.

    `key` is made of the wish, so that a wish that is delivered twice is one storm.
    """

    key = models.CharField(max_length=200, unique=True)
    faults = models.PositiveSmallIntegerField()
    requested_by = models.CharField(max_length=200)
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["requested_at", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(faults__range=(1, 100)), name="storm_faults"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["requested_at"], name="storm_waiting", condition=Q(started_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.faults} faults, {self.requested_by}"
