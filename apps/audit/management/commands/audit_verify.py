"""Prove that the trail is what was written."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.audit import checkpoints
from apps.audit.chain import faults, guard_faults
from apps.audit.services import trail_faults

SHOWN = 50


class Command(BaseCommand):
    """Walk the chains; fail with the places where something is wrong."""

    help = "Prove the audit trail: name every edit, deletion and reordering."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file of checkpoints."""
        parser.add_argument("--checkpoints", type=Path, default=settings.AUDIT_CHECKPOINTS)
        parser.add_argument(
            "--checkpoint", action="store_true", help="write one when proven"
        )
        parser.add_argument(
            "--begin",
            action="store_true",
            help="begin a new file of them where there is none",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Report each fault on a line; the exit status is 1 where there was one."""
        path: Path = options["checkpoints"]
        at = timezone.now()
        begins = options["begin"] and not path.exists()
        found = (
            [*guard_faults(), *faults()] if begins else list(trail_faults(path=path, at=at))
        )
        for fault in found[:SHOWN]:
            self.stderr.write(str(fault))
        if found:
            raise CommandError(f"The trail is not what was written: {len(found)} faults.")
        if options["checkpoint"] or begins:
            checkpoints.write(path, at=at)
        self.stdout.write("The trail is complete and unchanged.")
