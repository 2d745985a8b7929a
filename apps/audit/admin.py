"""The trail in the Django admin: to read."""

from typing import Any

from django.contrib import admin
from unfold.admin import ModelAdmin

from apps.audit.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ModelAdmin):
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

    def has_add_permission(self, request: Any) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        """Nobody deletes."""
        return False
