"""What is still to be judged."""

from typing import ClassVar

from django.db import models

from apps.core.work import WorkRow


class CorrelationWork(WorkRow):
    """One part of the network (`feeder:12`, `space`, `substation:3`) whose events wait.

    `waiting` counts the events accepted since it was judged last, `took_seconds` is how long
    that was: what takes long is done less often. `earliest` is when the first of those events
    happened.
    """

    waiting = models.PositiveIntegerField(default=0)
    earliest = models.DateTimeField(null=True)
    took_seconds = models.FloatField(default=0.0, db_default=0.0)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["state", "run_at"], name="correlation_due")
        ]

    def __str__(self) -> str:
        return self.key
