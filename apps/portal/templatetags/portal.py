"""What templates of the pages need beyond Django's own: icons, times, tones, live parts."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from django import template
from django.template.context import RequestContext
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from apps.core.actor import Actor

register = template.Library()

TONES = {
    "critical": "critical",
    "high": "high",
    "medium": "medium",
    "low": "low",
    "detected": "high",
    "confirmed": "critical",
    "in_progress": "busy",
    "restored": "good",
    "cancelled": "quiet",
    "merged": "quiet",
    "assigned": "medium",
    "en_route": "busy",
    "on_site": "busy",
    "work_completed": "good",
    "available": "good",
    "busy": "busy",
    "off_shift": "quiet",
    "unavailable": "quiet",
    "pending": "medium",
    "leased": "medium",
    "sending": "busy",
    "sent": "busy",
    "delivered": "good",
    "failed": "critical",
    "suppressed": "quiet",
    "held": "medium",
    "partial": "high",
    "completed": "good",
    "outage": "high",
    "restoration": "good",
    "momentary": "low",
    "planned": "low",
    "duplicate": "quiet",
    "ignored": "quiet",
    "unresolved": "high",
    "proposed": "medium",
    "approved": "low",
    "under_way": "busy",
    "done": "good",
    "rejected": "quiet",
}
_SAFE = {b"<": b"\\u003C", b">": b"\\u003E", b"&": b"\\u0026"}


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw one icon of the sprite; it says nothing to a screen reader."""
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
        '<use href="{}#{}"></use></svg>',
        static("icons/icons.svg"),
        name,
    )


@register.filter
def tone(word: object) -> str:
    """Return the colour of state that a word has."""
    return TONES.get(str(word), "quiet")


@register.simple_tag(takes_context=True)
def oob(context: RequestContext, how: str = "morph") -> SafeString:
    """Print htmx's out-of-band mark where the part is sent by itself."""
    return format_html('hx-swap-oob="{}"', how) if context.get("oob") else SafeString("")


@register.simple_tag(takes_context=True)
def since(context: RequestContext, moment: datetime | None) -> SafeString:
    """Draw a time as its distance from now, the absolute time on hover."""
    if moment is None:
        return SafeString("–")
    now = context.get("at") or moment
    return format_html(
        '<time datetime="{}" title="{}" data-since>{}</time>',
        _stamp(moment),
        absolute(local(context, moment)),
        distance(moment - now),
    )


@register.simple_tag(takes_context=True)
def clock(context: RequestContext, moment: datetime | None) -> SafeString:
    """Draw a time of day, the whole date on hover."""
    if moment is None:
        return SafeString("–")
    here = local(context, moment)
    return format_html(
        '<time datetime="{}" title="{}" data-clock="seconds">{}</time>',
        _stamp(moment),
        absolute(here),
        f"{here:%H:%M:%S}",
    )


@register.simple_tag(takes_context=True)
def hour(context: RequestContext, moment: datetime | None) -> SafeString:
    """Draw a time to the minute, with its day where that is not today."""
    if moment is None:
        return SafeString("–")
    here = local(context, moment)
    today = local(context, context.get("at") or moment).date()
    return format_html(
        '<time datetime="{}" title="{}" data-clock="minutes">{}</time>',
        _stamp(moment),
        absolute(here),
        f"{here:%H:%M}" if here.date() == today else f"{here:%m-%d %H:%M}",
    )


def local(context: RequestContext, moment: datetime) -> datetime:
    """Return the moment in the zone of who looks; what several look at is drawn in UTC.

    The browser puts what is drawn for several into the zone of its reader.
    """
    return moment.astimezone(zone_called(context.get("zone", "")))


@cache
def zone_called(name: str) -> tzinfo:
    """Return the time zone of that name; UTC where there is none."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


@register.filter
def span(value: timedelta | None) -> str:
    """Return a span in its largest units, with its sign; a dash for none."""
    if value is None:
        return "–"
    told = in_words(abs(value)) or _("{n} s").format(n=int(abs(value).total_seconds()))
    return f"−{told}" if value < timedelta(0) else told


def absolute(moment: datetime) -> str:
    """Return a time in full, with its zone."""
    return f"{moment:%Y-%m-%d %H:%M:%S} {moment.tzinfo}"


def distance(delta: timedelta) -> str:
    """Return how far a moment is from now: `12 min ago`, `in 1 h 05 min`."""
    span = in_words(abs(delta))
    if not span:
        return _("now")
    pattern = _("in {span}") if delta > timedelta(0) else _("{span} ago")
    return pattern.format(span=span)


def in_words(span: timedelta) -> str:
    """Return a span in its largest units; empty under five seconds."""
    seconds = int(span.total_seconds())
    if seconds < 5:
        return ""
    if seconds < 60:
        return _("{n} s").format(n=seconds)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 60:
        return _("{n} min").format(n=minutes)
    if hours < 24:
        return _("{h} h {m} min").format(h=hours, m=f"{minutes % 60:02d}")
    return _("{d} d {h} h").format(d=days, h=hours % 24)


@register.filter
def duration(span: timedelta | None) -> str:
    """Return a span in words."""
    return "–" if span is None else in_words(span) or _("{n} s").format(n=0)


@register.filter
def minutes(span: timedelta) -> int:
    """Return a span in whole minutes."""
    return round(span.total_seconds() / 60)


@register.filter
def percent(share: float | None) -> str:
    """Return a share of one as a percentage."""
    return "–" if share is None else f"{share * 100:.0f} %"


@register.filter
def allows(actor: Actor | None, permission: str) -> bool:
    """Return whether the actor holds the permission; nobody holds none."""
    return actor is not None and actor.may(permission)


@register.simple_tag(takes_context=True)
def query(context: RequestContext, **changes: Any) -> str:
    """Return this view's query string with some of it changed; None takes a key away."""
    asked = context["look"].query.copy()
    for name, value in changes.items():
        if value is None or value == "":
            asked.pop(name, None)
        else:
            asked[name] = value
    return f"?{asked.urlencode()}"


@register.simple_tag(takes_context=True)
def data_block(context: RequestContext, name: str, value: Any) -> SafeString:
    """Print data for a script of the page; a live update replaces it like any other part."""
    packed = orjson.dumps(value, default=str)
    for sign, safe in _SAFE.items():
        packed = packed.replace(sign, safe)
    mark = oob(context, "true")
    return format_html(
        '<script type="application/json" id="{}" {}>{}</script>',
        name,
        mark,
        mark_safe(packed.decode()),  # noqa: S308 - the three characters that could end it are escaped
    )


@register.simple_tag(takes_context=True)
def column(context: RequestContext, name: str, label: str, extra: str = "") -> SafeString:
    """Draw a table heading that sorts by its column."""
    now = context["look"].query.get("sort", "")
    shown = {name: "ascending", f"-{name}": "descending"}.get(now, "")
    return format_html(
        '<th scope="col" class="{}" {}><a href="{}">{}{}</a></th>',
        extra,
        format_html('aria-sort="{}"', shown) if shown else "",
        query(context, sort=f"-{name}" if now == name else name, page=None),
        label,
        {"ascending": " ↑", "descending": " ↓"}.get(shown, ""),
    )
