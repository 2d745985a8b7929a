"""A feeder as a one-line schematic: its devices as they are switched, and what is out on it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.network import selectors as network
from apps.network.rules import EdgeKind
from apps.outages import selectors as outages
from apps.portal.lines import OutageLine, outage_line
from apps.portal.pages import Look, Page, for_people, show

WIDE, HIGH, LEFT, TOP = 104, 72, 68, 30
MOST, LONGEST = 200, 14


@dataclass(frozen=True, slots=True)
class Mark:
    """A symbol where it is drawn: `way` leads to it from the symbol above, `state` in a word."""

    found: network.DrawnSymbol
    x: int
    y: int
    label: str
    kind_label: str
    state: str
    state_label: str
    way: str
    way_state: str
    outages: Sequence[OutageLine]


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the page prints. Raises NotFound."""
    code = str(look.arguments["code"])
    drawing = network.feeder_schematic(code)
    if drawing is None:
        raise NotFound("There is no such feeder, or nothing of it is drawn.")
    rows = outages.open_outages(viewer=viewer).filter(feeder_code=code)[:MOST]
    standing = [outage_line(row, look.at) for row in rows]
    there = defaultdict(list)
    for row, line in zip(rows, standing, strict=True):
        there[row.device_code].append(line)
    return {
        "code": code,
        "drawing": drawing,
        "marks": marks(drawing, there),
        "width": LEFT + drawing.columns * WIDE,
        "height": TOP + drawing.rows * HIGH,
        "standing": standing,
        "customers": drawing.symbols[0].customers,
        "hidden": sum(one.hidden for one in drawing.symbols),
    }


def marks(
    drawing: network.FeederSchematic, there: "dict[str, list[OutageLine]]"
) -> list[Mark]:
    """Return the symbols with their place on paper."""
    known = _beginning([one.code for one in drawing.symbols if one.code])
    found: list[Mark] = []
    for one in drawing.symbols:
        x, y = LEFT + one.column * WIDE, TOP + one.row * HIGH
        above = found[one.above] if one.above >= 0 else None
        live = above.found.energised if above else drawing.energised
        found.append(
            Mark(
                found=one,
                x=x,
                y=y,
                label=_short(one.code[known:]),
                kind_label=_kind(one),
                state=_state(one),
                state_label=_words(one),
                way=_way(above, x, y),
                way_state="live" if live else "dead",
                outages=there.get(one.code, ()) if one.code else (),
            )
        )
    return found


def _beginning(codes: Sequence[str]) -> int:
    """Return how many letters all codes begin with, as far as a word of them ends."""
    first, last = min(codes, default=""), max(codes, default="")
    size = next(
        (n for n, letter in enumerate(first) if letter != last[n : n + 1]), len(first)
    )
    same = first[:size]
    return 1 + max(same.rfind(" "), same.rfind("-"), same.rfind("/"))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"…{text[1 - LONGEST :]}"


def _way(above: Mark | None, x: int, y: int) -> str:
    if above is None:
        return f"M{LEFT - WIDE // 2},{y}H{x}"
    if above.y == y:
        return f"M{above.x},{y}H{x}"
    return f"M{above.x},{above.y}H{x - WIDE // 2}V{y}H{x}"


def _state(one: network.DrawnSymbol) -> str:
    if not one.closed:
        return "open"
    return "live" if one.energised else "dead"


def _words(one: network.DrawnSymbol) -> str:
    if not one.closed:
        return _("open")
    return _("closed") if one.energised else _("closed, dead")


def _kind(one: network.DrawnSymbol) -> str:
    return str(EdgeKind(one.kind).label) if one.code else ""


PAGE = Page(
    name="feeder",
    permission="network.view_network",
    parts=("drawing",),
    compose=compose,
    topics=lambda _arguments: frozenset({"network", "outages"}),
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor, code: str) -> HttpResponse:
    """Show the schematic."""
    return show(request, viewer, PAGE, code=code)
