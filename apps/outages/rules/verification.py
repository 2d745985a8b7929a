"""Asking meters whether they have power: whom to ask, and what they may answer. Pure."""

from collections.abc import Hashable, Iterable
from random import Random
from typing import TypeVar

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

K = TypeVar("K", bound=Hashable)


class PingState(TextChoices):
    """What became of asking one meter."""

    PENDING = "pending", _("To be sent")
    SENT = "sent", _("Sent")
    POWERED = "powered", _("Powered")
    DARK = "dark", _("Dark")
    NO_ANSWER = "no_answer", _("No answer")
    TIMED_OUT = "timed_out", _("Timed out")


class VerificationState(TextChoices):
    """Where a verification stands: nobody has taken it yet, it is under way, it is over."""

    PENDING = "pending", _("Waiting for the head-end")
    SENT = "sent", _("Under way")
    COMPLETE = "complete", _("Complete")


class VerificationReason(TextChoices):
    """Why meters are asked."""

    HAND = "hand", _("Asked for")
    CREW = "crew", _("Before a crew goes")
    RESTORED = "restored", _("After restoration")


WAITING = (PingState.PENDING, PingState.SENT)
SILENT = (PingState.NO_ANSWER, PingState.TIMED_OUT)
# What a head-end may say of a ping.
RESULTS = (PingState.SENT, PingState.POWERED, PingState.DARK, PingState.NO_ANSWER)
# The events that are answers; `words` says what each means for power.
WORD_OF = {
    PingState.POWERED: "ping_powered",
    PingState.DARK: "ping_dark",
    PingState.NO_ANSWER: "ping_no_answer",
}


def sample(keys: Iterable[int], most: int, *, seed: str) -> list[int]:
    """Return up to `most` of the keys, always the same for the same seed, in order."""
    ordered = sorted(set(keys))
    if len(ordered) <= most:
        return ordered
    return sorted(Random(seed).sample(ordered, most))  # noqa: S311 - a choice is no secret


def spread(groups: Iterable[Iterable[K]], most: int, *, seed: str) -> list[K]:
    """Return up to `most` members, one of each group before a second of any.

    The same groups and the same seed give the same members.
    """
    rng = Random(seed)  # noqa: S311 - a choice is no secret
    drawn = []
    for group in groups:
        members = list(group)
        rng.shuffle(members)
        drawn.append(members)
    rng.shuffle(drawn)
    turns = max((len(members) for members in drawn), default=0)
    found = [members[n] for n in range(turns) for members in drawn if n < len(members)]
    return found[:most]
