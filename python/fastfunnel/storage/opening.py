"""From a path to an index: opened to be read, opened to be changed, or made."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastfunnel.index import Index
from fastfunnel.model import Model
from fastfunnel.storage.draft import drafting
from fastfunnel.storage.layout import MANIFEST
from fastfunnel.storage.live import LiveWriter
from fastfunnel.storage.lock import WriterLock
from fastfunnel.storage.manifest import read_manifest
from fastfunnel.storage.reading import Source, load, read_tuned, take_chosen
from fastfunnel.storage.saving import describe, next_number, prepare_directory


def open_index(
    path: str | os.PathLike[str],
    mmap: bool = True,
    verify: bool = False,
    writable: bool = False,
) -> Index:
    """Open an index that `Index.save` or `Index.create` left.

    Args:
        path: its directory.
        mmap: True leaves the float rows on disk: mapped, so that all processes share one copy in
            memory, or, with float_store="disk", read row by row. False loads them.
        verify: True reads every array once and compares its checksum.
        writable: False makes changes an error; any number of processes may read, beside a writer
            too. True makes this the one writer: each change is on the disk when it returns.

    Returns:
        The index. The codes its stages read are loaded at the first search, and made for the
        segments that are too small to have files of them. A reader keeps what it saw;
        `Index.reopen` brings it to what the writer has done since.

    Raises:
        FileNotFoundError: if there is no index at `path`.
        ValueError: naming the file that is damaged or of another version.
        BlockingIOError: if writable=True and the index has a writer.
        OSError: if the system refuses.
    """
    directory = Path(path)
    read_manifest(directory)  # before a lock file is put where there is no index
    if not writable:
        return _open(directory, mmap, verify)
    lock = WriterLock(directory)
    try:
        index = _open(directory, mmap, verify)
        assert index._source is not None
        index._journal = LiveWriter(index, index._source, lock)
        index._writable = True
    except BaseException:
        lock.release()
        raise
    return index


def load_copy(path: str | os.PathLike[str]) -> Index:
    """Return what a directory holds as an index in memory, which changes without the directory.

    Raises:
        As `open_index`; every checksum is compared.
    """
    index = _open(Path(path), mmap=False, verify=True)
    index._source, index._writable = None, True
    index._tiers = replace(index._tiers, float_store="ram")
    return index


def create(path: str | os.PathLike[str], dim: int, **options: Any) -> Index:
    """Make an empty index on disk and open it to be changed; `Index.create` documents it."""
    index = Index(dim, **options)
    directory = prepare_directory(path)
    if (directory / MANIFEST).exists():
        raise FileExistsError(f"there is an index at {directory}; open it with writable=True")
    _go_live(index, directory)
    return index


def settle(index: Index) -> None:
    """Give an empty index with floats on disk a directory of its own, which goes with it."""
    directory = Path(tempfile.mkdtemp(prefix="fastfunnel-"))
    weakref.finalize(index, _remove_tree, directory, os.getpid())
    _go_live(index, directory)


def _remove_tree(directory: Path, owner: int) -> None:
    if os.getpid() == owner:  # a fork's copy of the index leaves it to its parent
        shutil.rmtree(directory, ignore_errors=True)


def _go_live(index: Index, directory: Path) -> None:
    lock = WriterLock(directory)
    try:
        with drafting(directory, index.dim, index._tiers, next_number(directory)) as draft:
            rotation = None if index.rotation is None else draft.rotation(index.rotation)
            log, log_end = draft.log()
            manifest = draft.commit(describe(index, rotation=rotation, log=log))
        source = Source(directory, mmap=True, verify=False, manifest=manifest, log_end=log_end)
        index._source = source
        index._journal = LiveWriter(index, source, lock)
    except BaseException:
        lock.release()
        raise


def _open(directory: Path, mmap: bool, verify: bool) -> Index:
    source, core = load(directory, mmap, verify)
    manifest = source.manifest
    try:
        model = None if manifest.model is None else Model.from_dict(manifest.model)
        index = Index(
            core.dim,
            model=model,
            metric=manifest.metric,
            rotation=source.rotation,
            **vars(manifest.tiers),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{directory / MANIFEST} is damaged: {error}") from None
    index._tuned = read_tuned(directory, manifest)
    take_chosen(index, directory, manifest)
    index._core.replace(core)
    index._next_id = source.next_id
    index._source = source
    index._writable = False
    return index
