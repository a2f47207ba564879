"""An index of this module as a directory: no pickle, no FAISS format.

    front.json     which classes, and the number of the state; replaced as a whole
    state-000001/
      rows/        float rows: a directory that `fastfunnel.open` reads too
      codes.npy    packed bits of a binary index
      ids.npy      the ids of an index map

A kill at any instant leaves the old state or the new one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastfunnel.compat.faiss.binary import IndexBinaryFlat
from fastfunnel.compat.faiss.flat import IndexFlat, IndexFlatIP, IndexFlatL2
from fastfunnel.compat.faiss.funnel import IndexFunnel
from fastfunnel.compat.faiss.id_map import IndexIDMap, IndexIDMap2
from fastfunnel.compat.faiss.index import Index
from fastfunnel.storage import load_copy
from fastfunnel.storage.durable import creating, reading, remove, replace, sync_directory
from fastfunnel.storage.layout import new_digest

FORMAT, VERSION = "fastfunnel faiss front", 1
_MAX_BYTES = 1 << 20  # of front.json
_FRONT = "front.json"
_STATE = re.compile(r"state-(\d{6,18})")
_MAPS = {"IndexIDMap": IndexIDMap, "IndexIDMap2": IndexIDMap2}
_FLATS = {"IndexFlatIP": IndexFlatIP, "IndexFlatL2": IndexFlatL2}


def write_index(index: Index, fname: str | os.PathLike[str]) -> None:
    """Write an index to the directory `fname`, made if need be, in place of one that is there.

    Raises:
        TypeError: for an index of another library.
        ValueError: if `fname` holds something else.
        OSError: if the system refuses; an index that was there is unchanged.
    """
    if not isinstance(index, Index):
        raise TypeError(f"index must be of fastfunnel.compat.faiss, got {type(index).__name__}")
    directory = Path(fname)
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"fname must be a directory or new, got the file {directory}")
    directory.mkdir(exist_ok=True)
    others = [entry.name for entry in directory.iterdir() if not _is_ours(entry.name)]
    if others:
        raise ValueError(f"fname must be new, empty or an index, {directory} holds {others[0]!r}")
    state = _state(max((*map(_number, _states(directory)), 0)) + 1)
    (directory / state).mkdir()
    try:
        front = {"format": FORMAT, "version": VERSION, "state": state,
                 "index": _write(index, directory / state)}  # fmt: skip
        sync_directory(directory / state)
        fresh = directory / f"{_FRONT}.new"
        remove([fresh])  # of a writer that was killed
        with creating(fresh) as file:
            file.write(json.dumps(front, indent=1).encode())
        sync_directory(directory)
        replace(fresh, directory / _FRONT)
    except BaseException:
        shutil.rmtree(directory / state, ignore_errors=True)
        raise
    for old in _states(directory):
        if old != state:
            shutil.rmtree(directory / old, ignore_errors=True)


def read_index(fname: str | os.PathLike[str]) -> Any:
    """Return the index that `write_index` left, in memory.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: naming the file that is damaged or of another version.
    """
    directory = Path(fname)
    path = directory / _FRONT
    try:
        with reading(path) as file:
            content = file.read(_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"no index at {directory}: it has no {_FRONT}") from None
    try:
        front = json.loads(content)
        if (front["format"], front["version"]) != (FORMAT, VERSION):
            raise ValueError(f"it must have version {VERSION}, got {front['version']!r}")
        if not _STATE.fullmatch(front["state"]):
            raise ValueError(f"the state cannot be {front['state']!r}")
        return _read(front["index"], directory / front["state"])
    except (KeyError, TypeError, ValueError, RecursionError, RuntimeError) as error:
        raise ValueError(f"{path} or what it names is damaged: {error}") from None


def _write(index: Index, state: Path) -> dict[str, Any]:
    plain: dict[str, Any] = {"class": type(index).__name__, "d": index.d}
    if isinstance(index, IndexIDMap):
        ids = _write_array(state / "ids.npy", index.id_map)
        return {**plain, "ids": ids, "of": _write(index.index, state)}
    if isinstance(index, IndexBinaryFlat):
        return {**plain, "codes": _write_array(state / "codes.npy", index.reconstruct_n())}
    assert isinstance(index, IndexFlat)
    index.index.save(state / "rows")
    plain["metric"] = index.metric_type
    if isinstance(index, IndexFunnel):
        plain["funnel"] = None if index.funnel is None else str(index.funnel)
    return plain


def _read(plain: dict[str, Any], state: Path) -> Index:
    kind, d = plain["class"], plain["d"]
    if kind in _MAPS:
        return _read_map(plain, state)
    if kind == "IndexBinaryFlat":
        binary = IndexBinaryFlat(d)
        binary.add(_read_array(state / "codes.npy", plain["codes"]))
        return binary
    if kind == "IndexFunnel":
        index: IndexFlat = IndexFunnel(d, plain["metric"], plain["funnel"])
    else:
        index = _FLATS[kind](d) if kind in _FLATS else IndexFlat(d, plain["metric"])
    index.take(load_copy(state / "rows"))
    return index


def _read_map(plain: dict[str, Any], state: Path) -> IndexIDMap:
    inner = _read(plain["of"], state)
    ids = _read_array(state / "ids.npy", plain["ids"])
    return _MAPS[plain["class"]].over(inner, ids)


def _write_array(path: Path, array: npt.NDArray[Any]) -> str:
    with creating(path) as file:
        np.save(file, array, allow_pickle=False)
    return _sum(path)


def _read_array(path: Path, checksum: str) -> npt.NDArray[Any]:
    if _sum(path) != checksum:
        raise ValueError(f"{path.name} has another checksum")
    # Mapped first: nothing is allocated that the file does not hold.
    array: npt.NDArray[Any] = np.array(np.lib.format.open_memmap(path, mode="r"))
    return array


def _sum(path: Path) -> str:
    digest = new_digest()
    with reading(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _state(number: int) -> str:
    return f"state-{number:06d}"


def _number(name: str) -> int:
    match = _STATE.fullmatch(name)
    return 0 if match is None else int(match[1])


def _states(directory: Path) -> list[str]:
    return [entry.name for entry in directory.iterdir() if _STATE.fullmatch(entry.name)]


def _is_ours(name: str) -> bool:
    return name in (_FRONT, f"{_FRONT}.new") or _STATE.fullmatch(name) is not None
