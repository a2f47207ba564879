"""Default funnels whose first stage reads int8 values of a prefix.

They see lengths where scores depend on them: the estimate is the cosine of a prefix, times the full
lengths. And they see what signs do not: where in its range a value lies, if all are of one sign.
"""

from __future__ import annotations

import numpy as np

from fastfunnel import stage_costs
from fastfunnel.arguments import Metric
from fastfunnel.calibration import Calibration, ranks_among
from fastfunnel.funnel import Funnel, Stage
from fastfunnel.tiers import Tiers
from fastfunnel.trial import Floats, Trial

_INT8 = 127
_SHORTEST = 128  # dims of a prefix


def int8_funnel(trial: Trial, k: int, metric: Metric, tiers: Tiers) -> Funnel:
    """Return the cheapest funnel by a trial of an index with this metric.

    Where floats lie on disk, int8 values of all dims say which few are read.
    """
    calibration = calibrate(trial, metric)
    dim = trial.queries.shape[1]
    whole, last = Stage(dim, "i8", calibration.keep(dim, k)), Stage(dim, "f32")
    funnels = [Funnel([whole, last])]
    for dims in calibration.ranks:
        first = Stage(dims, "i8", max(calibration.keep(dims, k), whole.keep or 0))
        funnels.append(Funnel([first, whole, last]))
        if not tiers.on_disk:
            funnels.append(Funnel([first, last]))
    return min(funnels, key=lambda one: stage_costs.of_funnel(one, trial.n_rows))


def least_cost(dim: int) -> float:
    """Return what no int8 funnel of so many dims is below, as stage_costs has it."""
    return stage_costs.of_scan(min(dim, _SHORTEST), "i8")


def prefixes(dim: int) -> list[int]:
    """Return the prefix lengths a first stage may read."""
    return [d for d in (_SHORTEST, 256, 512) if d < dim] + [dim]


def calibrate(trial: Trial, metric: Metric) -> Calibration:
    """Return the ranks of true neighbours under the int8 scores of prefixes.

    Args:
        trial: of the index.
        metric: of its scores.
    """
    queries, of_queries = _int8(trial.queries), _Lengths(trial.queries[:, np.newaxis])
    sample, of_sample = _int8(trial.sample), _Lengths(trial.sample)
    neighbours, of_neighbours = _int8(trial.neighbours), _Lengths(trial.neighbours)

    def score(dots: Floats, rows: _Lengths, dims: int) -> Floats:
        cosines = _divided(dots, of_queries.of_prefix(dims) * rows.of_prefix(dims))
        if metric == "cosine":
            return cosines
        scores: Floats = cosines * rows.whole
        return scores if metric == "ip" else 2 * of_queries.whole * scores - np.square(rows.whole)

    to_sample = np.zeros((len(queries), len(sample)), np.float32)
    to_neighbours = np.zeros(neighbours.shape[:2], np.float32)
    ranks = {}
    summed = 0
    for dims in prefixes(queries.shape[1]):
        part = slice(summed, dims)
        to_sample += queries[:, part] @ sample[:, part].T
        to_neighbours += np.einsum("qd,qjd->qj", queries[:, part], neighbours[:, :, part])
        summed = dims
        ranks[dims] = ranks_among(
            score(to_neighbours, of_neighbours, dims), score(to_sample, of_sample, dims)
        )
    return Calibration(ranks, len(sample), trial.n_rows)


class _Lengths:
    """Lengths of rows (..., dim), and of their prefixes."""

    def __init__(self, rows: Floats) -> None:
        self._rows = rows
        self.whole = self.of_prefix(rows.shape[-1])

    def of_prefix(self, dims: int) -> Floats:
        lengths: Floats = np.linalg.norm(self._rows[..., :dims], axis=-1)
        return lengths


def _int8(rows: Floats) -> Floats:
    """Return what int8 codes say of the rows."""
    steps = np.abs(rows).max(axis=-1, keepdims=True) / np.float32(_INT8)
    coarse: Floats = np.rint(_divided(rows, steps)) * steps
    return coarse


def _divided(a: Floats, b: Floats) -> Floats:
    """Return a / b, 0 where b is 0."""
    quotients: Floats = np.divide(a, b, out=np.zeros_like(a), where=b > 0)
    return quotients
