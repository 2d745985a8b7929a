"""Take the demo out again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core.actor import system
from apps.crews import services as crews
from apps.feeds import services
from apps.feeds.demo import files, people, weather
from apps.network import selectors
from apps.network import services as network
from apps.notifications import services as notifications
from apps.outages import services as outages

DEMO = system("demo")
NETWORK = "SimBench MV1.101"


class Command(BaseCommand):
    """Take the demo out again."""

    help = (
        "Delete every outage, event and notice, the crews and accounts of the demo and its "
        "network, and revoke its token. The trail stays. Afterwards: manage.py create_admin."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a yes in advance."""
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask, then delete all in one transaction."""
        if not options["yes"] and not _agrees():
            self.stdout.write("Nothing was deleted.")
            return
        try:
            found = _erase()
        except IntegrityError:
            raise CommandError(
                "Another network hangs from the demo's. Nothing was deleted."
            ) from None
        files.remove()
        self.stdout.write(f"Deleted {found:,} outages and the demo.")
        self.stdout.write("An admin is made with: manage.py create_admin ADDRESS")


@transaction.atomic
def _erase() -> int:
    """Delete everything, what leans on other rows first; return how many outages."""
    at = timezone.now()
    notifications.erase_notices(by=DEMO, at=at)
    crews.erase_crews(codes=people.CODES, by=DEMO, at=at)
    found = outages.erase_outages(by=DEMO, at=at)
    services.erase_storms()
    if NETWORK in selectors.networks():
        network.erase_network(name=NETWORK, by=DEMO, at=at)
    people.erase_people(by=DEMO, at=at)
    weather.let_storms_come(by=DEMO, at=at)
    return found


def _agrees() -> bool:
    answer = input(
        "This deletes every outage, event and notice, the demo's crews, accounts and "
        "network. Type yes to go on: "
    )
    return answer.strip().lower() == "yes"
