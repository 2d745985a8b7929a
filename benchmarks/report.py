"""The table: what was measured, beside the peer and the target, for people and machines."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).with_name("results")
BUSY = os.getloadavg()[0]
HEADINGS = ("Case", "Portal", "Peer", "Ratio", "Target", "Reached")


@dataclass(frozen=True)
class Line:
    """One measured case. `reached` is None where it is for information."""

    case: str
    portal: str
    peer: str = ""
    ratio: str = ""
    target: str = ""
    reached: bool | None = None


def write(name: str, title: str, lines: Sequence[Line], notes: Sequence[str]) -> str:
    """Write `results/NAME.md` and `.json`; return the text of the first."""
    at = datetime.now(tz=UTC).replace(microsecond=0)  # noqa: TID251 - the report reads the clock
    machine = (
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    )
    facts = {
        "at": at.isoformat(),
        "revision": _revision(),
        "machine": machine,
        "busy": BUSY,
    }
    text = "\n".join(
        [
            f"# {title}",
            "",
            f"{at:%Y-%m-%d %H:%M} UTC, revision {facts['revision']}, {machine}; "
            f"{BUSY:.1f} processes wanted a core before it began.",
            "",
            *table(lines),
            "",
            *(f"* {note}" for note in notes),
            "",
        ]
    )
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text)
    body = {**facts, "lines": [asdict(line) for line in lines], "notes": list(notes)}
    (RESULTS / f"{name}.json").write_text(json.dumps(body, indent=1) + "\n")
    return text


def table(lines: Sequence[Line]) -> list[str]:
    """Return the lines as a table in Markdown."""
    rows = [HEADINGS, *(_cells(line) for line in lines)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
    drawn = [_row(row, widths) for row in rows]
    return [drawn[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *drawn[1:]]


def say(text: str) -> None:
    """Print for whoever waits."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _cells(line: Line) -> tuple[str, ...]:
    reached = {None: "", True: "yes", False: "NO"}[line.reached]
    return line.case, line.portal, line.peer, line.ratio, line.target, reached


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [f" {cell:<{width}} " for cell, width in zip(cells, widths, strict=True)]
    return "|" + "|".join(padded) + "|"


def _revision() -> str:
    words = ("git", "describe", "--always", "--dirty")
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() or "unknown"
