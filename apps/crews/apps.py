"""Registers the app."""

from django.apps import AppConfig


class CrewsConfig(AppConfig):
    """The app `crews`."""

    name = "apps.crews"
    default_auto_field = "django.db.models.BigAutoField"
