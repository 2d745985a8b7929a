"""Make an admin."""

import getpass
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.accounts import services
from apps.accounts.rules import Role
from apps.core.actor import system
from apps.core.errors import DomainError

VARIABLE = "OMS_ADMIN_PASSWORD"


class Command(BaseCommand):
    """Make an admin."""

    help = f"Make an admin. The password is asked for, or read from {VARIABLE} or stdin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address and where the password comes from."""
        parser.add_argument("email")
        parser.add_argument("--name", default="")
        parser.add_argument("--password-stdin", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the user; a refusal is one line."""
        profile = services.NewUser(
            email=options["email"],
            full_name=options["name"],
            role=Role.ADMIN,
            email_verified=True,
        )
        password = _password(from_stdin=options["password_stdin"])
        try:
            user = services.create_user(
                profile=profile,
                password=password,
                by=system("create_admin"),
                at=timezone.now(),
            )
        except DomainError as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(f"{user.email} is an admin.")


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return os.environ.get(VARIABLE) or getpass.getpass("Password: ")
