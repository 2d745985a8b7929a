"""Notices to customers on the wire."""

from typing import Any

from rest_framework import serializers

from apps.api.oms.serializers.fields import LONGEST_NAME, Known, Moment, Remark, Text
from apps.notifications.rules import CUSTOMERS, MESSAGE_LENGTH, Channel, Progress


class NotifyIn(serializers.Serializer[Any]):
    """Tell customers of an outage; without `customer_ids` all of its customers."""

    notification_type = serializers.ChoiceField(choices=Channel.values)
    message = Text(max_length=MESSAGE_LENGTH)
    customer_ids = serializers.ListField(
        child=Text(max_length=LONGEST_NAME),
        required=False,
        allow_null=True,
        allow_empty=False,
        max_length=CUSTOMERS,
        default=None,
    )
    estimated_restoration_time = Moment(required=False, allow_null=True, default=None)
    updated_by = Remark(
        max_length=LONGEST_NAME,
        help_text="On whose behalf a service account acts; from a person only a remark.",
    )


class SentOut(serializers.Serializer[Any]):
    """The notice was taken; it goes out behind the answer."""

    notification_id = serializers.UUIDField()
    notification_type = serializers.ChoiceField(choices=Channel.values)
    customers_notified = serializers.IntegerField(min_value=0)
    status = serializers.ChoiceField(choices=Progress.values)
    message = serializers.CharField()
    unknown = serializers.ListField(
        child=serializers.CharField(), help_text="Customer ids that nobody has."
    )


class NoticeQuery(serializers.Serializer[Any]):
    """Which part of the history, newest first."""

    limit = serializers.IntegerField(
        min_value=1, max_value=500, default=50, help_text="How many at most."
    )
    offset = serializers.IntegerField(
        min_value=0, max_value=10_000_000, default=0, help_text="How many to leave out."
    )


class NoticeOut(serializers.Serializer[Any]):
    """One notice, and how far it has come."""

    notification_id = serializers.UUIDField(source="id")
    outage_id = serializers.UUIDField()
    notification_type = serializers.ChoiceField(source="channel", choices=Channel.values)
    message = serializers.CharField()
    customers_notified = serializers.SerializerMethodField(
        help_text="Who was told or still will be; not who opted out or could not be reached."
    )
    status = serializers.ChoiceField(source="progress", choices=Progress.values)
    pending = serializers.IntegerField(source="pending_count", min_value=0)
    sent = serializers.IntegerField(source="sent_count", min_value=0)
    delivered = serializers.IntegerField(source="delivered_count", min_value=0)
    failed = serializers.IntegerField(source="failed_count", min_value=0)
    unknown = serializers.ListField(child=serializers.CharField())
    estimated_restoration_time = Moment(source="estimated_restoration_at", allow_null=True)
    sent_at = Moment(source="created_at")
    sent_by = Known(source="requested_by")
    on_behalf_of = Known()

    def get_customers_notified(self, notice: Any) -> int:
        """Return how many were told or still will be."""
        return int(notice.pending_count + notice.sent_count)


class NoticeListOut(serializers.Serializer[Any]):
    """A page of notices with the true total."""

    notifications = NoticeOut(many=True)
    total = serializers.IntegerField(min_value=0)
    limit = serializers.IntegerField(min_value=1)
    offset = serializers.IntegerField(min_value=0)
