"""From the files of an index to an index in memory, every byte checked before it is believed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fastfunnel import _core
from fastfunnel.arguments import check_magnitudes
from fastfunnel.storage.arrays import map_array
from fastfunnel.storage.layout import MANIFEST
from fastfunnel.storage.log import Change, Kind, read_log
from fastfunnel.storage.manifest import Manifest, read_manifest
from fastfunnel.storage.placing import adopt
from fastfunnel.storage.segment_files import Segment
from fastfunnel.tiers import Tiers
from fastfunnel.tuning import Tuned

if TYPE_CHECKING:
    from fastfunnel.index import Index

_ATTEMPTS = 5  # a writer may replace files between the reading of the manifest and of those
_ROWS_AT_ONCE = 8192  # of additions that follow each other in a log


@dataclass
class Source:
    """The directory that an index in memory comes from, and how much of it was read."""

    directory: Path
    mmap: bool
    verify: bool
    manifest: Manifest
    rotation: npt.NDArray[np.float32] | None = None
    next_id: int = 0
    log_end: int | None = None  # where the log was read to; None if there is none

    def refresh(self, index: Index) -> bool:
        """Bring `index` to what its writer has on disk now; return whether that was news.

        The caller holds the index's lock for changes. Searches see the old state or the new one.

        Raises:
            What `open_index` raises; the index is then as it was.
        """
        known = (self.manifest, self.log_end)
        if not self._is_current(index._core):
            latest, core = load(self.directory, self.mmap, self.verify)
            found = core.dim, latest.manifest.metric, latest.manifest.tiers
            if found != (index.dim, index.metric, index._tiers):
                raise ValueError(f"{self.directory} holds another index now; open it anew")
            tuned = read_tuned(self.directory, latest.manifest)
            take_chosen(index, self.directory, latest.manifest)
            index._core.replace(core)
            index._tuned = tuned
            vars(self).update(vars(latest))
        index._next_id = self.next_id
        return (self.manifest, self.log_end) != known

    def _is_current(self, core: _core.Index) -> bool:
        """Whether the manifest is the one we know, and its log, followed to its end, was all."""
        if read_manifest(self.directory) != self.manifest:
            return False
        try:
            self._follow_log(core)
        except (ValueError, OSError):  # the writer may just have replaced the log
            if read_manifest(self.directory) == self.manifest:
                raise
            return False
        return True

    def _follow_log(self, core: _core.Index) -> None:
        if self.manifest.log is None:
            return
        path = self.directory / self.manifest.log
        for change, end in _together(read_log(path, self.manifest.dim, self.log_end)):
            try:
                _check_ids(change.ids, path)
                if self.manifest.metric != "cosine" and change.kind != Kind.REMOVE:
                    check_magnitudes(change.rows, "rows", self.manifest.metric)
                change.apply(core)
            except (ValueError, IndexError) as error:
                raise ValueError(f"{path} is damaged: {error}") from None
            self.log_end = end
            self.next_id = max(self.next_id, int(change.ids.max()) + 1)


def load(directory: Path, mmap: bool, verify: bool) -> tuple[Source, _core.Index]:
    """Return what a directory holds, and a core filled with it.

    Raises:
        FileNotFoundError: if there is no index.
        ValueError: naming the file that is damaged or of another version.
        OSError: if the system refuses.
    """
    for attempt in range(_ATTEMPTS):
        manifest = read_manifest(directory)
        source = Source(directory, mmap, verify, manifest, next_id=manifest.next_id)
        tiers = manifest.tiers
        core = tiers.new_core(manifest.dim)
        try:
            for segment in manifest.segments:
                _adopt(segment, directory, core, tiers, mmap, verify)
            if manifest.rotation is not None:
                source.rotation = np.array(map_array(directory, manifest.rotation, verify))
            source._follow_log(core)
            break
        except (ValueError, OSError):
            if attempt == _ATTEMPTS - 1 or read_manifest(directory) == manifest:
                raise
    return source, core


def read_tuned(directory: Path, manifest: Manifest) -> Tuned:
    """Return the funnels found by tuning. Raises ValueError, naming the manifest."""
    try:
        return Tuned.from_dict(manifest.tuned)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{directory / MANIFEST} is damaged: its tuned funnels cannot be read: {error}"
        ) from None


def take_chosen(index: Index, directory: Path, manifest: Manifest) -> None:
    """Let an index use the default funnels it once chose. Raises ValueError, naming the manifest."""
    try:
        index._chosen.take(manifest.chosen, manifest.dim, manifest.tiers.codes)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{directory / MANIFEST} is damaged: its default funnels cannot be read: {error}"
        ) from None


def _adopt(
    segment: Segment, directory: Path, core: _core.Index, tiers: Tiers, mmap: bool, verify: bool
) -> None:
    ids = np.array(map_array(directory, segment.ids, verify))
    _check_ids(ids, directory / segment.ids.file)
    alive = None
    if segment.deleted is not None:
        bits = map_array(directory, segment.deleted, verify)
        alive = ~np.unpackbits(bits, count=len(ids), bitorder="little").view(bool)
        if (
            np.unpackbits(bits).sum() != segment.n_deleted
            or len(ids) - alive.sum() != segment.n_deleted
        ):
            raise ValueError(
                f"{directory / segment.deleted.file} must have {segment.n_deleted} bits set"
            )
    adopt(core, segment, directory, tiers, mmap, verify, ids, alive)


def _check_ids(ids: npt.NDArray[np.int64], path: Path) -> None:
    if ids.min() < 0:
        raise ValueError(f"{path} must hold ids from 0 on, got {ids.min()}")


def _together(changes: Iterator[tuple[Change, int]]) -> Iterator[tuple[Change, int]]:
    """Join additions that follow each other: many of one row would be slow to make again."""
    waiting: list[Change] = []
    end = 0

    def joined() -> Iterator[tuple[Change, int]]:
        if waiting:
            ids = np.concatenate([change.ids for change in waiting])
            rows = np.concatenate([change.rows for change in waiting])
            yield Change(Kind.ADD, ids, rows), end
            waiting.clear()

    n_waiting = 0
    for change, after in changes:
        n_waiting += len(change.ids)
        if change.kind != Kind.ADD or n_waiting > _ROWS_AT_ONCE:
            yield from joined()
            n_waiting = len(change.ids)
        if change.kind == Kind.ADD:
            waiting.append(change)
            end = after
        else:
            yield change, after
    yield from joined()
