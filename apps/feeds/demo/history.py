"""Some days of finished outages, made through the same services as any other."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from apps.core.actor import Actor
from apps.crews import services as crews
from apps.crews.rules import AssignmentStatus
from apps.feeds.demo.people import TEAMS
from apps.feeds.storms import CALM, Cause, Fault, Signal, Speaker, World
from apps.notifications import services as notifications
from apps.outages import selectors, services
from apps.outages.rules import EtrSource, Status, read_report

if TYPE_CHECKING:
    from apps.outages.models import Outage

MARK = "demo-history"
SEED = 7
MOST_CUSTOMERS = 200
MOST_TOLD = 40


@dataclass(frozen=True, slots=True)
class Scene:
    """One outage of the past: what broke, when, how long it took, how it ended."""

    cause: Cause
    days_ago: int
    hour: int
    minutes: int
    found: str
    crew: int | None = 0
    is_false_alarm: bool = False


SCENES = (
    Scene(Cause.TRANSFORMER, 6, 9, 74, "Transformer fuse replaced.", crew=2),
    Scene(Cause.FEEDER, 5, 12, 48, "Tree on the line cleared.", crew=4),
    Scene(Cause.SERVICE, 4, 15, 35, "", is_false_alarm=True),
    Scene(Cause.TRANSFORMER, 3, 7, 96, "Burnt low-voltage terminal renewed.", crew=1),
    Scene(Cause.SECTION, 2, 10, 61, "Cable joint repaired.", crew=3),
    Scene(Cause.SERVICE, 1, 13, 28, "Service fuse replaced.", crew=2),
    Scene(Cause.TRANSFORMER, 1, 16, 83, "Transformer fuse replaced.", crew=0),
)

# So many transformers failed in the weeks before that the portal can say how long that lasts.
EARLIER = tuple(
    Scene(
        Cause.TRANSFORMER,
        days_ago=26 - number,
        hour=(5 + 7 * number) % 24,
        minutes=52 + 31 * number % 73,
        found="Transformer fuse replaced.",
        crew=None,
    )
    for number in range(20)
)


def is_made(viewer: Actor) -> bool:
    """Return whether the history is there."""
    rows = selectors.events(viewer=viewer).filter(
        source_type="operator", source_event_id=MARK
    )
    return bool(rows.exists())


class History:
    """Plays the scenes, one after the other, each at its own time."""

    def __init__(self, world: World, *, by: Actor) -> None:
        self.world = world
        self.by = by
        self.rng = Random(SEED)  # noqa: S311 - a story is no secret
        self.speaker = Speaker(world, self.rng, CALM, MARK)
        self.choices = _devices(world)

    def make(self, *, at: datetime) -> int:
        """Make all scenes before `at`; return how many."""
        made = 0
        for number, scene in enumerate((*EARLIER, *SCENES), start=1):
            day = (at - timedelta(days=scene.days_ago)).replace(
                hour=scene.hour, minute=7 * number % 60, second=0, microsecond=0
            )
            if self.choices[scene.cause]:
                self._play(number, scene, day)
                made += 1
        self._take([_mark(at)], at)
        return made

    def _play(self, number: int, scene: Scene, began: datetime) -> None:
        device, meters = self.rng.choice(self.choices[scene.cause])
        fault = Fault(number, scene.cause, device, began, tuple(meters))
        said = self.speaker.loss(fault) or [self._complaint(fault)]
        heard_at = max(signal.arrives_at for signal in said)
        outage = self._take([signal.event for signal in said], heard_at)
        if outage is None:
            return
        ended = began + timedelta(minutes=scene.minutes)
        if scene.is_false_alarm:
            self._move(outage, Status.CANCELLED, "The customer's own fuse.", ended)
            return
        self._work(outage, scene, began, ended)
        heard = {signal.meter for signal in said if signal.meter >= 0}
        back = self.speaker.back(fault, meters, heard, ended)
        self._take([signal.event for signal in back], max(s.arrives_at for s in back))

    def _work(
        self, outage: "Outage", scene: Scene, began: datetime, ended: datetime
    ) -> None:
        """Confirm, send a crew, tell the customers, and restore."""
        self._move(outage, Status.CONFIRMED, "", began + timedelta(minutes=4))
        if scene.crew is None:
            self._move(outage, Status.RESTORED, scene.found, ended)
            return
        sent_at, there_at = began + timedelta(minutes=6), began + timedelta(minutes=19)
        services.publish_etr(
            outage_id=outage.id,
            estimate_at=ended + timedelta(minutes=12),
            source=EtrSource.OPERATOR,
            by=self.by,
            at=sent_at,
        )
        profile = TEAMS[scene.crew].profile
        sent = crews.assign(
            outage_id=outage.id,
            crew_name=profile.name,
            crew_type=profile.crew_type.value,
            estimated_arrival_at=there_at + timedelta(minutes=2),
            by=self.by,
            at=sent_at,
        )
        self._tell(outage, ended + timedelta(minutes=12), sent_at + timedelta(minutes=1))
        for status, at, notes in (
            (AssignmentStatus.EN_ROUTE, sent_at + timedelta(minutes=2), ""),
            (AssignmentStatus.ON_SITE, there_at, "Arrived, looking for the fault."),
            (AssignmentStatus.WORK_COMPLETED, ended - timedelta(minutes=1), scene.found),
        ):
            crews.move_assignment(
                assignment_id=sent.id, status=status, notes=notes, by=self.by, at=at
            )
        self._move(outage, Status.RESTORED, scene.found, ended)

    def _tell(self, outage: "Outage", estimate_at: datetime, at: datetime) -> None:
        if outage.customers_count > MOST_TOLD:
            return
        sent = notifications.notify(
            outage_id=outage.id,
            channel="sms",
            message="Power is out in your area. A crew is on its way.",
            customer_codes=None,
            estimated_restoration_at=estimate_at,
            by=self.by,
            at=at,
        )
        jobs, _ = notifications.take_due(
            owner=MARK, at=at, limit=MOST_TOLD, notice_id=sent.notice.id
        )
        for job in jobs:
            notifications.deliver(job=job, at=at)
        notifications.close_finished(at=at)

    def _move(self, outage: "Outage", status: Status, notes: str, at: datetime) -> None:
        services.change_status(
            outage_id=outage.id, status=status, notes=notes, by=self.by, at=at
        )

    def _take(self, events: list[dict[str, Any]], at: datetime) -> "Outage | None":
        """Take the events in at that time and judge what they touched; return the outage."""
        reports = [(self.by, read_report(event, at=at)) for event in events]
        receipts = services.take_reports(reports=reports, at=at)
        ids = dict.fromkeys(r.outage_id for r in receipts if r.outage_id is not None)
        found = None
        for outage_id in ids:
            row = selectors.outage(outage_id=outage_id, viewer=self.by)
            services.judge(key=f"feeder:{row.feeder_number}", at=at)
            found = found or selectors.outage(outage_id=outage_id, viewer=self.by)
        while found is not None and found.merged_into is not None:
            found = found.merged_into
        return found

    def _complaint(self, fault: Fault) -> Signal:
        """Return a call: somebody always notices."""
        meter = self.world.meters[fault.meters[0]]
        event = {
            "event_type": "no_power",
            "source_type": "call_center",
            "source_event_id": f"{MARK}-{fault.number}-call",
            "timestamp": fault.at.isoformat(),
            "customer_id": meter.customer,
            "meter_id": meter.code,
        }
        return Signal(fault.at, event, fault.meters[0])


def _devices(world: World) -> dict[Cause, list[tuple[str, list[int]]]]:
    """Return what broke in the past by its kind: devices with some customers, not too many."""
    found: dict[Cause, list[tuple[str, list[int]]]] = {cause: [] for cause in Cause}
    grid = world.grid
    for edge in range(len(grid.closed)):
        if not grid.is_protective(edge):
            continue
        code = grid.edge_code(edge)
        meters = world.interrupted(grid, code)
        if len(meters) > 1:
            found[_cause(world, edge, code)].append((code, meters))
    found[Cause.SERVICE] = [(m.code, [n]) for n, m in enumerate(world.meters)]
    smallest = min((len(m) for _, m in found[Cause.FEEDER]), default=0)
    found[Cause.FEEDER] = [x for x in found[Cause.FEEDER] if len(x[1]) == smallest]
    small = [x for x in found[Cause.SECTION] if len(x[1]) <= MOST_CUSTOMERS]
    found[Cause.SECTION] = small
    return found


def _cause(world: World, edge: int, code: str) -> Cause:
    if code in world.watched:
        return Cause.FEEDER
    kind = world.grid.edge_kind(edge)
    return Cause.TRANSFORMER if kind == "transformer" else Cause.SECTION


def _mark(at: datetime) -> dict[str, Any]:
    """Return an event that says nothing of power and tells that the history was made."""
    return {
        "event_type": "test",
        "source_type": "operator",
        "source_event_id": MARK,
        "timestamp": at.isoformat(),
        "description": "Demo history made.",
        "region": "north",
        "device_id": "demo",
    }
