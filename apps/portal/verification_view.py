"""What the page of an outage prints of the meters that were asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import ngettext

from apps.outages.rules.verification import VerificationState


@dataclass(frozen=True, slots=True)
class Tally:
    """How many meters said the same."""

    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class VerificationLine:
    """Meters that were asked: why, by whom, and what they answered."""

    reason: str
    state: str
    state_label: str
    is_over: bool
    asked: str
    tallies: list[Tally]
    requested_at: datetime
    who: str


def verification_lines(found: Iterable[Any]) -> list[VerificationLine]:
    """Return the verifications, counted."""
    return [
        VerificationLine(
            reason=row.get_reason_display(),
            state=row.state,
            state_label=row.get_state_display(),
            is_over=row.state == VerificationState.COMPLETE,
            asked=ngettext("{n} asked", "{n} asked", row.asked).format(n=row.asked),
            tallies=_tallies(row),
            requested_at=row.requested_at,
            who=row.requested_by,
        )
        for row in found
    ]


def _tallies(row: Any) -> list[Tally]:
    told = (
        (row.powered, ngettext("{n} powered", "{n} powered", row.powered), "good"),
        (row.dark, ngettext("{n} dark", "{n} dark", row.dark), "critical"),
        (row.silent, ngettext("{n} silent", "{n} silent", row.silent), "quiet"),
    )
    return [Tally(words.format(n=n), tone) for n, words, tone in told if n]
