"""The index of a collection, kept in step with the rows of its store."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np

import fastfunnel as ff
from fastfunnel.collection.store import Store
from fastfunnel.embedders import FloatRows
from fastfunnel.model import Model

DIRECTORY = "index"
PORTION = 8192


class RowVectors:
    """Vectors by row number, in an index that lives on disk beside the store.

    The store is the truth. `catch_up` adds the rows the index lacks, from the embedding cache, and
    removes those that are gone: an index that a kill left a step behind, or that is lost, costs
    time and no call to the model. Where another process has the index, this one holds its own in
    memory.
    """

    def __init__(self, directory: Path, store: Store, dim: int, model: Model) -> None:
        """Open the index, or make it, and catch up."""
        self._directory = directory / DIRECTORY
        self._store = store
        self._dim = dim
        self._model = model
        self.index = self._opened()
        self._newest = max(self.index, default=0)
        self.catch_up()

    def catch_up(self) -> None:
        """Bring the index into step with the store, whatever happened to either."""
        live = self._store.rows()
        held = set(self.index)
        self._remove(held.difference(live))
        self._add([row for row in live if row not in held])

    def follow(self, removed: Iterable[int] = ()) -> None:
        """Bring the index into step with rows just removed and rows just added."""
        self._remove(removed)
        self._add(self._store.rows_after(self._newest))

    def search(
        self, query: FloatRows, k: int, among: list[int] | None, exact: bool
    ) -> list[tuple[int, float]]:
        """Return at most k (row, cosine), best first, of all rows or, exactly, of those `among` names."""
        rows = None if among is None else np.array(among, np.int64)
        n_allowed = len(self.index) if rows is None else len(rows)
        is_exact = exact or rows is not None
        found = self.index.search(query, k=min(k, max(n_allowed, 1)), exact=is_exact, filter=rows)
        pairs = zip(found.ids[0].tolist(), found.scores[0].tolist(), strict=True)
        return [(row, score) for row, score in pairs if row >= 0]

    def check(self) -> list[str]:
        """Return what is wrong with the index, a sentence each."""
        problems = []
        self.index.flush()
        try:
            ff.open(self._directory, verify=True)
        except (ValueError, OSError) as error:
            problems.append(str(error))
        live = self._store.rows()
        if set(live) != set(self.index):
            return [*problems, "the index is not in step with the texts"]
        for start in range(0, len(live), PORTION):
            rows = live[start : start + PORTION]
            if not np.array_equal(self.index.get(rows), self._store.vectors(rows, self._dim)):
                problems.append(f"the index holds other vectors than the texts' from row {rows[0]}")
        return problems

    def close(self) -> None:
        """Tidy the index's files; it can be searched and not changed from now on."""
        self.index.close()

    def _add(self, rows: list[int]) -> None:
        for start in range(0, len(rows), PORTION):
            portion = rows[start : start + PORTION]
            vectors = self._store.vectors(portion, self._dim)
            self.index.add(vectors, np.array(portion, np.int64))
        self._newest = max(self._newest, rows[-1] if rows else 0)

    def _remove(self, rows: Iterable[int]) -> None:
        gone = np.fromiter(rows, np.int64)
        if len(gone):
            self.index.remove(gone)

    def _opened(self) -> ff.Index:
        with self._store.transaction():  # two processes that begin at once make one index
            try:
                index = ff.open(self._directory, writable=True)
                made_by = index.made_by
                if index.dim == self._dim and made_by and not made_by.difference(self._model):
                    return index
                index.close()
            except BlockingIOError:
                return ff.Index(self._dim, model=self._model)
            except (ValueError, FileNotFoundError):
                pass
            if self._directory.exists():  # damaged, or another model's: the store has all of it
                shutil.rmtree(self._directory)
            return ff.Index.create(self._directory, self._dim, model=self._model)
