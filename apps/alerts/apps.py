"""Registers the app."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """The app `alerts`."""

    name = "apps.alerts"
    default_auto_field = "django.db.models.BigAutoField"
