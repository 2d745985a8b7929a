"""Pages through Django's own client: who looks, and what stands there."""

import pytest
from django.test import Client


@pytest.fixture
def as_role(city):
    """Return a client signed in as somebody of a role."""

    def sign_in(role):
        client = Client()
        client.force_login(
            city.person(role), backend="django.contrib.auth.backends.ModelBackend"
        )
        return client

    return sign_in
