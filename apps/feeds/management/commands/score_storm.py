"""Compare what a running portal made of a storm with what was true."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.feeds.management.commands.simulate_storm import service_token
from apps.feeds.simulator import readback
from apps.feeds.simulator.client import Away, Portal, Refused
from apps.feeds.storms import Score, read_truth, score
from apps.feeds.storms.scoring import TruthSheet

LONGEST_WAIT = 600.0
LABELS = {
    "ari": "adjusted Rand index, all events",
    "ari_losses": "adjusted Rand index, losses",
    "recall": "outage recall",
    "precision": "outage precision",
    "right_device": "right device",
    "right_device_found": "right device, of those found",
    "false_outages": "false outages",
    "visible": "true outages that can be seen",
    "declared": "outages declared",
}


class Command(BaseCommand):
    """Score a portal on a storm."""

    help = (
        "Read from a running portal what became of a storm's events and print how well that "
        "fits the truth that simulate_storm wrote."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the truth and the portal."""
        parser.add_argument("truth", type=Path, help="FILE.truth.ndjson of simulate_storm")
        parser.add_argument("--portal", required=True, help="address of the portal")
        parser.add_argument(
            "--wait",
            type=float,
            nargs="?",
            const=LONGEST_WAIT,
            default=0.0,
            help="wait until the backlog is 0, at most so many seconds (600)",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read both sides, compare, print."""
        truth = _truth(options["truth"])
        portal = Portal(options["portal"], service_token)
        try:
            if options["wait"] and not readback.wait_until_settled(
                portal, seconds=options["wait"]
            ):
                raise CommandError(
                    f"The backlog was not worked off in {options['wait']:.0f} s."
                )
            answer = readback.answer_of(portal, truth)
        except (Away, Refused) as fault:
            raise CommandError(f"{options['portal']}: {fault}") from None
        finally:
            portal.close()
        missing = len(truth.named) - len(answer.events)
        found = score(truth, answer)
        if options["json"]:
            self.stdout.write(json.dumps({**found.as_dict(), "events_missing": missing}))
        else:
            self.stdout.write(_table(found, missing))


def _truth(place: Path) -> TruthSheet:
    try:
        lines = place.read_text().splitlines()
        return read_truth(json.loads(line) for line in lines)
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise CommandError(f"{place} holds no truth of a storm: {fault!r}") from None


def _table(found: Score, missing: int) -> str:
    rows = [
        f"{LABELS[name]:<34}{value:>8.3f}"
        if isinstance(value, float)
        else f"{LABELS[name]:<34}{value:>8,}"
        for name, value in found.as_dict().items()
    ]
    return "\n".join([*rows, f"{'events that the portal lacks':<34}{missing:>8,}"])
