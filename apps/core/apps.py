"""Registers the app and finds every app's subscribers."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    """The app `core`."""

    name = "apps.core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import `subscribers` of every app, so that the relay knows them."""
        autodiscover_modules("subscribers")
