"""What meters answered, on the page of an outage, and the button that asks them."""

import pytest

from apps.outages import services
from apps.outages.models import Verification
from apps.outages.rules.verification import PingState


@pytest.fixture
def outage(city):
    city.report("scada", "breaker_trip", 5, device_id="CB-3")
    return city.open()[0]


def panel(client, outage):
    told = client.get(f"/outages/{outage.id}").content.decode()
    return told.partition('id="live-verification"')[2].partition("</section>")[0]


def test_an_operator_asks_and_sees_what_was_answered(outage, as_role, city):
    client = as_role("operator")
    assert "No meter was asked" in panel(client, outage)
    answer = client.post(f"/outages/{outage.id}/verify", headers={"HX-Request": "true"})
    assert "Meters are asked" in answer.content.decode()
    told = panel(client, outage)
    assert "20 asked" in told
    assert "disabled" in told
    row = Verification.objects.get()
    said = [PingState.POWERED] * 12 + [PingState.DARK] * 5 + [PingState.NO_ANSWER] * 3
    services.answer_verification(
        verification_id=row.id,
        answers=[
            services.Answer(ping.meter_code, result)
            for ping, result in zip(row.pings.order_by("id"), said, strict=True)
        ],
        by=city.portal,
        at=row.requested_at,
    )
    told = panel(client, outage)
    for words in ("12 powered", "5 dark", "3 silent", "Asked for"):
        assert words in told
    assert "disabled" not in told
    client.post(f"/outages/{outage.id}/verify")
    assert client.post(f"/outages/{outage.id}/verify").status_code == 409


def test_who_may_not_operate_is_offered_no_button(outage, as_role):
    client = as_role("crew")
    assert client.post(f"/outages/{outage.id}/verify").status_code == 403
    assert not Verification.objects.exists()
