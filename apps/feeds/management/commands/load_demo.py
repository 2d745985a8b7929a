"""Load the demo, or what is missing of it."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from apps.audit import services as audit
from apps.core.actor import system
from apps.feeds.demo import files, history, people, weather
from apps.feeds.simulator import ground
from apps.network import selectors as network

SUBNET = "MV1.101"
DEMO = system("demo")


class Command(BaseCommand):
    """Load a network, accounts, crews and some days of history."""

    help = (
        "Load the demo, or what is missing of it: a second run changes nothing. Accounts and "
        f"the service token are kept in var/{files.ACCOUNTS}; with --base-url they are "
        f"published in var/{files.PUBLISHED}."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address under which the portal answers."""
        parser.add_argument("--base-url", help=f"write {files.PUBLISHED} with this address")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load each part that is not there."""
        at = timezone.now()
        if f"SimBench {SUBNET}" not in network.networks():
            call_command("import_simbench", SUBNET, stdout=self.stdout)
        self._make_people(at)
        if made := people.ensure_crews(by=DEMO, at=at):
            self.stdout.write(f"{made} crews made")
        weather.leave_storms_to_people(by=DEMO, at=at)
        self._make_history()
        audit.checkpoint(at=timezone.now())
        if options["base_url"]:
            files.publish(options["base_url"])

    def _make_people(self, at: datetime) -> None:
        known, marks = files.read_accounts(), files.read_marks()
        content = people.ensure_people(known, marks, by=DEMO, at=at)
        if content != known:
            files.write_accounts(content)
            self.stdout.write("Demo accounts written")
        if (now := people.marks_of_people()) != marks:
            files.write_marks(now)

    def _make_history(self) -> None:
        """Make the past in one transaction: all of it, or none."""
        if history.is_made(DEMO):
            return
        world = ground.world()
        if world is None:
            return
        with transaction.atomic():
            made = history.History(world, by=DEMO).make(at=timezone.now())
        self.stdout.write(f"{made} outages of the past days made")
