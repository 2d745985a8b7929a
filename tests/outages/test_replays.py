"""Replays are made in the background, one after the other, and kept for a week."""

from datetime import timedelta

import pytest

from apps.audit.models import AuditEntry
from apps.core import work
from apps.core.actor import Actor, ActorKind, system
from apps.core.errors import Conflict, Forbidden, Invalid
from apps.core.models import OutboxRow
from apps.core.work import MAX_ATTEMPTS, WorkState
from apps.outages import selectors
from apps.outages.models import ReplayRun
from apps.outages.rules.replaying import packed
from apps.outages.services import ask_replay, make_replay, replaying
from tests.outages.test_replay import VIEWER, night, played

pytestmark = pytest.mark.django_db
MAKER = system("replays")


def ask(clock, *, hours=1, ago=0, by=VIEWER):
    end = clock.at - timedelta(hours=ago)
    return ask_replay(start=end - timedelta(hours=hours), end=end, by=by, at=clock.at)


def make(clock):
    return make_replay(by=MAKER, at=clock.at, clock=lambda: clock.at)


def test_what_is_asked_for_is_made_and_kept(town, clock):
    begin = night(clock)
    run = ask_replay(start=begin, end=clock.at, by=VIEWER, at=clock.at)
    assert selectors.film_of(run_id=run.id, viewer=VIEWER) is None
    assert make(clock)
    run = selectors.replay_run(run_id=run.id, viewer=VIEWER)
    assert (run.state, run.share, run.events, run.made_at) == ("done", 1.0, 15, clock.at)
    stored = ReplayRun.objects.get().film
    assert stored == packed(played(begin, clock))
    assert selectors.film_of(run_id=run.id, viewer=VIEWER).recorded == 3
    assert not make(clock)
    told = OutboxRow.objects.filter(name="outages.replay_changed").order_by("id")
    assert [row.payload["state"] for row in told] == ["pending", "done"]
    entry = AuditEntry.objects.get(action="replay_ask")
    assert (entry.resource_id, entry.actor_label) == (str(run.id), VIEWER.label)


def test_the_same_period_waits_once(town, clock):
    run = ask(clock)
    assert ask(clock) == run
    assert make(clock)
    assert ask(clock) != run


def test_one_person_cannot_fill_the_queue(town, clock):
    for hours in (1, 2, 3):
        ask(clock, hours=hours)
    with pytest.raises(Conflict, match="wait already"):
        ask(clock, hours=4)
    assert make(clock)
    ask(clock, hours=4)


def test_who_may_not_look_or_asks_for_nonsense_is_refused(town, clock, nobody):
    with pytest.raises(Forbidden):
        ask(clock, by=nobody)
    for hours in (0, -1, 25):
        with pytest.raises(Invalid):
            ask(clock, hours=hours)
    for read in (selectors.replay_run, selectors.film_of):
        with pytest.raises(Forbidden):
            read(run_id=ask(clock).id, viewer=nobody)
    assert ReplayRun.objects.count() == 1


def test_they_are_made_one_after_the_other_in_the_order_of_asking(town, clock):
    first = ask(clock)
    clock.forward(seconds=1)
    second = ask(clock, hours=2)
    (held,) = work.claim(ReplayRun, owner="x", at=clock.at, lease=timedelta(minutes=1))
    assert held == first
    assert not make(clock)
    work.finish(held, film={}, made_at=clock.at)
    assert make(clock)
    assert ReplayRun.objects.get(id=second.id).state == WorkState.DONE


def test_what_a_maker_leaves_behind_is_made_by_another(town, clock):
    run = ask(clock)
    (dead,) = work.claim(ReplayRun, owner="x", at=clock.at, lease=timedelta(minutes=2))
    clock.forward(seconds=59)
    assert not make(clock)
    clock.forward(seconds=62)
    assert make(clock)
    assert ReplayRun.objects.get(id=run.id).state == WorkState.DONE
    assert not work.finish(dead, film={}, made_at=clock.at)


def test_who_lost_the_lease_stops(town, clock, monkeypatch):
    begin = night(clock)
    run = ask_replay(start=begin, end=clock.at, by=VIEWER, at=clock.at)
    monkeypatch.setattr(replaying, "TOLD_EVERY", 0.0)
    shares = []

    def taken_over():
        shares.append(ReplayRun.objects.get(id=run.id).share)
        if len(shares) == 2:
            ReplayRun.objects.update(fence=99)
        return clock.at

    assert make_replay(by=MAKER, at=clock.at, clock=taken_over)
    run.refresh_from_db()
    assert (run.state, run.fence, run.film) == ("leased", 99, None)
    assert 0 < run.share < 1


def test_what_fails_is_tried_again_and_given_up_in_the_end(town, clock, monkeypatch):
    run = ask(clock)

    def broken(**_):
        raise RuntimeError("no grid")

    monkeypatch.setattr(replaying, "replay", broken)
    for _ in range(MAX_ATTEMPTS):
        assert make(clock)
        assert not make(clock)
        clock.forward(seconds=11)
    run.refresh_from_db()
    assert (run.state, run.last_error) == (WorkState.QUARANTINED, "no grid")
    assert not make(clock)


def test_what_kills_whoever_makes_it_is_given_up_in_the_end(town, clock):
    run = ask(clock)
    clock.forward(seconds=1)
    after = ask(clock, hours=2)
    for _ in range(MAX_ATTEMPTS):
        (dead,) = work.claim(ReplayRun, owner="x", at=clock.at, lease=timedelta(minutes=1))
        assert dead == run
        clock.forward(seconds=61)
    assert make(clock)
    assert make(clock)
    run.refresh_from_db()
    after.refresh_from_db()
    assert (run.state, after.state) == (WorkState.QUARANTINED, WorkState.DONE)
    assert "died" in run.last_error


def test_it_gives_way_while_events_pour_in(town, clock, monkeypatch):
    begin, rests, calm = night(clock), [], iter([False, True] * 50)
    ask_replay(start=begin, end=clock.at, by=VIEWER, at=clock.at)
    monkeypatch.setattr(replaying, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(replaying, "is_calm", lambda **_: next(calm))
    monkeypatch.setattr(replaying.time, "sleep", rests.append)
    assert make(clock)
    assert rests
    assert all(rest > 0 for rest in rests)


def test_what_was_asked_for_a_week_ago_goes(town, clock):
    old = ask(clock)
    make(clock)
    clock.forward(days=7, seconds=1)
    assert not make(clock)
    with pytest.raises(selectors.ReplayNotFound):
        selectors.replay_run(run_id=old.id, viewer=VIEWER)


def test_each_person_has_a_queue_of_their_own(town, clock):
    for number in range(2):
        person = Actor(
            kind=ActorKind.PERSON,
            label=f"p{number}",
            user_id=f"00000000-0000-0000-0000-00000000000{number}",
            permissions=frozenset({"outages.view_outage"}),
        )
        for hours in (1, 2, 3):
            ask(clock, hours=hours, ago=number, by=person)
    assert ReplayRun.objects.count() == 6
