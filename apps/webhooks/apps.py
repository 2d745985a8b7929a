"""Registers the app."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """The app `webhooks`."""

    name = "apps.webhooks"
    default_auto_field = "django.db.models.BigAutoField"
