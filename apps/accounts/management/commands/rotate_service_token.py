"""Make the follower of a service token."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.accounts import services
from apps.core.actor import system
from apps.core.errors import DomainError


class Command(BaseCommand):
    """Make a follower with the same scopes and print its secret, once."""

    help = "Rotate a service token; the old one stays good for the overlap."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the number of the token, as the page and the admin show it, and the overlap."""
        parser.add_argument("token_id", type=int)
        parser.add_argument("--hours", type=float, default=24.0, help="overlap, 24 hours")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it; a refusal is one line."""
        try:
            _, secret = services.rotate_service_token(
                token_id=options["token_id"],
                by=system("rotate_service_token"),
                at=timezone.now(),
                overlap=timedelta(hours=max(0.0, options["hours"])),
            )
        except DomainError as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(secret)
