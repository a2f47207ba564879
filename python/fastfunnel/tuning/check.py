"""Candidates against queries that had no part in choosing them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from fastfunnel.funnel import Funnel
from fastfunnel.tuning.confidence import (
    CAUTIOUS_EFFECT,
    Found,
    design_effect,
    lower_bound,
    passing_loss,
)
from fastfunnel.tuning.cost import Objective
from fastfunnel.tuning.front import FrontPoint, promising
from fastfunnel.tuning.plan import LEVELS, Candidate
from fastfunnel.tuning.sample import Sample
from fastfunnel.tuning.space import resident_bytes
from fastfunnel.tuning.timing import Timing, race, time_funnel

if TYPE_CHECKING:
    from fastfunnel.index import Index

ROWS_LOSE_LESS = 2.0  # how much more real queries may lose than rows that stand in for them
_CLEARLY = 0.9  # a funnel that the model ranks lower must take at most so much of the time
_CONTENDERS = 4  # points that race for being chosen
_FEWEST = 6  # levels that are checked whatever the budget


def promise(bound: float, source: str) -> float:
    """Return the recall promised for real queries when a sample's bound is this.

    Rows look for neighbours among their own kind: real queries, of another length and style, were
    seen to lose up to twice as many. So rows that stand in for queries must lose half as much.
    """
    return bound if source == "queries" else max(0.0, 1 - ROWS_LOSE_LESS * (1 - bound))


def check(
    index: Index,
    sample: Sample,
    levels: Sequence[list[Candidate]],
    k: int,
    recall: float,
    confidence: float,
    objective: Objective,
    in_time: Callable[[float], bool],
) -> list[FrontPoint]:
    """Return one point for every level checked, the most careful first, after exact search.

    Args:
        index: what is searched.
        sample: its check part is what recalls are measured on.
        levels: for every level some candidates, the one predicted to be best first.
        k: answers a query.
        recall: the target; levels next to it are checked first.
        confidence: of the promises.
        objective: decides between the candidates of a level.
        in_time: whether the share of this work (0 … 1) may still be begun.
    """
    allowed = (1 - recall) / (1 if sample.source == "queries" else ROWS_LOSE_LESS)
    aim = passing_loss(sample.check.truth.size, confidence, allowed)
    order = sorted(levels, key=lambda level: _distance(level[0], aim, sample.fit.truth.size))
    measured: dict[int, _Measured] = {}  # by place in `levels`
    for number, candidates in enumerate(order):
        if number >= _FEWEST and not in_time(number / len(order)):
            break
        measured[levels.index(candidates)] = _measure(index, sample, candidates, k, objective)
    points = _points(index, sample, levels, measured, k, confidence)
    while len(promising(points, recall)) == 1 and min(measured, default=0) > 0:
        careful = min(measured) - 1  # whatever the time: the last resort is slow for good
        measured[careful] = _measure(index, sample, levels[careful], k, objective)
        points = _points(index, sample, levels, measured, k, confidence)
    return _raced(index, sample, points, k, recall, objective)


@dataclass(frozen=True)
class _Measured:
    funnel: Funnel
    timing: Timing
    found: Found


def _measure(
    index: Index, sample: Sample, candidates: Sequence[Candidate], k: int, objective: Objective
) -> _Measured:
    funnel, timing = fastest(index, sample, candidates, k, objective)
    return _Measured(funnel, timing, sample.check.found(index, funnel))


def _points(
    index: Index,
    sample: Sample,
    levels: Sequence[list[Candidate]],
    measured: Mapping[int, _Measured],
    k: int,
    confidence: float,
) -> list[FrontPoint]:
    """Return exact search and what was measured as points, the most careful first."""
    tried = [measured[place] for place in sorted(measured)]
    effects = [design_effect(one.found) for one in tried]
    if tried and effects[-1] is None:
        effects.append(_effect_of_a_cheap_one(index, sample, levels))
    points = [exact_point(index, sample, k)]
    for number, one in enumerate(tried):
        # Careful funnels miss too little to tell: the next one that misses enough tells for them.
        known = [effect for effect in effects[number:] if effect is not None]
        bound = lower_bound(one.found, confidence, known[0] if known else CAUTIOUS_EFFECT)
        points.append(
            FrontPoint(
                one.funnel,
                float(one.found.mean()),
                promise(bound, sample.source),
                one.timing.p50,
                one.timing.queries_per_second,
                resident_bytes(one.funnel, index.dim),
            )
        )
    return points


def _raced(
    index: Index,
    sample: Sample,
    points: Sequence[FrontPoint],
    k: int,
    recall: float,
    objective: Objective,
) -> list[FrontPoint]:
    """Return the points with the best of those that promise the recall timed side by side."""
    passed = promising(points, recall)
    speed = attrgetter("queries_per_second" if objective == "throughput" else "speed")
    contenders = sorted(passed, key=speed, reverse=True)[:_CONTENDERS]
    default = index.untuned_funnel(k)
    contenders += [p for p in passed if p.funnel == default and p not in contenders]
    if len(contenders) < 2:
        return list(points)
    timings = race(index, sample.fit.queries, k, [point.funnel for point in contenders])
    raced = {
        point.funnel: replace(
            point, seconds=timing.p50, queries_per_second=timing.queries_per_second
        )
        for point, timing in zip(contenders, timings, strict=True)
    }
    return [raced.get(point.funnel, point) for point in points]


def exact_point(index: Index, sample: Sample, k: int) -> FrontPoint:
    """Return exact search as the point that needs no check."""
    timing = time_funnel(index, sample.fit.queries, k, None)
    return FrontPoint(
        None, 1.0, 1.0, timing.p50, timing.queries_per_second, resident_bytes(None, index.dim)
    )


def fastest(
    index: Index, sample: Sample, candidates: Sequence[Candidate], k: int, objective: Objective
) -> tuple[Funnel, Timing]:
    """Return the best candidate by the clock; a close race goes to the one predicted to win."""
    leader: tuple[float, Funnel, Timing] | None = None
    for candidate in candidates:
        timing = time_funnel(index, sample.fit.queries, k, candidate.funnel)
        seconds = 1 / timing.queries_per_second if objective == "throughput" else timing.p50
        if objective == "memory":
            seconds *= resident_bytes(candidate.funnel, index.dim)
        if leader is None or seconds < _CLEARLY * leader[0]:
            leader = seconds, candidate.funnel, timing
    assert leader is not None
    return leader[1], leader[2]


def _effect_of_a_cheap_one(
    index: Index, sample: Sample, levels: Sequence[list[Candidate]]
) -> float | None:
    """Return the design effect where some 2% of the neighbours are missed."""
    cheap = min(levels, key=lambda level: abs(LEVELS[level[0].level].loss - 0.02))
    return design_effect(sample.check.found(index, cheap[0].funnel))


def _distance(candidate: Candidate, aim: float, n_neighbours: int) -> float:
    """Return how far a level lies from the loss aimed at, as a logarithm."""
    level = LEVELS[candidate.level]
    loss = level.loss or 0.5 / (n_neighbours * level.margin)
    return abs(math.log(loss / aim))
