"""What carries notices. The embedded transport files them in an outbox that the pages show."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from apps.notifications.models import SentMessage
from apps.notifications.rules import Delivery


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one address. A transport that knows the key already sends nothing."""

    key: str
    channel: str
    address: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message: sent, delivered, or failed for good."""

    delivery: Delivery
    provider_id: str = ""
    error: str = ""


class TransportFault(Exception):
    """The message could not be carried now; the same may work later."""


class Transport(Protocol):
    """Something that carries messages."""

    name: str

    def send(self, message: Message) -> Outcome:
        """Carry one message. Raises TransportFault where it may work later."""


class EmbeddedTransport:
    """Files each message in the outbox table, once a key, and says that it was delivered."""

    name = "embedded"

    def send(self, message: Message) -> Outcome:
        """File one message."""
        row = SentMessage(
            key=message.key,
            channel=message.channel,
            address=message.address,
            text=message.text,
            at=message.at,
        )
        SentMessage.objects.bulk_create([row], ignore_conflicts=True)
        return Outcome(Delivery.DELIVERED, provider_id=message.key)


TRANSPORTS: dict[str, type[Transport]] = {EmbeddedTransport.name: EmbeddedTransport}


def transport(name: str) -> Transport:
    """Return the transport of that name; the embedded one where there is none."""
    return TRANSPORTS.get(name, EmbeddedTransport)()
