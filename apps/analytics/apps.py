"""Registers the app."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """The app `analytics`."""

    name = "apps.analytics"
    default_auto_field = "django.db.models.BigAutoField"
