"""Registers the app."""

from django.apps import AppConfig


class SlaConfig(AppConfig):
    """The app `sla`."""

    name = "apps.sla"
    default_auto_field = "django.db.models.BigAutoField"
