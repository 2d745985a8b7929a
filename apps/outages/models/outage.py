"""The outage, its timeline, its estimates and who was without power."""

import uuid
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Case, F, Func, IntegerField, Q, Value, When
from django.db.models.functions import Coalesce, Concat, Lower

from apps.outages.rules import FINAL, OPEN, EtrSource, PlaceKind, Severity, Status

GRAVITY = Case(
    *(When(severity=word, then=Value(n)) for n, word in enumerate(Severity.values)),
    default=Value(-1),
    output_field=IntegerField(),
)
"""The place of an outage's severity among the words for it, the gravest the highest."""
NAMES = ("device_code", "feeder_code", "feeder_name", "substation_name")
LINE = Value("\n")
AT_METER = Q(status__in=OPEN, merged_into=None, place_kind=PlaceKind.SERVICE_POINT)
"""Open, and known as the report of a single service point."""
LINKS = ("merged_into", "parent", "split_from")


class OutageRows(models.QuerySet["Outage"]):
    """Filters of outages."""

    def open(self) -> "OutageRows":
        """Return those that are neither restored nor cancelled, nor merged into another."""
        return self.filter(status__in=OPEN, merged_into=None)

    def standing(self) -> "OutageRows":
        """Return those that were not merged into another."""
        return self.filter(merged_into=None)


