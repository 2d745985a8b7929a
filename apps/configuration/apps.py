"""Registers the app."""

from django.apps import AppConfig


class ConfigurationConfig(AppConfig):
    """The app `configuration`."""

    name = "apps.configuration"
    default_auto_field = "django.db.models.BigAutoField"
