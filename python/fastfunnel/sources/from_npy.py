"""An index over an .npy file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fastfunnel.arguments import Metric, as_ids
from fastfunnel.index import Index
from fastfunnel.interchange.arrays import as_array
from fastfunnel.model import Model
from fastfunnel.sources.filling import ROWS_AT_ONCE, fill

_MAPPABLE = (np.dtype("<f4"), np.dtype("<f2"))


def from_npy(
    path: str | os.PathLike[str],
    mmap: bool = True,
    *,
    ids: npt.ArrayLike | None = None,
    metric: Metric = "cosine",
    model: str | Model | None = None,
    into: Index | None = None,
) -> Index:
    """Return an index of the rows of an .npy file.

    Args:
        path: of an (n, dim) array of float32, float64, float16 or int8. Nothing is unpickled.
        mmap: True leaves float32 and float16 rows where they are: searches map the file and read
            the few rows of their last stage, so the file must stay as it is. Rows of another dtype,
            rows in Fortran order and False are read, a few thousand at a time.
        ids: n unique int64 ids; None is 0 … n - 1.
        metric, model: of the index, as for `Index`.
        into: an index to add the rows to instead, which copies them: one that lives on disk
            (`Index.create`) takes more than memory holds.

    Returns:
        The index; `into` if that was given.

    Raises:
        FileNotFoundError: if there is no file.
        TypeError, ValueError: for another file, dtype or shape, for nan or inf.
    """
    name = os.fspath(path)
    try:
        array = np.lib.format.open_memmap(name, mode="r")
    except ValueError as error:
        raise ValueError(f"{name} must be an .npy array: {error}") from None
    if array.ndim != 2:
        raise ValueError(f"{name} must be a 2-D array (rows, dims), got {array.ndim}-D")
    given = None if ids is None else as_ids(ids, len(array))
    if into is None and mmap and array.dtype in _MAPPABLE and array.flags.c_contiguous:
        index = Index(array.shape[1], model, metric)
        index.adopt(array, given)
        return index
    return fill(_portions(array, given), name, into, metric, model)


def _portions(
    array: npt.NDArray[Any], ids: npt.NDArray[np.int64] | None
) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[np.int64] | None]]:
    for first in range(0, len(array), ROWS_AT_ONCE):
        part = slice(first, first + ROWS_AT_ONCE)
        rows = np.ascontiguousarray(as_array(array[part], "vectors"))
        yield rows, None if ids is None else ids[part]
