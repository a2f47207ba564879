"""Vectors from a file: NumPy, Parquet, Arrow, or text that a model embeds."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SUFFIXES = (".npy", ".npz", ".parquet", ".arrow", ".feather", ".txt")


def load_vectors(path: str | os.PathLike[str], model: str = "wordllama") -> npt.NDArray[Any]:
    """Return the (n, dim) vectors that a file holds.

    .npy is mapped, not read. .npz must hold one 2-D array, or one called "vectors". .parquet,
    .arrow and .feather must have one column of number lists, all of the same length. .txt is
    UTF-8 text, a text a line, embedded by `model`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is of another kind, or holds something else.
        ImportError: the library that reads it is not installed.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    suffix = file.suffix.lower()
    if suffix == ".npy":
        return _matrix(_numpy(file), file)
    if suffix == ".npz":
        return _matrix(_member(file), file)
    if suffix in (".parquet", ".arrow", ".feather"):
        return _matrix(_column(file, suffix), file)
    if suffix == ".txt":
        return _embedded(file, model)
    raise ValueError(f"{file} must end in one of {', '.join(SUFFIXES)}, got {suffix or 'nothing'}")


def _numpy(file: Path) -> Any:
    try:
        return np.load(file, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{file} must be an .npy array: {error}") from None


def _member(file: Path) -> Any:
    with np.load(file, allow_pickle=False) as archive:
        if "vectors" in archive.files:
            return archive["vectors"]
        if len(archive.files) != 1:
            raise ValueError(
                f'{file} must hold one array or one called "vectors", got {archive.files}'
            )
        return archive[archive.files[0]]


def _column(file: Path, suffix: str) -> Any:
    try:
        kinds = importlib.import_module("pyarrow.types")
        if suffix == ".parquet":
            table = importlib.import_module("pyarrow.parquet").read_table(file)
        else:
            table = importlib.import_module("pyarrow.feather").read_table(file)
    except ImportError as error:
        raise ImportError(f"pyarrow is needed for {file}: pip install pyarrow") from error
    lists = [
        field.name
        for field in table.schema
        if kinds.is_list(field.type)
        or kinds.is_large_list(field.type)
        or kinds.is_fixed_size_list(field.type)
    ]
    if len(lists) != 1:
        raise ValueError(f"{file} must have one column of number lists, got {lists or 'none'}")
    column = table[lists[0]].combine_chunks()
    values = column.flatten().to_numpy(zero_copy_only=False)
    if column.null_count or len(column) == 0 or len(values) % len(column):
        raise ValueError(f"{file}: the lists of {lists[0]!r} must all have the same length")
    lengths = column.value_lengths().to_numpy(zero_copy_only=False)
    if (lengths != lengths[0]).any():
        raise ValueError(f"{file}: the lists of {lists[0]!r} must all have the same length")
    return values.reshape(len(column), -1)


def _embedded(file: Path, model: str) -> npt.NDArray[np.float32]:
    from fastfunnel.embedders import embedder_for

    texts = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not texts:
        raise ValueError(f"{file} must hold a text a line, got none")
    rows: npt.NDArray[np.float32] = embedder_for(model, 256).encode_documents(texts)
    return rows


def _matrix(array: Any, file: Path) -> npt.NDArray[Any]:
    if getattr(array, "ndim", 0) != 2 or array.dtype.kind not in "fi":
        shape = getattr(array, "shape", None)
        raise ValueError(f"{file} must hold a 2-D array of numbers, got shape {shape}")
    matrix: npt.NDArray[Any] = array
    return matrix
