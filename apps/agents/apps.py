"""Registers the app."""

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    """The app `agents`."""

    name = "apps.agents"
    default_auto_field = "django.db.models.BigAutoField"
