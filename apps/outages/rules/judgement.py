"""Formulas about an outage: how sure, how grave, how far. Pure."""

from collections.abc import Iterable
from functools import cache
from math import asin, cos, radians, sin, sqrt

from apps.outages.rules.words import SEVERITIES, Severity, Source

WEIGHTS = {
    Source.SCADA: 1.0,
    Source.SMART_METER: 0.8,
    Source.ONU: 0.6,
    Source.CALL_CENTER: 0.4,
    Source.CREW: 1.0,
    Source.OPERATOR: 1.0,
    Source.MANUAL: 0.5,
}
HIGH_CONFIDENCE = 0.8
# A part of the network rests this many times as long as its last judgement took, but not longer
# than the seconds of REST_AT_MOST; while nothing comes in, no longer than REST_TIMES_IN_QUIET,
# and not at all where that would be no more than the seconds of SHORT_REST.
REST_TIMES, REST_TIMES_IN_QUIET = 100, 4
REST_AT_MOST, SHORT_REST = 20, 0.25
MANY_WAITING = 50
"""With so many events a part may wait for its judgement longer than a person should."""
EARTH_RADIUS_METERS = 6_371_008.8


def confidence(sources: Iterable[str]) -> float:
    """Return 1 − ∏(1 − w/2) over the distinct sources; it never falls when one agrees."""
    return _confidence(frozenset(sources))


@cache
def _confidence(sources: frozenset[str]) -> float:
    doubt = 1.0
    for source in sorted(sources):
        doubt *= 1.0 - 0.5 * WEIGHTS[Source(source)]
    return round(1.0 - doubt, 4)


def severity(*, sure: float, customers: int, critical: bool) -> Severity:
    """Return the severity of an outage by confidence, raised by who is out.

    One step above 100 customers; critical above 1000 or where a critical customer is out.
    """
    if critical or customers > 1000:
        return Severity.CRITICAL
    step = 3 if sure >= 0.9 else 2 if sure >= 0.7 else 1 if sure >= 0.5 else 0
    if customers > 100:
        step = min(3, step + 1)
    return SEVERITIES[step]


def distance_meters(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Return the great-circle distance in metres (haversine)."""
    p1, p2 = radians(lat1), radians(lat2)
    h = sin((p2 - p1) / 2) ** 2 + cos(p1) * cos(p2) * sin(radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_METERS * asin(min(1.0, sqrt(h)))
