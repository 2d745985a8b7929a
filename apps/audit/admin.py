"""The trail in the Django admin: to read."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from apps.audit.models import AuditEntry
from apps.core.unchangeable import Unchangeable


@admin.register(AuditEntry)
class AuditEntryAdmin(Unchangeable, ModelAdmin):
    """Entries, newest first; nobody adds, changes or deletes one."""

    list_display = (
        "at",
        "actor_label",
        "on_behalf_of",
        "action",
        "resource",
        "resource_id",
    )
    list_filter = ("action", "resource", "actor_kind")
    search_fields = ("actor_label", "resource_id", "request_id")
    date_hierarchy = "at"
    show_full_result_count = False
    list_per_page = 50
