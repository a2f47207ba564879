"""From queries to a funnel with a promise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

import numpy as np
import numpy.typing as npt

from fastfunnel.arguments import as_count, as_queries
from fastfunnel.funnel import Funnel, Stage
from fastfunnel.tuning.budget import Budget, Progress, progress_bar
from fastfunnel.tuning.candidates import propose
from fastfunnel.tuning.check import check, exact_point, promise
from fastfunnel.tuning.confidence import lower_bound
from fastfunnel.tuning.cost import Costs, Objective, measure
from fastfunnel.tuning.front import Front, FrontPoint
from fastfunnel.tuning.plan import LEVELS, Candidate
from fastfunnel.tuning.ranks import Ranks, neighbour_ranks
from fastfunnel.tuning.report import StageSurvivors, TuningReport
from fastfunnel.tuning.rotation_gain import RotationGain, rotation_gain
from fastfunnel.tuning.sample import Sample, are_among, draw
from fastfunnel.tuning.space import resident_bytes, scorers
from fastfunnel.tuning.timing import time_funnel

if TYPE_CHECKING:
    from fastfunnel.index import Index

_FEWEST_ROWS = 2000  # below this nothing beats exact search by enough to look
_DEPTH_SHARE, _LEAST_DEPTH, _MOST_DEPTH = 32, 4096, 16_384
_FINE_DEPTH = 1024  # ranks looked at under int8 and float scores, which put neighbours first

# Shares of the budget that are spent when a step ends.
_SAMPLED, _RANKED, _TIMED, _PLANNED, _ROTATED, _CHECKED = 0.3, 0.5, 0.6, 0.7, 0.78, 0.95


def tune(
    index: Index,
    sample_queries: npt.ArrayLike | None,
    k: int,
    recall: float,
    budget_s: float,
    objective: Objective,
    seed: int,
    progress: bool,
    confidence: float,
) -> TuningReport:
    """Return the report of a tuning; the index is only read. See `Index.tune`."""
    queries = (
        None if sample_queries is None else as_queries(sample_queries, index.dim, "sample_queries")
    )
    k = as_count(k, "k")
    recall = _as_share(recall, "recall", top=True)
    confidence = _as_share(confidence, "confidence", top=False)
    seed = as_count(seed, "seed", at_least=0)
    if not isinstance(budget_s, (int, float)) or not budget_s > 0:
        raise ValueError(f"budget_s must be a positive number of seconds, got {budget_s!r}")
    if objective not in get_args(Objective):
        raise ValueError(f"objective must be latency, throughput or memory, got {objective!r}")
    if len(index) <= k + 1:
        raise ValueError(f"the index must have more than k + 1 = {k + 1} rows, got {len(index)}")
    with progress_bar(progress) as bar:
        budget = Budget(float(budget_s))
        return _Tuning(index, k, recall, objective, seed, confidence, budget, bar).run(queries)


class _Tuning:
    """One run: what was asked for, and the steps from a sample to a report."""

    def __init__(
        self,
        index: Index,
        k: int,
        recall: float,
        objective: Objective,
        seed: int,
        confidence: float,
        budget: Budget,
        bar: Progress,
    ) -> None:
        self.index = index
        self.k = k
        self.recall = recall
        self.objective = objective
        self.seed = seed
        self.confidence = confidence
        self.budget = budget
        self.bar = bar

    def run(self, queries: npt.NDArray[np.float32] | None) -> TuningReport:
        """Sample, plan, check, choose."""
        self.bar.step("exact answers", 0.0)
        sample = draw(self.index, queries, self.k, self.seed, self.budget.left_until(_SAMPLED))
        gain: RotationGain | None = None
        if len(self.index) < max(_FEWEST_ROWS, 8 * self.k):
            points = [exact_point(self.index, sample, self.k)]
        else:
            levels = self._levels(sample)
            if self.index.rotation is None:
                self.bar.step("rotation", _PLANNED)
                seconds = self.budget.left_until(_ROTATED)
                gain = rotation_gain(self.index, sample.fit.queries, self.seed, seconds)
            points = self._check(sample, levels)
        front = Front(
            self.k, self.recall, self.recall, self.objective, len(self.index), tuple(points)
        )
        return self._report(sample, front, gain)

    def _levels(self, sample: Sample) -> list[list[Candidate]]:
        """Return candidates by level of care."""
        self.bar.step("ranks of the neighbours", _SAMPLED)
        n_rows = len(self.index)
        depth = min(max(n_rows // _DEPTH_SHARE, _LEAST_DEPTH, 8 * self.k), _MOST_DEPTH, n_rows // 2)
        depth = max(depth, self.k)
        ranks = self._ranks(sample, depth)
        self.bar.step("costs of the stages", _RANKED)
        costs = measure(self.index, sample.fit.queries, list(ranks), self.k, self.objective)
        self.bar.step("candidates", _TIMED)
        levels = propose(
            self.index.dim,
            sample.fit.asked(self.k),
            depth,
            ranks,
            costs,
            self._weight,
            lambda: self.budget.left_until(_PLANNED) > 0,
        )
        return self._with_default(sample, levels, costs)

    def _ranks(self, sample: Sample, depth: int) -> dict[Stage, Ranks]:
        """Return the ranks under as many stages as there is time for, sign bits in any case."""
        ranks: dict[Stage, Ranks] = {}
        for stage in scorers(self.index.dim):
            if stage.precision != "b1" and self.budget.left_until(_RANKED) < 0 and len(ranks) > 1:
                break
            looked_at = (
                depth if stage.precision == "b1" else min(depth, max(_FINE_DEPTH, 8 * self.k))
            )
            ranks[stage] = neighbour_ranks(self.index, sample.fit, stage, looked_at)
        return ranks

    def _weight(self, funnel: Funnel) -> float:
        return resident_bytes(funnel, self.index.dim) if self.objective == "memory" else 1.0

    def _with_default(
        self, sample: Sample, levels: list[list[Candidate]], costs: Costs
    ) -> list[list[Candidate]]:
        """Return the levels with the automatic funnel as one of its own, where it belongs."""
        funnel = self.index.untuned_funnel(self.k)
        if funnel is None:
            return levels
        loss = 1 - float(sample.fit.found(self.index, funnel).mean())
        places = [i for i, one in enumerate(LEVELS) if one.margin == 1 and loss <= one.loss]
        if not places:
            return levels
        default = Candidate(funnel, places[0], costs.of_funnel(funnel, self.k) or 0.0)
        return sorted([*levels, [default]], key=lambda level: level[0].level)

    def _check(self, sample: Sample, levels: Sequence[list[Candidate]]) -> list[FrontPoint]:
        start = self.budget.spent

        def in_time(share: float) -> bool:
            left = self.budget.left_until(_CHECKED)
            end = _CHECKED * self.budget.seconds
            shown = min(1.0, (start + share * max(end - start, 0)) / self.budget.seconds)
            self.bar.step("checking on held-out queries", shown)
            return left > 0

        return check(
            self.index,
            sample,
            levels,
            self.k,
            self.recall,
            self.confidence,
            self.objective,
            in_time,
        )

    def _report(self, sample: Sample, front: Front, gain: RotationGain | None) -> TuningReport:
        chosen = front.choose(self.recall)
        n_rows = len(self.index)
        return TuningReport(
            funnel=chosen.funnel,
            k=self.k,
            target=self.recall,
            objective=self.objective,
            confidence=self.confidence,
            seed=self.seed,
            recall=chosen.recall,
            interval=(chosen.promised, 1.0),
            latency_s=chosen.seconds,
            queries_per_second=chosen.queries_per_second,
            bytes_per_row=chosen.bytes_per_row,
            bytes=chosen.bytes_per_row * n_rows,
            stages=tuple(self._survivors(sample, chosen.funnel)),
            front=front,
            default=self._default_point(sample),
            queries=sample.source,
            n_fit=len(sample.fit),
            n_check=len(sample.check),
            rotation=gain,
            notes=tuple(self._notes(sample, front, chosen)),
            seconds=self.budget.spent,
        )

    def _default_point(self, sample: Sample) -> FrontPoint:
        funnel = self.index.untuned_funnel(self.k)
        if funnel is None:
            return exact_point(self.index, sample, self.k)
        timing = time_funnel(self.index, sample.fit.queries, self.k, funnel)
        found = sample.check.found(self.index, funnel)
        return FrontPoint(
            funnel,
            float(found.mean()),
            promise(lower_bound(found, self.confidence), sample.source),
            timing.p50,
            timing.queries_per_second,
            resident_bytes(funnel, self.index.dim),
        )

    def _survivors(self, sample: Sample, funnel: Funnel | None) -> list[StageSurvivors]:
        """Return what each stage lets through, by cutting the funnel short behind it."""
        if funnel is None:
            return []
        some = sample.check[: min(len(sample.check), 500)]
        survivors, rows = [], len(self.index)
        for number, stage in enumerate(funnel.stages, 1):
            keep = stage.keep or self.k
            cut = Funnel([*funnel.stages[: number - 1], Stage(stage.dims, stage.precision)])
            passed = keep - some.asked(0) if stage.keep else keep  # less its own row, if it has one
            ids = some.answers(self.index, min(passed, rows - 1), cut)
            found = are_among(some.truth, ids)
            survivors.append(StageSurvivors(stage, rows, min(keep, rows), float(found.mean())))
            rows = min(keep, rows)
        return survivors

    def _notes(self, sample: Sample, front: Front, chosen: FrontPoint) -> list[str]:
        notes = []
        if sample.source == "rows":
            notes.append(
                f"No queries were given: {len(sample.fit) + len(sample.check):,} rows of the index "
                "stood in for them, each without itself as a neighbour. Real queries may be harder "
                "or easier, so the funnel may lose only half of what the target allows. Tune with "
                "real queries when you have some."
            )
        perfect = promise(
            lower_bound(np.ones_like(sample.check.truth, dtype=bool), self.confidence, 1.3),
            sample.source,
        )
        if chosen.funnel is None and perfect < self.recall < 1:
            factor = (1 - perfect) / (1 - self.recall)
            notes.append(
                f"{len(sample.check):,} held-out queries cannot show recall {self.recall:g} with "
                f"{self.confidence:.0%} confidence even if nothing is missed, so search stays "
                f"exact; about {int(np.ceil(factor * len(sample.check) / 0.7)):,} queries can."
            )
        elif chosen.funnel is None and len(front.points) > 1:
            notes.append("No funnel was both sure to reach the target and faster: exact search.")
        return notes


def _as_share(value: float, name: str, top: bool) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    if not 0 < value <= 1 or (value == 1 and not top):
        raise ValueError(
            f"{name} must be above 0 and {'at most' if top else 'below'} 1, got {value}"
        )
    return float(value)
