"""Finding documents, by vector, by words, by id and by filter."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastfunnel.collection.fusion import LEAST_DEPTH, reciprocal_ranks
from fastfunnel.collection.inputs import check_ids
from fastfunnel.collection.store import Document, Store, is_store
from fastfunnel.collection.vectors import RowVectors
from fastfunnel.collection.where import Condition
from fastfunnel.index import Index
from fastfunnel.integrations.documents.vectors import as_float_rows

FILE_NAME = "documents.sqlite"
IN_MEMORY = Path(":memory:")  # SQLite's name for a file of no disk
EVERY_ONE = -1  # SQLite's LIMIT for none

Vector = npt.NDArray[np.float32]
Keep = Callable[[Document], bool]


@dataclass(frozen=True, slots=True)
class Found:
    """A document; its score, nan where nothing was scored; its vector, None if it has none."""

    document: Document
    score: float
    vector: Vector | None


class Finding:
    """What `VectorDocuments` finds, and the files it finds it in."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        """Open the documents, or make a place for them."""
        self.path = None if path is None else Path(path)
        if self.path is None:
            self._store = Store(IN_MEMORY, create={})
        else:
            file = self.path / FILE_NAME
            if self.path.exists() and not is_store(file) and not is_free(self.path):
                raise ValueError(f"path must be new, empty or a store's, got {self.path}")
            self.path.mkdir(parents=True, exist_ok=True)
            self._store = Store(file, create=None if is_store(file) else {})
        weakref.finalize(self, self._store.close)  # a store in a chain is seldom closed by hand
        self._lock = threading.RLock()
        self._vectors: RowVectors | None = None
        self._seen = -1
        with self._up_to_date():
            pass

    @property
    def dim(self) -> int | None:
        """Dims of the vectors; None until the first one comes."""
        with self._up_to_date():
            return None if self._vectors is None else self._vectors.index.dim

    @property
    def index(self) -> Index | None:
        """The index of the vectors, to tune or explain; None until the first vector comes."""
        with self._up_to_date():
            return None if self._vectors is None else self._vectors.index

    def get(self, ids: Sequence[str]) -> list[Document]:
        """Return the documents with these ids, in their order, without those that are not there."""
        chosen = check_ids(ids)
        with self._lock:
            found = self._store.by_id(chosen)
        return [found[id] for id in chosen if id in found]

    def select(self, where: Condition | None = None, keep: Keep | None = None) -> list[Found]:
        """Return the documents that a filter and a function hold for, as they were added."""
        with self._up_to_date():
            rows = self._rows(where, keep)
            rows = self._store.rows() if rows is None else rows
            return self._found([(row, float("nan")) for row in rows])

    def search(
        self,
        vector: npt.ArrayLike,
        k: int,
        where: Condition | None = None,
        keep: Keep | None = None,
        *,
        words: str | None = None,
        exact: bool = False,
    ) -> list[Found]:
        """Return at most k documents, those with the highest cosines first.

        Args:
            vector: (dim,), what to look for.
            k: answers, at least 1.
            where: what must hold of a document's metadata. Filtered searches are exact, and k
                answers come back wherever there are k.
            keep: what must hold of a document besides; asked of every one that `where` leaves.
            words: also rank by these words (BM25) and fuse both rankings by reciprocal rank,
                which then is the score.
            exact: score every vector in full instead of by the funnel.

        Raises:
            TypeError, ValueError: for a vector of another length, or k below 1.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        query = as_float_rows([vector], self.dim)
        with self._up_to_date():
            among = self._rows(where, keep)
            depth = k if words is None else max(LEAST_DEPTH, k)
            near: list[tuple[int, float]] = []
            if self._vectors is not None:
                near = self._vectors.search(query, depth, among, exact)
            if words is not None:
                worded = self._matching(words, depth, where, among)
                near = reciprocal_ranks([[row for row, _ in near], worded])[:k]
            return self._found(near)

    def matching(
        self, words: str, k: int, where: Condition | None = None, keep: Keep | None = None
    ) -> list[Found]:
        """Return at most k documents with any of the words, by BM25, best first; scores are nan."""
        with self._up_to_date():
            rows = self._matching(words, k, where, self._rows(where, keep))
            return self._found([(row, float("nan")) for row in rows])

    def close(self) -> None:
        """Close the files, which loses nothing if it is left out; it cannot be used any more."""
        with self._lock:
            self._close_vectors()
            self._store.close()

    def __len__(self) -> int:
        """Return the number of documents."""
        with self._lock:
            return self._store.count()

    @contextmanager
    def _up_to_date(self) -> Iterator[None]:
        with self._lock:
            version = self._store.version()
            if version != self._seen:
                dim = self._store.about("dim")
                if self._vectors is not None and str(self._vectors.index.dim) == dim:
                    self._vectors.catch_up()
                else:
                    self._close_vectors()
                    self._open_vectors(dim)
                self._seen = version
            yield

    def _close_vectors(self) -> None:
        if self._vectors is not None:
            self._vectors.close()
        self._vectors = None

    def _open_vectors(self, dim: str | None) -> None:
        if dim is None:
            return
        if not (dim.isascii() and dim.isdigit() and int(dim)):
            raise ValueError(f"{self._store.path} is damaged: its vectors have {dim!r} dims")
        self._vectors = RowVectors(self.path, self._store, int(dim))

    def _rows(self, where: Condition | None, keep: Keep | None) -> list[int] | None:
        if keep is not None:
            return [row for row, _ in self._documents(where, keep)]
        return None if where is None else self._store.rows(where)

    def _documents(
        self, where: Condition | None, keep: Keep | None
    ) -> Iterator[tuple[int, Document]]:
        found = self._store.documents(where)
        return found if keep is None else (pair for pair in found if keep(pair[1]))

    def _matching(
        self, words: str, k: int, where: Condition | None, among: list[int] | None
    ) -> list[int]:
        if among is None:
            return self._store.matching(words, k)
        allowed = set(among)
        return [row for row in self._store.matching(words, EVERY_ONE, where) if row in allowed][:k]

    def _found(self, ranked: Sequence[tuple[int, float]]) -> list[Found]:
        by_row = self._store.by_row([row for row, _ in ranked])
        vectors: dict[int, Vector] = {}
        if self._vectors is not None:
            indexed = [row for row in by_row if row in self._vectors.index]
            vectors = dict(zip(indexed, self._vectors.index.get(indexed), strict=True))
        return [
            Found(by_row[row], score, vectors.get(row)) for row, score in ranked if row in by_row
        ]


def is_free(directory: Path) -> bool:
    """Return whether a directory holds nothing, but for what a kill while it was made may leave."""
    left = {FILE_NAME + ending for ending in ("", "-wal", "-shm", "-journal")}
    return directory.is_dir() and {one.name for one in directory.iterdir()} <= left
