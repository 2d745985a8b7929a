"""Four eyes: two people, one payload, once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.accounts import selectors as accounts
from apps.accounts import services as people
from apps.accounts.models import ServiceToken, User
from apps.accounts.services import NeedsTwo, NewUser
from apps.approvals import selectors, services
from apps.approvals.models import Proposal
from apps.audit.models import AuditEntry
from apps.core.actor import system
from apps.core.errors import Conflict, Forbidden, Invalid, NotFound
from apps.core.models import OutboxRow

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)


def user(name, role="admin"):
    return people.create_user(
        profile=NewUser(email=f"{name}@example.com", full_name=name.title(), role=role),
        password="Correct-horse-9",
        by=system(),
        at=AT,
    )


def actor(row):
    return accounts.actor_of_user(User.objects.get(pk=row.pk))


@pytest.fixture
def maker(db, settings):
    settings.FOUR_EYES = frozenset({"role_change", "service_token"})
    return user("maker")


@pytest.fixture
def checker(maker):
    return user("checker")


@pytest.fixture
def target(maker):
    return user("target", "operator")


@pytest.fixture
def proposal(maker, target):
    return people.change_role(user_id=target.id, role="admin", by=actor(maker), at=AT)


def role_of(row):
    return User.objects.get(pk=row.pk).role


def approve(proposal, by, at=LATER):
    return services.approve(proposal_id=proposal.id, by=actor(by), at=at)


def test_nothing_happens_until_somebody_else_agrees(proposal, maker, checker, target):
    assert (proposal.state, proposal.summary) == (
        "open", "target@example.com: operator → admin",
    )  # fmt: skip
    assert role_of(target) == "operator"
    with pytest.raises(NeedsTwo):
        people.set_role(user_id=target.id, role="admin", by=actor(maker), at=AT)
    assert approve(proposal, checker).state == "executed"
    assert role_of(target) == "admin"
    entry = AuditEntry.objects.get(action="role_change")
    assert (entry.actor_label, entry.on_behalf_of) == ("Checker", "Maker")
    entry = AuditEntry.objects.get(action="approval_approve")
    assert entry.after["hash"] == proposal.hash
    names = OutboxRow.objects.filter(name="approvals.changed").values_list(
        "payload__state", flat=True
    )
    assert list(names) == ["open", "executed"]


def test_the_setting_is_off_by_default_and_the_machine_itself_is_free(
    target, maker, settings
):
    settings.FOUR_EYES = frozenset()
    found = people.change_role(user_id=target.id, role="crew", by=actor(maker), at=AT)
    assert (found.role, Proposal.objects.count()) == ("crew", 0)
    settings.FOUR_EYES = frozenset({"role_change"})
    people.set_role(user_id=target.id, role="user", by=system(), at=AT)
    assert role_of(target) == "user"


def test_the_maker_does_not_decide(proposal, maker, target):
    with pytest.raises(Forbidden):
        approve(proposal, maker)
    with pytest.raises(Forbidden):
        services.reject(proposal_id=proposal.id, reason="", by=actor(maker), at=LATER)
    for state in ("executed", "rejected"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Proposal.objects.update(state=state, decided_by=maker.id, decided_at=LATER)
        with pytest.raises(IntegrityError), transaction.atomic():
            Proposal.objects.update(state=state, decided_by=None, decided_at=LATER)
    assert role_of(target) == "operator"


@pytest.mark.parametrize("role", ["user", "operator", "engineer", "crew", "ops_manager"])
def test_who_may_not_do_it_may_not_decide_it(proposal, role):
    stranger = user(f"stranger-{role}", role)
    with pytest.raises(Forbidden):
        approve(proposal, stranger)
    assert not selectors.waiting(viewer=actor(stranger), at=LATER).exists()


@pytest.mark.parametrize(
    "column",
    ["kind", "resource_id", "version", "hash", "summary", "maker"],
)
def test_what_was_proposed_is_kept_as_it_was(proposal, column):
    with pytest.raises(DatabaseError), transaction.atomic():
        Proposal.objects.update(**{column: "x"})
    with pytest.raises(DatabaseError), transaction.atomic():
        Proposal.objects.update(payload={"role": "user"})
    with pytest.raises(DatabaseError), transaction.atomic():
        Proposal.objects.all().delete()


def test_a_payload_changed_past_the_guard_voids_it(proposal, checker, target):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("""UPDATE approvals_proposal SET payload = '{"role": "crew"}'""")
        cursor.execute("SET LOCAL session_replication_role = origin")
    with pytest.raises(Conflict, match="does not say what was proposed"):
        approve(proposal, checker)
    assert (Proposal.objects.get().state, role_of(target)) == ("void", "operator")


@pytest.mark.parametrize(
    "change",
    [
        lambda row: people.set_role(user_id=row.id, role="crew", by=system(), at=AT),
        lambda row: people.set_active(user_id=row.id, active=False, by=system(), at=AT),
        lambda row: people.erase_user(user_id=row.id, by=system(), at=AT),
    ],
    ids=["role", "kept out", "erased"],
)
def test_it_is_void_where_the_person_changed(proposal, checker, target, change):
    change(target)
    with pytest.raises(Conflict):
        approve(proposal, checker)
    assert Proposal.objects.get().state == "void"
    assert not User.objects.filter(pk=target.pk, role="admin").exists()
    with pytest.raises(Conflict, match="already"):
        approve(proposal, checker)


@pytest.mark.parametrize(
    "change",
    [
        lambda row: people.set_role(user_id=row.id, role="operator", by=system(), at=AT),
        lambda row: people.set_active(user_id=row.id, active=False, by=system(), at=AT),
    ],
    ids=["demoted", "kept out"],
)
def test_it_is_void_where_the_maker_lost_the_right(
    proposal, maker, checker, target, change
):
    change(maker)
    with pytest.raises(Conflict, match="may not do this any more"):
        approve(proposal, checker)
    assert role_of(target) == "operator"


def test_it_expires(proposal, checker, target):
    day = AT + timedelta(hours=24)
    with pytest.raises(Conflict, match="expired"):
        approve(proposal, checker, day)
    assert services.expire(at=day - timedelta(seconds=1)) == 0
    assert services.expire(at=day) == 1
    assert Proposal.objects.get().state == "expired"
    assert role_of(target) == "operator"


def test_it_is_rejected_or_withdrawn_for_good(proposal, maker, checker, target):
    done = services.reject(
        proposal_id=proposal.id, reason=" not yet ", by=actor(checker), at=LATER
    )
    assert (done.state, done.reason, done.decider) == ("rejected", "not yet", "Checker")
    with pytest.raises(Conflict):
        approve(proposal, checker)
    with pytest.raises(DatabaseError), transaction.atomic():
        Proposal.objects.update(reason="yes")
    again = people.change_role(user_id=target.id, role="admin", by=actor(maker), at=AT)
    assert again.id != proposal.id
    with pytest.raises(Forbidden):
        services.withdraw(proposal_id=again.id, by=actor(checker), at=LATER)
    assert services.withdraw(proposal_id=again.id, by=actor(maker), at=LATER).state == (
        "withdrawn"
    )


def test_the_same_asked_again_is_the_same(proposal, maker, checker, target):
    for who in (maker, checker):
        again = people.change_role(user_id=target.id, role="admin", by=actor(who), at=LATER)
        assert (again.id, again.made_by) == (proposal.id, maker.id)
    assert AuditEntry.objects.filter(action="approval_propose").count() == 1


def test_a_service_token_is_good_for_nothing_until_agreed(maker, checker):
    wanted = {"name": "head-end", "scopes": ["events:write"]}
    with pytest.raises(NeedsTwo):
        people.issue_service_token(**wanted, by=actor(maker), at=AT)
    found, secret = people.ask_for_service_token(**wanted, by=actor(maker), at=AT)
    assert secret not in str(found.payload)
    assert accounts.actor_of_bearer(secret, at=AT) is None
    approve(found, checker)
    row = ServiceToken.objects.get()
    assert (row.name, row.scopes) == ("head-end", ["events:write"])
    accounts.forget_bearers()
    assert accounts.actor_of_bearer(secret, at=LATER).label == "head-end"


def test_rubbish_is_refused(maker, checker, proposal):
    with pytest.raises(NotFound):
        services.approve(proposal_id=maker.id, by=actor(checker), at=LATER)
    with pytest.raises(Forbidden):
        services.approve(proposal_id=proposal.id, by=system(), at=LATER)
    for reason in ("x" * 501, "\0"):
        with pytest.raises(Invalid):
            services.reject(
                proposal_id=proposal.id, reason=reason, by=actor(checker), at=LATER
            )
    with pytest.raises(Invalid):
        services.propose(
            kind="moon", resource_id="", payload={}, summary="", by=actor(maker), at=AT
        )


@pytest.mark.django_db(transaction=True)
def test_of_many_approvals_at_once_one_carries_it_out(proposal, checker, target):
    others = [checker, user("second")]
    barrier = threading.Barrier(16)

    def decide(number):
        try:
            by = actor(others[number % 2])
            barrier.wait(30)
            services.approve(proposal_id=proposal.id, by=by, at=LATER)
        except Conflict:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(decide, range(16))) == 1
    assert role_of(target) == "admin"
    assert AuditEntry.objects.filter(action="role_change").count() == 1
