"""What every index of this module does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from fastfunnel.arguments import as_count
from fastfunnel.compat.faiss.ranges import Answers, within
from fastfunnel.compat.faiss.selectors import (
    IDSelector,
    Labels,
    SearchParameters,
    as_labels,
    as_selector,
)


class Index(ABC):
    """Rows by position.

    Attributes:
        d: dims of a row; bits for binary indexes.
        metric_type: METRIC_INNER_PRODUCT or METRIC_L2.
        is_trained: always True, there is nothing to train.
    """

    is_trained = True
    verbose = False

    def __init__(self, d: int, metric_type: int) -> None:
        """Hold no rows."""
        self.d = as_count(d, "d")
        self.metric_type = metric_type

    @property
    @abstractmethod
    def ntotal(self) -> int:
        """How many rows there are."""

    @abstractmethod
    def add(self, x: npt.ArrayLike) -> None:
        """Append rows, (n, d). Raises TypeError, ValueError for others; nothing is added then."""

    @abstractmethod
    def reset(self) -> None:
        """Remove all rows."""

    @abstractmethod
    def _as_queries(self, x: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return queries as they are searched for, (n, width)."""

    @abstractmethod
    def _search(self, queries: npt.NDArray[Any], k: int, labels: Labels | None) -> Answers:
        """Return distances and labels of the best k of these rows, None for all; ntotal > 0."""

    @abstractmethod
    def _lies_within(self, found: npt.NDArray[Any], radius: float) -> npt.NDArray[np.bool_]:
        """Return which distances are strictly better than a radius."""

    @abstractmethod
    def _nothing(self, n: int, k: int) -> Answers:
        """Return answers where there are none."""

    @abstractmethod
    def _rows(self, labels: Labels) -> npt.NDArray[Any]:
        """Return the rows with these labels, all of which are there."""

    @abstractmethod
    def _remove(self, gone: npt.NDArray[np.bool_]) -> None:
        """Drop rows; those behind them move up."""

    def train(self, x: npt.ArrayLike) -> None:
        """Look at the rows and forget them: there is nothing to train. Raises as `search`."""
        self._as_queries(x)

    def search(
        self, x: npt.ArrayLike, k: int, *, params: SearchParameters | None = None
    ) -> Answers:
        """Return the best k rows for each query.

        Args:
            x: (n, d).
            k: answers a query, at least 1.
            params: which labels may answer.

        Returns:
            (D, I): distances and int64 labels, both (n, k), best first, equal ones by label. Label
            -1 and the worst distance where fewer than k rows may answer.

        Raises:
            TypeError, ValueError: for arguments of another kind or shape, for nan or inf.
        """
        queries = self._as_queries(x)
        k = as_count(k, "k")
        if self.ntotal == 0 or len(queries) == 0:
            return self._nothing(len(queries), k)
        return self._search(queries, k, self._allowed(params))

    def assign(self, x: npt.ArrayLike, k: int = 1) -> Labels:
        """Return the labels that `search` returns."""
        return self.search(x, k)[1]

    def range_search(
        self, x: npt.ArrayLike, thresh: float, *, params: SearchParameters | None = None
    ) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.float32], Labels]:
        """Return all rows strictly better than a distance: exactly, whatever the index.

        Returns:
            (lims, D, I): the answers of query i are D[lims[i]:lims[i + 1]], by label.

        Raises:
            As `search`.
        """
        queries, among = self._as_queries(x), self._allowed(params)
        if self.ntotal == 0 or len(queries) == 0:
            nothing = np.zeros(len(queries) + 1, np.uint64)
            return nothing, np.empty(0, np.float32), np.empty(0, np.int64)
        answers = within(
            lambda some, k: self._search_exactly(some, k, among),
            lambda found: self._lies_within(found, thresh),
            queries,
            self.ntotal,
        )
        lims = np.cumsum([0, *(len(labels) for _, labels in answers)]).astype(np.uint64)
        distances, labels = (np.concatenate(parts) for parts in zip(*answers, strict=True))
        return lims, distances.astype(np.float32), labels

    def reconstruct(self, key: int) -> npt.NDArray[Any]:
        """Return the row with this label, (d,). Raises RuntimeError if there is none, as FAISS."""
        rows: npt.NDArray[Any] = self.reconstruct_batch([key])[0]
        return rows

    def reconstruct_batch(self, key: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the rows with these labels, (n, d). Raises RuntimeError if one is missing."""
        return self._rows(self._positions(as_labels(key)))

    def reconstruct_n(self, n0: int = 0, ni: int = -1) -> npt.NDArray[Any]:
        """Return `ni` rows from position `n0` on, -1 for all behind it.

        Raises:
            RuntimeError: if there are fewer, as FAISS.
        """
        n = self.ntotal - n0 if ni == -1 else ni
        if n0 < 0 or n < 0 or n0 + n > self.ntotal:
            raise RuntimeError(f"rows must lie in the {self.ntotal} there are, got {n0} + {n}")
        return self._rows(np.arange(n0, n0 + n))

    def search_and_reconstruct(
        self, x: npt.ArrayLike, k: int, *, params: SearchParameters | None = None
    ) -> tuple[npt.NDArray[Any], Labels, npt.NDArray[Any]]:
        """Return (D, I, R): what `search` returns and the rows, (n, k, d), zeros where none is."""
        found, labels = self.search(x, k, params=params)
        there = labels >= 0
        rows = self.reconstruct_batch(labels[there])
        answer = np.zeros((*labels.shape, *rows.shape[1:]), rows.dtype)
        answer[there] = rows
        return found, labels, answer

    def remove_ids(self, x: IDSelector | npt.ArrayLike) -> int:
        """Remove rows by label, or those a selector takes; return how many there were.

        Those behind them move up: their labels change, as in FAISS's flat indexes.
        """
        gone = as_selector(x).mask(self._labels())
        n = int(gone.sum())
        if n:
            self._remove(gone)
        return n

    def add_with_ids(self, x: npt.ArrayLike, ids: npt.ArrayLike) -> None:
        """Raise RuntimeError, as FAISS does for indexes whose labels are positions."""
        raise RuntimeError(f"{type(self).__name__} has no ids: wrap it in an IndexIDMap")

    def _search_exactly(self, queries: npt.NDArray[Any], k: int, among: Labels | None) -> Answers:
        return self._search(queries, k, among)

    def _labels(self) -> Labels:
        return np.arange(self.ntotal)

    def _allowed(self, params: SearchParameters | None) -> Labels | None:
        """Return the positions of the rows that may answer, ascending; None for all."""
        if params is None or params.sel is None:
            return None
        return np.flatnonzero(params.sel.mask(self._labels()))

    def _positions(self, labels: Labels) -> Labels:
        """Return where the rows with these labels are; raises RuntimeError if one is missing."""
        missing = (labels < 0) | (labels >= self.ntotal)
        if missing.any():
            raise RuntimeError(f"key must lie in 0 … {self.ntotal - 1}, got {labels[missing][0]}")
        return labels

    def __repr__(self) -> str:
        """Return what the index holds."""
        return f"<fastfunnel.compat.faiss.{type(self).__name__}: {self.ntotal} rows, d = {self.d}>"
