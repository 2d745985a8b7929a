"""Registers the app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The app `accounts`."""

    name = "apps.accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the acts known that may need two people."""
        from apps.accounts.services.acts import register_acts  # noqa: PLC0415

        register_acts()
