"""The index of a collection, kept in step with the rows of its store."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import fastfunnel as ff
from fastfunnel.collection.store import Store
from fastfunnel.embedders import FloatRows
from fastfunnel.model import Model
from fastfunnel.tuning import TuningReport

DIRECTORY = "index"
PORTION = 8192

_NOT_KEPT = (
    "The collection is open elsewhere, and its index is written there: this tuning serves until the "
    "collection is closed here. Tune there, or while it is open nowhere else, to keep it."
)


class RowVectors:
    """Vectors by row number, in an index that lives on disk beside the store.

    The store is the truth. `catch_up` adds the rows the index lacks, from the embedding cache, and
    removes those that are gone: an index that a kill left a step behind, or that is lost, costs
    time and no call to the model. Where another process has the index, this one holds its own in
    memory. Where there is no directory the index begins empty, in memory, for `follow` to fill.
    """

    def __init__(
        self, directory: Path | None, store: Store, dim: int, model: Model | None = None
    ) -> None:
        """Open the index, or make it, and catch up, unless there is no directory."""
        self._directory = None if directory is None else directory / DIRECTORY
        self._store = store
        self._dim = dim
        self._model = model
        self.index = self._opened()
        self._newest = max(self.index, default=0)
        if directory is not None:
            self.catch_up()

    def catch_up(self) -> None:
        """Bring the index into step with the store, whatever happened to either."""
        live = self._store.rows_with_vectors()
        held = set(self.index)
        self._remove(held.difference(live))
        self._add([row for row in live if row not in held])

    def follow(self, removed: Iterable[int] = (), added: FloatRows | None = None) -> None:
        """Bring the index into step with rows just removed and rows just added.

        `added` holds the vectors of the latter, in their order, where the store does not.
        """
        self._remove(removed)
        self._add(self._store.rows_with_vectors(self._newest), added)

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

    def tune(self, asked: FloatRows | None, k: int, recall: float, **options: Any) -> TuningReport:
        """Tune the index, as `Index.tune`; the report says where that is not kept."""
        report = self.index.tune(asked, k, recall, **options)
        is_kept = self.index._journal is not None
        return report if is_kept else replace(report, notes=(*report.notes, _NOT_KEPT))

    def check(self) -> list[str]:
        """Return what is wrong with the index, a sentence each."""
        problems = []
        self.index.flush()
        try:
            if self._directory is not None:
                ff.open(self._directory, verify=True)
        except (ValueError, OSError) as error:
            problems.append(str(error))
        live = self._store.rows_with_vectors()
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

    def _add(self, rows: list[int], vectors: FloatRows | None = None) -> None:
        for start in range(0, len(rows), PORTION):
            portion = rows[start : start + PORTION]
            if vectors is None:
                some = self._store.vectors(portion, self._dim)
            else:
                some = vectors[start : start + PORTION]
            self.index.add(some, np.array(portion, np.int64))
        self._newest = max(self._newest, rows[-1] if rows else 0)

    def _remove(self, rows: Iterable[int]) -> None:
        gone = np.fromiter(rows, np.int64)
        if len(gone):
            self.index.remove(gone)

    def _opened(self) -> ff.Index:
        if self._directory is None:
            return ff.Index(self._dim, model=self._model)
        with self._store.transaction():  # two processes that begin at once make one index
            try:
                index = ff.open(self._directory, writable=True)
                if index.dim == self._dim and _are_same(index.made_by, self._model):
                    return index
                index.close()
            except BlockingIOError:
                return ff.Index(self._dim, model=self._model)
            except (ValueError, FileNotFoundError):
                pass
            if self._directory.exists():  # damaged, or another model's: the store has all of it
                shutil.rmtree(self._directory)
            return ff.Index.create(self._directory, self._dim, model=self._model)


def _are_same(one: Model | None, other: Model | None) -> bool:
    if one is None or other is None:
        return one is other
    return not one.difference(other)
