"""Registers the app."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """The app `billing`."""

    name = "apps.billing"
    default_auto_field = "django.db.models.BigAutoField"
