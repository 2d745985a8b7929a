"""Rows of the ground floor."""

from typing import ClassVar

from django.db import models

from apps.core.events import Event


class OutboxRow(models.Model):
    """An event that was published and is delivered to each subscriber at least once.

    `done` holds the keys of the subscribers that have had it. A row that keeps failing is
    quarantined, so that the others of its subject go on.
    """

    name = models.CharField(max_length=80)
    subject = models.CharField(max_length=200)
    payload = models.JSONField()
    published_at = models.DateTimeField()
    done: models.JSONField = models.JSONField(default=list)
    attempts = models.PositiveSmallIntegerField(default=0)
    run_at = models.DateTimeField(null=True)
    last_error = models.TextField(default="", blank=True)
    delivered_at = models.DateTimeField(null=True)
    quarantined_at = models.DateTimeField(null=True)
    event: Event | None = None
    """The payload decoded, once somebody asked for it; not stored."""

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["id"],
                name="outbox_waiting",
                condition=models.Q(delivered_at=None, quarantined_at=None),
            ),
            models.Index(
                fields=["delivered_at"],
                name="outbox_delivered",
                condition=models.Q(delivered_at__isnull=False),
            ),
        ]
        permissions: ClassVar = [("view_health", "Can see the health of the database")]

    def __str__(self) -> str:
        return f"{self.name} {self.subject}"


class KeptAnswer(models.Model):
    """The first answer to a request that carried an idempotency key.

    A row exists once that request is finished: it commits with the effect. While the
    request runs, an advisory lock on principal and key says so.
    """

    principal = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    content_type = models.CharField(max_length=100)
    body = models.BinaryField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["principal", "key"], name="kept_answer_once"),
        ]

    def __str__(self) -> str:
        return f"{self.principal} {self.key}"
