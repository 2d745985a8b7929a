"""Rows of the settings in force and of every change."""

from typing import ClassVar

from django.db import models


class Setting(models.Model):
    """A declared setting; `value` is null where the declared default holds."""

    key = models.CharField(max_length=120, primary_key=True)
    value = models.JSONField(null=True)
    updated_at = models.DateTimeField(null=True)
    updated_by = models.CharField(max_length=300, default="", blank=True)

    class Meta:
        ordering: ClassVar = ["key"]

    def __str__(self) -> str:
        return self.key


class SettingChange(models.Model):
    """One change of a setting; never changed itself."""

    key = models.CharField(max_length=120)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=300)
    user_id = models.UUIDField(null=True)

    class Meta:
        ordering: ClassVar = ["-changed_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["key", "-changed_at"], name="setting_history")
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.changed_at:%Y-%m-%d %H:%M:%S}"
