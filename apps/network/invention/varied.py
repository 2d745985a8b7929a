"""Invented grids that differ from feeder to feeder, as real ones do; the same from the same seed.

Feeders of a few hundred to some two thousand meters. Trunks have reclosers and sectionalisers or
none, some branch; laterals hang behind a fuse or directly, some have a second fuse further out;
transformers feed two to a hundred meters, over fused cables or at their own bars.
"""

from typing import Any

from apps.network.invention.radial import Builder, Plan, Spot

TRUNK_NODE_METERS = 140
LARGEST_TRANSFORMER = 110
Step = tuple[float, float]


def varied(meters: int, seed: int = 1, name: str = "varied") -> dict[str, Any]:
    """Return the network file of a varied grid with so many customers."""
    plan = Plan(meters, seed, name)
    _Varied(plan).build()
    return {"name": plan.name, **plan.sections, "sources": plan.sources}


class _Varied(Builder):
    """Adds feeders of many shapes."""

    meters_per_feeder = 1_000
    feeders_per_substation = 6

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.shares: list[int] = []
        self.count = 0

    def _share(self, number: int, feeders: int) -> int:
        if not self.shares:
            weights = [self.random.uniform(0.4, 1.6) for _ in range(feeders)]
            total = sum(weights)
            self.shares = [int(self.plan.meters * weight / total) for weight in weights]
            self.shares[-1] += self.plan.meters - sum(self.shares)
        return self.shares[number]

    def _next(self, kind: str) -> str:
        self.count += 1
        return f"{self._short()}-{kind}{self.count}"

    def _feeder(self, number: int, bus: Spot, meters: int) -> Spot:
        here, step = self._start(number, bus)
        guarded = self.random.random()
        while meters > 0:
            here = self._span(here, step)
            if self.random.random() < 0.3 * guarded:
                kind = "recloser" if self.random.random() < 0.5 else "sectionaliser"
                here = self._device(kind, here)
            here = self._further(here, self._bent(step, 0.2), "line")
            part = min(meters, max(3, int(self.random.expovariate(1 / TRUNK_NODE_METERS))))
            self._lateral(here, self._across(step), part)
            meters -= part
        return here

    def _lateral(self, at: Spot, step: Step, meters: int, depth: int = 0) -> None:
        """Add a line away from the trunk with transformers, behind a fuse or not."""
        if self.random.random() < 0.8:
            kind = (
                "sectionaliser" if meters > 150 and self.random.random() < 0.3 else "fuse"
            )
            at = self._device(kind, at)
        while meters > 0:
            at = self._further(at, self._bent(step, 0.3), "line")
            if depth < 2 and meters > 60 and self.random.random() < 0.25:
                part = int(meters * self.random.uniform(0.2, 0.6))
                self._lateral(at, self._across(step), part, depth + 1)
                meters -= part
            size = int(self.random.lognormvariate(3.2, 0.8))
            size = min(meters, max(2, min(size, LARGEST_TRANSFORMER)))
            self._station(at, size)
            meters -= size

    def _station(self, at: Spot, meters: int) -> None:
        """Add a transformer and what it feeds."""
        tap = self._further(at, self._bent((0.0003, 0.0003), 3.0), "cable")
        low = self._device("transformer", tap, voltage_kv=0.4)
        if meters < 8 or self.random.random() < 0.3:
            for _ in range(meters):
                self._meter(low)
            return
        ways = self.random.randint(1, 3) if meters < 40 else self.random.randint(2, 4)
        for way in range(ways):
            share = (way + 1) * meters // ways - way * meters // ways
            here = self._device("fuse", low, voltage_kv=0.4)
            while share > 0:
                count = min(share, self.random.randint(1, 6))
                here = self._further(here, self._bent((0.0001, 0.0001), 3.0), "cable", 0.4)
                for _ in range(count):
                    self._meter(here)
                share -= count

    # --- Parts --------------------------------------------------------------------------
    def _span(self, here: Spot, step: Step) -> Spot:
        return self._further(here, self._bent(step, 0.2), "cable")

    def _device(self, kind: str, here: Spot, voltage_kv: float = 33) -> Spot:
        code = self._next(kind[0].upper())
        there = self._beside(f"{self.prefix}-{code}-N", here, (0, 0), voltage_kv)
        edge = self._edge(code, here, there, kind)
        if kind == "transformer":
            edge["rated_kva"] = self.random.choice((100, 160, 250, 400))
        return there

    def _further(self, here: Spot, step: Step, kind: str, voltage_kv: float = 33) -> Spot:
        code = self._next("L")
        there = self._beside(f"{self.prefix}-{code}-N", here, step, voltage_kv)
        self._edge(code, here, there, kind)
        return there

    def _bent(self, step: Step, by: float) -> Step:
        across, along = self.random.uniform(-by, by), self.random.uniform(0.5, 1.3)
        return step[0] * along - step[1] * across, step[1] * along + step[0] * across

    def _across(self, step: Step) -> Step:
        side = self.random.choice((-0.4, 0.4))
        return -step[1] * side, step[0] * side
