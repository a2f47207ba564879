"""manifest.json: what an index is made of. What it does not name is not part of the index.

It holds the size, dtype, shape and checksum of every array, and a checksum of itself, so that no
flipped bit anywhere passes for data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastfunnel.arguments import Metric, as_metric
from fastfunnel.storage.durable import creating, reading, remove, replace
from fastfunnel.storage.layout import (
    FORMAT,
    FRESH_MANIFEST,
    MANIFEST,
    READABLE,
    VERSION,
    is_file_name,
    new_digest,
)
from fastfunnel.storage.segment_files import ArrayFile, Segment, count
from fastfunnel.tiers import Tiers

MAX_BYTES = 1 << 28  # of the manifest itself: that of a billion rows has 16 MB


@dataclass(frozen=True)
class Manifest:
    """All that an index is, but for the contents of its files."""

    dim: int
    metric: Metric
    model: Mapping[str, Any] | None
    tuned: Mapping[str, Any]
    next_id: int
    next_number: int  # no file has had it yet
    tiers: Tiers
    rotation: ArrayFile | None = None
    segments: tuple[Segment, ...] = ()
    log: str | None = None
    chosen: Mapping[str, Any] = field(default_factory=dict)  # default funnels; older ones have none

    def files(self) -> Iterator[ArrayFile]:
        """Iterate over all arrays."""
        if self.rotation is not None:
            yield self.rotation
        for segment in self.segments:
            yield from segment.files()

    def names(self) -> set[str]:
        """Return the names of all files."""
        names = {array.file for array in self.files()}
        return names if self.log is None else names | {self.log}

    def to_json(self) -> bytes:
        """Return the file, checksum included."""
        plain = {"format": FORMAT, "version": VERSION, **vars(self)}
        plain["tiers"] = self.tiers.to_dict()
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
        if plain.get("version") not in READABLE:
            raise ValueError(
                f"{path} must have version {VERSION} or less, got {plain.get('version')!r}; "
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
        dim = count(plain["dim"], "dim", at_least=1, below=2**31)
        chosen = plain.get("chosen", {})
        for name, kinds in (("model", (dict, type(None))), ("tuned", dict), ("segments", list)):
            if not isinstance(plain[name], kinds):
                raise TypeError(f"{name} cannot be {plain[name]!r}")
        if not isinstance(chosen, dict):
            raise TypeError(f"chosen cannot be {chosen!r}")
        tiers = Tiers.from_dict(plain["tiers"]) if plain["version"] > 2 else Tiers()
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
            next_id=count(plain["next_id"], "next_id", below=2**63 + 1),
            next_number=count(plain["next_number"], "next_number", below=10**18),
            rotation=rotation,
            tiers=tiers,
            segments=tuple(
                Segment.from_dict(segment, dim, tiers.dtype) for segment in plain["segments"]
            ),
            log=plain["log"],
            chosen=chosen,
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
