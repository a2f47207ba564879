"""Texts to cached vectors, a portion at a time, so that a job that was cut off goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import numpy.typing as npt

from fastfunnel.arguments import as_rows
from fastfunnel.collection.store import Document, Store
from fastfunnel.embedders import Embedder, EmbeddingError, FloatRows

AT_ONCE = 1024  # texts; what a kill in a long job can cost again

Progress = Callable[[int, int], None]


def cache_vectors(
    given: Sequence[Document],
    embedder: Embedder,
    store: Store,
    lock: AbstractContextManager[object],
    progress: Progress | None,
) -> None:
    """Make sure that every document's text has its vector in the cache.

    The lock is not held while the model works. `progress` is told (texts with vectors, texts in
    all) after each portion, which is durable by then.

    Raises:
        EmbeddingError: the model failed, or gave rows that are no vectors.
    """
    texts = {one.hash: one.text for one in given}
    with lock:
        lacking = store.uncached(list(texts))
    todo = [hash for hash in texts if hash in lacking]
    done = len(texts) - len(todo)
    for start in range(0, len(todo), AT_ONCE):
        portion = todo[start : start + AT_ONCE]
        rows = embedder.encode_documents([texts[hash] for hash in portion])
        checked = _checked(rows, len(portion), embedder.dim)
        with lock, store.transaction():
            store.cache(portion, checked)
        done += len(portion)
        if progress is not None:
            progress(done, len(texts))


def keep_vectors(
    given: Sequence[Document],
    vectors: npt.ArrayLike,
    embedder: Embedder,
    store: Store,
    lock: AbstractContextManager[object],
) -> None:
    """Put vectors that a caller has already into the cache; texts that have one keep theirs.

    Raises:
        TypeError, ValueError: unless there is one finite row of the embedder's dims a document.
    """
    with np.errstate(over="ignore"):  # what float32 cannot hold is refused below
        rows = as_rows(vectors, "vectors", embedder.dim).astype(np.float32, copy=False)
    if len(rows) != len(given):
        raise ValueError(f"vectors must be one a text, got {len(rows)} for {len(given)}")
    if not np.isfinite(rows).all():
        raise ValueError("vectors must be finite, got nan or inf")
    places = {one.hash: place for place, one in enumerate(given)}
    with lock, store.transaction():
        lacking = list(store.uncached(list(places)))
        store.cache(lacking, rows[[places[hash] for hash in lacking]])


def _checked(rows: FloatRows, count: int, dim: int) -> FloatRows:
    found = np.asarray(rows, np.float32)
    if found.shape != (count, dim) or not np.isfinite(found).all():
        raise EmbeddingError(
            f"the embedder must give ({count}, {dim}) finite rows, got {found.shape}"
        )
    return found
