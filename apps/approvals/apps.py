"""Registers the app."""

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """The app `approvals`."""

    name = "apps.approvals"
    default_auto_field = "django.db.models.BigAutoField"
