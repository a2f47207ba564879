"""The log: changes since the manifest, each on the disk before the call that made it returns.

    head     magic, dim, bytes acknowledged, checksum of these
    record   kind, number of ids, checksum of these, of the record's place and of what follows;
             ids int64 (n,), and rows float32 (n, dim) unless the kind is REMOVE
    record   …

All little-endian. A kill may leave part of a record at the end; the call that wrote it had not
returned. The head says how many bytes belong to calls that had: among those a record that is cut
or does not match its checksum is damage, behind them it is the work of a kill and not there.
"""

from __future__ import annotations

import os
import struct
import weakref
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from fastfunnel import _core
from fastfunnel.storage.durable import creating, open_plain, reading
from fastfunnel.storage.layout import new_digest

_MAGIC = b"FFLOG\0\0\2"
_HEAD = struct.Struct("<8sQQ16s")  # magic, dim, bytes acknowledged, checksum
_RECORD = struct.Struct("<QQ16s")  # kind, ids, checksum
_HEAD_READS = 3  # the writer may be in the middle of writing it


class Kind(IntEnum):
    """What a record does."""

    ADD = 1
    UPSERT = 2
    REMOVE = 3


@dataclass(frozen=True)
class Change:
    """One record, or several additions that follow each other."""

    kind: Kind
    ids: npt.NDArray[np.int64]
    rows: npt.NDArray[np.float32]  # (n, dim), or (n, 0) for REMOVE

    @property
    def n_bytes(self) -> int:
        """Bytes of its record."""
        return _RECORD.size + 8 * self.ids.size + 4 * self.rows.size

    @classmethod
    def removal(cls, ids: npt.NDArray[np.int64]) -> Change:
        """Return the removal of these ids."""
        return cls(Kind.REMOVE, ids, np.empty((len(ids), 0), np.float32))

    def apply(self, core: _core.Index) -> None:
        """Do to an index in memory what this change says."""
        if self.kind == Kind.ADD:
            core.add(self.rows, self.ids)
        elif self.kind == Kind.UPSERT:
            core.upsert(self.rows, self.ids)
        else:
            core.remove(self.ids)


class LogWriter:
    """The end of a log, where records are appended.

    Args:
        path: of a log that `create_log` made.
        dim: dims of a row.
        end: bytes of it that count; what a kill left behind them is cut off.
    """

    def __init__(self, path: Path, dim: int, end: int) -> None:
        """Open the log."""
        self._descriptor = open_plain(path, os.O_RDWR)
        self._close = weakref.finalize(self, os.close, self._descriptor)
        self._path = path
        self._dim = dim
        self._broken = False
        self.n_bytes = end
        os.ftruncate(self._descriptor, end)
        os.fsync(self._descriptor)
        self._acknowledge()

    @property
    def is_empty(self) -> bool:
        """Whether it has no record."""
        return self.n_bytes == _HEAD.size

    def append(self, change: Change) -> None:
        """Write a record; it is on the disk when this returns.

        Raises:
            OSError: if the system refuses. The log is then as it was.
        """
        if self._broken:
            raise OSError(f"{self._path} could not be restored after an error; open the index anew")
        counts = struct.pack("<QQ", change.kind, len(change.ids))
        payload = (change.ids.astype("<i8", copy=False), change.rows.astype("<f4", copy=False))
        parts = [np.ascontiguousarray(part).reshape(-1).view(np.uint8).data for part in payload]
        digest = _digest(counts, self.n_bytes)
        for part in parts:
            digest.update(part)
        try:
            self._write_at(self.n_bytes, counts + digest.digest(), *parts)
            os.fsync(self._descriptor)
        except BaseException:
            self._broken = True
            os.ftruncate(self._descriptor, self.n_bytes)
            self._broken = False
            raise
        self.n_bytes += change.n_bytes
        with suppress(OSError):  # the record is safe; the head may lag behind
            self._acknowledge()

    def close(self) -> None:
        """Close the file."""
        self._close()

    def _acknowledge(self) -> None:
        self._write_at(0, _head(self._dim, self.n_bytes))

    def _write_at(self, offset: int, *parts: bytes | memoryview) -> None:
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        for part in parts:
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]


def create_log(path: Path, dim: int) -> int:
    """Make an empty log, on the disk but for its name; return its length."""
    with creating(path) as file:
        file.write(_head(dim, _HEAD.size))
    return _HEAD.size


def read_log(path: Path, dim: int, start: int | None = None) -> Iterator[tuple[Change, int]]:
    """Iterate over the changes in a log.

    Args:
        path: the log.
        dim: dims of a row.
        start: where to begin, an end that was returned before; None for all of it.

    Yields:
        The change, and where it ends.

    Raises:
        ValueError: naming the file and the place.
        OSError: if the system refuses.
    """
    try:
        acknowledged = _acknowledged(path, dim)
        with reading(path) as file:
            end = _HEAD.size if start is None else start
            size = os.fstat(file.fileno()).st_size
            if size < max(acknowledged, end):
                raise ValueError(f"{path} must have {acknowledged} bytes or more, got {size}")
            file.seek(end)
            while (change := _read_record(file, size, dim)) is not None:
                end = file.tell()
                yield change, end
            if end < acknowledged:
                raise ValueError(f"{path} is damaged: its record at byte {end} is not whole")
    except FileNotFoundError:
        raise ValueError(f"{path} is missing, the manifest names it") from None


def _read_record(file: BinaryIO, size: int, dim: int) -> Change | None:
    begin = file.tell()
    record = file.read(_RECORD.size)
    if len(record) < _RECORD.size:
        return None
    kind, n, checksum = _RECORD.unpack(record)
    row_values = 0 if kind == Kind.REMOVE else dim
    n_bytes = n * (8 + 4 * row_values)
    # Nothing is read, nor memory taken for it, before the file is known to be that long.
    if kind not in tuple(Kind) or n == 0 or n_bytes > size - begin - _RECORD.size:
        return None
    digest = _digest(record[:16], begin)
    payload = file.read(n_bytes)
    digest.update(payload)
    if len(payload) < n_bytes or digest.digest() != checksum:
        return None
    ids = np.frombuffer(payload, "<i8", n).astype(np.int64)
    rows = np.frombuffer(payload, "<f4", n * row_values, offset=8 * n).astype(np.float32)
    return Change(Kind(kind), ids, rows.reshape(n, row_values))


def _digest(counts: bytes, place: int) -> blake2b:
    digest = new_digest()
    digest.update(counts + struct.pack("<Q", place))  # no record passes for another one
    return digest


def _head(dim: int, acknowledged: int) -> bytes:
    summed = _HEAD.pack(_MAGIC, dim, acknowledged, b"")[:-16]
    digest = new_digest()
    digest.update(summed)
    return summed + digest.digest()


def _acknowledged(path: Path, dim: int) -> int:
    for _ in range(_HEAD_READS):
        with reading(path) as file:
            head = file.read(_HEAD.size)
        if len(head) == _HEAD.size:
            acknowledged: int = _HEAD.unpack(head)[2]
            if head == _head(dim, acknowledged):
                return acknowledged
    raise ValueError(f"{path} is damaged: its head is not that of a log of {dim} dims")
