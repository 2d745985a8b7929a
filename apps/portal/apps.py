"""Registers the app."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The app `portal`."""

    name = "apps.portal"
    default_auto_field = "django.db.models.BigAutoField"
