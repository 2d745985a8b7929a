"""Write a storm to a file, with the truth beside it; post it where that is wanted."""

import json
import os
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.feeds.demo import files
from apps.feeds.management.commands.simulate import TOKEN_VARIABLE
from apps.feeds.simulator import ground
from apps.feeds.simulator.client import Away, Portal, Refused
from apps.feeds.storms import PLAIN, SETTINGS, Setting, trial

BATCH = 5_000
KINDS = {
    "easy": "nearly all is heard, in time, and faults lie apart",
    "hard": "lossy, late, doubled, misplaced, overlapping, with noise",
    "gust": "the hard one in fronts of faults that lie near each other",
}


class Command(BaseCommand):
    """Generate a storm on the registered network."""

    help = (
        "Write a storm's events as NDJSON and what was true as FILE.truth.ndjson. The same "
        "setting, seed and start give the same storm on the same network."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the kind of storm, its size and seed, and where it goes."""
        kinds = parser.add_mutually_exclusive_group()
        for name, text in KINDS.items():
            kinds.add_argument(
                f"--{name}", dest="kind", action="store_const", const=name, help=text
            )
        parser.set_defaults(kind=PLAIN.name)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--faults", type=int, help="default: as many as the kind has")
        parser.add_argument("--minutes", type=float, help="faults begin within")
        parser.add_argument("--start", help="ISO 8601; default: long enough ago to be over")
        parser.add_argument("--out", type=Path, required=True)
        parser.add_argument("--post", help="address of a portal to which it is posted too")

    def handle(self, *args: Any, **options: Any) -> None:
        """Generate, write, post."""
        world = ground.world()
        if world is None:
            raise CommandError("There is no network yet: import one first.")
        setting = SETTINGS[options["kind"]]
        if options["minutes"] is not None:
            setting = replace(setting, lasts=options["minutes"] * 60)
        storm = trial(
            world,
            setting,
            seed=options["seed"],
            faults=options["faults"],
            starts_at=_start(options["start"], setting),
        )
        lines, out = storm.lines(), options["out"]
        _write(out, lines)
        _write(out.with_suffix(".truth.ndjson"), storm.truth_lines())
        self.stdout.write(f"{len(lines):,} events of {len(storm.outages)} faults in {out}")
        if options["post"]:
            self.stdout.write(_post(options["post"], lines))


def _start(text: str | None, setting: Setting) -> datetime:
    if not text:
        return timezone.now() - timedelta(seconds=setting.longest)
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
    portal = Portal(address, service_token)
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


def service_token() -> str:
    """Return the token of the environment, else the demo's."""
    found = os.environ.get(TOKEN_VARIABLE) or files.read_accounts().get("service_token")
    if not found:
        raise CommandError(f"No token: set {TOKEN_VARIABLE}, or load the demo.")
    return str(found)
