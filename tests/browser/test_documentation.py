"""Swagger and ReDoc in a real browser, under the policy that they are served with."""

import pytest

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("path", "sign"), [("/docs", ".opblock"), ("/redoc", "h1")])
def test_the_documentation_shows_itself_without_a_complaint(
    live_portal, browser, path, sign
):
    page, complaints = browser(), []
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.on("pageerror", lambda fault: complaints.append(str(fault)))
    page.on("requestfailed", lambda lost: complaints.append(lost.url))
    page.goto(f"{live_portal}{path}")
    page.wait_for_selector(sign, timeout=30_000)
    assert "auth/login" in page.content()
    foreign = [said for said in complaints if "cdn.redoc.ly" in said]
    assert complaints == foreign
    assert len(foreign) <= 2, "the policy stops ReDoc's logo, and nothing else asks abroad"
