"""Notices in the admin: to look at. What changes them goes through the services."""

from django.contrib import admin
from unfold.admin import ModelAdmin, TabularInline

from apps.core.unchangeable import Unchangeable
from apps.notifications.models import (
    CustomerPreference,
    Notice,
    NoticeAttempt,
    NoticeRecipient,
    SentMessage,
)


@admin.register(Notice)
class NoticeAdmin(Unchangeable, ModelAdmin):
    """Notices."""

    list_display = ("created_at", "channel", "outage", "requested_by", "finished_at")
    list_filter = ("channel", "is_safety")
    list_select_related = ("outage",)
    search_fields = ("message", "requested_by")


class AttemptInline(Unchangeable, TabularInline):
    """The attempts to reach a recipient."""

    model = NoticeAttempt
    extra = 0


@admin.register(NoticeRecipient)
class NoticeRecipientAdmin(Unchangeable, ModelAdmin):
    """Recipients with the attempts to reach them."""

    list_display = ("customer_code", "address", "delivery", "reason", "attempts", "run_at")
    list_filter = ("delivery", "state")
    search_fields = ("customer_code", "address")
    inlines = (AttemptInline,)


@admin.register(CustomerPreference)
class CustomerPreferenceAdmin(Unchangeable, ModelAdmin):
    """What customers wish."""

    list_display = ("customer_code", "opted_out", "quiet_nights", "updated_at")
    search_fields = ("customer_code",)


@admin.register(SentMessage)
class SentMessageAdmin(Unchangeable, ModelAdmin):
    """What the embedded transport carried."""

    list_display = ("at", "channel", "address", "text")
    list_filter = ("channel",)
    search_fields = ("address", "text")
