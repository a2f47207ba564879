"""What the files of an index are called, what they hold, and how they are summed.

    manifest.json          what the index is made of; replaced as a whole, see manifest.py
    vectors-000001.npy     float rows of a segment, as stored (rotated if the index has a rotation)
    ids-000001.npy         their ids
    signs-000001.npy       codes of the rows, which could be made from them again:
    int8-000001.npy        see segment_files.py
    scales-000001.npy
    lengths-000001.npy
    deleted-000004.npy     packed bits of the rows of a segment that are gone, first row lowest bit
    rotation-000000.npy    the map applied to rows and queries
    log-000002.bin         changes since the manifest, see log.py
    writer.lock            held by the one writer

A number is used once in the life of an index, so a name never comes to mean another file.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np

FORMAT = "fastfunnel index"
VERSION = 3
READABLE = (2, 3)  # version 2 had float32 in memory and no files of codes
MANIFEST = "manifest.json"
FRESH_MANIFEST = "manifest.json.new"
LOCK = "writer.lock"

# Rows of one segment on disk: as many as a segment of the core takes, so that they match.
SEGMENT_ROWS = 65_536

DTYPES = {
    "vectors": (np.dtype("<f4"), np.dtype("<f2"), np.dtype("<u2")),
    "signs": (np.dtype("|u1"),),
    "int8": (np.dtype("|u1"),),
    "scales": (np.dtype("<f4"),),
    "lengths": (np.dtype("<f4"),),
    "ids": (np.dtype("<i8"),),
    "deleted": (np.dtype("|u1"),),
    "rotation": (np.dtype("<f4"),),
}

_OURS = re.compile(rf"(?P<role>{'|'.join(DTYPES)}|log)-(?P<number>\d{{6,18}})\.(npy|bin)")


def sign_width(dim: int) -> int:
    """Return the bytes of a row's sign bits, padded as the core reads them."""
    return (dim + 63) // 64 * 8


def int8_width(dim: int) -> int:
    """Return the bytes of a row's int8 values, padded as the core reads them."""
    return (dim + 63) // 64 * 64


def file_name(role: str, number: int) -> str:
    """Return the name of file `number`, which holds `role`: a key of DTYPES, or "log"."""
    return f"{role}-{number:06d}.{'bin' if role == 'log' else 'npy'}"


def is_file_name(name: object, role: str) -> bool:
    """Return whether `name` is one that `file_name(role, …)` returns."""
    match = _OURS.fullmatch(name) if isinstance(name, str) else None
    return match is not None and name == file_name(role, int(match["number"]))


def our_files(directory: Path) -> dict[str, int]:
    """Return the numbered files in a directory, by name. Others in it are not ours to touch."""
    matches = (_OURS.fullmatch(path.name) for path in directory.iterdir())
    return {match.string: int(match["number"]) for match in matches if match}


def new_digest() -> hashlib.blake2b:
    """Return the checksum of files and records: what `b2sum -l 128 FILE` prints."""
    return hashlib.blake2b(digest_size=16)
