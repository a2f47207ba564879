"""Texts to cached vectors, a portion at a time, so that a job that was cut off goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np

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


def _checked(rows: FloatRows, count: int, dim: int) -> FloatRows:
    found = np.asarray(rows, np.float32)
    if found.shape != (count, dim) or not np.isfinite(found).all():
        raise EmbeddingError(
            f"the embedder must give ({count}, {dim}) finite rows, got {found.shape}"
        )
    return found
