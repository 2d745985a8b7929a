"""Outages in the admin: to look at. What changes them goes through the services."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from apps.core.unchangeable import Unchangeable
from apps.outages.models import StormPeriod, ZoneEstimate


@admin.register(ZoneEstimate)
class ZoneEstimateAdmin(Unchangeable, ModelAdmin):
    """What was said of whole zones, with who said it and until when it held."""

    list_display = (
        "zone_kind",
        "zone_code",
        "estimate_at",
        "until",
        "set_by",
        "set_at",
        "ended_by",
        "ended_at",
    )
    list_filter = ("zone_kind",)
    search_fields = ("zone_code", "set_by")
    ordering = ("-set_at",)


@admin.register(StormPeriod)
class StormPeriodAdmin(Unchangeable, ModelAdmin):
    """When storm mode was on, and by whose decision."""

    list_display = ("began_at", "began_by", "by_hand", "reason", "ended_at", "ended_by")
    list_filter = ("by_hand",)
    ordering = ("-began_at",)
