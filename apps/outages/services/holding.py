"""Parts of the network that one transaction holds against all others: feeders, and space.

Each is an advisory lock that lasts until the transaction ends. Of a feeder there are two: whoever
judges or works by hand holds what is judged, then keeps the intake out for the little that both
write. Who needs several takes them in one order, so that two who want the same never wait for
each other.
"""

from collections.abc import Sequence

from apps.core.bulk import array, ask, change
from apps.outages.services import nearby

SPACE_LOCK, FEEDER_LOCK, JUDGEMENT_LOCK = 7_101, 7_102, 7_103


def lock_part(feeder_numbers: Sequence[int], *, space: bool = False) -> None:
    """Hold these feeders, and what is off the network, until the transaction ends."""
    keep_judges_out(feeder_numbers)
    keep_intake_out(feeder_numbers, space=space)


def keep_judges_out(feeder_numbers: Sequence[int]) -> None:
    """Hold what is judged of these feeders, or done by hand; events come in meanwhile."""
    _lock_feeders(JUDGEMENT_LOCK, feeder_numbers)


def keep_intake_out(feeder_numbers: Sequence[int], *, space: bool = False) -> None:
    """Hold where events come in: these feeders, and what is off the network."""
    if space:
        change("SELECT pg_advisory_xact_lock(%s::int, 0)", [SPACE_LOCK])
    _lock_feeders(FEEDER_LOCK, feeder_numbers)


def _lock_feeders(lock: int, numbers: Sequence[int]) -> None:
    if numbers:
        change(
            "SELECT count(pg_advisory_xact_lock(%s::int, n)) FROM unnest(%s::int[]) AS n",
            [lock, array(sorted(numbers))],
        )


_TRIED = (
    "SELECT f.n, f.is_near, pg_try_advisory_xact_lock(%s::int, f.n) "  # noqa: S608
    "FROM (SELECT w.n, bool_or(w.is_near) AS is_near FROM ("
    "SELECT n, false AS is_near FROM unnest(%s::int[]) AS n "
    f"UNION ALL (SELECT o.feeder_number::int, true {nearby.NEAR})) AS w "
    "WHERE w.n IS NOT NULL GROUP BY w.n) AS f"
)
_TRIED_ALONE = (
    "SELECT n, false, pg_try_advisory_xact_lock(%s::int, n) FROM unnest(%s::int[]) AS n"
)


class Tried:
    """`keep_intake_out` without waiting: what somebody else holds, or waits for, is missed.

    With the feeders are taken those of the open outages nearby, which an event off the network
    might join.
    """

    def __init__(
        self,
        feeder_numbers: Sequence[int],
        around: Sequence[nearby.Around],
        *,
        space: bool,
    ) -> None:
        """Ask for the parts within `bulk.together()`."""
        self._space = (
            ask("SELECT pg_try_advisory_xact_lock(%s::int, 0)", [SPACE_LOCK])
            if space
            else None
        )
        values = [FEEDER_LOCK, array(feeder_numbers)]
        self._feeders = (
            ask(_TRIED, [*values, *nearby.values_of(around)])
            if around
            else ask(_TRIED_ALONE, values)
        )

    def answer(self) -> tuple[list[int], set[int], bool]:
        """Return the feeders nearby, those that are not held, and whether space is not."""
        rows = self._feeders.fetchall()
        told = (True,) if self._space is None else self._space.fetchone()
        return (
            [number for number, is_near, _ in rows if is_near],
            {number for number, _, is_held in rows if not is_held},
            not (told and told[0]),
        )
