"""Any sequence of steps: the rows are what a plain model says, and the database agrees."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from apps.crews import services
from apps.crews.models import Assignment
from apps.crews.rules import AssignmentStatus as S
from apps.crews.rules import OutageClosed, StepRefused
from apps.outages import services as outages
from apps.outages.models import Outage
from apps.outages.rules import Status

ORDER = ["assigned", "en_route", "on_site", "work_completed"]
TIMES = {
    "en_route": "en_route_at",
    "on_site": "on_site_at",
    "work_completed": "completed_at",
    "cancelled": "cancelled_at",
}
FINAL = ("work_completed", "cancelled")


def allowed(now, then):
    if now in FINAL:
        return False
    return then == "cancelled" or ORDER.index(then) > ORDER.index(now)


class Machine(RuleBasedStateMachine):
    """The model: for each assignment its status and the times that were stamped."""

    def __init__(self):
        super().__init__()
        self.mark = transaction.savepoint()
        self.outage = self.make_outage()
        self.model = {}
        self.over = False
        self.begun = False

    def teardown(self):
        transaction.savepoint_rollback(self.mark)

    def note(self, row):
        field = TIMES[row.status]
        held = self.model[row.id]
        self.model[row.id] = {**held, "status": row.status, field: getattr(row, field)}

    @rule(name=st.sampled_from(["Alpha", "alpha", "Beta"]))
    def send(self, name):
        order = {
            "outage_id": self.outage.id,
            "crew_name": name,
            "crew_type": "line_crew",
            "by": self.by,
            "at": self.clock.forward(seconds=1),
        }
        if self.over:
            with pytest.raises(OutageClosed):
                services.assign(**order)
        else:
            self.model[services.assign(**order).id] = {"status": "assigned"}

    @precondition(lambda self: self.model)
    @rule(data=st.data(), then=st.sampled_from(list(S)), skew=st.integers(-90, 90))
    def step(self, data, then, skew):
        key = data.draw(st.sampled_from(sorted(self.model, key=str)))
        order = {
            "assignment_id": key,
            "status": then,
            "notes": "",
            "by": self.by,
            "at": self.clock.forward(seconds=1) + timedelta(seconds=skew),
        }
        if allowed(self.model[key]["status"], then):
            self.note(services.move_assignment(**order))
            self.begun = self.begun or then != "cancelled"
        else:
            with pytest.raises(StepRefused):
                services.move_assignment(**order)

    @precondition(lambda self: len(self.model) > 2 and not self.over)
    @rule(cancelled=st.booleans())
    def close(self, cancelled):
        outages.change_status(
            outage_id=self.outage.id,
            status=Status.CANCELLED if cancelled else Status.RESTORED,
            notes="",
            by=self.by,
            at=self.clock.forward(seconds=1),
        )
        waiting = [key for key, held in self.model.items() if held["status"] not in FINAL]
        outcome = S.CANCELLED if cancelled else S.WORK_COMPLETED
        closed = services.close_with_outages(
            outcomes={self.outage.id: outcome},
            by=self.by,
            at=self.clock.at,
        )
        assert closed == len(waiting)
        self.over = True
        for row in Assignment.objects.filter(id__in=waiting):
            self.note(row)

    @invariant()
    def the_rows_are_the_model(self):
        rows = {row.id: row for row in Assignment.objects.filter(outage=self.outage)}
        assert rows.keys() == self.model.keys()
        for key, held in self.model.items():
            row = rows[key]
            found = {"status": row.status}
            found |= {f: getattr(row, f) for f in TIMES.values() if getattr(row, f)}
            assert found == held
            assert row.steps.count() == len(held)
            times = [row.assigned_at, *(held[f] for f in TIMES.values() if f in held)]
            assert times == sorted(times)

    @invariant()
    def the_outage_is_in_progress_once_a_crew_works(self):
        if not self.over:
            status = Outage.objects.get(id=self.outage.id).status
            assert status == ("in_progress" if self.begun else "detected")


@pytest.mark.django_db
def test_assignments_against_a_model(outage, operator, clock):
    given = {"make_outage": staticmethod(outage), "by": operator, "clock": clock}
    run_state_machine_as_test(
        type("MachineHere", (Machine,), given),
        settings=settings(
            max_examples=15,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
