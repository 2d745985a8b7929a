"""A period played again: what the inference would have said minute by minute. Writes nothing."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from django.db.models import QuerySet

from apps.accounts.services import require
from apps.core.actor import Actor
from apps.core.bulk import ask
from apps.core.errors import Invalid
from apps.network import selectors as network
from apps.outages.correlation.parts import devices_of
from apps.outages.correlation.space import Neighbour, Turn
from apps.outages.models import Outage, SourceEvent
from apps.outages.rules.replaying import Frame, Period, Replay, Shown
from apps.outages.selectors.hearing import EventRow
from apps.outages.selectors.replaying_feeder import Arrived, Change, FeederPlay, needed
from apps.outages.selectors.replaying_space import Group, OffNetwork

VIEW = "outages.view_outage"
LONGEST = timedelta(hours=24)
READ_AT_ONCE = 5_000
_COLUMNS = (
    "id",
    "source_type",
    "source_event_id",
    "kind",
    "occurred_at",
    "received_at",
    "meter_number",
    "node_number",
    "device_code",
    "meter_code",
    "disposition",
    "outage_id",
    "latitude",
    "longitude",
)


Pace = Callable[[float], None]


def _at_once(_share: float) -> None:
    """Play without a pause."""


def check_period(*, start: datetime, end: datetime) -> Period:
    """Return the period. Raises Invalid where it is empty or too long."""
    if not timedelta(0) < end - start <= LONGEST:
        raise Invalid("A period of up to 24 hours is replayed.", fields={"field": "end"})
    return Period(start, end)


def replay(
    *, start: datetime, end: datetime, viewer: Actor, pace: Pace = _at_once
) -> Replay:
    """Play the events that came in from `start` (inclusive) to `end` (exclusive) again.

    What people decided counts from the moment at which they did. A feeder is inferred again.
    What is off the network is matched again in the order of arrival, by the rule that was in
    force for its source, storm mode included, with the settings of today; and ended as the
    judge ends it, once events were gathered.

    The window and radius that an event brought itself are not known any more. Events join the
    outages of feeders near them as these are inferred at the end of the minute. What began
    before `start` is not there, so what belongs to it stands alone.

    Feeders are played one after the other, so that only the events of one are held. `pace` is
    called after each minute of one, with the share of the events that were heard, 0 to 1.

    Raises Forbidden, or Invalid for an empty or too long period.
    """
    require(viewer, VIEW)
    period = check_period(start=start, end=end)
    rows = SourceEvent.objects.filter(accepted_at__gte=start, accepted_at__lt=end)
    devices = devices_of(network.grid())
    off = OffNetwork(devices.grid, rows, start, end)
    events, recorded = _arrivals(period), _recorded(period)
    joined_in = sorted({period.minute_of(at) for at in off.arrived()})
    total, heard, acts = sum(map(Counter.total, events.values())), 0, []

    def hear(count: int) -> None:
        nonlocal heard
        heard += count
        pace(min(heard / max(total, 1), 1.0))

    for feeder, arrived in _by_feeder(rows, set(recorded)):
        play = FeederPlay(devices, feeder, arrived, recorded[feeder], joined_in)
        changes = list(play.play(period, hear))
        acts.append(deque(needed(changes, joined_in, end)))
    frames = []
    for frame in _frames(period, acts, off, events):
        frames.append(frame)
        pace(1.0)
    return _compared(frames, total, recorded, off)


def _arrivals(period: Period) -> dict[datetime, Counter[str]]:
    """Return how many events came in, by the end of their minute and by source."""
    told = ask(
        "SELECT date_bin('1 minute', accepted_at, %s), source_type, count(*) "
        "FROM outages_sourceevent WHERE accepted_at >= %s AND accepted_at < %s GROUP BY 1, 2",
        [period.start, period.start, period.end],
    )
    found: dict[datetime, Counter[str]] = {}
    for begun, source, count in told.fetchall():
        found.setdefault(period.minute_of(begun), Counter())[source] = count
    return found


def _recorded(period: Period) -> defaultdict[int, list[Outage]]:
    """Return the outages on the network that began in the period, by feeder."""
    rows = Outage.objects.standing().exclude(feeder_number=None)
    found: defaultdict[int, list[Outage]] = defaultdict(list)
    for row in rows.filter(opened_at__gte=period.start, opened_at__lt=period.end).order_by(
        "number"
    ):
        found[row.feeder_number or 0].append(row)
    return found


def _by_feeder(
    rows: QuerySet[SourceEvent], recorded: set[int]
) -> Iterator[tuple[int, list[Arrived]]]:
    """Return the events of each feeder as they came in; of those with outages, if only that."""
    told = (
        rows.exclude(kind="ignored")
        .exclude(feeder_number=None)
        .order_by("feeder_number")
        .values_list("feeder_number", "accepted_at", "event_type", *_COLUMNS)
    )
    silent = set(recorded)
    for feeder, group in groupby(told.iterator(READ_AT_ONCE), itemgetter(0)):
        silent.discard(feeder)
        yield (
            feeder,
            [
                (at, EventRow._make((*columns, word in ("ping_powered", "ping_dark"))))
                for _, at, word, *columns in group
            ],
        )
    yield from ((feeder, []) for feeder in sorted(silent))


def _frames(
    period: Period,
    acts: Sequence[deque[Change]],
    off: OffNetwork,
    events: Mapping[datetime, Counter[str]],
) -> Iterator[Frame]:
    """Return what was known minute by minute. A minute without a change has the same outages."""
    cast: list[tuple[Shown, ...]] = [()] * len(acts)
    stage = [_Around() for _ in acts]
    shown: tuple[Shown, ...] = ()
    off_shown: list[Shown] = []
    for at in period.minutes():
        changed = False
        for place, act in enumerate(acts):
            if act and act[0].at == at:
                change = act.popleft()
                changed, cast[place] = True, change.shown
                stage[place].go_on(change)
        off.space.play(at, [one for around in stage for one in around.outages])
        before, off_shown = off_shown, list(_shown_off(off))
        if changed or before != off_shown:
            told = [*(one for outages in cast for one in outages), *off_shown]
            shown = tuple(sorted(told, key=_rank))
        yield Frame(at, shown, events.get(at, {}))


def _rank(one: Shown) -> tuple[bool, int, str]:
    return one.is_over, -one.customers, one.device


@dataclass(slots=True)
class _Around:
    """The outages of a feeder as events off the network join them.

    `last` is when each was last told of, such events included, until the feeder has news.
    """

    outages: Sequence[Neighbour] = ()
    last: dict[Turn, datetime] = field(default_factory=dict)

    def go_on(self, change: Change) -> None:
        """Let them be what they are from this minute on."""
        if change.is_news:
            self.last.clear()
        else:
            self.last |= {n.opened: n.candidate.last_event_at for n in self.outages}
        for one in change.around:
            before = self.last.get(one.opened, one.candidate.last_event_at)
            one.candidate.last_event_at = max(one.candidate.last_event_at, before)
        self.outages = change.around


def _shown_off(off: OffNetwork) -> Iterator[Shown]:
    for played in off.space.outages:
        first = played.arrivals[0]
        place = off.place_of(first)
        yield Shown(
            device=place.name,
            kind=place.kind,
            feeder=None,
            since=played.candidate.first_detected_at,
            customers=place.customers,
            is_over=played.is_over,
            momentary=played.momentary,
            latitude=first.spot.latitude,
            longitude=first.spot.longitude,
        )


def _compared(
    frames: list[Frame],
    count: int,
    recorded_of: Mapping[int, Sequence[Outage]],
    off: OffNetwork,
) -> Replay:
    """Return the replay beside the record."""
    last = frames[-1].outages if frames else ()
    replayed = Counter(off.replayed())
    replayed.update(Group(one.device) for one in last if one.feeder is not None)
    recorded = Counter(off.recorded())
    recorded.update(Group(o.device_code) for rows in recorded_of.values() for o in rows)
    return Replay(
        frames,
        count,
        _names(replayed),
        _names(recorded),
        missing=_names(recorded - replayed),
        surplus=_names(replayed - recorded),
    )


def _names(groups: Counter[Group]) -> list[str]:
    return sorted(group.name for group in groups.elements())
