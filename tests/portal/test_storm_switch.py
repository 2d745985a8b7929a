"""Storm mode on the overview: the badge for everybody, the switch for who may."""

from datetime import UTC, datetime

from apps.core.actor import system
from apps.outages import selectors, services
from apps.outages.models import StormPeriod


def head(client):
    told = client.get("/").content.decode()
    return told.partition('id="live-storm"')[2].partition('id="live-tiles"')[0]


def test_who_may_switches_it_and_all_see_it(as_role):
    manager, operator = as_role("ops_manager"), as_role("operator")
    assert 'id="storm-on"' in head(manager)
    manager.post("/storm-mode", {"on": "yes"})
    assert selectors.storm_mode(fresh=True).by_hand
    told = head(operator)
    assert "badge-storm" in told
    assert "within 60 min and 2000 m" in told
    assert "/storm-mode" not in told
    assert 'id="storm-off"' in head(manager)
    assert 'id="storm-keep"' not in head(manager)
    manager.post("/storm-mode", {"on": "no"})
    assert "badge-storm" not in head(operator)


def test_what_came_by_itself_may_be_kept_on(as_role, db):
    by, at = system("weather"), datetime.now(UTC)
    services.set_storm_mode(on=True, by=by, at=at)
    StormPeriod.objects.update(by_hand=False)
    told = head(as_role("ops_manager"))
    assert "by itself" in told
    assert 'id="storm-keep"' in told


def test_who_may_not_is_refused(as_role):
    assert as_role("operator").post("/storm-mode", {"on": "yes"}).status_code == 403
    assert not selectors.storm_mode(fresh=True).on


def test_the_switch_answers_htmx_with_its_part(as_role):
    answer = as_role("ops_manager").post(
        "/storm-mode", {"on": "yes"}, headers={"HX-Request": "true"}
    )
    assert 'id="live-storm"' in answer.content.decode()
    assert "Storm mode is on." in answer.content.decode()
