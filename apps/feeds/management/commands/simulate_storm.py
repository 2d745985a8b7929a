"""Write a storm to a file, with the truth beside it; post it where that is wanted."""

import json
import os
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.feeds.demo import files
from apps.feeds.management.commands.simulate import TOKEN_VARIABLE
from apps.feeds.simulator import ground
from apps.feeds.simulator.client import Away, Portal, Refused
from apps.feeds.storms import generate

BATCH = 1_000


class Command(BaseCommand):
    """Generate a storm on the registered network."""

    help = (
        "Write a storm's events as NDJSON and what was true as FILE.truth.ndjson. The same "
        "seed and start give the same storm."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the size, the seed and where it goes."""
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--faults", type=int, default=20)
        parser.add_argument(
            "--minutes", type=float, default=10.0, help="faults begin within"
        )
        parser.add_argument("--start", help="ISO 8601; default: long enough ago to be over")
        parser.add_argument("--out", type=Path, required=True)
        parser.add_argument("--post", help="address of a portal to which it is posted too")

    def handle(self, *args: Any, **options: Any) -> None:
        """Generate, write, post."""
        world = ground.world()
        if world is None:
            raise CommandError("There is no network yet: import one first.")
        storm = generate(
            world,
            seed=options["seed"],
            faults=options["faults"],
            starts_at=_start(options["start"], options["minutes"]),
            lasts=timedelta(minutes=options["minutes"]),
        )
        lines, out = storm.lines(), options["out"]
        _write(out, lines)
        _write(out.with_suffix(".truth.ndjson"), [truth.as_line() for truth in storm.truth])
        self.stdout.write(f"{len(lines):,} events of {len(storm.truth)} faults in {out}")
        if options["post"]:
            self.stdout.write(_post(options["post"], lines))


def _start(text: str | None, minutes: float) -> datetime:
    if not text:
        return timezone.now() - timedelta(minutes=minutes + 125)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is no ISO 8601 time.") from None
    if found.tzinfo is None:
        raise CommandError("The start needs a zone, as in 2026-11-21T12:00:00+00:00.")
    return found


def _write(place: Path, lines: Sequence[dict[str, Any]]) -> None:
    with place.open("w") as file:
        for line in lines:
            file.write(json.dumps(line) + "\n")


def _post(address: str, lines: Sequence[dict[str, Any]]) -> str:
    portal = Portal(address, _token)
    taken = refused = 0
    try:
        for batch in _batches(lines):
            for result in portal.report(batch):
                refused += "error" in result
                taken += "error" not in result
    except (Away, Refused) as fault:
        raise CommandError(f"After {taken:,} events: {fault}") from None
    return f"{taken:,} events taken, {refused:,} refused"


def _batches(lines: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    for first in range(0, len(lines), BATCH):
        yield lines[first : first + BATCH]


def _token() -> str:
    found = os.environ.get(TOKEN_VARIABLE) or files.read_accounts().get("service_token")
    if not found:
        raise CommandError(f"No token: set {TOKEN_VARIABLE}, or load the demo.")
    return str(found)
