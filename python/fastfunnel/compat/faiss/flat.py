"""Float rows, searched exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastfunnel.compat.faiss.growing import GrowingRows
from fastfunnel.compat.faiss.index import Index
from fastfunnel.compat.faiss.metrics import (
    METRIC_INNER_PRODUCT,
    METRIC_L2,
    distances,
    lies_within,
    metric_name,
)
from fastfunnel.compat.faiss.ranges import Answers
from fastfunnel.compat.faiss.selectors import Labels
from fastfunnel.compat.faiss.threads import omp_get_max_threads
from fastfunnel.compat.faiss.vectors import Floats, as_floats
from fastfunnel.index import Index as Rows
from fastfunnel.search import SearchResult


class IndexFlat(Index):
    """The true best k: the ids of brute force in float64, found in a fraction of its time.

    Args:
        d: dims.
        metric: METRIC_L2, squared distances, or METRIC_INNER_PRODUCT.
    """

    def __init__(self, d: int, metric: int = METRIC_L2) -> None:
        """Hold no rows."""
        super().__init__(d, metric)
        self._index = Rows(self.d, metric=metric_name(metric))
        self._ids = self._listed()
        self._n_removed = 0

    @property
    def index(self) -> Rows:
        """The fastfunnel.Index that holds the rows; its ids stay when rows are removed."""
        return self._index

    @property
    def ntotal(self) -> int:
        """How many rows there are."""
        return len(self._ids)

    def add(self, x: npt.ArrayLike) -> None:
        """Append rows, (n, d), cast to float32 and copied.

        Raises:
            TypeError, ValueError: for other rows, for nan or inf. Nothing is added then.
        """
        rows = as_floats(x, self.d)
        if len(rows):
            self._ids.add(self._index.add(rows))

    def reset(self) -> None:
        """Remove all rows."""
        self._index = Rows(self.d, metric=self._index.metric)
        self._ids = self._listed()

    def take(self, index: Rows) -> None:
        """Hold the rows of a fastfunnel.Index of the same dim and metric, in their order."""
        if (index.dim, index.metric) != (self.d, self._index.metric):
            raise ValueError(
                f"index must have {self.d} dims and metric {self._index.metric!r}, "
                f"got {index.dim} and {index.metric!r}"
            )
        self._index = index
        self._ids = self._listed()

    def _listed(self) -> GrowingRows:
        """Return the ids of the rows, ascending, so that a position is found by bisection."""
        ids = GrowingRows((), np.int64)
        ids.add(np.sort(np.fromiter(self._index, np.int64)))
        return ids

    def _as_queries(self, x: npt.ArrayLike) -> Floats:
        return as_floats(x, self.d)

    def _search(self, queries: npt.NDArray[Any], k: int, labels: Labels | None) -> Answers:
        return self._answers(self._found(queries, k, self._filter(labels)))

    def _search_exactly(self, queries: npt.NDArray[Any], k: int, among: Labels | None) -> Answers:
        return self._answers(self._exact(queries, k, self._filter(among)))

    def _found(self, queries: Floats, k: int, filter: Labels | None) -> SearchResult:
        return self._exact(queries, k, filter)

    def _exact(self, queries: Floats, k: int, filter: Labels | None) -> SearchResult:
        return self._index.search(
            queries, k, exact=True, filter=filter, threads=omp_get_max_threads()
        )

    def _answers(self, found: SearchResult) -> Answers:
        positions = np.searchsorted(self._ids.rows, found.ids)
        return distances(found.scores, self.metric_type), np.where(found.ids < 0, -1, positions)

    def _filter(self, labels: Labels | None) -> Labels | None:
        return None if labels is None else self._ids.rows[labels]  # type: ignore[return-value]

    def _lies_within(self, found: npt.NDArray[Any], radius: float) -> npt.NDArray[np.bool_]:
        return lies_within(found, radius, self.metric_type)

    def _nothing(self, n: int, k: int) -> Answers:
        scores = np.full((n, k), -np.inf, np.float32)
        return distances(scores, self.metric_type), np.full((n, k), -1, np.int64)

    def _rows(self, labels: Labels) -> Floats:
        if len(labels) == 0:
            return np.empty((0, self.d), np.float32)
        return self._index.get(self._ids.rows[labels])

    def _remove(self, gone: npt.NDArray[np.bool_]) -> None:
        self._index.remove(self._ids.rows[gone])
        self._ids.keep(~gone)
        self._n_removed += int(gone.sum())
        if self._n_removed > self.ntotal:  # compacting each time would cost a copy each time
            self._index.compact()
            self._n_removed = 0


class IndexFlatIP(IndexFlat):
    """The largest inner products; of unit rows, cosines."""

    def __init__(self, d: int) -> None:
        """Hold no rows."""
        super().__init__(d, METRIC_INNER_PRODUCT)


class IndexFlatL2(IndexFlat):
    """The smallest squared distances."""

    def __init__(self, d: int) -> None:
        """Hold no rows."""
        super().__init__(d, METRIC_L2)
