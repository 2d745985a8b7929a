"""Crews and their assignments on the wire."""

from typing import Any

from rest_framework import serializers

from apps.api.oms.serializers.fields import LONGEST_NAME, Known, Moment, Remark, Text
from apps.crews.rules import AssignmentStatus, Availability, CrewType


class CrewAssignIn(serializers.Serializer[Any]):
    """Send a crew; a name that nobody has makes an ad-hoc crew."""

    crew_name = Text(max_length=LONGEST_NAME)
    crew_type = serializers.ChoiceField(choices=CrewType.values)
    estimated_arrival_time = Moment(required=False, allow_null=True, default=None)
    notes = Remark()
    updated_by = Remark(
        max_length=LONGEST_NAME,
        help_text="On whose behalf a service account acts; from a person only a remark.",
    )


class AssignmentStatusIn(serializers.Serializer[Any]):
    """A step of a crew."""

    status = Text(
        max_length=LONGEST_NAME,
        help_text="assigned, en_route, on_site or work_completed; forward only.",
    )
    notes = Remark()
    updated_by = Remark(
        max_length=LONGEST_NAME,
        help_text="On whose behalf a service account acts; from a person only a remark.",
    )


class AssignmentOut(serializers.Serializer[Any]):
    """The assignment as it stands now."""

    assignment_id = serializers.UUIDField()
    crew_name = serializers.CharField()
    crew_type = serializers.ChoiceField(choices=CrewType.values)
    status = serializers.ChoiceField(choices=AssignmentStatus.values)
    assigned_at = Moment()
    message = serializers.CharField()


class AssignedCrewOut(serializers.Serializer[Any]):
    """A crew on an outage."""

    assignment_id = serializers.UUIDField()
    crew_name = serializers.CharField()
    crew_type = serializers.ChoiceField(choices=CrewType.values)
    status = serializers.ChoiceField(choices=AssignmentStatus.values)
    assigned_at = Moment()
    estimated_arrival_time = Moment(source="estimated_arrival_at", allow_null=True)
    en_route_at = Moment(allow_null=True)
    arrived_at = Moment(allow_null=True)
    completed_at = Moment(allow_null=True)
    cancelled_at = Moment(allow_null=True)
    notes = serializers.CharField()
    assigned_by = Known()
    on_behalf_of = Known()


class ActiveCrewOut(AssignedCrewOut):
    """A crew at work, and where."""

    outage_id = serializers.UUIDField()
    outage_number = serializers.CharField()


class AvailableCrewOut(serializers.Serializer[Any]):
    """A crew that could go."""

    crew_id = serializers.CharField(source="code")
    crew_name = serializers.CharField(source="name")
    crew_type = serializers.ChoiceField(choices=CrewType.values)
    leader = Known()
    members = serializers.ListField(child=serializers.CharField())
    skills = serializers.ListField(child=serializers.CharField())
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    availability = serializers.ChoiceField(choices=Availability.values)


class CrewsOut(serializers.Serializer[Any]):
    """Crews at work and crews that could go."""

    active_crews = ActiveCrewOut(many=True)
    total_active_crews = serializers.IntegerField(min_value=0)
    available_crews = AvailableCrewOut(many=True)
