"""Pages for who is not signed in: register, confirm an address, a forgotten password."""

import pytest
from django.conf import settings as conf
from django.test import Client
from django.utils import timezone

from apps.accounts import services
from apps.accounts.models import Mail, User
from tests.fixtures.city import PASSWORD

pytestmark = pytest.mark.django_db
EMAIL = "zain@example.com"


def link():
    return Mail.objects.latest("pk").body.partition("http://testserver")[2].split()[0]


def follow(client, **values):
    path, _, query = link().partition("?token=")
    assert client.get(link()).status_code == 200
    return client.post(path, {"token": query, **values})


def test_somebody_registers_confirms_and_gets_back_in(settings, tmp_path, as_role):
    client = Client()
    sent = {"full_name": "Zain", "email": EMAIL, "password": "short", "role": "engineer"}
    weak = client.post("/register", sent)
    assert weak.status_code == 400
    assert "too short" in weak.content.decode()
    assert client.post("/register", {**sent, "password": PASSWORD}).status_code == 302
    assert client.post("/register", {**sent, "password": PASSWORD}).status_code == 409
    assert follow(client).status_code == 302
    user = User.objects.get(email=EMAIL)
    assert (user.email_verified, user.role, user.requested_role) == (
        True,
        "user",
        "engineer",
    )
    assert client.post("/forgotten", {"email": "nobody@example.com"}).status_code == 302
    assert Mail.objects.count() == 1
    assert client.post("/forgotten", {"email": EMAIL}).status_code == 302
    assert follow(client, new="password").status_code == 400
    assert follow(client, new="Entirely-new-77").status_code == 302
    assert follow(client, new="Entirely-new-78").status_code == 400
    right = {"email": EMAIL, "password": "Entirely-new-77"}
    assert client.post("/sign-in", right).status_code == 302


def test_filed_messages_are_read_by_an_admin(settings, tmp_path, as_role):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    settings.MAIL_FOLDER = tmp_path
    assert conf.EMAIL_FILED
    Client().post("/register", {"full_name": "Z", "email": EMAIL, "password": PASSWORD})
    assert services.send_waiting(at=timezone.now()) == 1
    told = as_role("admin").get("/mail").content.decode()
    assert EMAIL in told
    assert "/verify-email?token=" in told
    assert as_role("operator").get("/mail").status_code == 403
