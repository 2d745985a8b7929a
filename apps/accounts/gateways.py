"""Messages as Django's file backend filed them."""

import email
from dataclasses import dataclass
from datetime import UTC, datetime
from email.policy import default
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FiledMail:
    """A message that was filed instead of sent."""

    recipient: str
    subject: str
    body: str
    at: datetime


def read_filed(folder: Path, most: int) -> list[FiledMail]:
    """Return the latest messages of the folder, newest first."""
    if not folder.is_dir():
        return []
    files = sorted(folder.glob("*.log"), key=lambda file: -file.stat().st_mtime)[:most]
    return [_read(file) for file in files]


def _read(file: Path) -> FiledMail:
    message = email.message_from_bytes(file.read_bytes(), policy=default)
    body = str(message.get_payload(decode=True).decode("utf-8", "replace"))  # type: ignore[union-attr]
    return FiledMail(
        recipient=str(message["To"]),
        subject=str(message["Subject"]),
        body=body.partition("\n-----")[0].strip(),
        at=datetime.fromtimestamp(file.stat().st_mtime, tz=UTC),
    )
