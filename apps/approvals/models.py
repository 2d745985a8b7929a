"""Rows of proposals. The database keeps what was proposed as it was, and maker from checker."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from apps.approvals.rules import REASON_LENGTH, State, fingerprint

OPEN = Q(state=State.OPEN)
SECOND = Q(state__in=[State.EXECUTED, State.REJECTED])


class Proposal(models.Model):
    """An act that waits for a second person.

    `hash` binds the decision to the kind, the thing, its version and the payload; a trigger
    refuses to change these, and any change of a proposal that was decided.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    resource_id = models.CharField(max_length=200, default="", blank=True)
    version = models.CharField(max_length=200, default="", blank=True)
    payload = models.JSONField()
    hash = models.CharField(max_length=64)
    summary = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    made_by = models.UUIDField()
    maker = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_by = models.UUIDField(null=True, blank=True)
    decider = models.CharField(max_length=200, default="", blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=REASON_LENGTH, default="", blank=True)

    class Meta:
        permissions: ClassVar = []
        ordering: ClassVar = ["-made_at", "-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=State.values), name="proposal_state_known"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("made_at")), name="proposal_expires_later"
            ),
            models.CheckConstraint(
                condition=(OPEN & Q(decided_at=None))
                | (~OPEN & Q(decided_at__isnull=False)),
                name="proposal_decided_has_time",
            ),
            models.CheckConstraint(
                condition=~SECOND
                | (Q(decided_by__isnull=False) & ~Q(decided_by=F("made_by"))),
                name="proposal_maker_is_not_checker",
            ),
            models.UniqueConstraint(
                fields=["kind", "resource_id", "hash"],
                name="proposal_open_once",
                condition=OPEN,
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], name="proposal_waiting", condition=OPEN),
            models.Index(fields=["-made_at", "-id"], name="proposal_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.summary}"

    @property
    def is_as_proposed(self) -> bool:
        """Return whether the row still says what the hash was made of."""
        return self.hash == fingerprint(
            kind=self.kind,
            resource_id=self.resource_id,
            version=self.version,
            payload=self.payload,
        )

    def facts(self) -> dict[str, Any]:
        """Return what the trail keeps of it."""
        return {
            "kind": self.kind,
            "resource_id": self.resource_id,
            "summary": self.summary,
            "hash": self.hash,
            "maker": str(self.made_by),
            "state": self.state,
        }
