"""A copy of an index in a directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastfunnel.storage.draft import clean, drafting
from fastfunnel.storage.durable import sync_directory
from fastfunnel.storage.layout import FRESH_MANIFEST, LOCK, MANIFEST, our_files
from fastfunnel.storage.lock import WriterLock
from fastfunnel.storage.manifest import Manifest, read_manifest

if TYPE_CHECKING:
    from fastfunnel.index import Index


def save(index: Index, path: str | os.PathLike[str]) -> None:
    """Write `index` to the directory `path`; the method `Index.save` documents it.

    Rows are written as they are read, a few megabytes at a time. The caller holds the index's
    lock for changes.
    """
    directory = prepare_directory(path)
    lock = WriterLock(directory)
    try:
        with drafting(directory, index.dim, index._tiers, next_number(directory)) as draft:
            rotation = None if index.rotation is None else draft.rotation(index.rotation)
            segments = draft.live_rows(index._core, range(index._core.n_segments))
            manifest = draft.commit(describe(index, rotation=rotation, segments=tuple(segments)))
        clean(directory, manifest)
    finally:
        lock.release()


def describe(index: Index, **files: Any) -> Manifest:
    """Return the manifest of an index that lies in these files."""
    return Manifest(
        dim=index.dim,
        metric=index.metric,
        model=None if index.made_by is None else index.made_by.to_dict(),
        tuned=index._tuned.to_dict(),
        chosen=index._chosen.to_dict(),
        next_id=index._next_id,
        next_number=0,
        tiers=index._tiers,
        **files,
    )


def next_number(directory: Path) -> int:
    """Return a number that no file of an index has had; raises ValueError for a damaged one."""
    found = (directory / MANIFEST).exists()
    number = read_manifest(directory).next_number if found else 0
    return max([number, *(n + 1 for n in our_files(directory).values())])  # a killed writer's too


def prepare_directory(path: str | os.PathLike[str]) -> Path:
    """Return `path` as a directory that may become an index, made if it is not there.

    Raises:
        ValueError: if it holds something else.
        OSError: if the system refuses.
    """
    directory = Path(path)
    if not directory.is_dir():
        directory.mkdir()
        sync_directory(directory.parent)
    elif not (directory / MANIFEST).exists():
        ours = {LOCK, FRESH_MANIFEST, *our_files(directory)}
        if any(entry.name not in ours for entry in directory.iterdir()):
            raise ValueError(f"path must be new, empty or an index, got {directory}")
    return directory
