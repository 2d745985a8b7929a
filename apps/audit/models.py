"""Rows of the trail and of its chain. The database refuses to change or delete them."""

from typing import Any, ClassVar
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now

from apps.audit.rules import LONG, SHORT


class AuditEntry(models.Model):
    """Somebody did something. Holds no foreign keys: it outlives what it speaks of."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    stream = models.CharField(max_length=20)
    at = models.DateTimeField(db_default=Now())
    actor_kind = models.CharField(max_length=10)
    actor_label = models.CharField(max_length=LONG)
    user_id = models.UUIDField(null=True)
    on_behalf_of = models.CharField(max_length=LONG, default="", blank=True)
    action = models.CharField(max_length=SHORT)
    resource = models.CharField(max_length=SHORT)
    resource_id = models.CharField(max_length=LONG, default="", blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    address = models.CharField(max_length=SHORT, default="", blank=True)
    agent = models.CharField(max_length=LONG, default="", blank=True)
    request_id = models.CharField(max_length=SHORT, default="", blank=True)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering: ClassVar = ["-at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            models.Index(fields=["action", "-at"], name="audit_by_action"),
            models.Index(fields=["user_id", "-at"], name="audit_by_user"),
            models.Index(
                fields=["resource", "resource_id", "-at"], name="audit_by_resource"
            ),
            BrinIndex(fields=["at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor_label} {self.action}"


class AuditLink(models.Model):
    """The place of one entry in its stream's chain, written by the database at commit."""

    stream = models.CharField(max_length=20)
    seq = models.BigIntegerField()
    entry_id = models.UUIDField(unique=True)
    previous = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["stream", "seq"], name="audit_link_no_fork"),
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.seq}"


class Proof(models.Model):
    """One walk along the trail: how many links and checkpoints, and what was wrong where.

    `checkpoint` is the signature of the last checkpoint, `checkpoints` how many there were.
    `mac` signs it with a key that the database does not have.
    """

    at = models.DateTimeField()
    links = models.BigIntegerField()
    checkpoints = models.BigIntegerField(default=0)
    checkpoint = models.CharField(max_length=64, default="", blank=True)
    faults = models.IntegerField()
    places = ArrayField(models.CharField(max_length=LONG), default=list)
    mac = models.CharField(max_length=64, default="")

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.faults}"

    def facts(self) -> dict[str, Any]:
        """Return what is signed."""
        return {
            "at": self.at.timestamp(),
            "links": self.links,
            "checkpoints": self.checkpoints,
            "checkpoint": self.checkpoint,
            "faults": self.faults,
            "places": self.places,
        }
