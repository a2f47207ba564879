"""Vectors from a file: NumPy, Parquet, Arrow, or text that a model embeds."""

from __future__ import annotations

import importlib
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from fastfunnel.interchange import as_array

if TYPE_CHECKING:
    from fastfunnel.embedders import Embedder

SUFFIXES = (".npy", ".npz", ".parquet", ".arrow", ".feather", ".txt")


def load_vectors(
    path: str | os.PathLike[str], model: str | Embedder = "wordllama", *, as_queries: bool = False
) -> npt.NDArray[Any]:
    """Return the (n, dim) vectors that a file holds.

    .npy is mapped, not read. .npz must hold one 2-D array, or one called "vectors". .parquet,
    .arrow (a file or a stream) and .feather must have one column of number lists, all of the same
    length. .txt is UTF-8 text, a text a line, embedded by `model`, an embedder or one of those
    that `embedders.embedder_for` knows: as documents, or as_queries.

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
        return _embedded(file, model, as_queries)
    raise ValueError(f"{file} must end in one of {', '.join(SUFFIXES)}, got {suffix or 'nothing'}")


def _numpy(file: Path) -> Any:
    try:
        return np.load(file, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{file} must be an .npy array: {error}") from None


def _member(file: Path) -> Any:
    try:
        archive = np.load(file, allow_pickle=False)
        names = archive.files
    except (ValueError, EOFError, AttributeError, BadZipFile) as error:
        raise ValueError(f"{file} must be an .npz archive: {error}") from None
    with archive:
        if "vectors" not in names and len(names) != 1:
            raise ValueError(f'{file} must hold one array or one called "vectors", got {names}')
        name = "vectors" if "vectors" in names else names[0]
        try:
            return archive[name]
        except (ValueError, EOFError, BadZipFile, zlib.error) as error:
            raise ValueError(f"{file} holds a damaged array {name!r}: {error}") from None


def _column(file: Path, suffix: str) -> Any:
    try:
        arrow = importlib.import_module("pyarrow")
        kinds = importlib.import_module("pyarrow.types")
        if suffix == ".parquet":
            reader = importlib.import_module("pyarrow.parquet").read_table
        else:
            reader = importlib.import_module("pyarrow.feather").read_table
    except ImportError as error:
        raise ImportError(f"pyarrow is needed for {file}: pip install pyarrow") from error
    try:
        table = _stream(file) if suffix == ".arrow" and _is_stream(file) else reader(file)
    except (arrow.ArrowException, OSError) as error:
        raise ValueError(f"{file} must be a {suffix} file: {error}") from None
    lists = [
        field.name
        for field in table.schema
        if kinds.is_list(field.type)
        or kinds.is_large_list(field.type)
        or kinds.is_fixed_size_list(field.type)
    ]
    if len(lists) != 1:
        raise ValueError(f"{file} must have one column of number lists, got {lists or 'none'}")
    return as_array(table[lists[0]], f"{file}: {lists[0]!r}")


def _is_stream(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(6) != b"ARROW1"  # which begins an Arrow file


def _stream(file: Path) -> Any:
    with file.open("rb") as opened:
        return importlib.import_module("pyarrow.ipc").open_stream(opened).read_all()


def _embedded(file: Path, model: str | Embedder, as_queries: bool) -> npt.NDArray[np.float32]:
    from fastfunnel.embedders import embedder_for

    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} must be UTF-8 text: {error}") from None
    texts = [line for line in lines if line.strip()]
    if not texts:
        raise ValueError(f"{file} must hold a text a line, got none")
    embedder = embedder_for(model) if isinstance(model, str) else model
    encode = embedder.encode_queries if as_queries else embedder.encode_documents
    rows: npt.NDArray[np.float32] = encode(texts)
    return rows


def _matrix(array: Any, file: Path) -> npt.NDArray[Any]:
    if getattr(array, "ndim", 0) != 2 or array.dtype.kind not in "fi":
        shape = getattr(array, "shape", None)
        raise ValueError(f"{file} must hold a 2-D array of numbers, got shape {shape}")
    matrix: npt.NDArray[Any] = array
    return matrix
