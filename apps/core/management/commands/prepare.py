"""Bring the database up to date: what a release needs before the new code serves."""

import argparse
from typing import Any

from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Run the migrations, write the roles, and load the demo where it is wanted."""

    help = "Run the migrations and write the roles; with --demo load the demo data too."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the demo."""
        parser.add_argument("--demo", action="store_true", help="load the demo data")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run each step that exists."""
        call_command("migrate", interactive=False, verbosity=1)
        for name in ("sync_roles", *(["load_demo"] if options["demo"] else [])):
            if name in get_commands():
                call_command(name)
