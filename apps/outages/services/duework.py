"""Events are counted as waiting to be judged, part by part of the network."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from apps.core.bulk import array, ask, texts
from apps.outages.rules.judgement import MANY_WAITING, REST_AT_MOST, REST_TIMES

if TYPE_CHECKING:
    import psycopg

SOON = timedelta(seconds=0.25)
"""So long a judgement may be put off further, and still tells screens what came in."""


def add_work(
    counts: Mapping[str, int], earliest: Mapping[str, datetime], run_at: datetime
) -> "DueWork":
    """Count the events as waiting to be judged; `earliest` is when the first happened."""
    if not counts:
        return DueWork(counts, None)
    keys = sorted(counts)
    told = ask(
        "INSERT INTO outages_correlationwork AS w (key, state, run_at, lease_owner, fence, "
        "attempts, last_error, waiting, earliest) "
        "SELECT x.key, 'pending', %s, '', 0, 0, '', x.n, x.at "
        "FROM unnest(%s::text[], %s::int[], %s::timestamptz[]) AS x(key, n, at) "
        "ORDER BY x.key "
        "ON CONFLICT (key) DO UPDATE SET waiting = w.waiting + excluded.waiting, "
        "earliest = least(w.earliest, excluded.earliest), "
        "run_at = least(CASE WHEN w.state = 'pending' THEN w.run_at END, "
        "excluded.run_at + least(w.took_seconds * %s, %s) * interval '1 second'), "
        "state = CASE WHEN w.state = 'leased' THEN 'leased' ELSE 'pending' END "
        "RETURNING key, waiting, waiting >= %s OR run_at > %s",
        [
            run_at,
            texts(keys),
            array(counts[key] for key in keys),
            array(earliest[key] for key in keys),
            REST_TIMES,
            float(REST_AT_MOST),
            MANY_WAITING,
            run_at + SOON,
        ],
    )
    return DueWork(counts, told)


@dataclass(frozen=True, slots=True)
class DueWork:
    """Work that was counted, and the database's answer to it."""

    counts: Mapping[str, int]
    told: "psycopg.Cursor[Any] | None"

    def answer(self) -> tuple[list[str], bool]:
        """Return the keys that became due just now, and whether one may wait for long."""
        rows = self.told.fetchall() if self.told is not None else []
        due = [key for key, waiting, _ in rows if waiting == self.counts[key]]
        return due, any(is_long for _, _, is_long in rows)
