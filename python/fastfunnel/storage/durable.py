"""Files that are on the disk when a call returns, and plain files only."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_NO_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def open_plain(path: Path, flags: int = os.O_RDONLY) -> int:
    """Return a descriptor of a plain file, never of a link, a pipe or a device.

    Raises:
        ValueError: naming the path, if it is something else.
        OSError: if the system refuses; FileNotFoundError if there is nothing.
    """
    # Looked at before it is opened: opening a pipe would wait for its other end.
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ValueError(f"{path} must be a plain file, not a link or a device")
    return os.open(path, flags | _NO_LINKS)


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Open a plain file to be read."""
    with os.fdopen(open_plain(path), "rb") as file:
        yield file


@contextmanager
def creating(path: Path) -> Iterator[BinaryIO]:
    """Create a file that must not exist; it is on the disk afterwards, or gone if that failed."""
    file = path.open("xb")
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        remove([path])
        raise


def replace(fresh: Path, path: Path) -> None:
    """Give `fresh` the name `path` in one step, on the disk when this returns."""
    fresh.replace(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Put the names of a directory on the disk. Systems but POSIX ones do it unasked."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(paths: Iterable[Path]) -> None:
    """Remove files that nothing names any more; what the system keeps, a later writer removes.

    Windows refuses while a reader has one mapped; POSIX lets the reader keep it.
    """
    for path in paths:
        with suppress(OSError):
            path.unlink()
