"""New files of an index, which are nothing until a manifest names them.

rows of the core ──► Draft.segment, Draft.deleted, … ──► Draft.commit: one rename
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastfunnel import _core
from fastfunnel.storage.arrays import PAGE, map_array, write_array
from fastfunnel.storage.durable import remove, sync_directory
from fastfunnel.storage.layout import (
    DTYPES,
    FRESH_MANIFEST,
    SEGMENT_ROWS,
    file_name,
    int8_width,
    our_files,
    sign_width,
)
from fastfunnel.storage.log import create_log
from fastfunnel.storage.manifest import Manifest, read_manifest, write_manifest
from fastfunnel.storage.segment_files import ArrayFile, Codes, Segment
from fastfunnel.tiers import Tiers

_FLOAT = np.dtype("<f4")
# Codes of fewer rows are made sooner than their files are written and flushed: 10 ms for 8,192 x
# 1024.
CODES_FROM = 8192
_PART_BYTES = 4 << 20  # of rows that are held at a time while they are written

Rows = npt.NDArray[Any]  # as they are stored, see Tiers.dtype
Ids = npt.NDArray[np.int64]


@contextmanager
def drafting(directory: Path, dim: int, tiers: Tiers, next_number: int) -> Iterator[Draft]:
    """Write files beside those of an index; they are removed if an error comes before `commit`.

    The caller holds the writer's lock. `next_number` is the first number that no file has had.
    """
    draft = Draft(directory, dim, tiers, next_number)
    try:
        yield draft
    except BaseException:
        with suppress(OSError, ValueError):  # what cannot be read names nothing for certain
            named = _names(directory)
            remove(directory / name for name in draft.written if name not in named)
        raise


class Draft:
    """The files of a state that an index is to have."""

    def __init__(self, directory: Path, dim: int, tiers: Tiers, next_number: int) -> None:
        """Begin; see `drafting`."""
        self._directory = directory
        self._dim = dim
        self._tiers = tiers
        self.next_number = next_number
        self.written: list[str] = []

    def segment(
        self, ids: Ids, alive: npt.NDArray[np.bool_] | None, parts: Iterable[Rows]
    ) -> Segment:
        """Write a segment.

        Args:
            ids: int64 (n,).
            alive: bool (n,), which rows are not deleted; None for all.
            parts: (…, dim) arrays of rows as they are stored, n rows together.
        """
        number = self._number()
        shape = len(ids), self._dim
        vectors = self._array("vectors", number, self._tiers.dtype, shape, parts, PAGE)
        segment = Segment(
            vectors=vectors,
            ids=self._array("ids", number, np.dtype("<i8"), ids.shape, [ids]),
            codes=self._codes(vectors, number) if len(ids) >= CODES_FROM else None,
        )
        return segment if alive is None or alive.all() else self.deleted(segment, alive)

    def _codes(self, vectors: ArrayFile, number: int) -> Codes:
        """Write the codes of rows that have just been written, a few megabytes at a time."""
        rows = map_array(self._directory, vectors)
        n, dims = len(rows), length_dims(self._dim)
        with_signs, with_int8 = (code in self._tiers.codes for code in ("b1", "i8"))
        lengths: list[npt.NDArray[Any]] = []
        scales: list[npt.NDArray[Any]] = []

        def signs() -> Iterator[npt.NDArray[Any]]:
            for part in parts_of(rows, self._dim):
                bits, _, _, of_part = _core.codes_of(part, with_signs, False, dims)
                lengths.append(of_part)
                if bits is not None:
                    yield bits

        def int8() -> Iterator[npt.NDArray[Any]]:
            for part in parts_of(rows, self._dim):
                _, values, of_part, _ = _core.codes_of(part, False, True, [])
                assert values is not None
                assert of_part is not None
                scales.append(of_part)
                yield values

        def file(role: str, width: int, parts: Iterable[npt.NDArray[Any]]) -> ArrayFile:
            return self._array(role, number, DTYPES[role][0], (n, width), parts)

        codes: dict[str, ArrayFile] = {}
        if with_signs:
            codes["signs"] = file("signs", sign_width(self._dim), signs())
        else:
            deque(signs(), maxlen=0)  # for the lengths
        if with_int8:
            codes["int8"] = file("int8", int8_width(self._dim), int8())
            codes["scales"] = file("scales", 2, scales)
        return Codes(file("lengths", len(dims), lengths), dims, **codes)

    def deleted(self, segment: Segment, alive: npt.NDArray[np.bool_]) -> Segment:
        """Write which rows of a segment are alive now; return the segment that says so."""
        bits = np.packbits(~alive, bitorder="little")
        file = self._array("deleted", self._number(), bits.dtype, bits.shape, [bits])
        return dataclasses.replace(segment, deleted=file, n_deleted=int((~alive).sum()))

    def rotation(self, rotation: Rows) -> ArrayFile:
        """Write the rotation."""
        return self._array("rotation", self._number(), _FLOAT, rotation.shape, [rotation])

    def log(self) -> tuple[str, int]:
        """Make an empty log; return its name and length."""
        name = self._begin("log", self._number())
        return name, create_log(self._directory / name, self._dim)

    def live_rows(self, core: _core.Index, segments: Iterable[int]) -> list[Segment]:
        """Write the rows alive in some segments of the core, packed into as few as can be."""
        stream = _LiveRows(core, segments)
        written = []
        while stream.n_left > 0:
            n = min(SEGMENT_ROWS, stream.n_left)
            ids = stream.ids(n)
            written.append(self.segment(ids, None, stream.take(n)))
        return written

    def commit(self, manifest: Manifest) -> Manifest:
        """Make `manifest` what the index is; return it with its next number."""
        manifest = dataclasses.replace(manifest, next_number=self.next_number)
        sync_directory(self._directory)
        write_manifest(self._directory, manifest)
        return manifest

    def _array(
        self,
        role: str,
        number: int,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        parts: Iterable[npt.NDArray[Any]],
        alignment: int = 64,
    ) -> ArrayFile:
        path = self._directory / self._begin(role, number)
        return write_array(path, dtype, shape, parts, alignment)

    def _begin(self, role: str, number: int) -> str:
        self.written.append(file_name(role, number))
        return self.written[-1]

    def _number(self) -> int:
        self.next_number += 1
        return self.next_number - 1


class _LiveRows:
    """The rows alive in some segments of the core, in order, as one stream."""

    def __init__(self, core: _core.Index, segments: Iterable[int]) -> None:
        found = [(segment, *core.segment(segment)) for segment in segments]
        nothing = np.empty(0, np.int64)
        self._ids = np.concatenate([nothing, *(ids[alive] for _, ids, alive in found)])
        self._taken = 0
        self._parts = chain.from_iterable(core_rows(core, i, alive) for i, _, alive in found)
        self._rest: Rows = np.empty((0, core.dim))

    @property
    def n_left(self) -> int:
        return len(self._ids) - self._taken

    def ids(self, n: int) -> Ids:
        """Return the ids of the next n rows, which `take` is to return."""
        return self._ids[self._taken : self._taken + n]

    def take(self, n: int) -> Iterator[Rows]:
        self._taken += n
        while n > 0:
            while len(self._rest) == 0:
                self._rest = next(self._parts)
            part, self._rest = self._rest[:n], self._rest[n:]
            n -= len(part)
            yield part


def core_rows(core: _core.Index, segment: int, wanted: npt.NDArray[np.bool_]) -> Iterator[Rows]:
    """Iterate over the wanted rows of a segment of the core, a few megabytes at a time."""
    first = 0
    for part in parts_of(wanted, core.dim):
        if part.any():
            yield core.segment_rows(segment, first, len(part))[part]
        first += len(part)


def parts_of(rows: npt.NDArray[Any], dim: int) -> Iterator[npt.NDArray[Any]]:
    """Cut an array along its first axis, so that few rows of `dim` floats are in hand at a time."""
    step = max(1, _PART_BYTES // (4 * dim))
    return (rows[first : first + step] for first in range(0, len(rows), step))


def length_dims(dim: int) -> tuple[int, ...]:
    """Return the prefixes whose lengths are written: those that stages of int8 mostly read."""
    return (*(d for d in (64, 128, 256, 512, 1024) if d < dim), dim)


def clean(directory: Path, manifest: Manifest) -> None:
    """Remove files of ours that the manifest does not name: a killed writer's, or replaced ones."""
    named = manifest.names()
    remove(directory / name for name in our_files(directory) if name not in named)
    remove([directory / FRESH_MANIFEST])


def _names(directory: Path) -> set[str]:
    try:
        return read_manifest(directory).names()
    except FileNotFoundError:
        return set()
