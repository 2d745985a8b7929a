"""Registers the app."""

from django.apps import AppConfig


class NetworkConfig(AppConfig):
    """The app `network`."""

    name = "apps.network"
    default_auto_field = "django.db.models.BigAutoField"
