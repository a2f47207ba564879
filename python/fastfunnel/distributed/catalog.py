"""What a sharded index is, but for its rows: one small file beside the shards.

shards.json            replaced as a whole; the fields of Catalog and a checksum
shard-0003-1/          replica 1 of shard 3: a live index like any other
writer.lock            held by the one process that has the sharded index open
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from fastfunnel.arguments import Metric, as_metric
from fastfunnel.storage.durable import creating, reading, remove
from fastfunnel.storage.durable import replace as replace_file
from fastfunnel.storage.layout import new_digest

FILE = "shards.json"
FORMAT = "fastfunnel sharded index"
VERSION = 1
MOST_SHARDS = 10_000
_MAX_BYTES = 64 << 20


@dataclass(frozen=True)
class Catalog:
    """The state of a sharded index.

    dim, metric: as of an index.
    n_shards, replication: shards, and replicas of each.
    in_step: for each shard and replica, whether it has every change that was acknowledged.
    nodes: for each shard and replica, the address of the node that has its files.
    is_open: whether a process has it open; True after that process was killed.
    is_moving: whether rows are on their way to the last shard, which was added, or from it.
    is_shrinking: whether it is from it: it is about to be removed.
    next_id: no id below it is given to a row unasked; shards that are there may know of higher ones.
    tuned: what `Tuned.to_dict` returns.
    """

    dim: int
    metric: Metric
    n_shards: int
    replication: int
    in_step: tuple[tuple[bool, ...], ...]
    nodes: tuple[tuple[str, ...], ...]
    is_open: bool
    is_moving: bool
    tuned: Mapping[str, Any]
    is_shrinking: bool = False
    next_id: int = 0

    def with_step(self, shard: int, replica: int, in_step: bool) -> Catalog:
        """Return the catalog with one replica in step or not."""
        steps = [list(each) for each in self.in_step]
        steps[shard][replica] = in_step
        return replace(self, in_step=tuple(map(tuple, steps)))

    def to_json(self) -> bytes:
        """Return the file, checksum included."""
        plain = {"format": FORMAT, "version": VERSION, **asdict(self)}
        return json.dumps({"checksum": _checksum(plain), **plain}, indent=1).encode()

    @classmethod
    def from_json(cls, content: bytes, path: Path) -> Catalog:
        """Return what `to_json` wrote; raises ValueError, naming `path`, for anything else."""
        try:
            plain = json.loads(content)
            checksum = plain.pop("checksum")
            if plain.pop("format") != FORMAT:
                raise ValueError(f"it is not that of a {FORMAT}")
            version = plain.pop("version")
            if version != VERSION:
                raise ValueError(f"it has version {version!r}, not {VERSION}")
            if checksum != _checksum({"format": FORMAT, "version": VERSION, **plain}):
                raise ValueError("its checksum is not that of its contents")
            return cls._from_plain(plain)
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            raise ValueError(f"{path} is damaged: {error}") from None

    @classmethod
    def _from_plain(cls, plain: dict[str, Any]) -> Catalog:
        for name, most in (("dim", 2**31), ("n_shards", MOST_SHARDS), ("replication", 16)):
            if type(plain[name]) is not int or not 1 <= plain[name] <= most:
                raise ValueError(f"{name} cannot be {plain[name]!r}")
        shape = (plain["n_shards"], plain["replication"])
        tables = {}
        for name, kind in (("in_step", bool), ("nodes", str)):
            tables[name] = tuple(tuple(each) for each in plain[name])
            if len(tables[name]) != shape[0] or any(len(each) != shape[1] for each in tables[name]):
                raise ValueError(f"{name} must be {shape[0]} lists of {shape[1]}")
            if not all(type(value) is kind for each in tables[name] for value in each):
                raise ValueError(f"{name} must hold {kind.__name__}s")
        plain = {"is_shrinking": False, "next_id": 0, **plain}  # catalogs from before have neither
        for name in ("is_open", "is_moving", "is_shrinking"):
            if type(plain[name]) is not bool:
                raise ValueError(f"{name} cannot be {plain[name]!r}")
        if type(plain["next_id"]) is not int or not 0 <= plain["next_id"] <= 2**63:
            raise ValueError(f"next_id cannot be {plain['next_id']!r}")
        as_metric(plain["metric"])
        return cls(**{**plain, **tables})


def read_catalog(directory: Path) -> Catalog:
    """Return the catalog of a sharded index.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: naming the file, if it is damaged or of another version.
    """
    path = directory / FILE
    try:
        with reading(path) as file:
            content = file.read(_MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"no sharded index at {directory}: it has no {FILE}") from None
    return Catalog.from_json(content, path)


def write_catalog(directory: Path, catalog: Catalog) -> None:
    """Make `catalog` what the sharded index is, in one step, on the disk when this returns."""
    fresh = directory / f"{FILE}.new"
    remove([fresh])
    with creating(fresh) as file:
        file.write(catalog.to_json())
    replace_file(fresh, directory / FILE)


def replica_path(directory: Path, shard: int, replica: int) -> Path:
    """Return where a replica lies."""
    return directory / f"shard-{shard:04d}-{replica}"


def _checksum(plain: Mapping[str, Any]) -> str:
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    digest = new_digest()
    digest.update(canonical.encode())
    return digest.hexdigest()
