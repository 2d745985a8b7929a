"""Words and judgement of notices: channels, states, and when somebody may be disturbed. Pure."""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from apps.configuration.rules import declare
from apps.core.errors import Invalid

MESSAGE_LENGTH = 1_600
CUSTOMERS = 10_000

QUIET_FROM = declare(
    "notifications.quiet_from",
    22,
    "integer",
    minimum=0,
    maximum=23,
    help="The local hour at which customers are no longer disturbed.",
)
QUIET_UNTIL = declare(
    "notifications.quiet_until",
    7,
    "integer",
    minimum=0,
    maximum=23,
    help="The local hour from which customers may be disturbed again.",
)
TRANSPORT = declare(
    "notifications.transport",
    "embedded",
    help="What carries notices; the embedded one files them in the outbox.",
)
REPEAT_MINUTES = declare(
    "notifications.repeat_minutes",
    10,
    "integer",
    minimum=0,
    maximum=1_440,
    help="For so long the same notice asked for again is the one that was sent; 0: never.",
)


class Channel(TextChoices):
    """How a notice reaches somebody."""

    SMS = "sms", _("SMS")
    EMAIL = "email", _("E-mail")
    PUSH = "push", _("Push message")
    PHONE = "phone", _("Phone call")


class Delivery(TextChoices):
    """Where a notice stands with one recipient."""

    PENDING = "pending", _("Pending")
    SENT = "sent", _("Sent")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")
    SUPPRESSED = "suppressed", _("Not sent")


class Reason(TextChoices):
    """Why a notice was not sent to somebody."""

    OPTED_OUT = "opted_out", _("Opted out")
    NO_ADDRESS = "no_address", _("No address")


class Progress(TextChoices):
    """Where a notice as a whole stands."""

    PENDING = "pending", _("Waiting")
    SENT = "sent", _("Sent")
    PARTLY_FAILED = "partly_failed", _("Partly failed")
    FAILED = "failed", _("Failed")


WIRE = {**{state: state.value for state in Delivery}, Delivery.SUPPRESSED: "failed"}
"""The word for a recipient's state outside; who was not to be told counts as failed."""


class Reachable(Protocol):
    """A customer as far as a notice needs one."""

    @property
    def customer_code(self) -> str:
        """Return the customer's code."""

    @property
    def phone(self) -> str:
        """Return the telephone number, or nothing."""

    @property
    def email(self) -> str:
        """Return the e-mail address, or nothing."""


def channel_of(word: str) -> Channel:
    """Return the channel that the word names; raise Invalid where there is none."""
    try:
        return Channel(word)
    except ValueError:
        raise Invalid(
            f"Unknown notification type {word!r}.",
            fields={"field": "notification_type", "allowed_values": list(Channel.values)},
        ) from None


def message_of(text: str) -> str:
    """Return the message, trimmed; raise Invalid where it is empty or too long."""
    message = text.strip()
    if not message or len(message) > MESSAGE_LENGTH or "\0" in message:
        raise Invalid(
            f"A message has 1 to {MESSAGE_LENGTH} characters.", fields={"field": "message"}
        )
    return message


def codes_of(codes: Iterable[str]) -> list[str]:
    """Return the customers' codes, each once; raise Invalid where they are too many."""
    kept = list(dict.fromkeys(code.strip() for code in codes))
    if len(kept) > CUSTOMERS or any("\0" in code or len(code) > 200 for code in kept):
        raise Invalid(
            f"At most {CUSTOMERS} customer ids of 200 characters.",
            fields={"field": "customer_ids"},
        )
    return kept


def address_of(channel: Channel, customer: Reachable) -> str:
    """Return where the customer is reached; nothing where that is unknown.

    A push message goes to the customer's own application, known by the customer's code.
    """
    match channel:
        case Channel.SMS | Channel.PHONE:
            return "".join(customer.phone.split())
        case Channel.EMAIL:
            return customer.email.strip().lower()
    return customer.customer_code


def recipient_key(notice_id: object, address: str) -> str:
    """Return the key under which one address gets a notice once, however often it is sent."""
    return f"{notice_id}:{hashlib.sha256(address.encode()).hexdigest()[:32]}"


def notice_fingerprint(*facts: object) -> str:
    """Return what two notices share that say the same to the same people, 64 characters."""
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()


def zone_of(name: str) -> str:
    """Return the name of a time zone; UTC where it names none."""
    try:
        return ZoneInfo(name).key if name else "UTC"
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"


def may_disturb_at(
    at: datetime, zone: str, *, quiet_from: int, quiet_until: int
) -> datetime:
    """Return `at`, or where that is a quiet hour in the zone the end of the quiet hours, in UTC.

    The hours are those that a clock on the wall shows, on days of 23 and 25 hours too. Equal
    hours mean that there is no quiet time.
    """
    local = at.astimezone(ZoneInfo(zone))
    hour = local.hour
    if quiet_from <= quiet_until:
        quiet = quiet_from <= hour < quiet_until
    else:
        quiet = hour >= quiet_from or hour < quiet_until
    if not quiet:
        return at
    day = local.date() + timedelta(days=1 if hour >= quiet_until else 0)
    end = datetime.combine(day, time(quiet_until), tzinfo=ZoneInfo(zone))
    return max(at, end.astimezone(UTC))


def progress(*, total: int, pending: int, failed: int) -> Progress:
    """Return where a notice stands by the counts of its recipients."""
    if pending:
        return Progress.PENDING
    if failed and failed == total:
        return Progress.FAILED
    return Progress.PARTLY_FAILED if failed else Progress.SENT


def pause(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts: 4 s, 8 s, 16 s and so on."""
    return timedelta(seconds=min(300, 2 ** (attempts + 1)))
