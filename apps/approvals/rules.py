"""Words and judgement of four eyes: what is proposed, what it is bound to, who may decide. Pure."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor, ActorKind
from apps.core.errors import Conflict, Forbidden, Invalid

REASON_LENGTH: Final = 500


class State(TextChoices):
    """Where a proposal stands. All but `open` are final."""

    OPEN = "open", _("Open")
    EXECUTED = "executed", _("Carried out")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("Expired")
    VOID = "void", _("Void")


Run = Callable[["Asked", Actor, datetime], object]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a proposal asks for: on which thing, with which values, proposed by whom."""

    resource_id: str
    payload: Mapping[str, Any]
    maker_id: UUID


@dataclass(frozen=True, slots=True)
class Act:
    """A kind of act that may need two people.

    `run` carries it out in the transaction of the approval, `version` says in which state the
    thing is (a proposal made for another state is void), `may` whether somebody still holds
    the permission.
    """

    kind: str
    label: str | Promise
    permission: str
    lives: timedelta
    run: Run
    version: Callable[[str], str]
    may: Callable[[UUID], bool]


_acts: dict[str, Act] = {}


def register(act: Act) -> Act:
    """Make a kind of act known; its owner does so once, when its app is ready."""
    _acts[act.kind] = act
    return act


def act_of(kind: str) -> Act:
    """Return the act of that kind. Raises Invalid."""
    found = _acts.get(kind)
    if found is None:
        raise Invalid(f"Nothing of the kind {kind!r} can be proposed.")
    return found


def kinds_open_to(actor: Actor) -> list[str]:
    """Return the kinds of acts that the actor may propose and decide on."""
    return [kind for kind, act in sorted(_acts.items()) if actor.may(act.permission)]


def fingerprint(
    *, kind: str, resource_id: str, version: str, payload: Mapping[str, Any]
) -> str:
    """Return the SHA-256, in hexadecimal, of what was proposed, in canonical JSON."""
    told = [kind, resource_id, version, payload]
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def person(by: Actor) -> UUID:
    """Return who the actor is. Raises Forbidden where it is no person of their own."""
    if by.kind is not ActorKind.PERSON or by.user_id is None:
        raise Forbidden("Only a person proposes and decides.")
    return by.user_id


def check_decider(maker_id: UUID, decider_id: UUID) -> None:
    """Refuse that the maker decides. Raises Forbidden."""
    if maker_id == decider_id:
        raise Forbidden("Somebody else has to decide on what you proposed.")


def check_open(state: str, expires_at: datetime, at: datetime) -> None:
    """Refuse a decision on what is decided already, or too late. Raises Conflict."""
    if state != State.OPEN:
        raise Conflict(f"The proposal is {State(state).label.lower()} already.")
    if at >= expires_at:
        raise Conflict("The proposal has expired.")


def reason_of(text: str) -> str:
    """Return the reason, trimmed. Raises Invalid where it is too long."""
    reason = text.strip()
    if len(reason) > REASON_LENGTH or "\0" in reason:
        raise Invalid(
            f"A reason has at most {REASON_LENGTH} characters.", fields={"field": "reason"}
        )
    return reason
