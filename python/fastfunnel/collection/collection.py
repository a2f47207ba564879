"""Texts, their metadata and their vectors, in one directory."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy.typing as npt

from fastfunnel.collection.embedding import Progress, cache_vectors, keep_vectors
from fastfunnel.collection.fusion import LEAST_DEPTH, reciprocal_ranks
from fastfunnel.collection.hit import Hit
from fastfunnel.collection.inputs import Metadata, check_ids, check_question, documents
from fastfunnel.collection.opening import opened_store
from fastfunnel.collection.store import Document
from fastfunnel.collection.vectors import RowVectors
from fastfunnel.collection.where import Condition, compile_where
from fastfunnel.embedders import Embedder, FloatRows
from fastfunnel.embedders.batches import check_texts
from fastfunnel.model import Model
from fastfunnel.tuning import TuningReport


@final
class Collection:
    """Texts that can be searched by meaning, by words and by metadata.

    A directory holds SQLite for texts, metadata, full text and every vector by its text's hash,
    and an index of the vectors. SQLite is the truth: what `add` returned is durable, and an index
    that a kill left behind catches up when it is opened, without a call to the model. Safe to use
    from several threads; other processes see changes at their next call.

    Args:
        path: the directory; made if it does not exist.
        embedder: what embeds texts and queries: an object of the Embedder protocol, or a model's
            name for `embedders.embedder_for`. None takes the one the directory remembers, and
            WordLlama, which works offline, for a new one.
        dim: dims of the vectors for a model given by name; None for its full length.

    Raises:
        ValueError: the directory holds something else or is damaged.
        ModelMismatchError: its vectors are of another model than the embedder's, of another dim,
            or of the same model used differently. `add` and `search` look again.
        ImportError, EmbeddingError: the embedder cannot be made.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        embedder: Embedder | str | None = None,
        *,
        dim: int | None = None,
    ) -> None:
        """Open the collection, or make it."""
        self.path = Path(path)
        self._store, self.embedder = opened_store(self.path, embedder, dim)
        self._lock = threading.RLock()
        made_by = Model.of(self.embedder)
        self._vectors = RowVectors(self.path, self._store, self.embedder.dim, made_by)
        self._seen = self._store.version()

    def add(
        self,
        texts: Sequence[str],
        metadatas: Sequence[Metadata | None] | None = None,
        ids: Sequence[str] | None = None,
        *,
        vectors: npt.ArrayLike | None = None,
        progress: Progress | None = None,
    ) -> list[str]:
        """Add texts; all of them, or none if anything fails.

        Texts embedded before, here or in a job that was cut off, cost no call to the model.

        Args:
            texts: what to find.
            metadatas: a JSON object a text, or None for none.
            ids: unique strs that are not taken; None draws new ones.
            vectors: (n, dim) float rows that this model gave for the texts, from another store, so
                that it is not paid again. None asks the model.
            progress: told (texts with vectors, texts in all) while it embeds.

        Returns:
            The ids.

        Raises:
            TypeError, ValueError: for arguments of another kind, for ids that are taken.
            EmbeddingError: the model failed; vectors it gave until then are kept for the next try.
        """
        given = documents(texts, metadatas, ids)
        if vectors is not None:
            self._refuse_taken(given)
            keep_vectors(given, vectors, self.embedder, self._store, self._lock)
        self._put(given, replace=False, progress=progress)
        return [one.id for one in given]

    def upsert(
        self,
        texts: Sequence[str],
        metadatas: Sequence[Metadata | None] | None = None,
        ids: Sequence[str] | None = None,
        *,
        progress: Progress | None = None,
    ) -> list[str]:
        """Add texts, as `add` does, in place of those with the same ids; equal ones stay."""
        given = documents(texts, metadatas, ids)
        self._put(given, replace=True, progress=progress)
        return [one.id for one in given]

    def delete(
        self, ids: Sequence[str] | None = None, *, where: Mapping[str, Any] | None = None
    ) -> int:
        """Remove documents by id or by a filter; return how many there were.

        Unknown ids are no error. The vectors stay cached until `prune_cache`.

        Raises:
            TypeError, ValueError: for arguments of another kind, for both or neither.
        """
        if (ids is None) == (where is None):
            raise ValueError("delete takes either ids or where")
        chosen = None if ids is None else check_ids(ids)
        condition = None if where is None else compile_where(where)
        with self._lock:
            with self._store.transaction():
                if chosen is None:
                    found = self._store.by_row(self._store.rows(condition))
                    chosen = [one.id for one in found.values()]
                removed = self._store.delete(chosen)
            self._vectors.follow(removed)
        return len(removed)

    def search(
        self,
        text: str,
        k: int = 10,
        *,
        where: Mapping[str, Any] | None = None,
        hybrid: bool = False,
        exact: bool = False,
    ) -> list[Hit]:
        """Return at most k hits, best first.

        Args:
            text: the question.
            k: answers, at least 1.
            where: a filter on metadata, as {"lang": "en", "year": {"$gte": 2020}}: see
                fastfunnel/collection/where.py. Filtered searches are exact.
            hybrid: also rank by the words of the question (BM25), and fuse both rankings by
                reciprocal rank.
            exact: score every vector in full instead of by the funnel.

        Raises:
            TypeError, ValueError: for a blank question, k below 1, or a where that is no filter.
            EmbeddingError: the model failed.
        """
        check_question(text, k)
        condition = None if where is None else compile_where(where)
        self.index.check_model(self.embedder)
        query = self.embedder.encode_queries([text])
        with self._lock:
            self._catch_up()
            ranked = self._ranked(text, query, k, condition, hybrid, exact)
            found = self._store.by_row([row for row, _ in ranked])
        return [Hit.of(found[row], score) for row, score in ranked if row in found]

    def get(self, ids: Sequence[str]) -> list[Hit | None]:
        """Return the documents with these ids, None where there is none; their scores are nan."""
        chosen = check_ids(ids)
        with self._lock:
            found = self._store.by_id(chosen)
        return [Hit.of(found[id], float("nan")) if id in found else None for id in chosen]

    def tune(
        self,
        queries: Sequence[str] | None = None,
        k: int = 10,
        recall: float = 0.99,
        **options: Any,
    ) -> TuningReport:
        """Find the cheapest funnel with this recall, as `Index.tune`; the index remembers it.

        Where another process had the collection open before, its index does not: this one's tuning
        then serves until `close`, and the report says so.
        """
        if queries is not None:
            check_texts(queries, "queries")
        asked = None if queries is None else self.embedder.encode_queries(queries)
        with self._lock:
            self._catch_up()
            return self._vectors.tune(asked, k, recall, **options)

    def spare_vectors(self) -> int:
        """Return how many cached vectors are of texts that are no longer here."""
        with self._lock:
            return self._store.spare()

    def prune_cache(self) -> int:
        """Forget the vectors that `spare_vectors` counts, return how many, and shrink the files."""
        with self._lock:
            self._vectors.index.compact()
            return self._store.prune()

    def verify(self) -> list[str]:
        """Return what is wrong with the files, a sentence each; nothing if all is well."""
        with self._lock:
            return [*self._store.check(), *self._vectors.check()]

    @property
    def index(self) -> Any:
        """The index of the vectors; its ids are row numbers of the store."""
        return self._vectors.index

    def close(self) -> None:
        """Close the files, which loses nothing if it is left out; it cannot be used any more."""
        with self._lock:
            self._vectors.close()
            self._store.close()

    def __enter__(self) -> Collection:
        """Return the collection, to be closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def __len__(self) -> int:
        """Return the number of documents."""
        with self._lock:
            return self._store.count()

    def __contains__(self, id: object) -> bool:
        """Return whether a document has this id."""
        with self._lock:
            return isinstance(id, str) and bool(self._store.by_id([id]))

    def __iter__(self) -> Iterator[Hit]:
        """Iterate over the documents as they were added; their scores are nan."""
        with self._lock:
            found = list(self._store.documents())
        return (Hit.of(one, float("nan")) for _, one in found)

    def __repr__(self) -> str:
        """Return what the collection holds."""
        return f"<fastfunnel.Collection: {len(self)} texts, {self.embedder.model}, {self.path}>"

    def _put(self, given: list[Document], *, replace: bool, progress: Progress | None) -> None:
        if not replace:
            self._refuse_taken(given)  # before the model is paid
        self.index.check_model(self.embedder)
        while True:
            cache_vectors(given, self.embedder, self._store, self._lock, progress)
            with self._lock:
                with self._store.transaction():
                    if self._store.uncached([one.hash for one in given]):
                        continue  # another process has pruned the cache meanwhile
                    if not replace:
                        self._refuse_taken(given)
                    removed = self._store.put(given)
                self._vectors.follow(removed)
            return

    def _refuse_taken(self, given: list[Document]) -> None:
        with self._lock:
            taken = self._store.by_id([one.id for one in given])
        if taken:
            raise ValueError(f"ids must not be taken, got {next(iter(taken))!r}; upsert replaces")

    def _catch_up(self) -> None:
        version = self._store.version()
        if version != self._seen:
            self._vectors.catch_up()
            self._seen = version

    def _ranked(
        self,
        text: str,
        query: FloatRows,
        k: int,
        condition: Condition | None,
        hybrid: bool,
        exact: bool,
    ) -> list[tuple[int, float]]:
        among = None if condition is None else self._store.rows(condition)
        depth = max(LEAST_DEPTH, k) if hybrid else k
        near = self._vectors.search(query, depth, among, exact)
        if not hybrid:
            return near
        worded = self._store.matching(text, depth, condition)
        return reciprocal_ranks([[row for row, _ in near], worded])[:k]
