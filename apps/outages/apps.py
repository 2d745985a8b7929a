"""Registers the app."""

from django.apps import AppConfig


class OutagesConfig(AppConfig):
    """The app `outages`."""

    name = "apps.outages"
    default_auto_field = "django.db.models.BigAutoField"
