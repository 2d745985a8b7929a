"""The settings in the Django admin: every change goes through the service."""

from typing import Any

from django import forms
from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.configuration import selectors, services
from apps.configuration.models import Setting, SettingChange
from apps.configuration.rules import UnknownSetting, definition, parse
from apps.core.errors import DomainError
from apps.core.unchangeable import Unchangeable


class SettingForm(forms.ModelForm):  # type: ignore[type-arg]
    """One value, checked against its declaration."""

    value = forms.CharField(widget=UnfoldAdminTextInputWidget(), max_length=1_000)

    class Meta:
        model = Setting
        fields = ("value",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = definition(self.instance.key)
        bounds = (
            f" From {known.minimum} to {known.maximum}."
            if known.minimum is not None
            else ""
        )
        self.fields["value"].help_text = f"{known.help}{bounds} Default: {known.default}."
        self.initial["value"] = str(selectors.value(known))

    def clean_value(self) -> Any:
        """Return the value in its type."""
        try:
            return parse(definition(self.instance.key), self.cleaned_data["value"])
        except DomainError as refusal:
            raise forms.ValidationError(refusal.message) from None


@admin.register(Setting)
class SettingAdmin(ModelAdmin):
    """Every declared setting with the value in force."""

    form = SettingForm
    list_display = ("key", "in_force", "meaning", "updated_at", "updated_by")
    search_fields = ("key",)
    actions = None

    def get_queryset(self, request: Any) -> Any:
        """Return the rows of all declared settings."""
        services.list_declared()
        return super().get_queryset(request).filter(key__in=selectors.declared_keys())

    @admin.display(description="value")
    def in_force(self, row: Setting) -> str:
        """Return the value in force."""
        return str(selectors.value(definition(row.key)))

    @admin.display(description="what it is")
    def meaning(self, row: Setting) -> str:
        """Return what the setting is for."""
        try:
            return definition(row.key).help
        except UnknownSetting:
            return ""

    def has_add_permission(self, request: Any) -> bool:
        """Apps declare settings; nobody adds one here."""
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        """Nobody deletes."""
        return False

    def save_model(self, request: Any, obj: Setting, form: Any, change: bool) -> None:  # noqa: FBT001
        """Hand the value to the service."""
        services.change(
            key=obj.key, value=form.cleaned_data["value"], by=request.actor, at=request.at
        )


@admin.register(SettingChange)
class SettingChangeAdmin(Unchangeable, ModelAdmin):
    """What was changed, newest first, to read."""

    list_display = ("changed_at", "key", "before", "after", "changed_by")
    search_fields = ("key",)
