"""Registers the app."""

from django.apps import AppConfig


class InspectionsConfig(AppConfig):
    """The app `inspections`."""

    name = "apps.inspections"
    default_auto_field = "django.db.models.BigAutoField"
