"""The writer of a live index: every change is on the disk before the call that makes it returns.

    small change ──► log ──► core            one write, one flush
    many rows ─────► new segments ──► core   no second copy
    log full, close ──► checkpoint: its rows become a segment, deletes become bits, the log is new

Segment i of the core is segment i on disk; the rows behind those are in the log alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastfunnel.storage.draft import Draft, Ids, clean, core_rows, drafting, parts_of
from fastfunnel.storage.layout import SEGMENT_ROWS
from fastfunnel.storage.lock import WriterLock
from fastfunnel.storage.log import Change, Kind, LogWriter
from fastfunnel.storage.manifest import read_manifest
from fastfunnel.storage.placing import rebase
from fastfunnel.storage.reading import Source, load
from fastfunnel.storage.segment_files import Segment

if TYPE_CHECKING:
    from fastfunnel.index import Index

LOG_BYTES = 128 << 20  # a longer log takes too long to read at the next open
DIRECT_ROWS = SEGMENT_ROWS // 2  # so many rows at once do not pass through the log
DIRECT_BYTES = 32 << 20  # nor so many of an index whose floats are to leave memory


class LiveWriter:
    """Keeps a directory and the core that was loaded from it in step.

    Not safe from several threads: the index holds its lock for changes around every call.

    Args:
        index: what was loaded; from now on this writer alone changes its core, and writes what
            funnels it chooses with whatever manifest comes next.
        source: what it was loaded from.
        lock: of the directory; held until `close`.
    """

    def __init__(self, index: Index, source: Source, lock: WriterLock) -> None:
        """Take up the log where it ends, and remove what a killed writer left."""
        self._core = core = index._core
        self._chosen = index._chosen
        self.directory = source.directory
        self._mmap = source.mmap
        self._tiers = source.manifest.tiers
        self._manifest = source.manifest
        self._next_number = source.manifest.next_number
        self._next_id = source.next_id
        self._lock = lock
        self._broken = False
        self._log: LogWriter | None = None
        if source.manifest.log is not None and source.log_end is not None:
            self._log = LogWriter(self.directory / source.manifest.log, core.dim, source.log_end)
        self._n_logged = sum(len(core.segment(i)[0]) for i in self._tail())
        clean(self.directory, self._manifest)

    @property
    def next_id(self) -> int:
        """One more than the highest id there ever was."""
        return self._next_id

    def check_usable(self) -> None:
        """Raise ValueError where nothing can be changed any more."""
        if not self._lock.held:
            raise ValueError(
                f"the index at {self.directory} is closed, or belongs to the process that this "
                "one was forked from; open it anew"
            )
        if self._broken:
            raise ValueError(f"the index at {self.directory} must be opened anew after an error")

    def add(self, rows: npt.NDArray[Any], ids: Ids) -> None:
        """Add rows that `core.check` has accepted, on the disk and in the core.

        Raises:
            OSError: if the system refuses. Nothing has changed then.
        """
        self.check_usable()
        many = self._tiers.on_disk and 4 * rows.size >= DIRECT_BYTES
        if many or len(ids) >= DIRECT_ROWS:
            self._add_segments(rows, ids)
        else:
            self._change(Change(Kind.ADD, ids, rows.astype(np.float32, copy=False)))

    def upsert(self, rows: npt.NDArray[Any], ids: Ids) -> int:
        """Add or replace rows; return how many were replaced. Raises as `add` does."""
        self.check_usable()
        n_before = len(self._core)
        self._change(Change(Kind.UPSERT, ids, rows.astype(np.float32, copy=False)))
        return n_before + len(ids) - len(self._core)

    def remove(self, ids: Ids) -> int:
        """Remove the rows with these ids; return how many there were. Raises as `add` does."""
        self.check_usable()
        there = np.unique(ids[self._core.locate(ids) >= 0])
        if len(there) > 0:
            self._change(Change.removal(there))
        return len(there)

    def compact(self) -> int:
        """Write the segments that have deleted rows anew, without them; return how many those were.

        Raises:
            OSError: if the system refuses. Nothing has changed then.
        """
        self.check_usable()
        core = self._core
        n_deleted = [int((~core.segment(i)[1]).sum()) for i in range(core.n_segments)]
        if not any(n_deleted):
            return 0
        with self._replacing() as draft:
            segments: list[Segment] = []
            packed: list[int] = []  # segments in a row whose rows alive are written together
            for i, n in enumerate(n_deleted):
                if n > 0 or i in self._tail():
                    packed.append(i)
                else:
                    segments += [*draft.live_rows(core, packed), self._manifest.segments[i]]
                    packed = []
            segments += draft.live_rows(core, packed)
            self._commit(draft, segments)
        self._load_anew()
        return sum(n_deleted)

    def keep_tuned(self, tuned: Mapping[str, Any]) -> None:
        """Write the funnels that tuning found, and the chosen. Raises as `add` does."""
        self.check_usable()
        manifest = dataclasses.replace(self._manifest, tuned=tuned, chosen=self._chosen.to_dict())
        with self._replacing() as draft:
            self._manifest = draft.commit(manifest)

    def flush(self) -> None:
        """Return when every change is on the disk: at once, since each was when it returned.

        So are the funnels chosen since. Floats of the log that are to lie on disk leave memory.
        """
        self.check_usable()
        if self._tiers.on_disk and self._n_logged > 0:
            self.checkpoint()
        elif not self._chosen.is_in(self._manifest.chosen):
            self.keep_tuned(self._manifest.tuned)

    def close(self) -> None:
        """Turn the log into arrays that any NumPy reads, and let another writer in.

        Small segments at the end are joined, so that many short sessions leave few.
        """
        if self._lock.held and not self._broken:
            with suppress(OSError):  # a full disk, say: all is in the log, for the next writer
                last = self.flush if self._manifest.log is None else self._checkpoint_for_good
                last()
        if self._log is not None:
            self._log.close()
        self._lock.release()

    def checkpoint(self) -> None:
        """Turn the log into a segment and begin a new one. Raises as `add` does."""
        with self._replacing() as draft:
            segments = self._with_deletes(draft)
            for i in self._tail():
                ids, alive = self._core.segment(i)
                rows = core_rows(self._core, i, np.ones_like(alive))
                segments.append(draft.segment(ids, alive, rows))
            fresh = self._tail()
            self._commit(draft, segments)
        self._map(fresh)

    def _checkpoint_for_good(self) -> None:
        with self._replacing() as draft:
            segments = self._with_deletes(draft)
            n_rows, first = self._n_logged, len(segments)
            while first > 0 and segments[first - 1].n_rows <= min(n_rows, SEGMENT_ROWS - n_rows):
                first -= 1
                n_rows += segments[first].n_rows
            joined = draft.live_rows(self._core, range(first, self._core.n_segments))
            self._commit(draft, segments[:first] + joined, with_log=False)

    def _add_segments(self, rows: npt.NDArray[Any], ids: Ids) -> None:
        core, fresh, done = self._core, self._tail(), 0
        with self._replacing() as draft:
            segments = self._with_deletes(draft)
            for i in fresh:  # the core fills its last segment before it begins another
                old, alive = core.segment(i)
                n = SEGMENT_ROWS - len(old) if i == fresh[-1] else 0
                new, done = ids[:n], len(ids[:n])
                segments.append(
                    draft.segment(
                        np.concatenate([old, new]),
                        np.concatenate([alive, np.ones(done, bool)]),
                        chain(core_rows(core, i, np.ones_like(alive)), self._stored(rows[:done])),
                    )
                )
            for first in range(done, len(ids), SEGMENT_ROWS):
                part = slice(first, first + SEGMENT_ROWS)
                segments.append(draft.segment(ids[part], None, self._stored(rows[part])))
            self._next_id = max(self._next_id, int(ids.max()) + 1)
            self._commit(draft, segments)
        with self._in_step():
            core.add(rows, ids)
            if core.n_segments != len(segments):
                raise RuntimeError(f"{core.n_segments} segments must be {len(segments)}")
        self._map(range(fresh.start, core.n_segments))

    def _stored(self, rows: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
        return map(self._tiers.stored, parts_of(rows, self._core.dim))

    def _change(self, change: Change) -> None:
        n_rows = len(change.ids) if change.rows.size else 0
        if self._log is None or (not self._log.is_empty and self._is_full(n_rows, change.n_bytes)):
            self.checkpoint()
        assert self._log is not None
        self._log.append(change)
        with self._in_step():
            change.apply(self._core)
        self._n_logged += n_rows
        self._next_id = max(self._next_id, int(change.ids.max()) + 1)

    def _is_full(self, n_rows: int, n_bytes: int) -> bool:
        assert self._log is not None
        return self._n_logged + n_rows > SEGMENT_ROWS or self._log.n_bytes + n_bytes > LOG_BYTES

    def _tail(self) -> range:
        """Return the segments of the core that no segment on disk holds."""
        return range(len(self._manifest.segments), self._core.n_segments)

    def _with_deletes(self, draft: Draft) -> list[Segment]:
        segments = list(self._manifest.segments)
        for i, segment in enumerate(segments):
            _, alive = self._core.segment(i)
            if int((~alive).sum()) != segment.n_deleted:  # rows die and never come back
                segments[i] = draft.deleted(segment, alive)
        return segments

    @contextmanager
    def _replacing(self) -> Iterator[Draft]:
        try:
            dim = self._core.dim
            with drafting(self.directory, dim, self._tiers, self._next_number) as draft:
                try:
                    yield draft
                finally:
                    self._next_number = draft.next_number
        except BaseException:
            # Whether a rename that failed took place: what we know must be what is on the disk.
            self._broken = True
            self._broken = read_manifest(self.directory) != self._manifest
            raise

    def _commit(self, draft: Draft, segments: list[Segment], with_log: bool = True) -> None:
        log, name = None, None
        if with_log:
            name, n_bytes = draft.log()
            log = LogWriter(self.directory / name, self._core.dim, n_bytes)
        manifest = dataclasses.replace(
            self._manifest,
            segments=tuple(segments),
            log=name,
            next_id=self._next_id,
            chosen=self._chosen.to_dict(),
        )
        self._manifest = draft.commit(manifest)
        if self._log is not None:
            self._log.close()
        self._log = log
        self._n_logged = 0
        clean(self.directory, self._manifest)

    def _map(self, fresh: range) -> None:
        self._core.seal()
        if self._mmap:
            for i in fresh:
                rebase(self._core, i, self._manifest.segments[i], self.directory, self._tiers)

    @contextmanager
    def _in_step(self) -> Iterator[None]:
        """What is on the disk is done in memory; if that is interrupted, memory follows the disk."""
        try:
            yield
        except BaseException:
            self._load_anew()
            raise

    def _load_anew(self) -> None:
        self._broken = True
        source, core = load(self.directory, self._mmap, verify=False)
        self._core.replace(core)
        self._next_id = source.next_id
        self._n_logged = sum(len(self._core.segment(i)[0]) for i in self._tail())
        self._broken = False
