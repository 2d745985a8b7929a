"""What the page of an outage prints of estimates: when power is back, and how good they were."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.outages import selectors as outages
from apps.outages.rules import ZoneKind
from apps.portal.templatetags.portal import duration

if TYPE_CHECKING:
    from apps.outages.models import EtrEstimate, Outage, ZoneEstimate


@dataclass(frozen=True, slots=True)
class EstimateLine:
    """One published estimate; `off` says how it compared with what happened."""

    at: datetime
    low: datetime | None
    high: datetime | None
    source_label: str
    basis: str
    who: str
    published_at: datetime
    off: str
    off_tone: str


@dataclass(frozen=True, slots=True)
class AccuracyLine:
    """How far off the estimates of a source were so far, in words."""

    source_label: str
    scored: int
    middle: str
    bias: str
    within: float | None


@dataclass(frozen=True, slots=True)
class ZoneLine:
    """What holds for the whole zone of an outage."""

    id: int
    name: str
    at: datetime
    until: datetime
    who: str


def estimate_lines(found: Iterable["EtrEstimate"]) -> list[EstimateLine]:
    """Return the published estimates."""
    return [
        EstimateLine(
            at=row.estimate_at,
            low=row.low_at,
            high=row.high_at,
            source_label=row.get_source_display(),
            basis=_basis(row),
            who=row.actor_label,
            published_at=row.published_at,
            off=_off(row.error_seconds),
            off_tone=_tone(row),
        )
        for row in found
    ]


def accuracy_lines(found: Iterable[outages.EtrAccuracy]) -> list[AccuracyLine]:
    """Return how good the sources were, those of which something was scored."""
    return [
        AccuracyLine(
            source_label=str(one.source.label),
            scored=one.scored,
            middle=duration(one.median_absolute_error),
            bias=_bias(one.bias),
            within=one.within,
        )
        for one in found
        if one.scored
    ]


def zone_lines(outage: "Outage", found: Iterable["ZoneEstimate"]) -> list[ZoneLine]:
    """Return what was said of the outage's feeder and region."""
    return [
        ZoneLine(
            id=row.pk,
            name=_("Feeder {name}").format(name=outage.feeder_name or row.zone_code)
            if row.zone_kind == ZoneKind.FEEDER
            else _("Region {name}").format(name=row.zone_code),
            at=row.estimate_at,
            until=row.until,
            who=row.set_by,
        )
        for row in found
    ]


def _basis(row: "EtrEstimate") -> str:
    if row.samples is None:
        return ""
    counted = ngettext("{n} outage", "{n} outages", row.samples).format(n=row.samples)
    return f"{counted}: {row.basis}"


def _off(seconds: int | None) -> str:
    if seconds is None:
        return ""
    if abs(seconds) < 60:
        return _("right to the minute")
    span = duration(timedelta(seconds=abs(seconds)))
    pattern = _("{span} later") if seconds > 0 else _("{span} earlier")
    return pattern.format(span=span)


def _bias(mean: timedelta | None) -> str:
    if mean is None or abs(mean) < timedelta(minutes=1):
        return _("neither early nor late on average")
    pattern = (
        _("power came {span} later on average")
        if mean > timedelta(0)
        else _("power came {span} earlier on average")
    )
    return pattern.format(span=duration(abs(mean)))


def _tone(row: "EtrEstimate") -> str:
    """Return good where power came back as said or before."""
    if row.error_seconds is None:
        return "quiet"
    actual = row.estimate_at + timedelta(seconds=row.error_seconds)
    return "good" if actual <= (row.high_at or row.estimate_at) else "high"
