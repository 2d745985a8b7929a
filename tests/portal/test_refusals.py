"""Addresses that lead nowhere, and forms without their secret: a page for people."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_an_unknown_address_is_a_page(client):
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "There is nothing at this address." in answer.content.decode()


def test_under_api_it_is_the_one_error_body(client):
    answer = client.get("/api/nowhere")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"


def test_a_form_without_its_secret_is_a_page():
    answer = Client(enforce_csrf_checks=True).post("/sign-in", {"email": "a@b.c"})
    assert answer.status_code == 403
    assert "This form is too old." in answer.content.decode()


def test_inside_the_portal_a_refusal_keeps_the_frame(as_role):
    for role, path, status in (("operator", "/nowhere", 404), ("crew", "/events", 403)):
        answer = as_role(role).get(path)
        assert answer.status_code == status
        assert "Sign out" in answer.content.decode()


def test_who_may_see_no_page_can_still_sign_out(as_role):
    told = as_role("user").get("/").content.decode()
    assert "Sign out" in told
    assert "To the overview" not in told
