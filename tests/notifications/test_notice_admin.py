"""The admin shows notices and their recipients and changes none."""

import pytest
from django.urls import reverse

from apps.accounts.models import User
from apps.notifications.models import Notice, NoticeRecipient, SentMessage

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", [Notice, NoticeRecipient, SentMessage])
def test_pages_show_and_do_not_change(client, customers, outage, notify, work_off, model):
    client.force_login(
        User.objects.create_superuser("root@example.com", "a long pass phrase 1"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    notify(outage(customers(1)))
    work_off()
    name, key = model._meta.model_name, model.objects.get().pk
    assert client.get(reverse(f"admin:notifications_{name}_changelist")).status_code == 200
    change = reverse(f"admin:notifications_{name}_change", args=[key])
    assert client.get(change).status_code == 200
    assert client.post(change, {"message": "x"}).status_code == 403
    assert client.get(reverse(f"admin:notifications_{name}_add")).status_code == 403
