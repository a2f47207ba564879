"""Funnels against queries that had no part in choosing them.

Many funnels are tested and the best that passes is taken, so the error rate is shared out. Every
chain has a share of it, set before the first test (Bonferroni). Within a chain each test may use
the whole share, since testing ends at the first funnel that fails (fixed-sequence testing:
Angelopoulos et al., Learn then Test, arXiv 2110.01052). Chains are walked from the place where the
fit queries expect the end, not from their careful end: along a chain neighbours are only lost, so
funnels before one that passed would pass too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from operator import attrgetter

from fastfunnel.funnel import Funnel
from fastfunnel.tuning.budget import Deadline, OutOfTimeError
from fastfunnel.tuning.chains import Chain
from fastfunnel.tuning.confidence import Found, design_effect, design_effects, lower_bound
from fastfunnel.tuning.cost import Objective
from fastfunnel.tuning.front import FrontPoint, promising
from fastfunnel.tuning.plan import LEVELS, Candidate
from fastfunnel.tuning.sample import Part, Sample
from fastfunnel.tuning.space import resident_bytes
from fastfunnel.tuning.target import Target
from fastfunnel.tuning.timing import race, time_funnel

ROWS_LOSE_LESS = 2.0  # how much more real queries may lose than rows that stand in for them
_CONTENDERS = 4  # points that race for being chosen
_TELLING_LOSS = 0.02


def promise(bound: float, source: str) -> float:
    """Return the recall promised for real queries when a sample's bound is this.

    Rows look for neighbours among their own kind: real queries, of another length and style, were
    seen to lose up to twice as many. So rows that stand in for queries must lose half as much.
    """
    return bound if source == "queries" else max(0.0, 1 - ROWS_LOSE_LESS * (1 - bound))


@dataclass
class _Walk:
    """A chain and what was found by those of its funnels that were tested, by place."""

    chain: Chain
    source: str
    confidence: float
    found: dict[int, Found] = field(default_factory=dict)

    def funnel(self, place: int) -> Funnel:
        return self.chain.path[place].funnel

    def promises(self) -> dict[int, float]:
        """Return the recall that each tested funnel promises: what all before it promise too."""
        confidence = 1 - (1 - self.confidence) * self.chain.share
        places = sorted(self.found)
        effects = design_effects([self.found[place] for place in places], confidence)
        promised, least = {}, 1.0
        for place, effect in zip(places, effects, strict=True):
            bound = lower_bound(self.found[place], confidence, effect)
            least = min(least, promise(bound, self.source))
            promised[place] = least
        return promised

    def to_recall(self, recall: float, test: Callable[[Funnel], Found]) -> None:
        """Test funnels until the cheapest that promises the recall is known, or that none does."""
        place, end = self.chain.start, len(self.chain.path)
        self.found[place] = test(self.funnel(place))
        if design_effect(self.found[place]) is None:  # then a cheap one tells, see design_effects
            cheap = self._telling()
            self.found.setdefault(cheap, test(self.funnel(cheap)))
        step = 1 if self.promises()[place] >= recall else -1
        while 0 <= place + step < end:
            place += step
            self.found[place] = test(self.funnel(place))
            if (self.promises()[place] >= recall) != (step > 0):
                return

    def _telling(self) -> int:
        """Return the place where enough is missed to see how misses fall together."""
        losses = [LEVELS[one.level].loss for one in self.chain.path]
        return min(range(len(losses)), key=lambda place: abs(losses[place] - _TELLING_LOSS))

    def passing(self, recall: float) -> int | None:
        """Return the place of the cheapest tested funnel that promises the recall."""
        places = [place for place, promised in self.promises().items() if promised >= recall]
        return max(places, default=None)

    def untested(self) -> list[int]:
        """Return the other places, those next to tested ones first."""
        places = set(range(len(self.chain.path))) - self.found.keys()
        return sorted(places, key=lambda place: min(abs(place - done) for done in self.found))


def check(
    index: Target,
    sample: Sample,
    chains: Sequence[Chain],
    k: int,
    recall: float,
    confidence: float,
    objective: Objective,
    step: Callable[[float], Deadline],
) -> list[FrontPoint]:
    """Return exact search and what was checked, the most careful first.

    Args:
        index: what is searched.
        sample: its check part is what recalls are measured on.
        chains: what to test; those that time does not suffice for are left out.
        k: answers a query.
        recall: the target; funnels next to it are tested first, others while time is left.
        confidence: of the promises.
        objective: decides between funnels that promise the target.
        step: shows that work is begun and returns the deadline at this share (0 … 1) of it.
    """
    walks = [_Walk(chain, sample.source, confidence) for chain in chains]
    deadline = step(0.6)
    with suppress(OutOfTimeError):
        for walk in walks:
            walk.to_recall(recall, lambda funnel: sample.check.found(index, funnel, deadline))
    points = _Points(index, sample.fit, k, walks)
    deadline = step(0.75)
    for walk in walks:
        if (place := walk.passing(recall)) is not None and (deadline.left > 0 or not points.timed):
            points.time(walk.funnel(place))
    _race(index, sample.fit, points, k, recall, objective, step(0.85))
    deadline = step(1.0)
    with suppress(OutOfTimeError):
        for walk in walks:
            for place in [*walk.found, *(walk.untested() if walk.found else ())]:
                deadline.check()
                if place not in walk.found:
                    walk.found[place] = sample.check.found(index, walk.funnel(place), deadline)
                points.time(walk.funnel(place))
    return points.listed()


def checked_point(
    index: Target, sample: Sample, funnel: Funnel, k: int, confidence: float
) -> FrontPoint:
    """Return what one funnel, fixed before the sample was drawn, does and promises by it."""
    chain = Chain((Candidate(funnel, 0, 0.0),), 0, 1.0)
    found = {0: sample.check.found(index, funnel)}
    points = _Points(index, sample.fit, k, [_Walk(chain, sample.source, confidence, found)])
    points.time(funnel)
    return points.listed()[1]


class _Points:
    """The points of all walks; only funnels that were timed count."""

    def __init__(self, index: Target, fit: Part, k: int, walks: Sequence[_Walk]) -> None:
        self.index, self.fit, self.k, self.walks = index, fit, k, walks
        self.exact = exact_point(index, fit, k)
        self.timed: dict[Funnel, FrontPoint] = {}

    def time(self, funnel: Funnel) -> None:
        if funnel not in self.timed:
            timing = self.index.on_one(time_funnel, self.fit.queries, self.k, funnel)
            self.timed[funnel] = FrontPoint(
                funnel,
                0.0,
                0.0,
                timing.p50,
                timing.queries_per_second,
                resident_bytes(funnel, self.index.dim),
            )

    def listed(self) -> list[FrontPoint]:
        points: dict[Funnel, FrontPoint] = {}
        for walk in self.walks:
            for place, promised in walk.promises().items():
                funnel = walk.funnel(place)
                if funnel in self.timed:
                    mean = float(walk.found[place].mean())
                    point = replace(self.timed[funnel], recall=mean, promised=promised)
                    points[funnel] = max(points.get(funnel, point), point, key=_promised)
        return [self.exact, *sorted(points.values(), key=_promised, reverse=True)]


_promised = attrgetter("promised", "recall")


def _race(
    index: Target,
    fit: Part,
    points: _Points,
    k: int,
    recall: float,
    objective: Objective,
    deadline: Deadline,
) -> None:
    """Time the best of the points that promise the recall side by side, and the default too."""
    passed = promising(points.listed(), recall)
    speed = attrgetter("queries_per_second" if objective == "throughput" else "speed")
    contenders = sorted(passed, key=speed, reverse=True)[:_CONTENDERS]
    default = index.untuned_funnel(k)
    contenders += [p for p in passed if p.funnel == default and p not in contenders]
    if len(contenders) < 2:
        return
    timings = index.on_one(race, fit.queries, k, [point.funnel for point in contenders], deadline)
    for point, timing in zip(contenders, timings, strict=True):
        timed = replace(point, seconds=timing.p50, queries_per_second=timing.queries_per_second)
        if point.funnel is None:
            points.exact = timed
        else:
            points.timed[point.funnel] = timed


def exact_point(index: Target, fit: Part, k: int) -> FrontPoint:
    """Return exact search as the point that needs no check."""
    timing = index.on_one(time_funnel, fit.queries, k, None)
    return FrontPoint(
        None, 1.0, 1.0, timing.p50, timing.queries_per_second, resident_bytes(None, index.dim)
    )


def fastest(
    index: Target, fit: Part, candidates: Sequence[Funnel], k: int, objective: Objective
) -> int:
    """Return the place of the best funnel by the clock; a close race goes to the one before."""
    leader, least = 0, float("inf")
    for place, funnel in enumerate(candidates):
        timing = index.on_one(time_funnel, fit.queries, k, funnel)
        seconds = 1 / timing.queries_per_second if objective == "throughput" else timing.p50
        if objective == "memory":
            seconds *= resident_bytes(funnel, index.dim)
        if seconds < _CLEARLY * least:
            leader, least = place, seconds
    return leader


_CLEARLY = 0.9  # a funnel that the model ranks lower must take at most so much of the time
