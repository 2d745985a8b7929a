"""Meters are asked, answer in either way, or time out; what they say is evidence."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.audit.models import AuditEntry
from apps.configuration import services as configuration
from apps.core.actor import Actor, ActorKind, system
from apps.core.errors import Forbidden, Invalid, Unprocessable
from apps.core.models import OutboxRow
from apps.crews import subscribers as crews_subscribers
from apps.outages import selectors, services, subscribers, tasks
from apps.outages.events import OutageMoved
from apps.outages.models import MeterPing, Outage, SourceEvent, Verification
from apps.outages.rules import Status, read_report
from apps.outages.rules.verification import PingState, VerificationReason
from apps.outages.services.verification import VerificationOpen, VerificationOver

SYSTEM = system("test")
HEAD_END = Actor(
    kind=ActorKind.SERVICE,
    label="head-end",
    permissions=frozenset({"outages.report_event"}),
)
POWERED, DARK = PingState.POWERED, PingState.DARK


@pytest.fixture
def ask(open_outage, operator, clock):
    """Have the meters of an outage asked; returns the verification."""

    def request(outage=None, **more):
        outage = outage or open_outage("CB-1")
        return services.request_verification(
            outage_id=outage.id, by=operator, at=clock.at, **more
        )

    return request


@pytest.fixture
def answer(clock):
    """Let the head-end say what each meter answers."""

    def say(row, by=HEAD_END, **results):
        answers = [services.Answer(code, result) for code, result in results.items()]
        return services.answer_verification(
            verification_id=row.id, answers=answers, by=by, at=clock.forward(seconds=3)
        )

    return say


def codes(row):
    return [ping.meter_code for ping in row.pings.order_by("meter_code")]


def settle(clock):
    return services.settle_verifications(by=SYSTEM, at=clock.at)


def counts(row):
    found = Verification.objects.counted().get(id=row.id)
    return found.state, found.asked, found.powered, found.dark, found.silent


def trail(action):
    return AuditEntry.objects.filter(action=action).count()


def test_meters_below_the_device_are_asked_one_of_each_transformer_first(ask, clock):
    configuration.change(key="outages.verify_meters", value=4, by=SYSTEM, at=clock.at)
    row = ask()
    nodes = {(int(code[1:]) - 1) // 3 for code in codes(row)}
    assert nodes == {0, 1, 2, 3}
    assert (row.device_code, row.reason, row.state) == ("CB-1", "hand", "pending")
    assert row.expires_at == clock.at + timedelta(seconds=120)
    entry = row.outage.timeline.get(kind="verification")
    assert entry.text == "Verification, asked for: 4 meters are asked"
    assert trail("verification_request") == 1
    event = OutboxRow.objects.get(name="outages.verification_requested")
    assert sorted(event.payload["meters"]) == codes(row)


def test_the_same_place_asks_the_same_and_then_others(ask, open_outage, answer, clock):
    configuration.change(key="outages.verify_meters", value=1, by=SYSTEM, at=clock.at)
    outage = open_outage("CB-1")
    asked = []
    for _ in range(6):
        row = ask(outage)
        asked += codes(row)
        answer(row, **{codes(row)[0]: PingState.NO_ANSWER})
    assert len(set(asked)) > 1
    again = selectors.verification(verification_id=row.id, viewer=SYSTEM)
    assert codes(again) == asked[-1:]


def test_a_single_service_point_is_asked_itself(ask, open_outage):
    assert codes(ask(open_outage(device=None, meter_id="m5"))) == ["m5"]


def test_where_no_meter_is_known_nobody_is_asked(ask, open_outage):
    outage = open_outage(device=None, latitude=31.0, longitude=35.0)
    with pytest.raises(Unprocessable):
        ask(outage)
    assert not Verification.objects.exists()


def test_an_outage_is_verified_once_at_a_time(ask, open_outage):
    outage = open_outage("CB-1")
    ask(outage)
    with pytest.raises(VerificationOpen):
        ask(outage)
    assert Verification.objects.count() == 1


def test_answers_are_evidence_and_complete_it(ask, answer, open_outage):
    outage = open_outage("T-1")
    row = ask(outage)
    answer(row, m1=POWERED)
    assert counts(row) == ("sent", 3, 1, 0, 0)
    answer(row, m2=DARK, m3=PingState.NO_ANSWER)
    assert counts(row) == ("complete", 3, 1, 1, 1)
    kinds = SourceEvent.objects.filter(source_event_id__startswith="ping-")
    assert dict(kinds.values_list("meter_code", "kind")) == {
        "m1": "restoration",
        "m2": "outage",
        "m3": "ignored",
    }
    belongs = kinds.exclude(kind="ignored").values_list("outage_id", flat=True)
    assert set(belongs) == {outage.id}
    told = outage.timeline.filter(kind="verification").last()
    assert told.text == "Verification: 3 asked, 1 powered, 1 dark, 1 silent"
    assert trail("verification_complete") == 1
    events = OutboxRow.objects.filter(name="outages.verification_answered").order_by("id")
    assert [event.payload["complete"] for event in events] == [False, True]


def test_the_same_answer_again_changes_nothing(ask, answer, open_outage):
    row = ask(open_outage("T-1"))
    answer(row, m1=POWERED)
    before = SourceEvent.objects.count(), counts(row)
    answer(row, m1=POWERED)
    assert (SourceEvent.objects.count(), counts(row)) == before


def test_a_ping_that_was_sent_is_waited_for(ask, answer, open_outage):
    row = ask(open_outage("T-1"))
    answer(row, m1=PingState.SENT, m2=PingState.SENT)
    assert counts(row) == ("sent", 3, 0, 0, 0)
    states = dict(row.pings.values_list("meter_code", "state"))
    assert states == {"m1": "sent", "m2": "sent", "m3": "pending"}
    assert not SourceEvent.objects.filter(source_event_id__startswith="ping-").exists()


def test_answers_that_come_as_ordinary_events_are_folded_in(ask, open_outage, clock):
    row = ask(open_outage("T-1"))
    clock.forward(seconds=5)
    for number, (meter, word) in enumerate(
        [("m1", "ping_powered"), ("m2", "ping_dark"), ("m9", "ping_dark")]
    ):
        event = {
            "event_type": word,
            "source_type": "smart_meter",
            "source_event_id": f"he-{number}",
            "timestamp": (clock.at - timedelta(seconds=30)).isoformat(),
            "meter_id": meter,
        }
        read = read_report(event, at=clock.at)
        services.take_reports(reports=[(HEAD_END, read)], at=clock.at)
    assert settle(clock) == 1
    assert counts(row) == ("sent", 3, 1, 1, 0)
    assert settle(clock) == 0


def test_who_does_not_answer_in_time_is_silent(ask, answer, open_outage, clock):
    row = ask(open_outage("T-1"))
    answer(row, m1=POWERED)
    clock.forward(seconds=116)
    assert settle(clock) == 0
    clock.forward(seconds=1)
    assert settle(clock) == 1
    assert counts(row) == ("complete", 3, 1, 0, 2)
    assert set(row.pings.values_list("state", flat=True)) == {"powered", "timed_out"}
    with pytest.raises(VerificationOver):
        answer(row, m2=DARK)


def test_an_answer_for_a_meter_that_is_not_asked_is_refused_whole(ask, answer, open_outage):
    row = ask(open_outage("T-1"))
    with pytest.raises(Invalid, match="m9"):
        answer(row, m1=POWERED, m9=DARK)
    assert counts(row) == ("pending", 3, 0, 0, 0)
    with pytest.raises(selectors.VerificationNotFound):
        services.answer_verification(
            verification_id=row.outage_id, answers=[], by=HEAD_END, at=row.requested_at
        )


@pytest.mark.django_db(transaction=True)
def test_who_may_not_asks_and_answers_nothing(ask, answer, nobody, open_outage, clock):
    row = ask(open_outage("T-1"))
    for call in (
        lambda: services.request_verification(
            outage_id=row.outage_id, by=nobody, at=clock.at
        ),
        lambda: answer(row, by=nobody, m1=DARK),
        lambda: services.settle_verifications(by=nobody, at=clock.at),
        lambda: selectors.verifications(viewer=nobody),
    ):
        with pytest.raises(Forbidden):
            call()
    assert counts(row) == ("pending", 3, 0, 0, 0)
    assert selectors.verifications(viewer=HEAD_END).count() == 1


def test_what_is_said_of_a_merged_outage_is_told_where_it_went(
    ask, answer, open_outage, clock
):
    keeper, merged = open_outage("CB-1"), open_outage("T-1")
    row = ask(merged)
    Outage.objects.filter(id=merged.id).update(merged_into=keeper)
    answer(row, m1=DARK, m2=DARK, m3=DARK)
    assert keeper.timeline.filter(kind="verification").count() == 1
    assert list(selectors.verifications_of(outage=keeper)) == [row]


def test_dark_meters_belong_to_the_outage_however_long_it_waits(
    ask, answer, open_outage, clock
):
    outage = open_outage("CB-1")
    clock.forward(hours=5)
    row = ask(outage)
    answer(row, **dict.fromkeys(codes(row), DARK))
    assert list(Outage.objects.values_list("id", flat=True)) == [outage.id]
    outage.refresh_from_db()
    assert outage.sources == {"scada": 1, "smart_meter": len(codes(row))}


# --- By itself ----------------------------------------------------------------------------


def by_itself(outage, clock, reason=VerificationReason.CREW):
    asked = services.verify_automatically(
        outage_ids=[outage.id], reason=reason, by=SYSTEM, at=clock.at
    )
    rows = Verification.objects.filter(outage=outage).order_by("-requested_at")
    return rows[0].reason if asked else None


def test_nobody_is_asked_by_itself_where_that_makes_no_sense(open_outage, clock):
    blink = open_outage("T-5")
    Outage.objects.filter(id=blink.id).update(is_momentary=True)
    planned = open_outage("T-3", event_type="planned_outage")
    nowhere = open_outage(device=None, latitude=31.0, longitude=35.0)
    for outage in (blink, planned, nowhere):
        assert by_itself(outage, clock) is None
    real = open_outage("T-1")
    assert by_itself(real, clock) == "crew"
    assert by_itself(real, clock) is None


def test_what_is_long_over_is_left_alone(open_outage, operator, clock):
    outage = open_outage("T-1")
    services.change_status(
        outage_id=outage.id, status=Status.RESTORED, notes="", by=operator, at=clock.at
    )
    assert by_itself(outage, clock) is None
    clock.forward(minutes=10)
    assert by_itself(outage, clock, VerificationReason.RESTORED) is None
    clock.forward(minutes=-1)
    assert by_itself(outage, clock, VerificationReason.RESTORED) == "restored"


@pytest.mark.parametrize(
    ("key", "value"), [("verify_automatically", False), ("verify_at_once", 0)]
)
def test_an_admin_keeps_it_from_asking(open_outage, clock, key, value):
    configuration.change(key=f"outages.{key}", value=value, by=SYSTEM, at=clock.at)
    assert by_itself(open_outage("T-1"), clock) is None


def test_a_restoration_and_a_crew_have_meters_asked(
    open_outage, operator, clock, relay_now, monkeypatch
):
    asked = []
    for task in (tasks.verify_restored, crews_subscribers.tasks.verify_before_going):
        monkeypatch.setattr(
            task, "apply_async", lambda args, task=task, **_: asked.append((task, args))
        )
    clock.at = datetime.now(UTC)
    outage = open_outage("T-1")
    crews_subscribers.services.assign(
        outage_id=outage.id,
        crew_name="Alpha",
        crew_type="line_crew",
        by=SYSTEM,
        at=clock.at,
    )
    relay_now()
    ((task, args),) = asked
    assert (task.name, args) == (
        "apps.crews.tasks.verify_before_going",
        [str(outage.id)],
    )
    assert task(*args)
    row = Verification.objects.get()
    assert (row.reason, row.requested_by) == ("crew", "crews")
    assert not task(*args)
    MeterPing.objects.update(state=PingState.DARK)
    Verification.objects.update(state="complete", completed_at=clock.at)
    services.change_status(
        outage_id=outage.id, status=Status.RESTORED, notes="", by=operator, at=clock.at
    )
    relay_now()
    task, args = asked[-1]
    assert task.name == "apps.outages.tasks.verify_restored"
    assert task(*args)
    assert not task(*args)


def test_only_a_restoration_is_verified(open_outage, clock, monkeypatch):
    asked = []
    monkeypatch.setattr(tasks.verify_restored, "apply_async", asked.append)
    outage = open_outage("T-1")
    moved = OutageMoved(
        outage_id=outage.id, before="detected", after="cancelled", by="x", at=clock.at
    )
    subscribers.verify_after_restoration([moved])
    assert not asked


def test_no_more_outages_are_verified_at_once_than_an_admin_allows(open_outage, clock):
    configuration.change(key="outages.verify_at_once", value=2, by=SYSTEM, at=clock.at)
    outages = [open_outage(code).id for code in ("T-1", "T-3", "T-5")]
    for asked in (2, 0):
        found = services.verify_automatically(
            outage_ids=outages, reason=VerificationReason.CREW, by=SYSTEM, at=clock.at
        )
        assert found == asked
    assert Verification.objects.open().count() == 2
