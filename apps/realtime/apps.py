"""Registers the app."""

from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    """The app `realtime`."""

    name = "apps.realtime"
    default_auto_field = "django.db.models.BigAutoField"
