"""The funnel that an index uses when it is given none.

How many rows a stage of sign bits must keep depends on the model: its prefixes may carry the
neighbours or not. So a sample of the rows is searched exactly and by sign bits of several prefixes,
and the prefix with the cheapest scan and rescoring wins. What it keeps is then tried on all rows,
and once there are enough queries on those: see fastfunnel/widening.py, fastfunnel/default_funnels.py.
This takes about a second (0.8 s on two Zen 4 cores at 1,024 dims), once and again when the index has
doubled. It is a good guess, not a promise: `Index.tune` promises.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastfunnel import _core
from fastfunnel.default_funnels import USELESS, DefaultFunnels
from fastfunnel.funnel import Funnel, Stage
from fastfunnel.interruptible import interruptibly
from fastfunnel.sampling import draw_rows
from fastfunnel.tiers import Tiers
from fastfunnel.vectors import normalize
from fastfunnel.widening import widened

SAMPLE_ROWS = 16384
SAMPLE_QUERIES = 256
_DEPTH = 128  # neighbours in the sample whose ranks are kept
_QUANTILE = 0.99  # of the true neighbours' ranks …
_MARGIN = 1.5  # … times this is kept: on WordNet text that is recall 0.995 to 0.999

# Relative costs, nanoseconds with AVX2 on Zen 3: scanning 64 bits of a row, and gathering a row
# from beyond the cache for a stage that reads all dims.
_SCAN_64_DIMS = 0.25
_GATHER = 80.0
_GATHER_DIM = 0.02


@dataclass(frozen=True)
class Calibration:
    """Ranks of true neighbours under sign-bit scores of prefixes, on a sample of the rows.

    ranks: for each prefix dims, (n_queries, depth) ranks: how many of the sample's rows the score
        puts before the true nearest, second nearest … neighbour.
    n_sampled: rows of the sample.
    n_rows: rows of the index when it was drawn.
    """

    ranks: dict[int, npt.NDArray[np.int64]]
    n_sampled: int
    n_rows: int

    def share(self, dims: int, n_rows: int, k: int) -> float:
        """Return the share of n_rows rows that a scan of `dims` bits must keep for the top k."""
        # The sample's nearest few stand for the top k of all rows.
        of_sample = math.ceil(k * self.n_sampled / n_rows)
        ranks = self.ranks[dims]
        nearest = ranks[:, : max(1, min(of_sample, ranks.shape[1]))]
        return _MARGIN * (float(np.quantile(nearest, _QUANTILE)) + 1) / self.n_sampled


class AutomaticFunnels(DefaultFunnels):
    """The funnels that suit an index as it grows; remembers what it measured."""

    def __init__(self, core: _core.Index, tiers: Tiers) -> None:
        """Measure nothing yet."""
        super().__init__(core)
        self._tiers = tiers
        self._calibration: Calibration | None = None

    def _chosen(self, k: int, n_rows: int) -> Funnel | None:
        calibration = self._calibrated(n_rows)
        funnel = automatic_funnel(calibration, n_rows, self._core.dim, k, self._tiers)
        return None if funnel is None else widened(self._core, funnel, k, USELESS * n_rows)

    def _calibrated(self, n_rows: int) -> Calibration:
        calibration = self._calibration
        if calibration is None or n_rows > 2 * calibration.n_rows:
            _, rows = draw_rows(self._core, SAMPLE_ROWS + SAMPLE_QUERIES, np.random.default_rng(0))
            calibration = self._calibration = interruptibly(lambda: calibrate(rows, n_rows))
        return calibration


def prefixes(dim: int) -> list[int]:
    """Return the prefix lengths a first stage may read: some multiples of 64, and all dims."""
    return [d for d in (128, 192, 256, 384, 512) if d < dim] + [dim]


def calibrate(rows: npt.NDArray[np.float32], n_rows: int) -> Calibration:
    """Return the ranks of true neighbours on a sample.

    Args:
        rows: (n, dim) rows of the index in random order, n at least 64; at most SAMPLE_QUERIES
            of them serve as queries, the others are searched.
        n_rows: rows of the index.
    """
    unit: npt.NDArray[np.float32] = normalize(rows)
    n_queries = min(SAMPLE_QUERIES, len(unit) // 4)
    queries, base = unit[:n_queries], unit[n_queries:]
    cosines = queries @ base.T
    nearest = nearest_rows(cosines)
    ranks = {}
    scores = np.zeros_like(cosines)
    summed = 0
    for dims in prefixes(unit.shape[1]):
        signs = np.where(base[:, summed:dims] > 0, np.float32(1), np.float32(-1))
        scores += queries[:, summed:dims] @ signs.T
        summed = dims
        ranks[dims] = ranks_of_nearest(scores, nearest)
    return Calibration(ranks, len(base), n_rows)


def nearest_rows(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    """Return the rows with the highest of (n_queries, n) scores, best first, _DEPTH at most."""
    depth = min(_DEPTH, scores.shape[1])
    nearest = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
    by_score = np.argsort(-np.take_along_axis(scores, nearest, axis=1), axis=1)
    return np.take_along_axis(nearest, by_score, axis=1)


def ranks_of_nearest(
    scores: npt.NDArray[np.float32], nearest: npt.NDArray[np.intp]
) -> npt.NDArray[np.int64]:
    """Return how many rows a score puts before each neighbour.

    Args:
        scores: (n_queries, n) of the rows.
        nearest: (n_queries, depth) rows, the true nearest first.

    Returns:
        (n_queries, depth).
    """
    found = np.take_along_axis(scores, nearest, axis=1)
    return np.stack(
        [
            scores.shape[1] - np.searchsorted(ordered, of_nearest, side="right")
            for ordered, of_nearest in zip(np.sort(scores, axis=1), found, strict=True)
        ]
    )


def automatic_funnel(
    calibration: Calibration, n_rows: int, dim: int, k: int, tiers: Tiers
) -> Funnel | None:
    """Return the cheapest funnel by the calibration, or None where exact search is as good.

    Args:
        calibration: of this index.
        n_rows: its rows now.
        dim: their dims.
        k: answers a query.
        tiers: what the index keeps, sign bits among it.
    """

    def keep(dims: int) -> int:
        return math.ceil(calibration.share(dims, n_rows, k) * n_rows) + 4 * k

    def cost(dims: int) -> float:
        gathered = keep(dims) / n_rows * (_GATHER + _GATHER_DIM * dim)
        return _SCAN_64_DIMS * dims / 64 + gathered

    first = min(prefixes(dim), key=cost)
    if keep(first) > USELESS * n_rows:
        return None
    stages = [Stage(first, "b1", keep(first))]
    # Reading all sign bits of the survivors first spares most of their int8 or float rows.
    if first < dim and (dim >= 512 or "i8" not in tiers.codes) and 2 * keep(dim) < keep(first):
        stages.append(Stage(dim, "b1", keep(dim)))
    if "i8" in tiers.codes:
        stages.append(Stage(dim, "i8", min(2 * k, stages[-1].keep or 0)))
    return Funnel([*stages, Stage(dim, "f32")])
