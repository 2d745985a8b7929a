"""Secrets that have to be read again: sealed with a key that the database does not have."""

import base64
import hashlib

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def seal(text: str) -> str:
    """Return the text sealed under the key in force."""
    return _box().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Return what was sealed under this key or a past one. Raises InvalidToken."""
    return _box().decrypt(sealed.encode()).decode()


def _box() -> MultiFernet:
    keys = (settings.TOKEN_KEY, *settings.TOKEN_KEYS_PAST)
    return MultiFernet([Fernet(_key(key)) for key in keys])


def _key(key: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"seal:" + key.encode()).digest())
