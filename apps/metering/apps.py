"""Registers the app."""

from django.apps import AppConfig


class MeteringConfig(AppConfig):
    """The app `metering`."""

    name = "apps.metering"
    default_auto_field = "django.db.models.BigAutoField"
