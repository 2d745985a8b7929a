"""`manage.py import_simbench MV1.101`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.errors import DomainError
from apps.network.gateways import simbench
from apps.network.management.commands.import_network import load, report


class Command(BaseCommand):
    """Bring in a subnet of the SimBench grid."""

    help = (
        "Import a medium-voltage subnet of SimBench with its low-voltage grids, from the "
        "installed package `simbench` (data: simbench.de, Open Database License)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the subnet."""
        parser.add_argument("subnet", nargs="?", default="MV1.101")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Import the subnet."""
        try:
            document = simbench.document(options["subnet"])
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(report(load(document)))
        self.stdout.write(
            "SimBench data: https://simbench.de, Open Database License (ODbL)"
        )
