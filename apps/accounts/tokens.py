"""Access tokens and opaque secrets: how they are made and read.

Access tokens are JWTs, HS256 with a key of their own. Only our algorithm, key, issuer,
audience and type are read; whether the session still lives is not known here.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings

ALGORITHM = "HS256"
ISSUER = "oms"
AUDIENCE = "oms-api"
TYPE = "access"
LENGTH = 4_096
SKEW = timedelta(seconds=30)
SERVICE_PREFIX = "oms_"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid access token says."""

    user_id: UUID
    session_id: UUID
    version: int
    expires_at: datetime


def digest(secret: str) -> str:
    """Return what is kept of an opaque secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def new_refresh_secret() -> str:
    """Return a new refresh token of 256 random bits."""
    return secrets.token_urlsafe(32)


def successor_of(secret: str, hashed: str | None = None) -> str:
    """Return the refresh token that follows this one: the same for everybody who asks at once.

    It is derived with our key, so that it need not be kept. `hashed` is the digest of one that
    was given out before, perhaps under a past key.
    """
    made = [
        base64.urlsafe_b64encode(
            hmac.digest(b"refresh:" + key.encode(), secret.encode(), "sha256")
        )
        .rstrip(b"=")
        .decode()
        for key in (settings.TOKEN_KEY, *settings.TOKEN_KEYS_PAST)
    ]
    return next((one for one in made if digest(one) == hashed), made[0])


def new_service_secret() -> str:
    """Return a new service token of 256 random bits."""
    return SERVICE_PREFIX + secrets.token_urlsafe(32)


def encode(claims: Claims, *, at: datetime) -> str:
    """Return a signed access token."""
    payload = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "typ": TYPE,
        "sub": str(claims.user_id),
        "sid": str(claims.session_id),
        "ver": claims.version,
        "iat": int(at.timestamp()),
        "exp": int(claims.expires_at.timestamp()),
    }
    kid = _kid(settings.TOKEN_KEY)
    return jwt.encode(payload, settings.TOKEN_KEY, ALGORITHM, headers={"kid": kid})


def decode(token: str, *, at: datetime) -> Claims | None:
    """Return what the token says, or None where it is not one of ours or has run out."""
    if len(token) > LENGTH:
        return None
    try:
        key = _key_of(jwt.get_unverified_header(token))
        if key is None:
            return None
        payload = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={
                "require": ["iss", "aud", "typ", "sub", "sid", "ver", "iat", "exp"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
        return _claims(payload, at)
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        return None


def _claims(payload: Mapping[str, Any], at: datetime) -> Claims | None:
    now = at.timestamp()
    issued, expires, version = payload["iat"], payload["exp"], payload["ver"]
    if any(type(number) is not int for number in (issued, expires, version)):
        return None
    if (
        "nbf" in payload
        or payload["typ"] != TYPE
        or issued > now + SKEW.total_seconds()
        or expires <= now
    ):
        return None
    return Claims(
        user_id=UUID(payload["sub"]),
        session_id=UUID(payload["sid"]),
        version=version,
        expires_at=datetime.fromtimestamp(expires, tz=at.tzinfo),
    )


def _key_of(header: Mapping[str, Any]) -> str | None:
    if set(header) != {"alg", "typ", "kid"} or header["alg"] != ALGORITHM:
        return None
    keys = {_kid(key): key for key in [settings.TOKEN_KEY, *settings.TOKEN_KEYS_PAST]}
    return keys.get(str(header["kid"]))


def _kid(key: str) -> str:
    return hashlib.sha256(b"kid:" + key.encode()).hexdigest()[:12]
