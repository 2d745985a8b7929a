"""Registers the app."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """The app `payments`."""

    name = "apps.payments"
    default_auto_field = "django.db.models.BigAutoField"
