"""One array, one .npy file: written as it streams by, read only after all of it is checked."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tokenize import TokenError
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from fastfunnel.storage.durable import creating, reading
from fastfunnel.storage.layout import new_digest
from fastfunnel.storage.segment_files import ArrayFile

_BLOCK = 1 << 20
PAGE = 4096  # where float rows begin, so that those of a page lie on one
_MAX_HEADER = PAGE  # bytes


def write_array(
    path: Path,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    parts: Iterable[npt.NDArray[Any]],
    alignment: int = 64,
) -> ArrayFile:
    """Write an array that comes in parts along its first axis; it is on the disk when this returns.

    The name of the file is not: `durable.sync_directory` puts it there. Values begin at a multiple
    of `alignment`.

    Raises:
        ValueError: if the parts do not add up to `shape`.
        OSError: if the system refuses. Nothing is left behind then.
    """
    with creating(path) as file:
        summed = _SummedFile(file)
        header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
        summed.write(_header(header, alignment))
        n_rows = 0
        for part in parts:
            if part.shape[1:] != shape[1:]:
                raise ValueError(f"parts must have shape (n, *{shape[1:]}), got {part.shape}")
            n_rows += len(part)
            summed.write(np.ascontiguousarray(part, dtype).reshape(-1).view(np.uint8).data)
        if n_rows != shape[0]:
            raise ValueError(f"parts must have {shape[0]} rows, got {n_rows}")
    return ArrayFile(path.name, dtype.str, shape, summed.n_bytes, summed.digest.hexdigest())


def _header(values: dict[str, Any], alignment: int) -> bytes:
    """Return a header of version 1.0 as NumPy writes it, with more of the padding it ends with."""
    buffer = BytesIO()
    np.lib.format.write_array_header_1_0(buffer, values)
    magic, text = buffer.getvalue()[:8], buffer.getvalue()[10:-1]
    length = -(-(len(text) + 11) // alignment) * alignment - 10
    return magic + struct.pack("<H", length) + text.ljust(length - 1) + b"\n"


def map_array(directory: Path, entry: ArrayFile, verify: bool = False) -> npt.NDArray[Any]:
    """Return a file's array, mapped read-only, which allocates nothing; arguments as `opened`."""
    with opened(directory, entry, verify) as (file, offset):
        return np.memmap(file, entry.dtype, "r", offset, entry.shape)


@contextmanager
def opened(
    directory: Path, entry: ArrayFile, verify: bool = False
) -> Iterator[tuple[BinaryIO, int]]:
    """Open the file of an array once it is checked; yield it, and where in it the values begin.

    Args:
        directory: of the index.
        entry: what the manifest says of the file.
        verify: True reads all of it and compares the checksum.

    Raises:
        ValueError: naming the file, if it is not what the manifest says.
        OSError: if the system refuses.
    """
    path = directory / entry.file
    try:
        with reading(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size != entry.bytes:
                raise ValueError(f"{path} must have {entry.bytes} bytes, got {size}")
            if verify and _checksum(file) != entry.blake2b:
                raise ValueError(f"{path} is damaged: its checksum is not the manifest's")
            _check_header(file, path, entry)
            yield file, file.tell()
    except FileNotFoundError:
        raise ValueError(f"{path} is missing, the manifest names it") from None


def _check_header(file: BinaryIO, path: Path, entry: ArrayFile) -> None:
    file.seek(0)
    try:
        # Versions 2 and 3 may announce gigabytes of header; we never write them.
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("its version is not 1.0")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(
            file, max_header_size=_MAX_HEADER
        )
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError, TokenError) as error:
        raise ValueError(f"{path} must be an .npy array: {error}") from None
    if fortran or (dtype.str, shape) != (entry.dtype, entry.shape):
        raise ValueError(
            f"{path} must hold {entry.dtype} of shape {entry.shape} in C order, "
            f"got {dtype.str} of {shape}"
        )
    expected = file.tell() + int(np.prod(shape, dtype=object)) * dtype.itemsize
    if expected != entry.bytes:
        raise ValueError(f"{path} must have {expected} bytes, got {entry.bytes}")


def _checksum(file: BinaryIO) -> str:
    digest = new_digest()
    file.seek(0)
    while block := file.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


class _SummedFile:
    """A file being written, and the checksum of what was."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = new_digest()
        self.n_bytes = 0

    def write(self, block: bytes | memoryview) -> None:
        self._file.write(block)
        self.digest.update(block)
        self.n_bytes += len(block)
