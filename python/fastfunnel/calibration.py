"""How many rows a stage must keep, so that the neighbours are among them: ranks on a sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastfunnel.trial import MOST_QUERIES, Floats

Ranks = npt.NDArray[np.int64]

_QUANTILE = 0.99  # of the true neighbours' ranks …
_MARGIN = 2.5  # … times this is kept: on WordNet text that is recall 0.996 to 0.998
_FREE = 0.1  # rows whose gathering takes this part of the scan are kept in any case


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
        return min(math.ceil(share * self.n_rows) + 4 * k, self.n_rows)

    def cheapest(self, k: int, scan: Callable[[int], float], gather: float) -> tuple[int, int]:
        """Return the dims and the keep of the cheapest scan.

        Args:
            k: answers a query.
            scan: returns what scanning so many dims takes a row.
            gather: what the stage behind takes a row that it is given.
        """

        def cost(dims: int) -> float:
            return scan(dims) + self.keep(dims, k) / self.n_rows * gather

        dims = min(self.ranks, key=cost)
        free = int(_FREE * scan(dims) / gather * self.n_rows)
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
