"""Registers the app."""

from django.apps import AppConfig


class TariffsConfig(AppConfig):
    """The app `tariffs`."""

    name = "apps.tariffs"
    default_auto_field = "django.db.models.BigAutoField"
