"""The admin shows crews and assignments and changes none."""

import pytest
from django.urls import reverse

from apps.accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    client.force_login(
        User.objects.create_superuser("root@example.com", "a long pass phrase 1"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


@pytest.mark.parametrize("model", ["crew", "assignment"])
def test_pages_show_and_do_not_change(admin, assigned, model):
    row = assigned("Line Crew Alpha")
    key = row.id if model == "assignment" else row.crew_id
    listed = admin.get(reverse(f"admin:crews_{model}_changelist"), {"q": "Alpha"})
    assert listed.status_code == 200
    assert "Line Crew Alpha" in listed.content.decode()
    change = reverse(f"admin:crews_{model}_change", args=[key])
    assert admin.get(change).status_code == 200
    assert admin.post(change, {"name": "x"}).status_code == 403
    assert admin.get(reverse(f"admin:crews_{model}_add")).status_code == 403
    assert admin.post(reverse(f"admin:crews_{model}_delete", args=[key])).status_code == 403
