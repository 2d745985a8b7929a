"""`manage.py generate_network --meters N`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from apps.network.invention.radial import Plan
from apps.network.invention.varied import varied
from apps.network.management.commands.import_network import OneReading, load, report


class Command(BaseCommand):
    """Invent a radial grid."""

    help = "Invent a radial grid and import it, or write it as a network file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the size, the seed, the name and where to write to."""
        parser.add_argument("--meters", type=int, required=True)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--name", default="generated")
        parser.add_argument(
            "--varied", action="store_true", help="feeders of many shapes, not all alike"
        )
        parser.add_argument("--out", type=Path, help="write the file instead of importing")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Invent the grid, then import it or write it."""
        if options["meters"] < 1:
            raise CommandError("--meters must be at least 1")
        given = options["meters"], options["seed"], options["name"]
        document = varied(*given) if options["varied"] else Plan(*given).document()
        if options["out"] is None:
            self.stdout.write(report(load(OneReading(document))))
            return
        options["out"].write_bytes(orjson.dumps(document))
        self.stdout.write(f"{options['out']}: {options['meters']:,} meters")
