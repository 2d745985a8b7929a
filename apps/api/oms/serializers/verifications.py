"""Verifications on the wire: which meters are to be asked, and what they answered."""

from typing import Any

from rest_framework import serializers

from apps.api.oms.serializers.fields import LONGEST_NAME, Known, Moment, Remark, Text
from apps.outages.rules.verification import (
    RESULTS,
    PingState,
    VerificationReason,
    VerificationState,
)

MOST_ANSWERS = 200


class VerificationQuery(serializers.Serializer[Any]):
    """Which part of the verifications, newest first."""

    limit = serializers.IntegerField(
        min_value=1, max_value=500, default=50, help_text="How many at most."
    )
    offset = serializers.IntegerField(
        min_value=0, max_value=10_000_000, default=0, help_text="How many to leave out."
    )


class PingOut(serializers.Serializer[Any]):
    """One meter that is asked."""

    meter_id = serializers.CharField(source="meter_code")
    state = serializers.ChoiceField(choices=PingState.values)
    answered_at = Moment(allow_null=True, help_text="When that was so, by the answer.")


class VerificationSumOut(serializers.Serializer[Any]):
    """How many meters of an outage were asked, and what they answered."""

    verification_id = serializers.UUIDField(source="id")
    reason = serializers.ChoiceField(choices=VerificationReason.values)
    state = serializers.ChoiceField(choices=VerificationState.values)
    requested_at = Moment()
    requested_by = Known()
    expires_at = Moment(help_text="Until then answers are waited for.")
    completed_at = Moment(allow_null=True)
    asked = serializers.IntegerField(min_value=0)
    powered = serializers.IntegerField(min_value=0)
    dark = serializers.IntegerField(min_value=0)
    silent = serializers.IntegerField(
        min_value=0, help_text="Those that did not answer, or not in time."
    )


class VerificationOut(VerificationSumOut):
    """One verification with its meters."""

    outage_id = serializers.UUIDField()
    device_id = Known(source="device_code")
    meters = PingOut(many=True, source="pings.all")


class VerificationListOut(serializers.Serializer[Any]):
    """A page of verifications with the true total."""

    verifications = VerificationOut(many=True)
    total = serializers.IntegerField(min_value=0)
    limit = serializers.IntegerField(min_value=1)
    offset = serializers.IntegerField(min_value=0)


class VerifyIn(serializers.Serializer[Any]):
    """Have meters of an outage asked."""

    updated_by = Remark(
        max_length=LONGEST_NAME, help_text="On whose behalf a service account acts."
    )


class AnswerIn(serializers.Serializer[Any]):
    """What a head-end says of one meter."""

    meter_id = Text(max_length=LONGEST_NAME)
    result = serializers.ChoiceField(
        choices=[result.value for result in RESULTS],
        help_text="powered, dark or no_answer; sent: the ping is on its way.",
    )
    timestamp = Moment(
        required=False, allow_null=True, default=None, help_text="Default: now."
    )


class AnswersIn(serializers.Serializer[Any]):
    """What a head-end says of the meters that it was to ask, all or some of them."""

    answers = serializers.ListField(
        child=AnswerIn(), allow_empty=False, max_length=MOST_ANSWERS
    )
