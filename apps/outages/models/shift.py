"""The shift log: what people write down, and who handed over to whom."""

from typing import ClassVar
from uuid import uuid4

from django.db import models

TEXT_LENGTH = 4_000


class ShiftNote(models.Model):
    """One remark of a shift. A pinned one stays on top until it is taken down."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    at = models.DateTimeField()
    text = models.CharField(max_length=TEXT_LENGTH)
    actor_label = models.CharField(max_length=300)
    user_id = models.UUIDField(null=True)
    pinned = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["-at", "-id"]
        indexes: ClassVar = [models.Index(fields=["-at"], name="shift_note_newest")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_label}"


class Handover(models.Model):
    """One shift gives the room to the next; open until somebody takes it."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    given_at = models.DateTimeField()
    given_by = models.CharField(max_length=300)
    giver_id = models.UUIDField(null=True)
    summary = models.CharField(max_length=TEXT_LENGTH)
    open_outages = models.PositiveIntegerField()
    customers_out = models.PositiveIntegerField()
    taken_at = models.DateTimeField(null=True)
    taken_by = models.CharField(max_length=300, default="", blank=True)
    taker_id = models.UUIDField(null=True)

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["-given_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(taken_at=None),
                name="handover_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(taker_id=None)
                | models.Q(giver_id=None)
                | ~models.Q(taker_id=models.F("giver_id")),
                name="handover_to_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.given_at:%Y-%m-%d %H:%M} {self.given_by}"
