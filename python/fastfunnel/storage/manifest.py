"""manifest.json: what an index is made of. What it does not name is not part of the index.

It holds the size, dtype, shape and checksum of every array, and a checksum of itself, so that no
flipped bit anywhere passes for data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from fastfunnel.arguments import Metric, as_metric
from fastfunnel.storage.durable import creating, reading, remove, replace
from fastfunnel.storage.layout import (
    DTYPES,
    FORMAT,
    FRESH_MANIFEST,
    MANIFEST,
    SEGMENT_ROWS,
    VERSION,
    is_file_name,
    new_digest,
)

MAX_BYTES = 1 << 28  # of the manifest itself: that of a billion rows has 16 MB


@dataclass(frozen=True)
class ArrayFile:
    """One .npy file, all of whose bytes are summed."""

    file: str
    dtype: str
    shape: tuple[int, ...]
    bytes: int
    blake2b: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {**vars(self), "shape": list(self.shape)}

    @classmethod
    def from_dict(cls, data: Any, role: str) -> ArrayFile:
        """Return what `to_dict` described. Raises ValueError, TypeError, KeyError for other data."""
        found = cls(
            data["file"], data["dtype"], tuple(data["shape"]), data["bytes"], data["blake2b"]
        )
        if not is_file_name(found.file, role):
            raise ValueError(f"{role} cannot lie in {found.file!r}")
        if found.dtype not in [dtype.str for dtype in DTYPES[role]]:
            raise ValueError(f"{found.file} cannot have dtype {found.dtype!r}")
        for extent in found.shape:
            _count(extent, "an extent", at_least=1)
        n_bytes = prod(found.shape) * np.dtype(found.dtype).itemsize
        if _count(found.bytes, "bytes") <= n_bytes or not isinstance(found.blake2b, str):
            raise ValueError(f"{found.file} cannot have {found.bytes} bytes")
        return found


@dataclass(frozen=True)
class Segment:
    """The files of one run of at most SEGMENT_ROWS rows."""

    vectors: ArrayFile
    ids: ArrayFile
    deleted: ArrayFile | None = None
    n_deleted: int = 0

    @property
    def n_rows(self) -> int:
        """Rows, the deleted ones included."""
        return self.ids.shape[0]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        files = {"vectors": self.vectors.to_dict(), "ids": self.ids.to_dict()}
        if self.deleted is None:
            return files
        return {**files, "deleted": self.deleted.to_dict(), "n_deleted": self.n_deleted}

    @classmethod
    def from_dict(cls, data: Any, dim: int) -> Segment:
        """Return what `to_dict` described. Raises ValueError, TypeError, KeyError for other data."""
        vectors = ArrayFile.from_dict(data["vectors"], "vectors")
        ids = ArrayFile.from_dict(data["ids"], "ids")
        deleted = data.get("deleted")
        deleted = None if deleted is None else ArrayFile.from_dict(deleted, "deleted")
        n = ids.shape[0] if len(ids.shape) == 1 else 0
        if not 0 < n <= SEGMENT_ROWS or vectors.shape != (n, dim):
            raise ValueError(f"{vectors.file} and {ids.file} cannot have these shapes")
        if deleted is None:
            return cls(vectors, ids)
        if deleted.shape != ((n + 7) // 8,):
            raise ValueError(f"{deleted.file} cannot have shape {deleted.shape} for {n} rows")
        n_deleted = _count(data["n_deleted"], "n_deleted", at_least=1, below=n + 1)
        return cls(vectors, ids, deleted, n_deleted)


@dataclass(frozen=True)
class Manifest:
    """All that an index is, but for the contents of its files."""

    dim: int
    metric: Metric
    model: Mapping[str, Any] | None
    tuned: Mapping[str, Any]
    next_id: int
    next_number: int  # no file has had it yet
    rotation: ArrayFile | None = None
    segments: tuple[Segment, ...] = ()
    log: str | None = None

    def files(self) -> Iterator[ArrayFile]:
        """Iterate over all arrays."""
        if self.rotation is not None:
            yield self.rotation
        for segment in self.segments:
            yield segment.vectors
            yield segment.ids
            if segment.deleted is not None:
                yield segment.deleted

    def names(self) -> set[str]:
        """Return the names of all files."""
        names = {array.file for array in self.files()}
        return names if self.log is None else names | {self.log}

    def to_json(self) -> bytes:
        """Return the file, checksum included."""
        plain = {"format": FORMAT, "version": VERSION, **vars(self)}
        plain["rotation"] = None if self.rotation is None else self.rotation.to_dict()
        plain["segments"] = [segment.to_dict() for segment in self.segments]
        return json.dumps({"checksum": _checksum(plain), **plain}, indent=1).encode()

    @classmethod
    def from_json(cls, content: bytes, path: Path) -> Manifest:
        """Return what `to_json` wrote; raises ValueError, naming `path`, for anything else."""
        try:
            plain = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path} must be JSON: {error}") from None
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise ValueError(f"{path} must be the manifest of a {FORMAT}")
        if plain.get("version") != VERSION:
            raise ValueError(
                f"{path} must have version {VERSION}, got {plain.get('version')!r}; "
                "another version of fastfunnel wrote it"
            )
        try:
            checksum = plain.pop("checksum", None)
            if checksum != _checksum(plain):
                raise ValueError("its checksum is not that of its contents")
            return cls._from_plain(plain)
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            raise ValueError(f"{path} is damaged: {error}") from None

    @classmethod
    def _from_plain(cls, plain: dict[str, Any]) -> Manifest:
        dim = _count(plain["dim"], "dim", at_least=1, below=2**31)
        for name, kinds in (("model", (dict, type(None))), ("tuned", dict), ("segments", list)):
            if not isinstance(plain[name], kinds):
                raise TypeError(f"{name} cannot be {plain[name]!r}")
        rotation = plain["rotation"]
        rotation = None if rotation is None else ArrayFile.from_dict(rotation, "rotation")
        if rotation is not None and rotation.shape != (dim, dim):
            raise ValueError(f"{rotation.file} cannot have shape {rotation.shape}")
        if plain["log"] is not None and not is_file_name(plain["log"], "log"):
            raise ValueError(f"the log cannot lie in {plain['log']!r}")
        return cls(
            dim=dim,
            metric=as_metric(plain["metric"]),
            model=plain["model"],
            tuned=plain["tuned"],
            next_id=_count(plain["next_id"], "next_id", below=2**63 + 1),
            next_number=_count(plain["next_number"], "next_number", below=10**18),
            rotation=rotation,
            segments=tuple(Segment.from_dict(segment, dim) for segment in plain["segments"]),
            log=plain["log"],
        )


def read_manifest(directory: Path) -> Manifest:
    """Return the manifest of an index.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: naming the file, if it is damaged or of another version.
    """
    path = directory / MANIFEST
    try:
        with reading(path) as file:
            content = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"no index at {directory}: it has no {MANIFEST}") from None
    if len(content) > MAX_BYTES:
        raise ValueError(f"{path} must have at most {MAX_BYTES} bytes")
    return Manifest.from_json(content, path)


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Make `manifest` what the index is, in one step. The files it names are on the disk before."""
    fresh = directory / FRESH_MANIFEST
    remove([fresh])  # of a writer that was killed
    with creating(fresh) as file:
        file.write(manifest.to_json())
    replace(fresh, directory / MANIFEST)


def _checksum(plain: Mapping[str, Any]) -> str:
    # Of the values, however they are spaced: what a program that rewrites JSON leaves alike.
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    digest = new_digest()
    digest.update(canonical.encode())
    return digest.hexdigest()


def _count(value: object, name: str, at_least: int = 0, below: int = 2**63) -> int:
    if type(value) is not int or not at_least <= value < below:
        raise ValueError(f"{name} cannot be {value!r}")
    return value
