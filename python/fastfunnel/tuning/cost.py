"""What stages cost on this machine, from timing each of them once.

A scan costs a + b * keep seconds a query, a later stage c + d * rows. The lines are fitted to two
points each and remembered with the index, so that tuning it again compares alike.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

from fastfunnel.funnel import Funnel, Stage
from fastfunnel.runtime import active_isa
from fastfunnel.tuning.budget import Deadline
from fastfunnel.tuning.sample import Queries

if TYPE_CHECKING:
    from fastfunnel.index import Index

Objective = Literal["latency", "throughput", "memory"]

_FEW, _MANY = 64, 2048  # rows at which stages are timed
_SINGLE = 7  # queries a timing of the best of which is taken
_BATCH = 48  # queries of a batch


@dataclass(frozen=True)
class Line:
    """Seconds as a straight line over rows."""

    start: float
    slope: float

    def __call__(self, rows: float) -> float:
        """Return the seconds for so many rows."""
        return self.start + self.slope * rows

    @classmethod
    def through(cls, rows: tuple[int, int], seconds: tuple[float, float]) -> Line:
        """Return the line through two points, never falling and never below 0."""
        slope = max(seconds[1] - seconds[0], 0.0) / max(rows[1] - rows[0], 1)
        return cls(max(seconds[0] - slope * rows[0], 0.0), slope)


@dataclass
class Costs:
    """Seconds a query of each stage, as a scan and as a later stage."""

    scans: dict[Stage, Line] = field(default_factory=dict)
    later: dict[Stage, Line] = field(default_factory=dict)

    def of(self, stages: Sequence[Stage], keeps: Sequence[int]) -> float:
        """Return predicted seconds a query of stages that keep so many; the last keep is unused."""
        seconds = self.scans[stages[0]](keeps[0])
        for stage, rows in zip(stages[1:], keeps, strict=False):
            seconds += self.later[stage](rows)
        return seconds


_remembered: WeakKeyDictionary[Index, dict[tuple[object, ...], Costs]] = WeakKeyDictionary()


def measure(
    index: Index,
    queries: Queries,
    stages: Sequence[Stage],
    scans: Collection[Stage],
    k: int,
    objective: Objective,
    deadline: Deadline,
) -> Costs:
    """Return the costs of these stages, as many as there is time for; the first in any case.

    Single queries on one thread for latency and memory, a batch on one thread for throughput.

    Args:
        index: what is searched; it builds the planes that the stages read.
        queries: (n, dim), at least one.
        stages: without keeps, at least one.
        scans: those of them that may come first.
        k: answers a query.
        objective: what the costs are for.
        deadline: after which no further stage is timed.
    """
    batch = objective == "throughput"
    # Powers of two of rows: an index that grew a little is not timed again.
    key = (active_isa(), len(index).bit_length(), batch)
    costs = _remembered.setdefault(index, {}).setdefault(key, Costs())
    full = Stage(index.dim, "f32")
    few, many = _points(len(index), k)
    cheapest = min(stages, key=lambda s: s.row_bytes)
    for number, stage in enumerate([full, *stages]):
        if stage in costs.later and (stage in costs.scans or stage not in scans):
            continue
        if number > 1 and deadline.left < 0:
            break
        if stage in scans:
            scan = _scan_batch if batch else _scan_single
            costs.scans[stage] = Line.through(
                (few, many),
                (scan(index, queries, stage, few, k), scan(index, queries, stage, many, k)),
            )
        costs.later[stage] = Line.through(
            (few, many),
            (
                _later(index, queries, cheapest, stage, few, k),
                _later(index, queries, cheapest, stage, many, k),
            ),
        )
    return costs


def _points(n_rows: int, k: int) -> tuple[int, int]:
    many = max(min(_MANY, n_rows // 2), k)
    return max(min(_FEW, many // 2), k), many


def _scan_single(index: Index, queries: Queries, stage: Stage, keep: int, k: int) -> float:
    return _best(index, queries, Funnel([with_keep(stage, keep), Stage(index.dim, "f32")]), k, 0)


def _later(index: Index, queries: Queries, first: Stage, stage: Stage, rows: int, k: int) -> float:
    first = Stage(min(first.dims, stage.dims), first.precision, rows)
    last = [] if stage == Stage(index.dim, "f32") else [Stage(index.dim, "f32")]
    middle = with_keep(stage, k) if last else stage
    return _best(index, queries, Funnel([first, middle, *last]), k, 1)


def _best(index: Index, queries: Queries, funnel: Funnel, k: int, place: int) -> float:
    """Return the least seconds that the stage at this place took for any of a few queries."""
    index.explain(queries[0], k, funnel=funnel)  # builds planes
    seconds = []
    start = perf_counter()
    for query in queries[:_SINGLE]:
        seconds.append(index.explain(query, k, funnel=funnel)[place].seconds)
        if perf_counter() - start > 0.15:
            break
    return sorted(seconds)[len(seconds) // 4]


def _scan_batch(index: Index, queries: Queries, stage: Stage, keep: int, k: int) -> float:
    alone = Funnel([stage])
    some = queries[:_BATCH]
    index.search(some[:2], keep, funnel=alone, threads=1)
    best = float("inf")
    for _ in range(2):
        start = perf_counter()
        index.search(some, keep, funnel=alone, threads=1)
        best = min(best, (perf_counter() - start) / len(some))
        if best * len(some) > 0.15:
            break
    return best


def bare(stage: Stage) -> Stage:
    """Return the stage without its keep."""
    return Stage(stage.dims, stage.precision, None, stage.symmetric)


def with_keep(stage: Stage, keep: int) -> Stage:
    """Return the stage with this keep."""
    return Stage(stage.dims, stage.precision, keep, stage.symmetric)
