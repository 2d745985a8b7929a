"""Users and service tokens in the Django admin: every change goes through the services.

The address of *Add service token* is the form of the portal, which shows the secret once and
keeps it nowhere.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from unfold.admin import ModelAdmin

from apps.accounts import services
from apps.accounts.models import ServiceToken, User

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(ModelAdmin):
    """Users; an admin changes a role or keeps somebody out."""

    list_display = (
        "email",
        "full_name",
        "role",
        "requested_role",
        "is_active",
        "created_at",
    )
    list_filter = ("role", "is_active")
    search_fields = ("email", "full_name")
    fields = (
        "email",
        "full_name",
        "phone",
        "region",
        "meter_code",
        "requested_role",
        "role",
        "is_active",
        "last_login",
        "created_at",
    )
    readonly_fields = tuple(name for name in fields if name not in ("role", "is_active"))
    actions = None

    def has_add_permission(self, request: Any) -> bool:
        """Users register, or are made by the command `create_admin`."""
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        """Nobody deletes a user: the trail speaks of them. They are kept out instead."""
        return False

    def save_model(self, request: Any, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001
        """Hand what changed to the services."""
        done = {"user_id": obj.pk, "by": request.actor, "at": request.at}
        if "role" in form.changed_data:
            services.change_role(role=form.cleaned_data["role"], **done)
        if "is_active" in form.changed_data:
            services.set_active(active=form.cleaned_data["is_active"], **done)


@admin.register(ServiceToken)
class ServiceTokenAdmin(ModelAdmin):
    """Service tokens: what each may do, when it was used; an action revokes."""

    list_display = ("name", "prefix", "scopes", "last_used_at", "expires_at", "revoked_at")
    search_fields = ("name", "prefix")
    fields = ("name", "prefix", "scopes", "user", "created_at", "expires_at", "revoked_at")
    readonly_fields = fields
    actions = ("revoke",)

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: Any, rows: Any) -> None:
        """End the chosen tokens."""
        for row in rows:
            services.revoke_service_token(token_id=row.pk, by=request.actor, at=request.at)

    def has_add_permission(self, request: Any) -> bool:
        """Return whether *Add* is shown; it leads to the portal's form."""
        return bool(request.user.has_perm("accounts.manage_users"))

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        """Nobody deletes."""
        return False
