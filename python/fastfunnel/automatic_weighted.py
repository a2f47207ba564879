"""The default funnel of an index whose scores depend on the lengths of its rows, or without b1.

Sign bits do not see how long a row is, so where lengths differ an inner product or a distance is
first estimated from int8 values: the cosine of a prefix, times the full lengths. Which prefix, and
how many rows it must keep, a trial decides, as fastfunnel/automatic.py has it for cosines.
"""

from __future__ import annotations

import numpy as np

from fastfunnel import _core
from fastfunnel.calibration import USELESS, Calibration, Cost, ranks_among
from fastfunnel.funnel import Funnel, Stage
from fastfunnel.interruptible import interruptibly
from fastfunnel.remembered import EXACT_BELOW, Remembered
from fastfunnel.tiers import Tiers
from fastfunnel.trial import Floats, Trial
from fastfunnel.widening import widened

ALIKE = 1.01  # lengths that differ by less leave the order to the cosines

_INT8 = 127


class WeightedFunnels:
    """The funnels that suit an index as it grows; remembers what it chose."""

    def __init__(
        self, core: _core.Index, metric: str, tiers: Tiers, remembered: Remembered
    ) -> None:
        """Measure nothing yet."""
        self._core = core
        self._metric = metric
        self._codes = tiers.codes
        self._alike: tuple[int, bool] | None = None  # rows, and whether their lengths were
        self._remembered = remembered

    def are_needed(self) -> bool:
        """Return whether lengths decide, or no sign bits are kept: a funnel of those would not do."""
        if "b1" not in self._codes:
            return True
        n_rows = len(self._core)
        if self._metric == "cosine" or n_rows < EXACT_BELOW:
            return False
        if self._alike is None or self._alike[0] != n_rows:
            shortest, longest = self._core.lengths()
            self._alike = (n_rows, longest <= ALIKE * shortest)
        return not self._alike[1]

    def funnel(self, k: int) -> Funnel | None:
        """Return the funnel for the top k; None means exact search is as good."""
        if "i8" not in self._codes:
            return None
        return self._remembered.funnel(k, len(self._core), lambda: self._chosen(k))

    def _chosen(self, k: int) -> Funnel | None:
        trial = Trial.draw(self._core, k)
        if trial is None:
            return None
        calibration = interruptibly(lambda: calibrate(trial, self._metric))
        dim = self._core.dim
        # With AVX2 on Zen 3; the stage behind reads floats.
        found = calibration.first_stage(k, Cost(scan=0.04, gather=80 + 0.1 * dim))
        if found is None:
            return None
        first, keep = found
        funnel = Funnel([Stage(first, "i8", keep), Stage(dim, "f32")])
        return widened(self._core, funnel, trial, USELESS)


def prefixes(dim: int) -> list[int]:
    """Return the prefix lengths a first stage may read."""
    return [d for d in (128, 256, 512) if d < dim] + [dim]


def calibrate(trial: Trial, metric: str) -> Calibration:
    """Return the ranks of true neighbours under the int8 scores of prefixes.

    Args:
        trial: of the index.
        metric: "cosine", "ip" or "l2".
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
