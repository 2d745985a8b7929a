"""Pages through Django's own client: who looks, and what stands there."""

import time

import pytest
from django.test import Client

from apps.accounts.selectors import CONFIRMED


@pytest.fixture
def as_role(city):
    """Return a client signed in as somebody of a role, a moment ago."""

    def sign_in(role):
        client = Client()
        client.force_login(
            city.person(role), backend="django.contrib.auth.backends.ModelBackend"
        )
        session = client.session
        session[CONFIRMED] = time.time()
        session.save()
        return client

    return sign_in
