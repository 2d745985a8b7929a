"""When power is back, on the page of an outage: what is estimated, said and was right."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from apps.outages import selectors, services
from apps.outages.models import Outage, ZoneEstimate
from apps.outages.rules import Status


@pytest.fixture
def outage(city):
    for n in range(25):
        began = city.at - timedelta(days=2)
        ended = began + timedelta(minutes=30 + n)
        Outage.objects.create(
            id=uuid4(),
            status=Status.RESTORED,
            severity="low",
            confidence=0.5,
            place_kind="device",
            device_kind="breaker",
            region_code="east",
            first_detected_at=began,
            last_event_at=ended,
            opened_at=began,
            updated_at=ended,
            restored_at=ended,
        )
    city.report("scada", "breaker_trip", 5, device_id="CB-3")
    services.renew_estimates(at=city.at)
    return city.open()[0]


def page(client, outage):
    return client.get(f"/outages/{outage.id}").content.decode()


def test_the_interval_and_its_source_stand_beside_the_estimate(outage, as_role):
    told = page(as_role("engineer"), outage)
    head = told.partition('id="live-state"')[2].partition("</section>")[0]
    assert "Like outages" in head
    row = outage.estimates.get(source="statistics")
    for moment in (row.low_at, row.high_at):
        assert f"{moment:%H:%M}</time>" in head
    assert "25 outages: breaker, east" in told
    assert "How good estimates were" not in told


def test_after_the_end_each_estimate_says_how_far_off_it_was(outage, as_role, city):
    ended = outage.first_detected_at + timedelta(minutes=50)
    services.change_status(
        outage_id=outage.id, status=Status.RESTORED, notes="", by=city.portal, at=ended
    )
    services.score_estimates(outage_ids=[outage.id], by=city.portal)
    selectors.forget_estimates()
    told = page(as_role("operator"), outage)
    assert re.search("[78] min later", told)
    assert "10 min earlier" in told
    assert "How good estimates were" in told
    assert "100 % within the interval" in told


def test_an_operator_speaks_for_a_whole_feeder_and_takes_it_back(outage, as_role):
    client = as_role("operator")
    sent = {"etr-minutes": "240", "etr-scope": "feeder"}
    client.post(f"/outages/{outage.id}/etr", sent)
    outage.refresh_from_db()
    assert outage.etr_source == "zone"
    row = ZoneEstimate.objects.get(ended_at=None)
    assert (row.zone_kind, row.zone_code) == ("feeder", outage.feeder_code)
    told = page(client, outage)
    assert "Feeder East 3" in told
    assert "Withdraw the estimate" in told
    client.post(f"/outages/{outage.id}/zone/{row.id}/withdraw")
    outage.refresh_from_db()
    assert outage.etr_source == "statistics"
    again = client.post(f"/outages/{outage.id}/zone/{row.id}/withdraw")
    assert again.status_code == 404


def test_who_may_not_operate_is_not_offered_to_withdraw(outage, as_role):
    client = as_role("operator")
    client.post(f"/outages/{outage.id}/etr", {"etr-minutes": "240", "etr-scope": "region"})
    row = ZoneEstimate.objects.get()
    crew = as_role("crew")
    answer = crew.post(f"/outages/{outage.id}/zone/{row.id}/withdraw")
    assert answer.status_code == 403


def test_an_estimate_for_nowhere_is_refused_beside_the_form(city, as_role):
    city.report("call_center", "no_power", 3, latitude=31.2, longitude=35.2)
    (outage,) = city.open()
    answer = as_role("operator").post(
        f"/outages/{outage.id}/etr", {"etr-minutes": "60", "etr-scope": "feeder"}
    )
    assert answer.status_code == 422
    assert "to which zone" in answer.content.decode()
