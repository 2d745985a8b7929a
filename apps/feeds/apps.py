"""Registers the app."""

from django.apps import AppConfig


class FeedsConfig(AppConfig):
    """The app `feeds`."""

    name = "apps.feeds"
    default_auto_field = "django.db.models.BigAutoField"
