"""Outages on the wire."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api.oms.serializers.crews import AssignedCrewOut
from apps.api.oms.serializers.events import SourceOut
from apps.api.oms.serializers.fields import LONGEST_NAME, Known, Moment, Remark, Text
from apps.api.oms.serializers.verifications import VerificationSumOut
from apps.api.oms.vocabulary import SOURCE_WORDS
from apps.outages.rules import EtrSource, PlaceKind, Severity, Source, Status

LARGEST_PAGE = 500
FARTHEST_OFFSET = 10_000_000


class OutageQuery(serializers.Serializer[Any]):
    """Which outages: by default the active ones, newest first."""

    limit = serializers.IntegerField(
        min_value=1, max_value=LARGEST_PAGE, default=50, help_text="How many at most."
    )
    offset = serializers.IntegerField(
        min_value=0,
        max_value=FARTHEST_OFFSET,
        default=0,
        help_text="How many to leave out.",
    )


class OutageRowOut(serializers.Serializer[Any]):
    """One outage of a list."""

    id = serializers.UUIDField()
    number = serializers.CharField(source="label", help_text="As people say it: OUT001.")
    event_id = serializers.UUIDField(
        source="first_event_id",
        allow_null=True,
        help_text="The event that opened it; null where a person did.",
    )
    status = serializers.ChoiceField(choices=Status.values)
    severity = serializers.ChoiceField(choices=Severity.values)
    confidence_score = serializers.FloatField(source="confidence", min_value=0, max_value=1)
    affected_customers_count = serializers.IntegerField(
        source="customers_count", min_value=0
    )
    first_detected_at = Moment()
    estimated_restoration_time = Moment(source="estimated_restoration_at", allow_null=True)
    substation_name = Known()
    feeder_name = Known()
    device_id = Known(
        source="device_code",
        help_text="The device inferred open; null where none is known.",
    )
    device_name = Known(source="device_code")
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    source_count = serializers.SerializerMethodField(help_text="Events in the outage.")
    source_types = serializers.SerializerMethodField(
        help_text="The distinct sources of these events."
    )

    def get_source_count(self, outage: Any) -> int:
        """Return how many events the outage has."""
        return sum(outage.sources.values())

    @extend_schema_field(
        serializers.ListField(child=serializers.ChoiceField(choices=Source.values))
    )
    def get_source_types(self, outage: Any) -> list[str]:
        """Return which sources sent them."""
        return [SOURCE_WORDS[source] for source in sorted(outage.sources)]


class OutageListOut(serializers.Serializer[Any]):
    """A page of outages; `total` counts all that match."""

    outages = OutageRowOut(many=True)
    total = serializers.IntegerField(min_value=0)


class RestorationStepOut(serializers.Serializer[Any]):
    """Customers whose power came back at about the same time."""

    timestamp = Moment(source="at", help_text="When the last of them had power.")
    customers = serializers.IntegerField(min_value=1)


class ReliabilityOut(serializers.Serializer[Any]):
    """What the outage cost its customers, up to now where it is not over."""

    customers_interrupted = serializers.IntegerField(min_value=0)
    customers_still_out = serializers.IntegerField(min_value=0)
    momentary_customers = serializers.IntegerField(
        min_value=0, help_text="Those who had power again within minutes."
    )
    customer_minutes = serializers.FloatField(min_value=0)
    longest_minutes = serializers.SerializerMethodField(
        help_text="Null where nobody was interrupted."
    )
    is_momentary = serializers.BooleanField()
    restoration_steps = RestorationStepOut(many=True, source="steps")

    def get_longest_minutes(self, found: Any) -> float | None:
        """Return the longest interruption in minutes."""
        longest = found.longest
        return None if longest is None else round(longest.total_seconds() / 60, 1)


class EstimateOut(serializers.Serializer[Any]):
    """One published estimate of the time of restoration; the first is the one in force."""

    estimated_restoration_time = Moment(source="estimate_at")
    interval_low = Moment(
        source="low_at",
        allow_null=True,
        help_text="8 of 10 like outages ended between the two; null where nobody counted.",
    )
    interval_high = Moment(source="high_at", allow_null=True)
    samples = serializers.IntegerField(
        allow_null=True, min_value=0, help_text="How many like outages were counted."
    )
    basis = Known(help_text="What makes them alike: kind of device, cause, region.")
    etr_source = serializers.ChoiceField(choices=EtrSource.values, source="source")
    by = Known(source="actor_label")
    published_at = Moment()
    error_seconds = serializers.IntegerField(
        allow_null=True,
        help_text="By how much later power came back than estimated; null until it has.",
    )


class OutageOut(OutageRowOut):
    """One outage with all that is known of it."""

    region = Known(source="region_code")
    substation_id = Known(source="substation_code")
    feeder_id = Known(source="feeder_code")
    device_kind = Known()
    place_kind = serializers.ChoiceField(
        choices=PlaceKind.values, help_text="What it is pinned to."
    )
    critical_customers = serializers.BooleanField(
        help_text="Whether a critical one is out."
    )
    etr_source = Known(help_text="Who or what gave the estimated time of restoration.")
    estimates = EstimateOut(many=True, help_text="Every published one, the latest first.")
    reliability = ReliabilityOut()
    verifications = VerificationSumOut(
        many=True, help_text="What meters answered when they were asked, the latest first."
    )
    last_event_at = Moment()
    confirmed_at = Moment(allow_null=True)
    in_progress_at = Moment(allow_null=True)
    restored_at = Moment(allow_null=True)
    cancelled_at = Moment(allow_null=True)
    is_momentary = serializers.BooleanField()
    is_planned = serializers.BooleanField()
    root_cause = Known(source="cause")
    parent_id = serializers.UUIDField(
        allow_null=True,
        help_text="The outage of whose restoration this one is a remainder.",
    )
    merged_into_id = serializers.UUIDField(
        allow_null=True, help_text="The outage that this one turned out to be a part of."
    )
    updated_at = Moment()


class TimelineEntryOut(serializers.Serializer[Any]):
    """What happened, by whom and on whose behalf."""

    timestamp = Moment(source="at")
    kind = serializers.CharField()
    text = serializers.CharField()
    by = Known(source="actor_label")
    on_behalf_of = Known()


class DownstreamOut(serializers.Serializer[Any]):
    """What hangs below the device."""

    transformers = serializers.IntegerField(min_value=0)
    customers = serializers.IntegerField(min_value=0)


class TopologyOut(serializers.Serializer[Any]):
    """Where in the network the outage is; empty where only coordinates are known."""

    substation = Known()
    feeder = Known()
    device = Known()
    downstream = DownstreamOut(source="*")
    path = serializers.ListField(
        child=serializers.CharField(), help_text="Device ids from the source to the outage."
    )


class OutageDetailOut(serializers.Serializer[Any]):
    """One outage, its evidence, its crews, what happened, and its place in the network."""

    outage = OutageOut()
    sources = SourceOut(many=True)
    crews = AssignedCrewOut(many=True)
    timeline = TimelineEntryOut(many=True)
    topology = TopologyOut()


class StatusChangeIn(serializers.Serializer[Any]):
    """A step in the life of an outage."""

    status = Text(
        max_length=LONGEST_NAME,
        help_text="detected, confirmed, in_progress, restored or cancelled; forward only.",
    )
    notes = Remark()
    updated_by = Remark(
        max_length=LONGEST_NAME,
        help_text="On whose behalf a service account acts; from a person only a remark.",
    )


class StatusChangedOut(serializers.Serializer[Any]):
    """The step was taken."""

    outage_id = serializers.UUIDField(source="id")
    status = serializers.ChoiceField(choices=Status.values)
    updated_at = Moment()
    message = serializers.CharField()


class SourceStatOut(serializers.Serializer[Any]):
    """How many events of one source are in active outages."""

    type = serializers.ChoiceField(choices=Source.values)
    count = serializers.IntegerField(min_value=0)


class ByStatusOut(serializers.Serializer[Any]):
    """Outages by status, every status present."""

    detected = serializers.IntegerField(min_value=0)
    confirmed = serializers.IntegerField(min_value=0)
    in_progress = serializers.IntegerField(min_value=0)
    restored = serializers.IntegerField(min_value=0)
    cancelled = serializers.IntegerField(min_value=0)


class BySeverityOut(serializers.Serializer[Any]):
    """Active outages by severity, every severity present."""

    critical = serializers.IntegerField(min_value=0)
    high = serializers.IntegerField(min_value=0)
    medium = serializers.IntegerField(min_value=0)
    low = serializers.IntegerField(min_value=0)


class CrewCountsOut(serializers.Serializer[Any]):
    """Crews at work, crews that could go, and all."""

    active = serializers.IntegerField(min_value=0)
    available = serializers.IntegerField(min_value=0)
    total = serializers.IntegerField(min_value=0)


class StatisticsOut(serializers.Serializer[Any]):
    """The figures of the dashboard."""

    active_outages = serializers.IntegerField(min_value=0)
    total_affected_customers = serializers.IntegerField(min_value=0)
    high_confidence_outages = serializers.IntegerField(min_value=0)
    source_stats = SourceStatOut(many=True)
    by_status = ByStatusOut()
    by_severity = BySeverityOut()
    crews = CrewCountsOut()
    backlog = serializers.IntegerField(
        min_value=0, help_text="Events accepted whose inference has not settled yet."
    )
    last_updated = Moment()
