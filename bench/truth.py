"""The true answers, in float64, and how much of them a search found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32s = npt.NDArray[np.float32]
Float64s = npt.NDArray[np.float64]

TIE = 1e-6  # cosines this close are a tie: float32 sums of 1,000 products differ by as much
_BLOCK = 8_192  # base rows converted to float64 at once


@dataclass(frozen=True)
class Truth:
    """The k-th best cosine of each query, and what is needed to score an answer."""

    base: Float32s
    queries: Float64s  # unit rows
    threshold: Float64s  # (n_queries,)
    k: int

    @classmethod
    def of(cls, base: Float32s, queries: Float32s, k: int) -> Truth:
        """Compute it: float64 cosines of every query with every row."""
        unit = _unit(queries)
        best = np.full((len(queries), k), -np.inf)
        for start in range(0, len(base), _BLOCK):
            scores = unit @ _unit(base[start : start + _BLOCK]).T
            both = np.concatenate([best, scores], axis=1)
            best = np.partition(both, both.shape[1] - k, axis=1)[:, -k:]
        return cls(base, unit, best.min(axis=1), k)

    def recall(self, ids: npt.NDArray[np.int64], first: int = 0) -> float:
        """Return recall@k of the answers to queries first, first + 1, …: ids, (n, k).

        An answer is right if its float64 cosine is at least the true k-th, within TIE. An id that
        stands twice in one answer, or that is no row, counts at most once.
        """
        right = 0
        for number, answer in enumerate(ids[:, : self.k], first):
            rows = np.unique(answer[(answer >= 0) & (answer < len(self.base))])
            scores = _unit(self.base[rows]) @ self.queries[number]
            right += int((scores >= self.threshold[number] - TIE).sum())
        return right / (len(ids) * self.k)


def _unit(rows: Float32s) -> Float64s:
    wide = rows.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    return wide / np.where(lengths > 0, lengths, 1)
