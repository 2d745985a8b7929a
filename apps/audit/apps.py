"""Registers the app."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The app `audit`."""

    name = "apps.audit"
    default_auto_field = "django.db.models.BigAutoField"
