"""The second factor: codes of a person's own device, and recovery codes for its loss."""

import base64
import secrets
from datetime import datetime
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.db import transaction
from django.utils.crypto import constant_time_compare
from django_otp.oath import TOTP

from apps.accounts.models import RecoveryCode, SecondFactor, User
from apps.accounts.rules import FACTOR_DIGITS, FACTOR_SECONDS
from apps.accounts.sealing import seal, unseal
from apps.accounts.services.access import MANAGE, end_tokens, locked, require
from apps.accounts.tokens import digest
from apps.audit import services as audit
from apps.core.actor import Actor, check_fresh
from apps.core.errors import Conflict, Invalid, NotFound

KEY_BYTES = 20
TOLERANCE = 1
CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@transaction.atomic
def begin_factor(*, by: Actor, at: datetime) -> None:
    """Make a key for the person's device; it counts once a code of it was shown.

    Raises Conflict where there is a confirmed one, ConfirmationRequired.
    """
    user = _own(by)
    check_fresh(by, at)
    row = SecondFactor.objects.select_for_update().filter(user=user).first()
    if row is not None and row.confirmed_at is not None:
        raise Conflict("There is a second factor already. Remove it first.")
    SecondFactor.objects.filter(user=user).delete()
    key = base64.b32encode(secrets.token_bytes(KEY_BYTES)).decode()
    SecondFactor.objects.create(user=user, sealed=seal(key), created_at=at)


@transaction.atomic
def confirm_factor(*, code: str, by: Actor, at: datetime) -> list[str]:
    """Take the factor into use; return the recovery codes, which are shown this once.

    Raises NotFound without a begun one, Invalid for a wrong code.
    """
    user = _own(by)
    row = SecondFactor.objects.select_for_update().filter(user=user).first()
    if row is None or row.confirmed_at is not None:
        raise NotFound("No second factor was begun.")
    if not _matches(row, code, at):
        raise Invalid("This code is not valid.", fields={"field": "code"})
    row.confirmed_at = at
    row.save(update_fields=["confirmed_at"])
    codes = [_new_code() for _ in range(CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(factor=row, hashed=_hashed(one)) for one in codes
    )
    _record(by, "factor_add", user.id, at)
    return codes


@transaction.atomic
def remove_factor(*, code: str, by: Actor, at: datetime) -> None:
    """Give one's own second factor up, with a code of it. Raises NotFound or Invalid."""
    user = _own(by)
    if not show_code(user, code, at):
        raise Invalid("This code is not valid.", fields={"field": "code"})
    SecondFactor.objects.filter(user=user).delete()
    _record(by, "factor_remove", user.id, at)


@transaction.atomic
def reset_factor(*, user_id: UUID, by: Actor, at: datetime) -> None:
    """Take the second factor of somebody who lost everything; their tokens end.

    Raises Forbidden, NotFound, ConfirmationRequired.
    """
    require(by, MANAGE)
    check_fresh(by, at)
    user = locked(user_id)
    if SecondFactor.objects.filter(user=user).delete()[0]:
        end_tokens(user, at)
        _record(by, "factor_reset", user.id, at)


@transaction.atomic
def show_code(user: User, code: str, at: datetime, /) -> bool:
    """Return whether it is a code of the person's device, or one for its loss, not used yet."""
    row = (
        SecondFactor.objects.select_for_update()
        .filter(user=user, confirmed_at__isnull=False)
        .first()
    )
    if row is None:
        return False
    if _matches(row, code, at):
        return True
    spare = row.codes.filter(hashed=_hashed(code), used_at=None)
    return bool(spare.update(used_at=at))


def _matches(row: SecondFactor, code: str, at: datetime) -> bool:
    """Return whether the device says this now; the time step is used up by it."""
    try:
        key = base64.b32decode(unseal(row.sealed))
    except InvalidToken:
        return False
    totp = TOTP(key, FACTOR_SECONDS, digits=FACTOR_DIGITS)
    totp.time = at.timestamp()
    now, typed = totp.t(), "".join(code.split())
    for step in range(now - TOLERANCE, now + TOLERANCE + 1):
        totp.drift = step - now
        right = constant_time_compare(f"{totp.token():0{FACTOR_DIGITS}d}", typed)
        if right and step > row.last_step:
            row.last_step = step
            row.save(update_fields=["last_step"])
            return True
    return False


def _own(by: Actor) -> User:
    if by.user_id is None:
        raise NotFound("There is no profile.")
    return locked(by.user_id)


def _new_code() -> str:
    letters = "".join(secrets.choice(ALPHABET) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def _hashed(code: str) -> str:
    return digest("recovery:" + "".join(code.lower().replace("-", "").split()))


def _record(by: Actor, action: str, user_id: UUID, at: datetime) -> None:
    audit.record(by=by, action=action, resource="user", resource_id=user_id, at=at)
