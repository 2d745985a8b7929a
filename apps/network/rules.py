"""Words of the grid: kinds of edges, switching, telephone numbers."""

from django.db.models import TextChoices


class EdgeKind(TextChoices):
    """What joins two nodes."""

    LINE = "line", "Line"
    CABLE = "cable", "Cable"
    BREAKER = "breaker", "Breaker"
    RECLOSER = "recloser", "Recloser"
    SECTIONALISER = "sectionaliser", "Sectionaliser"
    FUSE = "fuse", "Fuse"
    SWITCH = "switch", "Switch"
    TRANSFORMER = "transformer", "Transformer"


KINDS: tuple[str, ...] = tuple(EdgeKind.values)
"""Position is the number of the kind in arrays."""

KIND_NUMBERS: dict[str, int] = {kind: number for number, kind in enumerate(KINDS)}

PROTECTIVE: frozenset[str] = frozenset(
    {
        EdgeKind.BREAKER,
        EdgeKind.RECLOSER,
        EdgeKind.SECTIONALISER,
        EdgeKind.FUSE,
        EdgeKind.TRANSFORMER,
    }
)
"""Opens under fault by itself; a transformer counts as protected by its own fuse."""

SWITCHABLE: frozenset[str] = PROTECTIVE | {EdgeKind.SWITCH}
"""Can be open or closed at all; a line is switched by what stands at its ends."""

_SEPARATORS = str.maketrans("", "", " \u00a0().-/")


def phone_number(text: str) -> str:
    """Return a telephone number without separators and with `+` for a leading `00`."""
    compact = text.translate(_SEPARATORS)
    return f"+{compact[2:]}" if compact.startswith("00") else compact
