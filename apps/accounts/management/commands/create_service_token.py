"""Make a service token for a machine."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.accounts import services
from apps.accounts.rules import Scope
from apps.core.actor import system
from apps.core.errors import DomainError


class Command(BaseCommand):
    """Make a service token and print its secret, once."""

    help = "Make a service token; its secret is printed once and cannot be read again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the name, the scopes and the lifetime."""
        parser.add_argument("name")
        parser.add_argument("--scopes", nargs="+", required=True, choices=Scope.values)
        parser.add_argument("--days", type=int, help="lifetime; without it, until revoked")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it; a refusal is one line."""
        at, days = timezone.now(), options["days"]
        try:
            _, secret = services.issue_service_token(
                name=options["name"],
                scopes=options["scopes"],
                by=system("create_service_token"),
                at=at,
                expires_at=at + timedelta(days=days) if days is not None else None,
            )
        except DomainError as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(secret)
