"""`manage.py import_network FILE.json`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from apps.core.actor import system
from apps.core.errors import DomainError
from apps.network import services
from apps.network.services import ImportResult


class Command(BaseCommand):
    """Bring the grid in line with a network file."""

    help = "Import a network file (JSON). The same file twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file."""
        parser.add_argument("file", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Import the file; leave with an error where it is not a network file."""
        document = read(options["file"])
        document = OneReading(document) if isinstance(document, dict) else document
        self.stdout.write(report(load(document)))


class OneReading(dict[str, Any]):
    """A document that lets go of each section once it was read; a large one is gigabytes."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the section, for the first and last time."""
        return self.pop(key, default)


def read(path: Path) -> Any:
    """Return the JSON of a file; where it is none, the error says in which line and column."""
    try:
        raw = path.read_bytes()
        return orjson.loads(raw)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise CommandError(f"{path}: no valid JSON: {_not_text(raw) or error}") from error


def _not_text(raw: bytes) -> str:
    """Return where the bytes stop being text, or nothing; the decoder itself does not know."""
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        at = error.start
        line, column = raw.count(b"\n", 0, at) + 1, at - raw.rfind(b"\n", 0, at)
        return f"the text is not UTF-8: line {line} column {column} (byte {at})"
    return ""


def load(document: Any) -> ImportResult:
    """Import a document as the portal itself; a refusal becomes the command's error."""
    try:
        return services.import_network(
            document=document, by=system("import_network"), at=now()
        )
    except DomainError as error:
        told = [f"{path}: {message}" for path, message in error.fields.items()]
        raise CommandError("\n".join(told) or error.message) from error


def report(result: ImportResult) -> str:
    """Return one line on what an import did."""
    if not result.changed:
        return f"{result.network}: nothing changed (structure {result.structure})"
    parts = [
        f"{word} {', '.join(f'{count:,} {section}' for section, count in counts.items() if count)}"
        for word, counts in (
            ("created", result.created),
            ("updated", result.updated),
            ("retired", result.retired),
        )
        if any(counts.values())
    ]
    return f"{result.network}: {'; '.join(parts)} (structure {result.structure})"
