"""From queries to a funnel with a promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import numpy as np
import numpy.typing as npt

from fastfunnel.arguments import as_count, as_queries, as_share, is_number
from fastfunnel.funnel import Funnel
from fastfunnel.tuning.budget import Budget, Deadline, OutOfTimeError, Progress, progress_bar
from fastfunnel.tuning.candidates import propose
from fastfunnel.tuning.chains import (
    LEADERS_SHARE,
    Chain,
    choose_chains,
    default_chain,
    default_path,
)
from fastfunnel.tuning.check import ROWS_LOSE_LESS, check, checked_point, exact_point, fastest
from fastfunnel.tuning.confidence import fewest_neighbours, passing_loss, usual_error
from fastfunnel.tuning.cost import Costs, Objective, measure
from fastfunnel.tuning.front import Front, FrontPoint, promising
from fastfunnel.tuning.notes import notes
from fastfunnel.tuning.plan import Path
from fastfunnel.tuning.report import TuningReport
from fastfunnel.tuning.rotation_gain import RotationGain, rotation_gain
from fastfunnel.tuning.sample import Sample, draw
from fastfunnel.tuning.space import resident_bytes
from fastfunnel.tuning.stage_ranks import StageRanks, stage_ranks
from fastfunnel.tuning.survivors import survivors
from fastfunnel.tuning.target import Target

DEFAULT_RECALL = 0.99  # what the default funnel aims at

_FEWEST_ROWS = 2000  # below this nothing beats exact search by enough to look
_DEPTH_SHARE, _LEAST_DEPTH, _MOST_DEPTH = 32, 4096, 16_384

# Shares of the budget that are spent when a step ends.
_SAMPLED, _RANKED, _TIMED, _PLANNED, _ROTATED, _CHECKED = 0.25, 0.38, 0.5, 0.56, 0.64, 0.94
_TESTS = 15  # checks of a funnel like the one expected to win that there should be time for
_ERRORS = 2  # standard errors below the target that too few queries to promise it may be
_FEWEST_CHECKS, _SPARE = 100, 3  # queries, and times what is needed: even if they take longer


def tune(
    index: Target,
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
        None
        if sample_queries is None
        else as_queries(sample_queries, index.dim, "sample_queries", index.metric)
    )
    k = as_count(k, "k")
    recall = as_share(recall, "recall", top=True)
    confidence = as_share(confidence, "confidence", top=False)
    seed = as_count(seed, "seed", at_least=0)
    if not is_number(budget_s) or not budget_s > 0:
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
        index: Target,
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
        self.hurried = False  # whether time was out before funnels were compared

    def run(self, queries: npt.NDArray[np.float32] | None) -> TuningReport:
        """Sample, plan, check, choose."""
        self.bar.step("the default funnel", 0.0)
        default = self.index.untuned_funnel(self.k)  # measures once, and remembers
        self.budget.share_the_rest()
        self._show("exact answers", 0.0)
        sample = draw(self.index, queries, self.k, self.seed, self.budget.until(_SAMPLED))
        gain: RotationGain | None = None
        points: list[FrontPoint] = []
        if self._worth_tuning():
            try:
                chains, sample, costs = self._chains(sample)
                if not self.index.has_rotation:
                    self._show("rotation", _PLANNED)
                    left = self.budget.until(_ROTATED).left
                    asked = sample.fit.queries
                    gain = self.index.on_one(rotation_gain, asked, costs, self.seed, left)
            except OutOfTimeError:
                self.hurried = True
                chains = (
                    [] if default is None else [default_chain(default, sample.fit.asked(self.k))]
                )
            points = self._check(sample, chains)
        points = points or [exact_point(self.index, sample.fit, self.k)]
        if default is not None and len(points) == 1:
            self.hurried = True
            points.append(checked_point(self.index, sample, default, self.k, self.confidence))
        standing = self._unsure(default, sample, points) if default is not None else None
        front = Front(
            self.k,
            self.recall,
            self.recall,
            self.objective,
            len(self.index),
            tuple(points),
            is_sure=standing is None,
        )
        return self._report(sample, front, gain, standing or front.choose(self.recall))

    def _unsure(
        self, default: Funnel, sample: Sample, points: Sequence[FrontPoint]
    ) -> FrontPoint | None:
        """Return the default where time is why nothing is promised, and it is not seen to fail."""
        if self.recall > DEFAULT_RECALL or len(promising(points, self.recall)) > 1:
            return None
        point = next((p for p in points if p.funnel == default), None)
        if point is None or not (self.hurried or sample.is_cut):
            return None
        neighbours = sample.check.truth.size
        few = neighbours < self._needed(sample)
        least = self.recall - (usual_error(self.recall, neighbours) * _ERRORS if few else 0.0)
        return point if point.recall >= least else None

    def _worth_tuning(self) -> bool:
        return len(self.index) >= max(_FEWEST_ROWS, 8 * self.k)

    def _show(self, what: str, share: float) -> None:
        self.bar.step(what, self.budget.share_at(self.budget.until(share)))

    def _chains(self, sample: Sample) -> tuple[list[Chain], Sample, Costs]:
        """Return what to test, the sample with as many check queries as time allows, and costs."""
        self._show("ranks of the neighbours", _SAMPLED)
        n_rows = len(self.index)
        depth = min(max(n_rows // _DEPTH_SHARE, _LEAST_DEPTH, 8 * self.k), _MOST_DEPTH, n_rows // 2)
        depth = max(depth, self.k)
        ranks = stage_ranks(self.index, sample.fit, self.k, depth, self.budget.until(_RANKED))
        self._show("costs of the stages", _RANKED)
        timed = self.budget.until(_TIMED)
        queries = sample.fit.queries
        stages, scans = list(ranks.later), list(ranks.scans)
        costs = self.index.on_one(measure, queries, stages, scans, self.k, self.objective, timed)
        self._show("candidates", _TIMED)
        paths = propose(
            self.index.dim,
            sample.fit.asked(self.k),
            depth,
            StageRanks(
                {one: found for one, found in ranks.scans.items() if one in costs.scans},
                {one: found for one, found in ranks.later.items() if one in costs.later},
            ),
            costs,
            self._weight,
            lambda: self.budget.until(_PLANNED).left > 0,
        )
        chains = self._chosen_chains(sample, paths)
        if not chains:
            raise OutOfTimeError
        seconds = (_CHECKED - _ROTATED) * self.budget.seconds / _TESTS
        predicted = chains[0].path[chains[0].start].seconds
        needed = _SPARE * self._needed(sample) / self.k
        needed = min(needed, len(sample.check))
        n_check = max(_FEWEST_CHECKS, int(needed), int(seconds / max(predicted, 1e-9)))
        return chains, replace(sample, check=sample.check[:n_check]), costs

    def _chosen_chains(self, sample: Sample, paths: Sequence[Path]) -> list[Chain]:
        fit, default = sample.fit, self.index.untuned_funnel(self.k)
        deadline = self.budget.until(_ROTATED)
        return choose_chains(
            paths,
            passing_loss(sample.check.truth.size, self._leaders(), self._allowed(sample)),
            lambda one: one.seconds * self._weight(one.funnel),
            lambda some: fastest(
                self.index, fit, [one.funnel for one in some], self.k, self.objective
            ),
            None
            if default is None
            else default_path(
                default, fit.asked(self.k), lambda wider: fit.loss(self.index, wider, deadline)
            ),
        )

    def _allowed(self, sample: Sample) -> float:
        """Return the share of neighbours that the queries of the sample may lose."""
        return (1 - self.recall) / (1 if sample.source == "queries" else ROWS_LOSE_LESS)

    def _needed(self, sample: Sample) -> float:
        """Return about how many neighbours, all of them found, can promise the recall."""
        return fewest_neighbours(self._leaders(), self._allowed(sample))

    def _leaders(self) -> float:
        """Return the confidence at which the first chain is tested."""
        return 1 - (1 - self.confidence) * LEADERS_SHARE

    def _weight(self, funnel: Funnel) -> float:
        return resident_bytes(funnel, self.index.dim) if self.objective == "memory" else 1.0

    def _check(self, sample: Sample, chains: Sequence[Chain]) -> list[FrontPoint]:
        start = self.budget.until(_CHECKED).left

        def step(share: float) -> Deadline:
            deadline = self.budget.until(_CHECKED)
            deadline = Deadline(deadline.moment - (1 - share) * max(start, 0.0))
            self.bar.step("checking on held-out queries", self.budget.share_at(deadline))
            return deadline

        return check(
            self.index,
            sample,
            chains,
            self.k,
            self.recall,
            self.confidence,
            self.objective,
            step,
        )

    def _report(
        self, sample: Sample, front: Front, gain: RotationGain | None, chosen: FrontPoint
    ) -> TuningReport:
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
            stages=tuple(
                survivors(self.index, sample.check, self.k, chosen.funnel, self.budget.until(1.0))
            ),
            front=front,
            default=self._default_point(front),
            queries=sample.source,
            n_fit=len(sample.fit),
            n_check=len(sample.check),
            rotation=gain,
            notes=tuple(
                notes(
                    sample,
                    front,
                    chosen,
                    budget_s=self.budget.seconds,
                    confidence=self.confidence,
                    needed=self._needed(sample),
                    was_hurried=self.hurried,
                    is_worth_tuning=self._worth_tuning(),
                )
            ),
            seconds=self.budget.spent,
        )

    def _default_point(self, front: Front) -> FrontPoint | None:
        funnel = self.index.untuned_funnel(self.k)
        return next((point for point in front.points if point.funnel == funnel), None)
