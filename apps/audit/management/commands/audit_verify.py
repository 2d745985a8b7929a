"""Prove that the trail is what was written."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.audit.chain import checkpoint_faults, faults, write_checkpoint

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

    def handle(self, *args: Any, **options: Any) -> None:
        """Report each fault on a line; the exit status is 1 where there was one."""
        path: Path = options["checkpoints"]
        found = [*faults(), *checkpoint_faults(path)]
        for fault in found[:SHOWN]:
            self.stderr.write(str(fault))
        if found:
            raise CommandError(f"The trail is not what was written: {len(found)} faults.")
        if options["checkpoint"]:
            write_checkpoint(path, at=timezone.now())
        self.stdout.write("The trail is complete and unchanged.")