class Outage(models.Model):
    """One interruption of supply as the control room sees it.

    `edge_number` and `node_number` are the network's numbers of the device inferred open and of
    the node below it. `sources` counts the events by source. `counted_place` is the device for
    which the interruptions were written, `transformer_number` the transformer above a single
    service point, `etr_made_for` what the outage was (device kind, region, cause) when its ETR
    was estimated last, `place_names` what a search looks through. The number is shown as OUT001.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.BigIntegerField(
        unique=True,
        db_default=Func(Value("outages_outage_number_seq"), function="nextval"),
    )
    status = models.CharField(
        max_length=12, choices=Status.choices, default=Status.DETECTED
    )
    severity = models.CharField(max_length=8, choices=Severity.choices)
    confidence = models.FloatField()
    place_kind = models.CharField(max_length=13, choices=PlaceKind.choices)
    device_code = models.CharField(max_length=200, default="", blank=True)
    device_kind = models.CharField(max_length=16, default="", blank=True)
    feeder_code = models.CharField(max_length=200, default="", blank=True)
    feeder_name = models.CharField(max_length=200, default="", blank=True)
    substation_code = models.CharField(max_length=200, default="", blank=True)
    substation_name = models.CharField(max_length=200, default="", blank=True)
    region_code = models.CharField(max_length=200, default="", blank=True)
    edge_number = models.BigIntegerField(null=True)
    node_number = models.BigIntegerField(null=True)
    feeder_number = models.BigIntegerField(null=True)
    transformer_number = models.BigIntegerField(null=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    customers_count = models.PositiveIntegerField(default=0)
    critical_customers = models.BooleanField(default=False)
    sources: models.JSONField = models.JSONField(default=dict)
    first_event_id = models.UUIDField(null=True)
    counted_place = models.CharField(max_length=200, default="", db_default="", blank=True)
    first_detected_at = models.DateTimeField()
    last_event_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    in_progress_at = models.DateTimeField(null=True)
    restored_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    restoration_candidate_at = models.DateTimeField(null=True)
    estimated_restoration_at = models.DateTimeField(null=True)
    etr_source = models.CharField(
        max_length=10, choices=EtrSource.choices, default="", blank=True
    )
    etr_made_for = models.CharField(max_length=300, default="", db_default="", blank=True)
    is_momentary = models.BooleanField(default=False)
    is_planned = models.BooleanField(default=False)
    planned_until = models.DateTimeField(null=True)
    merged_into = models.ForeignKey(
        "self",
        null=True,
        db_index=False,
        on_delete=models.PROTECT,
        related_name="merged",
    )
    parent = models.ForeignKey(
        "self",
        null=True,
        db_index=False,
        on_delete=models.PROTECT,
        related_name="nested",
    )
    split_from = models.ForeignKey(
        "self",
        null=True,
        db_index=False,
        on_delete=models.PROTECT,
        related_name="splits",
    )
    ended_by_evidence = models.BooleanField(default=False, db_default=False)
    cause = models.TextField(default="", blank=True)
    place_names = models.GeneratedField(
        expression=Lower(Concat(*(part for name in NAMES for part in (name, LINE)))),
        output_field=models.TextField(),
        db_persist=True,
    )
    updated_at = models.DateTimeField()

    objects: ClassVar[OutageRows] = OutageRows.as_manager()  # type: ignore[assignment]

    class Meta:
        permissions: ClassVar = [
            ("operate_outage", "Can confirm, restore, cancel and annotate outages"),
            ("record_field_work", "Can record work in the field"),
            ("storm_mode", "Can switch storm mode"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=[s.value for s in Status]),
                name="outage_status_known",
            ),
            models.CheckConstraint(
                condition=Q(confidence__gte=0, confidence__lte=1), name="outage_confidence"
            ),
            models.CheckConstraint(
                condition=Q(status=Status.RESTORED, restored_at__isnull=False)
                | (~Q(status=Status.RESTORED) & Q(restored_at=None)),
                name="outage_restored_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.CANCELLED, cancelled_at__isnull=False)
                | (~Q(status=Status.CANCELLED) & Q(cancelled_at=None)),
                name="outage_cancelled_has_time",
            ),
            models.CheckConstraint(
                condition=Q(restored_at=None) | Q(restored_at__gte=F("first_detected_at")),
                name="outage_restored_after_start",
            ),
            models.CheckConstraint(
                condition=~Q(merged_into=F("id")), name="outage_not_merged_into_itself"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["-first_detected_at", "-number"],
                name="outage_open_newest",
                condition=Q(status__in=OPEN, merged_into=None),
            ),
            models.Index(fields=["-first_detected_at", "-number"], name="outage_newest"),
            models.Index(
                fields=["feeder_number"],
                name="outage_open_feeder",
                condition=Q(status__in=OPEN, merged_into=None),
            ),
            models.Index(
                fields=["edge_number"],
                name="outage_open_device",
                condition=Q(status__in=OPEN, merged_into=None),
            ),
            models.Index(
                fields=["device_code"],
                name="outage_open_meter",
                condition=AT_METER,
            ),
            models.Index(
                fields=["transformer_number", "first_detected_at"],
                name="outage_open_beside",
                condition=AT_METER,
            ),
            *(
                models.Index(
                    fields=[name],
                    name=f"outage_{name}",
                    condition=Q((f"{name}__isnull", False)),
                )
                for name in LINKS
            ),
            models.Index(
                GRAVITY.desc(),
                F("customers_count").desc(),
                F("first_detected_at").desc(),
                F("number").desc(),
                name="outage_open_gravest",
                condition=Q(status__in=OPEN, merged_into=None),
            ),
            models.Index(
                fields=[
                    "-critical_customers",
                    "-customers_count",
                    "first_detected_at",
                    "number",
                ],
                name="outage_open_unattended",
                condition=Q(status__in=OPEN, merged_into=None),
            ),
            models.Index(
                fields=["region_code", "status", "severity"],
                include=[
                    "customers_count",
                    "confidence",
                    "critical_customers",
                    "estimated_restoration_at",
                    "id",
                ],
                name="outage_open_figures",
                condition=Q(status__in=OPEN, merged_into=None),
            ),
            models.Index(
                F("feeder_number"),
                Coalesce("restored_at", "cancelled_at"),
                name="outage_ended_feeder",
                condition=Q(status__in=FINAL, merged_into=None),
            ),
            models.Index(
                fields=["status"],
                name="outage_standing",
                condition=Q(merged_into=None),
            ),
            models.Index(
                fields=["opened_at"],
                name="outage_began",
                condition=Q(merged_into=None),
            ),
            models.Index(
                Coalesce("restored_at", "cancelled_at"),
                name="outage_ended",
                condition=Q(status__in=FINAL, merged_into=None),
            ),
            models.Index(
                fields=["-restored_at"],
                name="outage_lasted",
                condition=Q(
                    status=Status.RESTORED,
                    merged_into=None,
                    is_momentary=False,
                    is_planned=False,
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """Return the number as people say it."""
        return f"OUT{self.number:03d}"

    @property
    def is_open(self) -> bool:
        """Return whether somebody still has to act."""
        return self.status in OPEN and self.merged_into_id is None

    def facts(self) -> dict[str, object]:
        """Return what the audit trail keeps of the row."""
        return {
            "status": self.status,
            "severity": self.severity,
            "device": self.device_code,
            "customers": self.customers_count,
            "estimated_restoration_at": self.estimated_restoration_at
            and self.estimated_restoration_at.isoformat(),
            "cause": self.cause,
        }


class TimelineEntry(models.Model):
    """What happened to an outage, by whom and on whose behalf."""

    outage = models.ForeignKey(
        Outage, on_delete=models.CASCADE, related_name="timeline", db_index=False
    )
    at = models.DateTimeField()
    kind = models.CharField(max_length=20)
    text = models.TextField()
    actor_label = models.CharField(max_length=200, default="", blank=True)
    on_behalf_of = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["outage", "at", "id"], name="timeline_order"),
            models.Index(fields=["-at", "-id"], name="timeline_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.text}"


class Interruption(models.Model):
    """A meter without supply, from when to when, because of which outage.

    Interruptions of one meter never overlap: the database refuses it.
    """

    # What it names is checked once a statement (migration 0022).
    outage = models.ForeignKey(
        Outage,
        on_delete=models.PROTECT,
        related_name="interruptions",
        db_index=False,
        db_constraint=False,
    )
    meter_number = models.BigIntegerField()
    meter_code = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
                name="interruption_ends_after_start",
            ),
            ExclusionConstraint(
                name="interruption_never_overlaps",
                expressions=[
                    ("meter_number", RangeOperators.EQUAL),
                    (
                        Func(
                            F("started_at"),
                            F("ended_at"),
                            function="tstzrange",
                            output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["outage"], name="interruption_outage"),
            models.Index(
                fields=["meter_number"],
                name="interruption_open",
                condition=Q(ended_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.meter_code} since {self.started_at:%Y-%m-%d %H:%M}"


__all__ = ["Interruption", "Outage", "OutageRows", "TimelineEntry"]
