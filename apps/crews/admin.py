"""Crews in the admin: to look at. What changes them goes through the services."""

from django.contrib import admin
from unfold.admin import ModelAdmin, TabularInline

from apps.core.unchangeable import Unchangeable
from apps.crews.models import Assignment, AssignmentStep, Crew


@admin.register(Crew)
class CrewAdmin(Unchangeable, ModelAdmin):
    """Crews."""

    list_display = ("code", "name", "crew_type", "leader", "on_shift", "is_ad_hoc")
    list_filter = ("crew_type", "on_shift", "is_ad_hoc")
    search_fields = ("code", "name", "leader")


class StepInline(Unchangeable, TabularInline):
    """The steps of an assignment."""

    model = AssignmentStep
    extra = 0


@admin.register(Assignment)
class AssignmentAdmin(Unchangeable, ModelAdmin):
    """Assignments with their steps."""

    list_display = ("crew", "outage", "status", "assigned_at", "on_site_at", "completed_at")
    list_filter = ("status", "crew_type")
    list_select_related = ("crew", "outage")
    search_fields = ("crew__name", "crew__code")
    inlines = (StepInline,)
