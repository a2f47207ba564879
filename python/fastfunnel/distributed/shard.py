"""What runs in an actor: one replica of a shard, which is a live index."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from fastfunnel.distributed.request import Request
from fastfunnel.funnel import Funnel
from fastfunnel.index import Index
from fastfunnel.model import Model
from fastfunnel.storage import open_index
from fastfunnel.storage.layout import MANIFEST
from fastfunnel.tuning.budget import NEVER, Deadline
from fastfunnel.tuning.confidence import Found
from fastfunnel.tuning.ranks import Ranks, neighbour_ranks
from fastfunnel.tuning.sample import Part
from fastfunnel.tuning.target import neighbours_left

Ids = npt.NDArray[np.int64]
Rows = npt.NDArray[np.float32]
T = TypeVar("T")

_DIGEST_ROWS = 4096  # rows held at a time


class FilesError(OSError):
    """A replica's files cannot be opened; another replica's may."""


class Shard:
    """A live index, opened at the first call; a restarted actor so finds what it had on disk.

    Args:
        path: directory of the index, on the machine of the actor.
    """

    def __init__(self, path: str) -> None:
        """Open nothing yet, so that errors reach whoever asks."""
        self._path = Path(path)
        self._opening = threading.Lock()
        self._opened: Index | None = None

    def ping(self) -> None:
        """Return: the process runs."""

    @property
    def index(self) -> Index:
        """The index, open for writing.

        Raises:
            BlockingIOError: another process, which may be ending, has it open.
            FilesError: it cannot be opened.
        """
        with self._opening:
            if self._opened is None:
                try:
                    self._opened = open_index(self._path, writable=True)
                except BlockingIOError:
                    raise
                except (OSError, ValueError) as error:
                    raise FilesError(f"{type(error).__name__}: {error}") from None
            return self._opened

    def create(self, dim: int, options: dict[str, Any]) -> None:
        """Make the index; raises as `Index.create`."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._opening:
            if self._opened is None:
                self._opened = Index.create(self._path, dim, **options)

    def create_like(self, dim: int, metric: str, model: Any, rotation: Any) -> None:
        """Make the index if there is none."""
        if not (self._path / MANIFEST).exists():
            made_by = None if model is None else Model.from_dict(model)
            self.create(dim, {"metric": metric, "model": made_by, "rotation": rotation})

    def description(self) -> dict[str, Any]:
        """Return dim, metric, made_by and rotation of the index."""
        index = self.index
        return {
            "dim": index.dim,
            "metric": index.metric,
            "model": None if index.made_by is None else index.made_by.to_dict(),
            "rotation": index.rotation,
        }

    def count(self) -> tuple[int, int]:
        """Return rows and the next id, when all changes that were begun before are over."""
        return len(self.index), self.index._next_id

    def state(self) -> dict[str, Any]:
        """Return rows, bytes on disk and in memory, process and machine."""
        index = self.index
        floats, planes = index._core.sizes()
        return {
            "rows": len(index),
            "disk_bytes": _bytes_of_files(self._path),
            "float_bytes": floats,
            "code_bytes": planes,
            "pid": os.getpid(),
            "host": socket.gethostname(),
        }

    def check(self, rows: npt.NDArray[Any] | None, ids: Ids) -> npt.NDArray[np.bool_]:
        """Return which ids there are, bool (n,); raises for rows that `add` would refuse."""
        index = self.index
        if rows is not None:
            index._core.check(index._as_rows(rows), ids, True)
        return index._core.locate(ids) >= 0

    def add(self, rows: npt.NDArray[Any], ids: Ids, again: bool) -> None:
        """Add rows; again: a call before this one may have done it, as a whole or not at all."""
        index = self.index
        if not (again and (index._core.locate(ids) >= 0).all()):
            index.add(rows, ids)

    def upsert(self, rows: npt.NDArray[Any], ids: Ids, again: bool) -> None:
        """Add or replace rows."""
        self.index.upsert(rows, ids)

    def remove(self, ids: Ids, again: bool) -> None:
        """Remove rows."""
        self.index.remove(ids)

    def compact(self, again: bool) -> int:
        """Free what removed rows hold; return how many those were."""
        return self.index.compact()

    def search(self, text: bytes, queries: Any, ids: Any) -> tuple[Ids, npt.NDArray[np.float64]]:
        """Return ids and scores (n, k); scores are float64 where they are true ones.

        Args:
            text, queries, ids: a `Request`, packed.
        """
        index = self.index
        asked = Request.unpacked(text, queries, ids, index.dim)
        n, k = len(asked.queries), asked.k
        if len(index) == 0:
            return np.full((n, k), -1, np.int64), np.full((n, k), -np.inf)
        funnel, exact = asked.funnel, asked.exact
        if funnel is None and not exact:
            funnel = index._default_for(index._as_queries(asked.queries), k)
            exact = funnel is None
        found, scores = index.search(
            asked.queries, k, funnel=funnel, exact=exact, filter=asked.filter_ids, **asked.options
        )
        last = None if funnel is None else funnel.stages[-1]
        if last is not None and (last.precision, last.dims) != ("f32", index.dim):
            return found, scores.astype(np.float64)
        return found, index._core.rescore(found, index._as_queries(asked.queries), 1)

    def ids(self) -> Ids:
        """Return all ids."""
        return self.index._core.ids()

    def rows(self, ids: Ids) -> tuple[Ids, Rows]:
        """Return those of the ids that there are, and their rows as they were added."""
        core = self.index._core
        while True:
            there = ids[core.locate(ids) >= 0]
            try:
                return there, self.index.get(there)
            except IndexError:  # one was removed between the two calls
                continue

    def draw(self, n: int, seed: int) -> tuple[Ids, Rows]:
        """Return ids and rows of n different rows, or of all."""
        return self.index.draw(n, np.random.default_rng(seed))

    def ranks(self, part: Part, funnel: Funnel, depth: int) -> Ranks:
        """Return the ranks that neighbours have among the rows of this shard; see `ranks_in`."""
        depth = max(1, min(depth, len(self.index) - 1))
        return neighbour_ranks(self.index, part, funnel, depth, NEVER)

    def left(self, part: Part, keep: int, funnel: Funnel, deadline: Deadline) -> Found:
        """Return which neighbours this shard keeps; see `neighbours_left`."""
        return neighbours_left(self.index, part, keep, funnel, deadline)

    def call(self, function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        """Return function(index, ...)."""
        return function(self.index, *args, **kwargs)

    # What a replica that missed changes does to catch up with one that did not.

    def digests(self) -> tuple[Ids, npt.NDArray[np.uint64]]:
        """Return all ids, ascending, and a checksum of each row as it is stored."""
        core = self.index._core
        ids = np.sort(core.ids())
        digests = np.empty(len(ids), np.uint64)
        for first in range(0, len(ids), _DIGEST_ROWS):
            rows = core.get(ids[first : first + _DIGEST_ROWS])
            sums = b"".join(hashlib.blake2b(row.data, digest_size=8).digest() for row in rows)
            digests[first : first + len(rows)] = np.frombuffer(sums, np.uint64)
        return ids, digests

    def stored(self, ids: Ids) -> tuple[Ids, Rows]:
        """Return those of the ids that there are, and their rows as they are stored."""
        core = self.index._core
        while True:
            there = ids[core.locate(ids) >= 0]
            try:
                return there, core.get(there)
            except IndexError:
                continue

    def drop_others(self, told: tuple[Ids, npt.NDArray[np.uint64]]) -> Ids:
        """Remove rows that the other replica lacks; return ids of those it has otherwise."""
        ids, digests = self.digests()
        their_ids, their_digests = told
        gone = np.setdiff1d(ids, their_ids, assume_unique=True)
        if len(gone):
            self.index.remove(gone)
        mine = np.searchsorted(ids, their_ids)
        mine[mine == len(ids)] = 0
        same = np.zeros(len(their_ids), bool)
        if len(ids):
            same = (ids[mine] == their_ids) & (digests[mine] == their_digests)
        return their_ids[~same]

    def take(self, told: tuple[Ids, Rows], again: bool = False) -> None:
        """Store rows of another replica, or shard, as it has them."""
        ids, rows = told
        index = self.index
        with index._changing:
            if len(ids) and index._journal is not None:
                index._core.check(rows, ids, True)
                index._journal.upsert(rows, ids)

    def erase(self) -> None:
        """Close the index and delete its files, as its shard was removed."""
        self.close()
        shutil.rmtree(self._path)

    def close(self) -> None:
        """Close the index."""
        with self._opening:
            if self._opened is not None:
                self._opened.close()


def _bytes_of_files(directory: Path) -> int:
    total = 0
    for file in directory.iterdir():
        with suppress(FileNotFoundError):  # a change may put others in its place meanwhile
            total += file.stat().st_size
    return total
