"""Callers of the API: people and machines with tokens."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from apps.accounts import services, tokens
from apps.accounts.models import Session, User
from apps.accounts.rules import Scope
from apps.core.actor import system

PASSWORD = "SecurePass123!"


@pytest.fixture(scope="session")
def hashed():
    return make_password(PASSWORD)


@pytest.fixture
def person(db, hashed):
    """Make a user of a role, or find the one there is."""

    def make(role="operator", **values):
        values = {"password": hashed, "role": role, "full_name": role.title(), **values}
        return User.objects.get_or_create(email=f"{role}@example.com", defaults=values)[0]

    return make


def bearer(user):
    at = datetime.now(UTC)
    session = Session.objects.create(user=user, created_at=at)
    claims = tokens.Claims(user.id, session.id, user.token_version, at + timedelta(hours=1))
    return tokens.encode(claims, at=at)


@pytest.fixture
def client_of():
    """Return a client that sends the given token, and turns no fault into an exception."""

    def make(token=None, **options):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return Client(headers=headers, raise_request_exception=False, **options)

    return make


@pytest.fixture
def operator(person, client_of):
    return client_of(bearer(person("operator")))


@pytest.fixture
def as_role(person, client_of):
    return lambda role: client_of(bearer(person(role)))


@pytest.fixture
def machine(db, client_of):
    """Return a client with a service token of the scopes."""

    def make(*scopes, name="intake"):
        _, secret = services.issue_service_token(
            name=name, scopes=scopes or Scope.values, by=system(), at=datetime.now(UTC)
        )
        return client_of(secret)

    return make
