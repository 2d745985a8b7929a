"""Registers the app."""

from django.apps import AppConfig


class TwinConfig(AppConfig):
    """The app `twin`."""

    name = "apps.twin"
    default_auto_field = "django.db.models.BigAutoField"
