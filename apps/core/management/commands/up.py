"""Start the whole portal: database, broker, web, relay, worker, beat and simulator."""

import argparse
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management import get_commands
from django.core.management.base import BaseCommand

from apps.core.processes.plan import OPTIONAL


class Command(BaseCommand):
    """Become the supervisor, which is plain Python and therefore small."""

    help = "Start the whole portal and watch over it; PORT moves it from 9100."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the demo."""
        parser.add_argument("--demo", action="store_true", help="load and play the demo")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replace this process."""
        words = [
            sys.executable,
            "-m",
            "apps.core.processes",
            "--var",
            str(settings.VAR_DIR),
        ]
        words += ["--commands", ",".join(sorted(OPTIONAL & get_commands().keys()))]
        words += ["--demo"] if options["demo"] else []
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, words)  # noqa: S606
