"""Reads of the machines' doors."""

from django.db.models import QuerySet

from apps.feeds.models import StormRequest


def storms() -> QuerySet[StormRequest]:
    """Return the storms that were asked for, the latest first."""
    return StormRequest.objects.order_by("-requested_at", "-id")
