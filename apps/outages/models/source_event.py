"""Events as they came in, and those that contradict an earlier one of the same name."""

import uuid
from typing import ClassVar

from django.db import models

from apps.outages.models.outage import Outage
from apps.outages.rules import Disposition, Kind, Source
from apps.outages.rules.verification import WORD_OF


class SourceEvent(models.Model):
    """One signal, stored before it is answered. Its identity is (source_type, source_event_id).

    The place is kept as it resolved then (`meter_code`, `device_code`, the numbers of node and
    feeder), because a later network may say otherwise. `outage` is where it belongs now.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source_type = models.CharField(max_length=12, choices=Source.choices)
    source_event_id = models.CharField(max_length=200)
    event_type = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    accepted_at = models.DateTimeField()
    clock = models.CharField(max_length=6, default="", blank=True)
    meter_code = models.CharField(max_length=200, default="", blank=True)
    device_code = models.CharField(max_length=200, default="", blank=True)
    feeder_number = models.BigIntegerField(null=True)
    node_number = models.BigIntegerField(null=True)
    meter_number = models.BigIntegerField(null=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    severity = models.CharField(max_length=8, default="", blank=True)
    description = models.TextField(default="", blank=True)
    told_place = models.JSONField(default=dict)
    metadata = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=24)
    disposition = models.CharField(max_length=12, choices=Disposition.choices)
    # What it names is checked once a statement (migration 0022).
    outage = models.ForeignKey(
        Outage,
        null=True,
        on_delete=models.PROTECT,
        related_name="events",
        db_index=False,
        db_constraint=False,
    )

    class Meta:
        permissions: ClassVar = [
            ("report_event", "Can report events"),
            ("view_event", "Can see what was reported"),
        ]
        constraints: ClassVar = [
            # By bytes, so that it finds what an identity begins with, too.
            models.UniqueConstraint(
                fields=["source_type", "source_event_id"],
                name="event_identity",
                opclasses=["varchar_pattern_ops", "varchar_pattern_ops"],
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["occurred_at", "id"], name="event_occurred"),
            models.Index(
                fields=["accepted_at", "id"],
                include=["source_type"],
                name="event_accepted_source",
            ),
            models.Index(
                fields=["meter_code"],
                name="event_meter",
                opclasses=["varchar_pattern_ops"],
            ),
            models.Index(
                fields=["device_code"],
                name="event_device",
                opclasses=["varchar_pattern_ops"],
                condition=~models.Q(device_code=""),
            ),
            models.Index(fields=["feeder_number", "occurred_at"], name="event_feeder"),
            models.Index(fields=["outage", "occurred_at"], name="event_outage"),
            models.Index(
                fields=["-accepted_at"],
                name="event_unresolved",
                condition=models.Q(disposition=Disposition.UNRESOLVED),
            ),
            models.Index(
                fields=["meter_number", "occurred_at"],
                name="event_power_up_alone",
                condition=models.Q(kind=Kind.RESTORATION, outage=None),
            ),
            models.Index(
                fields=["meter_number", "accepted_at"],
                name="event_ping_answer",
                condition=models.Q(event_type__in=list(WORD_OF.values())),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_type} {self.source_event_id}"


class EventConflict(models.Model):
    """An event that came again under a known identity with other content; never merged."""

    event = models.ForeignKey(
        SourceEvent, on_delete=models.CASCADE, related_name="conflicts"
    )
    content = models.JSONField()
    fingerprint = models.CharField(max_length=24)
    received_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["event", "fingerprint"], name="event_conflict_once"
            )
        ]

    def __str__(self) -> str:
        return f"conflict with {self.event_id}"
