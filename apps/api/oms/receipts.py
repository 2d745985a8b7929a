"""The answer to an event, as dictionaries. Pure, so that every door of the intake says the same.

Nothing here knows a framework: the plain views and the quick intake both build their bodies
with these functions.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from apps.outages.rules import BadReport, Report, read_report

LARGEST_BATCH = 5_000


class Receipt(Protocol):
    """What became of one event: what the builders read of a receipt of the domain."""

    @property
    def event_id(self) -> UUID:
        """Our id of the event."""

    @property
    def outage_id(self) -> UUID | None:
        """The outage it belongs to, if any."""

    @property
    def created(self) -> bool:
        """Whether it opened the outage."""

    @property
    def duplicate(self) -> bool:
        """Whether it was known already."""

    @property
    def matched_by(self) -> str | None:
        """How it found the outage."""

    @property
    def confidence_score(self) -> float | None:
        """How sure the outage is, with this event."""


def receipt_status(receipt: Receipt) -> int:
    """Return 201 where the event opened an outage, else 200."""
    return 201 if receipt.created else 200


def receipt_body(receipt: Receipt) -> dict[str, Any]:
    """Return the answer to one event."""
    return {
        "event_id": receipt.event_id,
        "outage_id": receipt.outage_id,
        "outage_event_id": receipt.outage_id,
        "created": receipt.created,
        "duplicate": receipt.duplicate,
        "matched_by": _word(receipt.matched_by),
        "confidence_score": receipt.confidence_score,
    }


def item_body(index: int, receipt: Receipt) -> dict[str, Any]:
    """Return the answer to one accepted event of a batch."""
    return {
        "index": index,
        "event_id": receipt.event_id,
        "outage_id": receipt.outage_id,
        "created": receipt.created,
        "duplicate": receipt.duplicate,
        "matched_by": _word(receipt.matched_by),
    }


def refused_item_body(
    index: int, message: str, fields: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the answer to one refused event of a batch; `error` names the wrong fields."""
    named = "; ".join(f"{name}: {text}" for name, text in fields.items() if name)
    return {
        "index": index,
        "event_id": None,
        "outage_id": None,
        "created": False,
        "duplicate": False,
        "matched_by": None,
        "error": named or message,
    }


def batch_body(items: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the answer to a batch: every item in the order it was sent, and the counts.

    A duplicate is not counted as accepted: accepted, duplicates and rejected add up to all.
    """
    results = list(items)
    rejected = sum("error" in item for item in results)
    duplicates = sum(item["duplicate"] for item in results)
    return {
        "results": results,
        "accepted": len(results) - rejected - duplicates,
        "duplicates": duplicates,
        "rejected": rejected,
    }


def read_batch(
    events: Sequence[Any], *, at: datetime
) -> tuple[list[Report], list[dict[str, Any] | None]]:
    """Return the events that can be taken in, and for each sent one its refusal or None."""
    good: list[Report] = []
    items: list[dict[str, Any] | None] = []
    for index, event in enumerate(events):
        try:
            good.append(read_report(event, at=at))
            items.append(None)
        except BadReport as bad:
            items.append(refused_item_body(index, bad.message, bad.fields))
    return good, items


def answered_batch(
    items: Iterable[dict[str, Any] | None], taken: Iterable[Receipt]
) -> dict[str, Any]:
    """Return the answer to what `read_batch` read, once its good events are taken in."""
    left = iter(taken)
    return batch_body(
        item or item_body(index, next(left)) for index, item in enumerate(items)
    )


def _word(value: str | None) -> str | None:
    return None if value is None else str(value)
