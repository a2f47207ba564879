"""Packed bits, searched by Hamming distance."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastfunnel import _core
from fastfunnel.compat.faiss.growing import GrowingRows
from fastfunnel.compat.faiss.index import Index
from fastfunnel.compat.faiss.metrics import METRIC_L2
from fastfunnel.compat.faiss.ranges import Answers
from fastfunnel.compat.faiss.selectors import Labels
from fastfunnel.compat.faiss.threads import omp_get_max_threads
from fastfunnel.compat.faiss.vectors import check_width
from fastfunnel.interchange import as_array
from fastfunnel.search import hamming_search

_FARTHEST = np.iinfo(np.int32).max


class IndexBinaryFlat(Index):
    """The codes with the fewest bits that differ; distances are int32.

    Args:
        d: bits of a code, a multiple of 8. Which dim is which bit does not matter, as long as it
            is the same in all codes; `fastfunnel.binarize` makes them.
    """

    def __init__(self, d: int) -> None:
        """Hold no codes."""
        super().__init__(d, METRIC_L2)
        if self.d % 8:
            raise ValueError(f"d must be a multiple of 8 bits, got {d}")
        self.code_size = self.d // 8
        self.reset()

    @property
    def ntotal(self) -> int:
        """How many codes there are."""
        return len(self._codes)

    def add(self, x: npt.ArrayLike) -> None:
        """Append codes, uint8 (n, d / 8), copied.

        Raises:
            TypeError, ValueError: for others. Nothing is added then.
        """
        self._codes.add(self._as_queries(x))

    def reset(self) -> None:
        """Remove all codes."""
        self._codes = GrowingRows((self.code_size,), np.uint8)

    def _as_queries(self, x: npt.ArrayLike) -> _core.CodeArray:
        codes = as_array(x, "x")
        if codes.dtype != np.uint8:
            raise TypeError(f"x must be uint8 (packed bits), got {codes.dtype}")
        check_width(codes, self.code_size, "bytes")
        return np.ascontiguousarray(codes)

    def _search(self, queries: npt.NDArray[Any], k: int, labels: Labels | None) -> Answers:
        rows = self._codes.rows if labels is None else self._codes.rows[labels]
        if len(rows) == 0:
            return self._nothing(len(queries), k)
        found = hamming_search(rows, queries, k, threads=omp_get_max_threads())
        missing = found.ids < 0
        answers = found.ids if labels is None else np.where(missing, -1, labels[found.ids])
        return np.where(missing, np.int32(_FARTHEST), found.distances), answers

    def _lies_within(self, found: npt.NDArray[Any], radius: float) -> npt.NDArray[np.bool_]:
        within: npt.NDArray[np.bool_] = found < radius
        return within

    def _nothing(self, n: int, k: int) -> Answers:
        return np.full((n, k), _FARTHEST, np.int32), np.full((n, k), -1, np.int64)

    def _rows(self, labels: Labels) -> npt.NDArray[Any]:
        return self._codes.rows[labels]

    def _remove(self, gone: npt.NDArray[np.bool_]) -> None:
        self._codes.keep(~gone)
