"""An index as a directory: plain .npy arrays and a manifest that names them.

A save writes new arrays beside the old ones, flushes them to the disk, and then replaces
manifest.json by an atomic rename: a kill at any instant leaves the old state or the new one. Every
array has a checksum. Nothing read is trusted before it is checked, and nothing is unpickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastfunnel.index import Index
from fastfunnel.tuning import Tuned

FORMAT = "fastfunnel index"
VERSION = 1
MANIFEST = "manifest.json"

_DTYPES = {"vectors": np.dtype("<f4"), "ids": np.dtype("<i8"), "rotation": np.dtype("<f4")}
_REQUIRED = ("vectors", "ids")


def save(index: Index, path: str | os.PathLike[str]) -> None:
    """Write `index` to the directory `path`; the method `Index.save` documents it."""
    directory = Path(path)
    if directory.is_dir():
        if any(directory.iterdir()) and not (directory / MANIFEST).exists():
            raise ValueError(f"path must be new, empty or an index, got {directory}")
    else:
        directory.mkdir()
    ids = index._core.ids()
    unique = uuid.uuid4().hex[:12]
    arrays = {
        "vectors": _write(directory / f"vectors-{unique}.npy", index._core.get(ids)),
        "ids": _write(directory / f"ids-{unique}.npy", ids),
    }
    if index.rotation is not None:  # vectors are stored rotated
        arrays["rotation"] = _write(directory / f"rotation-{unique}.npy", index.rotation)
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "dim": index.dim,
        "metric": index.metric,
        "model": index.model,
        "next_id": index._next_id,
        "tuned": index._tuned.to_dict(),
        "arrays": arrays,
    }
    _replace(directory / MANIFEST, json.dumps(manifest, indent=2).encode())
    written = {entry["file"] for entry in arrays.values()}
    for old in directory.glob("*-*.npy"):
        if old.name not in written and old.name.split("-")[0] in _DTYPES:
            old.unlink()


def open_index(
    path: str | os.PathLike[str],
    mmap: bool = True,
    verify: bool = False,
    writable: bool = False,
) -> Index:
    """Open an index that `Index.save` wrote.

    Args:
        path: its directory.
        mmap: True leaves the float rows on disk, mapped; searches read the few rows of their last
            stage. False loads them.
        verify: True reads every array once and compares its checksum.
        writable: False makes `add` an error. True allows it in memory; `save` again to keep it.

    Returns:
        The index. The codes its stages read are made at the first search.

    Raises:
        FileNotFoundError: if there is no index at `path`.
        ValueError: naming the file that is damaged or of another version.
    """
    directory = Path(path)
    manifest = _read_manifest(directory / MANIFEST)
    entries = manifest["arrays"]
    arrays = {name: _read(directory, name, entries, verify) for name in _DTYPES if name in entries}
    vectors, ids = arrays["vectors"], arrays["ids"]
    dim = manifest["dim"]
    if vectors.ndim != 2 or ids.ndim != 1 or vectors.shape != (len(ids), dim):
        raise ValueError(
            f"{directory / MANIFEST} must describe (n, {dim}) vectors and n ids, "
            f"got shapes {vectors.shape} and {ids.shape}"
        )
    index = Index(
        dim,
        model=manifest["model"],
        metric=manifest["metric"],
        rotation=arrays.get("rotation"),
    )
    index._tuned = _read_tuned(directory / MANIFEST, manifest)
    if len(ids):
        ids = np.array(ids)
        if ids.min() < 0:
            raise ValueError(f"{entries['ids']['file']} must hold ids from 0 on, got {ids.min()}")
        index._core.adopt(vectors if mmap else np.array(vectors), ids)
    index._next_id = max(manifest["next_id"], int(ids.max(initial=-1)) + 1)
    index._writable = writable
    return index


def _write(path: Path, array: npt.NDArray[Any]) -> dict[str, Any]:
    with path.open("xb") as file:
        np.lib.format.write_array(file, array, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    return {"file": path.name, "bytes": path.stat().st_size, "blake2b": _checksum(path)}


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(f"{path.name}.{uuid.uuid4().hex[:12]}")
    with fresh.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    if os.name == "posix":  # the rename itself is on disk once its directory is
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _checksum(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _read_manifest(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"no index at {path.parent}: it has no {MANIFEST}")
    try:
        manifest = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} must be JSON: {error}") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError(f"{path} must be the manifest of a {FORMAT}")
    if manifest.get("version") != VERSION:
        raise ValueError(
            f"{path} must have version {VERSION}, got {manifest.get('version')!r}; "
            "a newer fastfunnel may have written it"
        )
    fits = (
        _is_count(manifest.get("dim"), 1)
        and manifest.get("metric") == "cosine"
        and isinstance(manifest.get("model"), (str, type(None)))
        and _is_count(manifest.get("next_id"), 0)
        and isinstance(manifest.get("arrays"), dict)
        and all(name in manifest["arrays"] for name in _REQUIRED)
        and all(_is_entry(entry) for entry in manifest["arrays"].values())
    )
    if not fits:
        raise ValueError(f"{path} is damaged: a value is missing or of another kind")
    return manifest


def _read_tuned(path: Path, manifest: Mapping[str, Any]) -> Tuned:
    try:
        return Tuned.from_dict(manifest.get("tuned", {"fronts": []}))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: its tuned funnels cannot be read: {error}") from None


def _is_count(value: object, at_least: int) -> bool:
    return type(value) is int and at_least <= value < 2**63


def _is_entry(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("file"), str)
        and Path(value["file"]).name == value["file"]
        and _is_count(value.get("bytes"), 1)
        and isinstance(value.get("blake2b"), str)
    )


def _read(
    directory: Path, name: str, entries: Mapping[str, Mapping[str, Any]], verify: bool
) -> npt.NDArray[Any]:
    path = directory / entries[name]["file"]
    if path.is_symlink() or not path.is_file():
        raise ValueError(f"{path} is missing or not a plain file")
    if path.stat().st_size != entries[name]["bytes"]:
        raise ValueError(
            f"{path} must have {entries[name]['bytes']} bytes, got {path.stat().st_size}"
        )
    if verify and _checksum(path) != entries[name]["blake2b"]:
        raise ValueError(f"{path} is damaged: its checksum is not the manifest's")
    try:
        # Mapping allocates nothing, whatever size a damaged header claims.
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{path} must be an .npy array: {error}") from None
    if array.dtype != _DTYPES[name] or not array.flags.c_contiguous:
        raise ValueError(f"{path} must be a C-order array of {_DTYPES[name]}, got {array.dtype}")
    return array
