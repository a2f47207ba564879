"""How many rows a stage must keep, so that the neighbours are among them: ranks on a sample."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastfunnel.trial import MOST_QUERIES, Floats

Ranks = npt.NDArray[np.int64]

USELESS = 0.1  # a scan that must keep more of the rows than this is no better than exact search

_QUANTILE = 0.99  # of the true neighbours' ranks …
_MARGIN = 3.0  # … times this is kept: on WordNet text that is recall 0.995 to 0.999
_FREE = 0.1  # rows whose gathering takes this part of the scan are kept in any case


@dataclass(frozen=True)
class Cost:
    """Nanoseconds a row, compared with each other only.

    scan: by a first stage, for every dim.
    gather: of a row from beyond the cache, by the stage behind.
    """

    scan: float
    gather: float


@dataclass(frozen=True)
class Calibration:
    """Ranks of true neighbours under the scores of prefixes.

    ranks: for each prefix dims, (m, j): how many rows of a sample the score puts before each of
        m queries' j neighbours.
    n_sampled: rows of the sample.
    n_rows: rows of the index.
    """

    ranks: Mapping[int, Ranks]
    n_sampled: int
    n_rows: int

    def keep(self, dims: int, k: int) -> int:
        """Return how many rows a scan of a prefix must keep for the top k."""
        ranks = self.ranks[dims]
        # One in twenty samples of 128 queries of WordNet text says 0.7 of what 1,500 say or less;
        # of 64 queries 0.55, of 32 0.45.
        margin = _MARGIN * math.pow(MOST_QUERIES / min(len(ranks), MOST_QUERIES), 1 / 3)
        share = margin * (float(np.quantile(ranks, _QUANTILE)) + 1) / self.n_sampled
        return math.ceil(share * self.n_rows) + 4 * k

    def first_stage(self, k: int, cost: Cost) -> tuple[int, int] | None:
        """Return the dims and the keep of the cheapest scan; None if exact search is as good."""

        def seconds(dims: int) -> float:
            return cost.scan * dims + self.keep(dims, k) / self.n_rows * cost.gather

        useful = [d for d in self.ranks if self.keep(d, k) <= USELESS * self.n_rows]
        if not useful:
            return None
        dims = min(useful, key=seconds)
        free = int(_FREE * cost.scan * dims / cost.gather * self.n_rows)
        return dims, max(self.keep(dims, k), free)


def ranks_among(of_neighbours: Floats, of_sample: Floats) -> Ranks:
    """Return how many rows of the sample a score puts before each neighbour.

    Args:
        of_neighbours: (m, j) scores.
        of_sample: (m, n) scores of the same queries.

    Returns:
        (m, j).
    """
    ranks = np.empty(of_neighbours.shape, np.int64)
    for wanted, scores, found in zip(of_neighbours, of_sample, ranks, strict=True):
        ahead = np.sort(scores[scores > wanted.min()])  # few: all would take half of a choice
        found[:] = len(ahead) - np.searchsorted(ahead, wanted, side="right")
    return ranks
