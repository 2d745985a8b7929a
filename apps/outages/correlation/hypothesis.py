"""One outage as the inference sees it, while a part is judged."""

from dataclasses import dataclass, field
from math import inf
from uuid import UUID


@dataclass(slots=True)
class Hypothesis:
    """A device (or a single meter) that lost power at `since`, and what was heard of it.

    `edge` is the device or -1, `meter` the single meter or -1. `events` are positions in the
    ordered signals. `lost` holds the first loss of each meter that reported one, `back` the last
    return. `closed_at` is when SCADA or a person said that it is over, `faded_at` when enough of
    its meters were back, `over_at` the former or else the latter: set both by `close` and `fade`.
    `shrunk` says that only those who reported are in the dark, because others proved to have
    power, `shrunk_at` since when that is known, `replaced_at` when its device opened again.

    `remains` are the spans of the tree that stayed dark then, `relit` those that came back later
    and when, `steps` has the device of those of them that are large; `prompt` counts who came back
    in time, `returned` who of those that reported a loss is back, `places` has where those who are
    back hang, sorted, as far as somebody asked, and `lost_places` where those who reported do;
    `parent` is what it was part of, `inner` are those of devices that were told to open below it
    while it was open. All times are seconds since 1970.
    """

    edge: int
    node: int
    meter: int
    since: float
    pin: UUID | None = None
    planned: bool = False
    named: bool = False
    closed_at: float | None = None
    faded_at: float | None = None
    over_at: float | None = None
    shrunk: bool = False
    shrunk_at: float = -inf
    replaced_at: float = inf
    settled: bool = False
    prompt: int = 0
    returned: int = 0
    places: list[int] = field(default_factory=list)
    remains: list[tuple[int, int]] = field(default_factory=list)
    relit: list[tuple[int, int, float]] = field(default_factory=list)
    steps: dict[tuple[int, int], int] = field(default_factory=dict)
    parent: "Hypothesis | None" = None
    inner: list["Hypothesis"] = field(default_factory=list)
    lost_places: list[int] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    lost: dict[int, float] = field(default_factory=dict)
    back: dict[int, float] = field(default_factory=dict)
    nodes: dict[int, int] = field(default_factory=dict)

    @property
    def is_fixed(self) -> bool:
        """Return whether its device is known and not inferred."""
        return self.named or self.pin is not None

    @property
    def speaking(self) -> "Hypothesis":
        """Return this one, or where nothing speaks for it that of which it is a part."""
        found = self
        while not found.events and found.parent is not None:
            found = found.parent
        return found

    def may_be_dark(self, meter: int) -> bool:
        """Return whether nothing that was heard of the meter says that it has power."""
        return meter not in self.back and (not self.shrunk or meter in self.lost)

    def has_remains(self, position: int) -> bool:
        """Return whether the place stayed dark when most were back."""
        return any(first <= position < last for first, last in self.remains)

    def is_over(self, at: float) -> bool:
        """Return whether power was back at most of its meters by then."""
        return self.over_at is not None and at > self.over_at

    def close(self, at: float) -> None:
        """Let it be over since then, by somebody's word."""
        self.closed_at = self.over_at = at

    def fade(self, at: float) -> None:
        """Let it be over since then, unless somebody said when."""
        self.faded_at = at
        if self.closed_at is None:
            self.over_at = at

    def lose(self, event: int, meter: int, node: int, at: float) -> None:
        """Count a loss in."""
        self.events.append(event)
        if meter >= 0 and meter not in self.lost:
            self.lost[meter] = at
            self.nodes[meter] = node
            self.returned += meter in self.back

    def gain(self, event: int, meter: int, node: int, at: float) -> None:
        """Count a return in."""
        self.events.append(event)
        if meter >= 0:
            before = self.back.get(meter)
            self.returned += before is None and meter in self.lost
            self.back[meter] = at if before is None else max(at, before)
            self.nodes[meter] = node
