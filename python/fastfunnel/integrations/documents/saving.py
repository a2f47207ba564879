"""A copy of a store's documents and vectors in a directory."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import fastfunnel as ff
from fastfunnel.collection.store import Store
from fastfunnel.collection.vectors import DIRECTORY, PORTION, RowVectors


def save(
    store: Store, vectors: RowVectors | None, directory: Path, file_name: str, *, cached: bool
) -> None:
    """Make the directory hold what the store holds, all at once.

    The documents are the truth and carry their vectors, so a kill before the index is written
    costs the next opening the time to build it.

    Args:
        store: what to copy.
        vectors: of the store; None if there are none.
        directory: made if it does not exist.
        file_name: of the copy of the store.
        cached: whether the store holds the vectors too; else it does while it is copied.

    Raises:
        BlockingIOError: somebody has the index there open to write. Nothing changes.
    """
    directory.mkdir(parents=True, exist_ok=True)
    _remove_index(directory / DIRECTORY)  # its row numbers would mean other documents
    hashes: list[bytes] = []
    try:
        if vectors is not None and not cached:
            rows = store.rows_with_vectors()
            for start in range(0, len(rows), PORTION):
                portion = rows[start : start + PORTION]
                found = store.by_row(portion)
                some = [found[row].hash for row in portion]
                hashes += some
                store.cache(some, vectors.index.get(portion))
        store.copy(directory / file_name)
    finally:
        store.forget(hashes)
    if vectors is not None:
        vectors.index.save(directory / DIRECTORY)


def _remove_index(directory: Path) -> None:
    if not directory.exists():
        return
    with suppress(ValueError, FileNotFoundError):  # damaged: all the more reason
        ff.open(directory, writable=True).close()
    shutil.rmtree(directory)
