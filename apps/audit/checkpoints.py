"""Signed heads of the chains, kept outside the database.

Without a copy of the heads elsewhere, a deleted tail and a chain computed anew as a whole cannot
be seen. Each line is signed together with the signature of the line before, so that none can be
taken out of the middle; the last one is kept with each proof, so that none can be taken from the
end either.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.audit import chain
from apps.audit.chain import Fault
from apps.audit.models import AuditEntry

GRACE = timedelta(minutes=5)
FILE = "checkpoints"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a chain stood: the hash of its last link; `previous` is the signature before."""

    stream: str
    seq: int
    hash: str
    at: str
    previous: str
    mac: str = ""

    @property
    def signature(self) -> str:
        """Return what its signature has to be."""
        told = {name: said for name, said in asdict(self).items() if name != "mac"}
        return sign(told)


def sign(told: dict[str, Any]) -> str:
    """Return the signature of plain values under the key that the database does not have."""
    text = json.dumps(told, sort_keys=True).encode()
    return hmac.new(settings.AUDIT_KEY.encode(), text, hashlib.sha256).hexdigest()


def is_signed(told: dict[str, Any], mac: str) -> bool:
    """Return whether the portal itself said these plain values."""
    return hmac.compare_digest(mac.encode(), sign(told).encode())


def write(path: Path, *, at: datetime) -> int:
    """Append the signed head of each chain that has moved; return how many."""
    lines = [line for line in _lines(path) if line is not None]
    known = {line.stream: line.seq for line in lines}
    previous = lines[-1].mac if lines else ""
    fresh = []
    for stream, seq, found in chain.heads():
        if known.get(stream) == seq:
            continue
        unsigned = Checkpoint(stream, seq, found, at.isoformat(), previous)
        previous = unsigned.signature
        fresh.append(json.dumps({**asdict(unsigned), "mac": previous}) + "\n")
    if fresh:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.writelines(fresh)
    return len(fresh)


def last(path: Path) -> tuple[int, str]:
    """Return how many lines the file has, and the signature of the last."""
    lines = _lines(path)
    return len(lines), next((line.mac for line in reversed(lines) if line is not None), "")


def faults(
    path: Path, *, known: tuple[int, str] = (0, ""), at: datetime
) -> Iterator[Fault]:
    """Compare every checkpoint with its chain; yield what is wrong, where.

    `known` is how many there were at an earlier proof and the signature of the last of them. A
    trail that began a while ago has some.
    """
    lines = _lines(path)
    number, mac = known
    if number and (len(lines) < number or _mac(lines[number - 1]) != mac):
        yield Fault(FILE, f"line {number}", "not what it was at an earlier proof")
    elif not lines and AuditEntry.objects.filter(at__lt=at - GRACE).exists():
        yield Fault(FILE, str(path), "missing or empty, though there are entries")
    previous = ""
    for place, line in enumerate(lines, 1):
        if line is None:
            yield Fault(FILE, f"line {place}", "cannot be read")
            continue
        yield from _line_faults(line, place, previous)
        previous = line.mac


def _mac(line: Checkpoint | None) -> str:
    return line.mac if line is not None else ""


def _line_faults(line: Checkpoint, number: int, previous: str) -> Iterator[Fault]:
    if not hmac.compare_digest(line.mac.encode(), line.signature.encode()):
        yield Fault(FILE, f"line {number}", "its signature is wrong")
        return
    if line.previous != previous:
        yield Fault(FILE, f"line {number}", "does not follow the line before")
    found = chain.hash_of(line.stream, line.seq)
    if found is None:
        yield Fault(line.stream, f"link {line.seq}", "deleted since its checkpoint")
    elif found != line.hash:
        yield Fault(line.stream, f"link {line.seq}", "not what its checkpoint says")


def _lines(path: Path) -> list[Checkpoint | None]:
    if not path.exists():
        return []
    text = path.read_text(errors="replace")
    return [_line(line) for line in text.splitlines() if line]


def _line(text: str) -> Checkpoint | None:
    try:
        line = Checkpoint(**json.loads(text))
    except (ValueError, TypeError):
        return None
    texts = (line.stream, line.hash, line.at, line.previous, line.mac)
    whole = isinstance(line.seq, int) and all(isinstance(text, str) for text in texts)
    return line if whole and 0 < line.seq < 2**63 else None
