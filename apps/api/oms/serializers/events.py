"""Events and the answers to them on the wire.

What comes in is read by `apps.outages.rules.read_report`, which every door of the intake uses;
the serializers of requests here only describe it.
"""

from typing import Any

from rest_framework import serializers

from apps.api.oms.receipts import LARGEST_BATCH
from apps.api.oms.serializers.fields import LONGEST_NAME, LONGEST_TEXT, Known, Moment, Text
from apps.outages.rules import Disposition, MatchedBy, Severity, Source

SOURCE_WORDS = [*Source.values, "kaifa"]


class CorrelationParams(serializers.Serializer[Any]):
    """How near events must be to belong together, for this event only."""

    spatial_radius_meters = serializers.FloatField(
        required=False, allow_null=True, max_value=50_000, help_text="Above 0."
    )
    temporal_window_minutes = serializers.FloatField(
        required=False, allow_null=True, max_value=1_440, help_text="Above 0."
    )


class EventIn(serializers.Serializer[Any]):
    """One event. It names a place: one of the ids, or latitude and longitude.

    The same `source_type` and `source_event_id` again is the same event and changes nothing.
    """

    event_type = Text(
        max_length=80,
        help_text=(
            "outage, restoration, planned_outage, or a device's own word such as breaker_trip, "
            "power_loss, last_gasp, power_up, De-energized, comm_fail."
        ),
    )
    source_type = serializers.ChoiceField(choices=SOURCE_WORDS)
    source_event_id = Text(max_length=LONGEST_NAME)
    timestamp = Moment(help_text="When it happened, with a zone.")
    received_at = Moment(required=False, allow_null=True, help_text="Default: now.")
    planned_until = Moment(
        required=False,
        allow_null=True,
        help_text="Of a planned_outage: when the work ends, within 90 days.",
    )
    device_id = Text(max_length=LONGEST_NAME, required=False, allow_null=True)
    feeder_id = Text(max_length=LONGEST_NAME, required=False, allow_null=True)
    substation_id = Text(max_length=LONGEST_NAME, required=False, allow_null=True)
    meter_id = Text(max_length=LONGEST_NAME, required=False, allow_null=True)
    asset_mrid = Text(max_length=LONGEST_NAME, required=False, allow_null=True)
    customer_id = Text(max_length=LONGEST_NAME, required=False, allow_null=True)
    phone = Text(max_length=LONGEST_NAME, required=False, allow_null=True)
    onu_id = Text(max_length=LONGEST_NAME, required=False, allow_null=True)
    latitude = serializers.FloatField(
        min_value=-90, max_value=90, required=False, allow_null=True
    )
    longitude = serializers.FloatField(
        min_value=-180, max_value=180, required=False, allow_null=True
    )
    severity = serializers.ChoiceField(
        choices=Severity.values, required=False, allow_null=True, allow_blank=True
    )
    description = Text(
        max_length=LONGEST_TEXT, required=False, allow_null=True, allow_blank=True
    )
    metadata = serializers.DictField(required=False, allow_null=True)
    correlation_params = CorrelationParams(required=False, allow_null=True)


class BatchIn(serializers.Serializer[Any]):
    """Up to 5,000 events; each is judged by itself."""

    events = serializers.ListField(child=EventIn(), max_length=LARGEST_BATCH)


class ReceiptOut(serializers.Serializer[Any]):
    """What became of the event. `outage_event_id` repeats `outage_id`."""

    event_id = serializers.UUIDField()
    outage_id = serializers.UUIDField(
        allow_null=True, help_text="Null where it belongs to none, as the unresolved."
    )
    outage_event_id = serializers.UUIDField(allow_null=True)
    created = serializers.BooleanField(help_text="Whether it opened the outage.")
    duplicate = serializers.BooleanField()
    matched_by = serializers.ChoiceField(choices=MatchedBy.values, allow_null=True)
    confidence_score = serializers.FloatField(min_value=0, max_value=1, allow_null=True)


class BatchItemOut(serializers.Serializer[Any]):
    """What became of one event of a batch; `error` is there only where it was refused."""

    index = serializers.IntegerField(min_value=0)
    event_id = serializers.UUIDField(allow_null=True)
    outage_id = serializers.UUIDField(allow_null=True)
    created = serializers.BooleanField()
    duplicate = serializers.BooleanField()
    matched_by = serializers.ChoiceField(choices=MatchedBy.values, allow_null=True)
    error = serializers.CharField(
        required=False, help_text="What is wrong with which field."
    )


class BatchOut(serializers.Serializer[Any]):
    """Every event in the order it was sent; the three counts add up to all."""

    results = BatchItemOut(many=True)
    accepted = serializers.IntegerField(min_value=0)
    duplicates = serializers.IntegerField(min_value=0)
    rejected = serializers.IntegerField(min_value=0)


class EventQuery(serializers.Serializer[Any]):
    """Which part of what came in, by the time it happened, oldest first."""

    limit = serializers.IntegerField(
        min_value=1, max_value=5_000, default=50, help_text="How many at most."
    )
    offset = serializers.IntegerField(
        min_value=0, max_value=100_000_000, default=0, help_text="How many to leave out."
    )


class SourceOut(serializers.Serializer[Any]):
    """One event that contributed to an outage."""

    event_id = serializers.UUIDField(source="id")
    source_type = serializers.ChoiceField(choices=Source.values)
    source_event_id = serializers.CharField()
    event_type = serializers.CharField()
    timestamp = Moment(source="occurred_at")
    received_at = Moment()
    meter_id = Known(source="meter_code")
    device_id = Known(source="device_code")
    disposition = serializers.ChoiceField(choices=Disposition.values)


class EventOut(SourceOut):
    """One event that came in, and the outage to which it belongs now."""

    outage_id = serializers.UUIDField(
        allow_null=True,
        help_text="Merges followed; null for momentaries, duplicates and the unresolved.",
    )


class EventListOut(serializers.Serializer[Any]):
    """A page of events with the true total."""

    events = EventOut(many=True)
    total = serializers.IntegerField(min_value=0)
    limit = serializers.IntegerField(min_value=1)
    offset = serializers.IntegerField(min_value=0)
