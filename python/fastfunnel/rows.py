"""The rows of an index: adding, replacing and removing them, and keeping them on disk."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastfunnel import _core
from fastfunnel.arguments import Metric, as_ids, as_rows, check_magnitudes
from fastfunnel.rotation import Rotation, rotate, rotate_back
from fastfunnel.sampling import draw_rows
from fastfunnel.tiers import Code, FloatDtype, FloatStore, Tiers

if TYPE_CHECKING:
    from typing_extensions import Self

    from fastfunnel.storage.live import LiveWriter
    from fastfunnel.storage.reading import Source

_IDS_AT_ONCE = 1 << 20


class Rows:
    """What `Index` does with rows, searches aside. Changes wait for each other, searches do not."""

    def __init__(self, dim: int, rotation: Rotation | None, metric: Metric, tiers: Tiers) -> None:
        """Hold no rows."""
        self._core = tiers.new_core(dim, metric)
        self.metric = metric
        self._tiers = tiers
        self._rotation = rotation
        self._next_id = 0
        self._forget_threads()
        _living.add(self)
        self._writable = True
        self._source: Source | None = None  # where the rows come from, if from a directory
        self._journal: LiveWriter | None = (
            None  # makes changes in memory and on disk; or memory only
        )

    @property
    def dim(self) -> int:
        """Dims of the rows."""
        return self._core.dim

    @property
    def float_store(self) -> FloatStore:
        """Where float rows lie: "ram" or "disk"."""
        return self._tiers.float_store

    @property
    def float_dtype(self) -> FloatDtype:
        """What float rows are rounded to: "f32", "f16" or "bf16"."""
        return self._tiers.float_dtype

    @property
    def codes(self) -> tuple[Code, ...]:
        """The codes that stages may read: of "b1" and "i8"."""
        return self._tiers.codes

    @property
    def rotation(self) -> Rotation | None:
        """The map applied to rows and queries, float32 (dim, dim), read-only; None for none."""
        return self._rotation

    def add(self, vectors: npt.ArrayLike, ids: npt.ArrayLike | None = None) -> _core.IdArray:
        """Add rows; they need not be normalised.

        Args:
            vectors: (n, dim) float32, float64, float16, bfloat16 or int8; copied as float32, or
                rounded to the index's `float_dtype`.
            ids: n unique int64 ids from 0 on that are not in the index; None continues after the
                highest id so far.

        Returns:
            The ids, int64 (n,).

        Raises:
            TypeError, ValueError: for rows or ids of another kind, for nan or inf, for ids that
                are taken. The index is then unchanged.
            OSError: if the system refuses to write a live index, which is then unchanged.
        """
        rows = self._as_rows(vectors)
        given = None if ids is None else as_ids(ids, len(rows))
        with self._changing:
            self._check_writable()
            new_ids = self._following_ids(len(rows)) if given is None else given
            if self._journal is None:
                self._core.add(rows, new_ids)
            else:
                self._core.check(rows, new_ids, False)
                self._journal.add(rows, new_ids)
            self._next_id = max(self._next_id, int(new_ids.max()) + 1)
        return new_ids

    def adopt(self, vectors: npt.ArrayLike, ids: npt.ArrayLike | None = None) -> _core.IdArray:
        """Add rows where they are: searches read the caller's memory, a mapped file for one.

        Args:
            vectors: (n, dim) float32 or float16 in C order, read once now; kept, never changed, and
                not to be changed by anybody.
            ids: as in `add`.

        Returns:
            The ids, int64 (n,).

        Raises:
            TypeError, ValueError: as `add`; ValueError for an index that lives on disk or that
                rotates its rows: both keep their own.
        """
        rows = as_rows(vectors, "vectors", self.dim)
        if self._journal is not None or self._rotation is not None:
            raise ValueError("the index must be in memory and without a rotation to adopt rows")
        if self._tiers.on_disk:
            raise ValueError("float_store must be 'ram' to adopt rows, got 'disk'")
        if rows.dtype.kind != "f" or rows.itemsize > 4 or not rows.flags.c_contiguous:
            got = f"{rows.dtype} in strides {rows.strides}"
            raise TypeError(f"vectors must be float32 or float16 in C order, got {got}")
        if self.float_dtype != "f32" and rows.dtype != self._tiers.dtype:
            raise TypeError(
                f"vectors must be what float_dtype {self.float_dtype!r} says to be adopted, "
                f"got {rows.dtype}"
            )
        if self.metric != "cosine":
            check_magnitudes(rows, "vectors", self.metric)
        with self._changing:
            self._check_writable()
            new_ids = self._following_ids(len(rows)) if ids is None else as_ids(ids, len(rows))
            self._core.check(rows, new_ids, False)
            self._core.adopt(rows, new_ids)
            self._next_id = max(self._next_id, int(new_ids.max()) + 1)
        return new_ids

    def upsert(self, vectors: npt.ArrayLike, ids: npt.ArrayLike) -> int:
        """Add rows, in place of those that have their ids.

        Args:
            vectors: as in `add`.
            ids: n unique int64 ids from 0 on.

        Returns:
            How many rows were replaced.

        Raises:
            TypeError, ValueError, OSError: as `add`.
        """
        rows = self._as_rows(vectors)
        given = as_ids(ids, len(rows))
        with self._changing:
            self._check_writable()
            if self._journal is None:
                replaced = self._core.upsert(rows, given)
            else:
                self._core.check(rows, given, True)
                replaced = self._journal.upsert(rows, given)
            self._next_id = max(self._next_id, int(given.max()) + 1)
        return replaced

    def remove(self, ids: npt.ArrayLike) -> int:
        """Remove the rows with these ids; ids that are not there are no error.

        Args:
            ids: (n,) int64; searches skip their rows at once, `compact` frees the memory.

        Returns:
            How many rows were removed.

        Raises:
            TypeError, ValueError: for ids of another kind, for an index opened read-only.
            OSError: if the system refuses to write a live index, which is then unchanged.
        """
        given = as_ids(ids)
        with self._changing:
            self._check_writable()
            return (self._journal or self._core).remove(given) if len(given) else 0

    def compact(self) -> int:
        """Free what removed and replaced rows hold, in memory and on disk.

        Returns:
            How many those were. Ids and answers stay.

        Raises:
            ValueError: for an index opened read-only.
            OSError: if the system refuses to write a live index, which is then unchanged.
        """
        with self._changing:
            self._check_writable()
            return (self._journal or self._core).compact()

    def get(self, ids: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return the rows with these ids as they were added, float32 (n, dim).

        With a `float_dtype` other than "f32" they come as they were rounded.

        With a rotation they are rotated back, which rounds: about 1e-6 of a row's length.

        Raises:
            IndexError: naming an id that is not in the index.
        """
        rows = self._core.get(as_ids(ids))
        return rows if self._rotation is None else rotate_back(rows, self._rotation)

    def draw(
        self, n: int, rng: np.random.Generator
    ) -> tuple[_core.IdArray, npt.NDArray[np.float32]]:
        """Return ids (n,) and rows (n, dim), as `get` does, of n different rows in random order.

        All rows come if there are fewer.
        """
        ids, rows = draw_rows(self._core, n, rng)
        return ids, rows if self._rotation is None else rotate_back(rows, self._rotation)

    def flush(self) -> None:
        """Return when every change of a live index is on the disk, as each was when it returned.

        So are the default funnels it chose. With float_store="disk" the newest rows leave memory too.
        """
        with self._changing:
            if self._journal is not None:
                self._journal.flush()

    def close(self) -> None:
        """End a live index: its files become plain arrays, and another writer may open it.

        Nothing is lost without it. Searches go on, changes are errors from now on. Does nothing
        to other indexes.
        """
        with self._changing:
            if self._journal is not None:
                self._journal.close()
                self._writable = False

    def __enter__(self) -> Self:
        """Return the index, to be closed at the end of the block."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the index."""
        self.close()

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._core)

    def __contains__(self, id: object) -> bool:
        """Return whether a row has this id."""
        return isinstance(id, (int, np.integer)) and 0 <= int(id) < 2**63 and int(id) in self._core

    def __iter__(self) -> Iterator[int]:
        """Iterate over the ids, in the order the rows were added."""
        return iter(self._core.ids().tolist())

    def _forget_threads(self) -> None:
        self._changing = threading.RLock()  # two adds must not draw the same ids

    def _check_writable(self) -> None:
        if not self._writable:
            raise ValueError(
                "the index was opened read-only, or is closed; open it with writable=True to change it"
            )

    def _as_rows(self, vectors: npt.ArrayLike) -> npt.NDArray[Any]:
        rows = as_rows(vectors, "vectors", self.dim)
        if self.metric != "cosine":
            check_magnitudes(rows, "vectors", self.metric)
        return self._rotated(rows)

    def _rotated(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return rows if self._rotation is None else rotate(rows, self._rotation)

    def _following_ids(self, n: int) -> _core.IdArray:
        if self._journal is not None:  # after an interrupted change it knows more
            self._next_id = max(self._next_id, self._journal.next_id)
        if self._next_id + n > 2**63:
            raise ValueError(f"ids must be given, {n} more would pass 2^63 - 1")
        ids = np.empty(n, np.int64)
        for first in range(0, n, _IDS_AT_ONCE):  # Ctrl-C is answered between two of them
            some = ids[first : first + _IDS_AT_ONCE]
            np.add(np.arange(len(some), dtype=np.int64), self._next_id + first, out=some)
        return ids


_living: weakref.WeakSet[Rows] = weakref.WeakSet()


def _forget_threads() -> None:
    """Free what other threads held: a forked child has none of them (as cpp/threads/fair_lock)."""
    for rows in _living:
        rows._forget_threads()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
