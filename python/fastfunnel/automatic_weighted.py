"""The default funnel of an index whose scores depend on the lengths of its rows, or without b1.

Sign bits do not see how long a row is, so where lengths differ an inner product or a distance is
first estimated from int8 values: the cosine of a prefix, times the full lengths. Which prefix, and
how many rows it must keep, a sample of the rows decides, as fastfunnel/automatic.py does for
cosines.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from fastfunnel import _core
from fastfunnel.automatic import (
    SAMPLE_QUERIES,
    SAMPLE_ROWS,
    Calibration,
    nearest_rows,
    ranks_of_nearest,
)
from fastfunnel.default_funnels import EXACT_BELOW, USELESS, DefaultFunnels
from fastfunnel.funnel import Funnel, Stage
from fastfunnel.interruptible import interruptibly
from fastfunnel.sampling import draw_rows
from fastfunnel.tiers import Tiers
from fastfunnel.widening import widened

ALIKE = 1.01  # lengths that differ by less leave the order to the cosines

_INT8 = 127
# Relative costs in nanoseconds, as in fastfunnel/automatic.py.
_SCAN_DIM = 0.04
_GATHER = 80.0
_GATHER_DIM = 0.1


class WeightedFunnels(DefaultFunnels):
    """The funnels that suit an index as it grows; remembers what it measured."""

    def __init__(self, core: _core.Index, metric: str, tiers: Tiers) -> None:
        """Measure nothing yet."""
        super().__init__(core)
        self._metric = metric
        self._codes = tiers.codes
        self._alike: tuple[int, bool] | None = None  # rows, and whether their lengths were
        self._calibration: Calibration | None = None

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

    def _chosen(self, k: int, n_rows: int) -> Funnel | None:
        if "i8" not in self._codes:
            return None
        dim = self._core.dim
        calibration = self._calibration
        if calibration is None or n_rows > 2 * calibration.n_rows:
            _, rows = draw_rows(self._core, SAMPLE_ROWS + SAMPLE_QUERIES, np.random.default_rng(0))
            calibration = self._calibration = interruptibly(
                lambda: calibrate(rows, self._metric, n_rows)
            )
        keeps = {
            dims: math.ceil(calibration.share(dims, n_rows, k) * n_rows) + 4 * k
            for dims in calibration.ranks
        }
        first = min(
            keeps,
            key=lambda dims: (
                _SCAN_DIM * dims + keeps[dims] / n_rows * (_GATHER + _GATHER_DIM * dim)
            ),
        )
        if keeps[first] > USELESS * n_rows:
            return None
        funnel = Funnel([Stage(first, "i8", keeps[first]), Stage(dim, "f32")])
        return widened(self._core, funnel, k, USELESS * n_rows)


def prefixes(dim: int) -> list[int]:
    """Return the prefix lengths a first stage may read."""
    return [d for d in (128, 256, 512) if d < dim] + [dim]


def calibrate(rows: npt.NDArray[np.float32], metric: str, n_rows: int) -> Calibration:
    """Return the ranks of true neighbours under the int8 scores of prefixes, on a sample.

    Args:
        rows: (n, dim) rows of the index in random order, n at least 64; some serve as queries.
        metric: "cosine", "ip" or "l2".
        n_rows: rows of the index.
    """
    n_queries = min(SAMPLE_QUERIES, len(rows) // 4)
    queries, base = rows[:n_queries], rows[n_queries:]
    lengths = np.linalg.norm(base, axis=1)
    asked = np.linalg.norm(queries, axis=1)[:, np.newaxis]

    def score(cosines: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        if metric == "cosine":
            return cosines
        scores: npt.NDArray[np.float32] = cosines * lengths
        return scores if metric == "ip" else 2 * asked * scores - np.square(lengths)

    exact = score(_divided(queries @ base.T, asked * lengths))
    nearest = nearest_rows(exact)
    coarse_base, coarse_queries = _int8(base), _int8(queries)
    ranks = {}
    dots = np.zeros_like(exact)
    summed = 0
    for dims in prefixes(rows.shape[1]):
        dots += coarse_queries[:, summed:dims] @ coarse_base[:, summed:dims].T
        summed = dims
        of_rows = np.linalg.norm(base[:, :dims], axis=1)
        of_queries = np.linalg.norm(queries[:, :dims], axis=1)[:, np.newaxis]
        ranks[dims] = ranks_of_nearest(score(_divided(dots, of_queries * of_rows)), nearest)
    return Calibration(ranks, len(base), n_rows)


def _int8(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return what int8 codes say of the rows."""
    steps = np.abs(rows).max(axis=1, keepdims=True) / np.float32(_INT8)
    coarse: npt.NDArray[np.float32] = np.rint(_divided(rows, steps)) * steps
    return coarse


def _divided(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return a / b, 0 where b is 0."""
    quotients: npt.NDArray[np.float32] = np.divide(a, b, out=np.zeros_like(a), where=b > 0)
    return quotients
