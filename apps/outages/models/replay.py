"""Replays that were asked for: each is made in the background and kept for a while."""

from typing import ClassVar

from django.db import models
from uuid_utils.compat import uuid7

from apps.core.work import WorkRow, WorkState


class ReplayRows(models.QuerySet["ReplayRun"]):
    """Filters of replays."""

    def unmade(self) -> "ReplayRows":
        """Return those that wait or are being made."""
        return self.filter(state__in=[WorkState.PENDING, WorkState.LEASED])


class ReplayRun(WorkRow):
    """A period played again. `share` is how much is done, 0 to 1, `film` what came of it.

    `events` is how many came in during the period, from `starts_at` to `ends_at`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=300)
    asker_id = models.UUIDField(null=True)
    share = models.FloatField(default=0.0)
    made_at = models.DateTimeField(null=True)
    events = models.PositiveIntegerField(null=True)
    film = models.JSONField(null=True)

    objects: ClassVar[ReplayRows] = ReplayRows.as_manager()  # type: ignore[assignment]

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["-asked_at"], name="replay_newest"),
            models.Index(
                fields=["run_at"],
                name="replay_due",
                condition=models.Q(state__in=[WorkState.PENDING, WorkState.LEASED]),
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(state=WorkState.DONE)
                | models.Q(film__isnull=False, made_at__isnull=False),
                name="replay_done_has_film",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M} - {self.ends_at:%Y-%m-%d %H:%M}"
