"""Registers the app."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """The app `notifications`."""

    name = "apps.notifications"
    default_auto_field = "django.db.models.BigAutoField"
