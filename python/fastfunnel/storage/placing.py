"""Where the core reads the rows of a segment: memory, a mapped file, or a file it reads row by row.

float_store "ram"    floats mapped (or copied, without mmap)
float_store "disk"   floats read when a stage asks for them; see cpp/arrays/row_file.hpp
codes                read from their files when a stage first needs them
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from fastfunnel import _core
from fastfunnel.storage.arrays import map_array, opened
from fastfunnel.storage.segment_files import ArrayFile, Segment
from fastfunnel.tiers import Tiers

_CAN_READ_ROWS = os.name == "posix"  # elsewhere rows on disk are mapped


def adopt(
    core: _core.Index,
    segment: Segment,
    directory: Path,
    tiers: Tiers,
    mmap: bool,
    verify: bool,
    ids: _core.IdArray,
    alive: _core.FlagArray | None,
) -> None:
    """Add a segment to the core.

    Raises:
        ValueError: naming the file that is not what the manifest says, or for ids that are taken.
        OSError: if the system refuses.
    """
    with opened(directory, segment.vectors, verify) as (file, offset):
        try:
            if tiers.on_disk and mmap and _CAN_READ_ROWS:
                core.adopt_file(file.fileno(), offset, ids, alive)
            else:
                rows = np.memmap(file, segment.vectors.dtype, "r", offset, segment.vectors.shape)
                core.adopt(rows if mmap else np.array(rows), ids, alive)
        except ValueError as error:
            raise ValueError(f"{directory / segment.ids.file} is damaged: {error}") from None
    _set_codes(core, core.n_segments - 1, segment, directory, verify)


def rebase(core: _core.Index, number: int, segment: Segment, directory: Path, tiers: Tiers) -> None:
    """Let a segment of the core read from the files that have just been written from it."""
    if tiers.on_disk and _CAN_READ_ROWS:
        with opened(directory, segment.vectors) as (file, offset):
            core.rebase_file(number, file.fileno(), offset, segment.n_rows)
    else:
        core.rebase(number, map_array(directory, segment.vectors))
    _set_codes(core, number, segment, directory, verify=False)


def _set_codes(
    core: _core.Index, number: int, segment: Segment, directory: Path, verify: bool
) -> None:
    codes = segment.codes
    if codes is None:
        return
    directory = directory.absolute()  # they are opened later, wherever the process is then

    def place(entry: ArrayFile | None) -> tuple[Path, int] | None:
        # Codes can be made again: one that is gone is no damage, one that is cut is.
        if entry is None or not (directory / entry.file).exists():
            return None
        with opened(directory, entry, verify) as (_, offset):
            return directory / entry.file, offset

    core.set_codes(
        number,
        place(codes.signs),
        place(codes.int8),
        place(codes.scales),
        place(codes.lengths),
        codes.length_dims,
    )
