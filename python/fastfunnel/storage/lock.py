"""One writer: a lock that the system lets go of when its process ends, however it ends."""

from __future__ import annotations

import os
import weakref
from contextlib import suppress
from pathlib import Path

from fastfunnel.storage.durable import open_plain
from fastfunnel.storage.layout import LOCK

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
    import msvcrt

_held: weakref.WeakSet[WriterLock] = weakref.WeakSet()


class WriterLock:
    """The right to change an index, held from construction to `release`.

    A child made by fork does not hold it, whatever its parent does.

    Args:
        directory: of the index.

    Raises:
        BlockingIOError: if another process, or this one, holds it.
        OSError: if the lock file cannot be written, or the file system has no locks.
    """

    def __init__(self, directory: Path) -> None:
        """Take the lock or raise."""
        path = directory / LOCK
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        descriptor = open_plain(path, os.O_RDWR)
        try:
            _lock(descriptor)
        except (BlockingIOError, PermissionError):
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace") if fcntl else ""
            os.close(descriptor)
            raise BlockingIOError(
                f"{directory} is open for writing elsewhere"
                + (f" (process {holder.strip()})" if holder.strip().isdigit() else "")
                + "; an index has one writer: close that one, or open this one read-only"
            ) from None
        except OSError:
            os.close(descriptor)
            raise
        if fcntl:  # on Windows the locked byte cannot be read by those whom it would tell
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        self._close = weakref.finalize(self, os.close, descriptor)
        _held.add(self)

    @property
    def held(self) -> bool:
        """Whether this process holds the lock."""
        return self._close.alive

    def release(self) -> None:
        """Let go; nothing happens the second time."""
        self._close()


def _lock(descriptor: int) -> None:
    # flock, not lockf: it holds against a second open in this process too.
    if fcntl:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]


def _forget_in_child() -> None:
    # The child's copy of the descriptor would keep the lock after the parent's death.
    for lock in list(_held):
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
