"""An index whose answers are ids of the caller's instead of positions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastfunnel.compat.faiss.growing import GrowingRows
from fastfunnel.compat.faiss.index import Index
from fastfunnel.compat.faiss.ranges import Answers
from fastfunnel.compat.faiss.selectors import Labels, as_labels


class IndexIDMap(Index):
    """Another index, with an int64 id a row.

    As in FAISS ids need not be different; `reconstruct` returns the first row of one.

    Args:
        index: the index that holds the rows, empty so far.
    """

    def __init__(self, index: Index) -> None:
        """Wrap an empty index. Raises RuntimeError, as FAISS, for one that has rows."""
        if index.ntotal:
            raise RuntimeError(f"index must be empty, got {index.ntotal} rows without ids")
        super().__init__(index.d, index.metric_type)
        self.index = index
        self._ids = GrowingRows((), np.int64)

    @classmethod
    def over(cls, index: Index, ids: npt.ArrayLike) -> IndexIDMap:
        """Return an index that has rows with ids for them, (ntotal,) integers."""
        mapped, given = cls.__new__(cls), as_labels(ids)
        if len(given) != index.ntotal:
            raise ValueError(f"ids must be {index.ntotal}, one a row, got {len(given)}")
        Index.__init__(mapped, index.d, index.metric_type)
        mapped.index, mapped._ids = index, GrowingRows((), np.int64)
        mapped._ids.add(given)
        return mapped

    @property
    def ntotal(self) -> int:
        """How many rows there are."""
        return self.index.ntotal

    @property
    def id_map(self) -> Labels:
        """The ids of the rows, in order."""
        return self._labels().copy()

    def add(self, x: npt.ArrayLike) -> None:
        """Raise RuntimeError, as FAISS does: rows come with ids here."""
        raise RuntimeError(f"{type(self).__name__} needs ids: use add_with_ids")

    def add_with_ids(self, x: npt.ArrayLike, ids: npt.ArrayLike) -> None:
        """Append rows.

        Args:
            x: what the wrapped index takes, n rows.
            ids: (n,) integers.

        Raises:
            TypeError, ValueError: for others. Nothing is added then.
        """
        rows, given = self._as_queries(x), as_labels(ids)
        if len(rows) != len(given):
            raise ValueError(f"ids must be {len(rows)}, one a row, got {len(given)}")
        self.index.add(rows)
        self._ids.add(given)

    def reset(self) -> None:
        """Remove all rows."""
        self.index.reset()
        self._ids = GrowingRows((), np.int64)

    def _as_queries(self, x: npt.ArrayLike) -> npt.NDArray[Any]:
        return self.index._as_queries(x)

    def _search(self, queries: npt.NDArray[Any], k: int, labels: Labels | None) -> Answers:
        return self._named(self.index._search(queries, k, labels))

    def _search_exactly(self, queries: npt.NDArray[Any], k: int, among: Labels | None) -> Answers:
        return self._named(self.index._search_exactly(queries, k, among))

    def _named(self, answers: Answers) -> Answers:
        found, positions = answers
        return found, np.where(positions < 0, -1, self._labels()[positions])

    def _lies_within(self, found: npt.NDArray[Any], radius: float) -> npt.NDArray[np.bool_]:
        return self.index._lies_within(found, radius)

    def _nothing(self, n: int, k: int) -> Answers:
        return self.index._nothing(n, k)

    def _rows(self, labels: Labels) -> npt.NDArray[Any]:
        return self.index._rows(labels)

    def _remove(self, gone: npt.NDArray[np.bool_]) -> None:
        self.index._remove(gone)
        self._ids.keep(~gone)

    def _labels(self) -> Labels:
        return self._ids.rows  # type: ignore[return-value]

    def _positions(self, labels: Labels) -> Labels:
        ids = self._labels()
        order = np.argsort(ids, kind="stable")
        places = np.searchsorted(ids, labels, sorter=order)
        places = order[np.minimum(places, len(order) - 1)] if len(order) else np.zeros_like(labels)
        missing = ids[places] != labels if len(ids) else np.ones(len(labels), bool)
        if missing.any():
            raise RuntimeError(f"key must be an id of the index, got {labels[missing][0]}")
        return places


class IndexIDMap2(IndexIDMap):
    """The same: FAISS's second kind can also reconstruct by id, here both can."""


IndexBinaryIDMap = IndexIDMap
