"""The index of a collection, kept in step with the rows of its store."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

import fastfunnel as ff
from fastfunnel.collection.store import Store
from fastfunnel.embedders import FloatRows

DIRECTORY = "index"
PORTION = 8192
DEAD_SHARE = 0.1  # above it the index is made anew when it is saved


class RowVectors:
    """Vectors by row number: an index, and the rows of it that no longer exist.

    The store is the truth. `catch_up` adds the rows the index lacks, from the embedding cache, so
    an index that is older than the store, or lost, costs time and no call to the model.
    """

    def __init__(self, directory: Path, store: Store, dim: int, model: str) -> None:
        """Open the index as it was last saved, or begin an empty one, and catch up."""
        self._directory = directory / DIRECTORY
        self._store = store
        self._dim = dim
        self._model = model
        self.index = self._opened()
        self._dead: set[int] = set()
        self._unsaved = False
        self._newest = max(self.index, default=0)
        self.catch_up()

    def catch_up(self) -> None:
        """Bring the index into step with the store, whatever happened to either."""
        live = self._store.rows()
        held = set(self.index)
        self._dead = held.difference(live)
        self._add([row for row in live if row not in held])

    def follow(self, removed: Iterable[int] = ()) -> None:
        """Bring the index into step with rows just removed and rows just added."""
        self._dead.update(removed)
        self._add(self._store.rows_after(self._newest))

    def _add(self, rows: list[int]) -> None:
        for start in range(0, len(rows), PORTION):
            portion = rows[start : start + PORTION]
            vectors = self._store.vectors(portion, self._dim)
            self.index.add(vectors, np.array(portion, np.int64))
        self._newest = max(self._newest, rows[-1] if rows else 0)
        self._unsaved = self._unsaved or bool(rows)

    def search(
        self, query: FloatRows, k: int, among: list[int] | None, exact: bool
    ) -> list[tuple[int, float]]:
        """Return at most k (row, cosine), best first, of all rows or of those `among` names."""
        if among is not None:
            return self._search_among(query, k, among)
        wanted = k + len(self._dead)
        found = self.index.search(query, k=min(wanted, max(len(self.index), 1)), exact=exact)
        pairs = zip(found.ids[0].tolist(), found.scores[0].tolist(), strict=True)
        return [(row, score) for row, score in pairs if row >= 0 and row not in self._dead][:k]

    def check(self) -> list[str]:
        """Return what is wrong with the index, a sentence each."""
        problems = []
        if self._directory.exists():
            try:
                ff.open(self._directory, verify=True)
            except (ValueError, OSError) as error:
                problems.append(str(error))
        live = self._store.rows()
        if set(live) != set(self.index) - self._dead:
            problems.append("the index is not in step with the texts")
        for start in range(0, len(live), PORTION):
            rows = live[start : start + PORTION]
            if not np.array_equal(self.index.get(rows), self._store.vectors(rows, self._dim)):
                problems.append(f"the index holds other vectors than the texts' from row {rows[0]}")
        return problems

    def save(self, always: bool = False) -> None:
        """Write the index to its directory, if the one there is older, or `always`."""
        if len(self._dead) > DEAD_SHARE * max(len(self.index), 1):
            self.index = ff.Index(self._dim, model=self._model)
            self._unsaved = True
            self.catch_up()
        if self._unsaved or always:
            self.index.save(self._directory)
            self._unsaved = False

    def _search_among(self, query: FloatRows, k: int, among: list[int]) -> list[tuple[int, float]]:
        rows: npt.NDArray[np.int64] = np.array(among, np.int64)
        if not len(rows):
            return []
        found = ff.exact_search(self.index.get(rows), query, k=min(k, len(rows)))
        return list(zip(rows[found.ids[0]].tolist(), found.scores[0].tolist(), strict=True))

    def _opened(self) -> ff.Index:
        if self._directory.exists():
            try:
                index = ff.open(self._directory, writable=True)
            except (ValueError, OSError):
                return ff.Index(self._dim, model=self._model)  # the cache has all of it
            if index.dim == self._dim:
                return index
        return ff.Index(self._dim, model=self._model)
