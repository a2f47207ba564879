"""Arrays in, arrays out: unit length, prefixes, sign bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastfunnel import _core
from fastfunnel.arguments import as_count, as_rows


def normalize(x: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return the rows of `x` at unit length; zero rows stay zero.

    Args:
        x: (n, dim) float32, float64, float16, bfloat16 or int8.

    Returns:
        A new (n, dim) array: float64 for float64, else float32. Lengths are summed in float64.

    Raises:
        TypeError: for another dtype.
        ValueError: for another shape, no rows, or nan or inf.
    """
    rows = as_rows(x, "x")
    wide = rows.astype(np.float64)
    largest = np.abs(wide).max(axis=1, keepdims=True)
    if not np.isfinite(largest).all():
        row = int(np.argmin(np.isfinite(largest[:, 0])))
        raise ValueError(f"x must be finite, got nan or inf in row {row}")
    # Dividing by the largest value first keeps the squares of extreme rows inside float64.
    wide /= np.where(largest > 0, largest, 1.0)
    lengths = np.sqrt(np.einsum("ij,ij->i", wide, wide))[:, np.newaxis]
    wide /= np.where(lengths > 0, lengths, 1.0)
    return wide if rows.dtype == np.float64 else wide.astype(np.float32)


def truncate(x: npt.ArrayLike, dim: int) -> npt.NDArray[Any]:
    """Return the first `dim` columns of `x`, renormalised: the Matryoshka prefix of each row.

    A prefix of a unit row is shorter than 1, by a different factor in every row, so inner products
    of prefixes are not cosines until they are renormalised (Kusupati et al., Matryoshka
    Representation Learning, arXiv 2205.13147).

    Args:
        x: (n, full dim) float32, float64, float16, bfloat16 or int8.
        dim: 1 to the full dim.

    Returns:
        A new (n, dim) array as `normalize` returns it.

    Raises:
        TypeError, ValueError: as `normalize`; ValueError for a dim beyond the columns.
    """
    rows = as_rows(x, "x")
    dim = as_count(dim, "dim")
    if dim > rows.shape[1]:
        raise ValueError(f"dim must be at most the {rows.shape[1]} columns of x, got {dim}")
    return normalize(rows[:, :dim])


def binarize(x: npt.ArrayLike, dims: int | None = None) -> _core.CodeArray:
    """Return packed sign bits: bit d of a row is x[d] > 0.

    Args:
        x: (n, full dim) float32, float64, float16, bfloat16 or int8.
        dims: how many leading dims to take; None takes all.

    Returns:
        uint8 of shape (n, ceil(dims / 8)), first dim in the highest bit, like numpy.packbits;
        bits past the last dim are 0.

    Raises:
        TypeError, ValueError: as `truncate`; nan and inf are not looked for.
    """
    rows = as_rows(x, "x")
    dims = rows.shape[1] if dims is None else as_count(dims, "dims")
    if dims > rows.shape[1]:
        raise ValueError(f"dims must be at most the {rows.shape[1]} columns of x, got {dims}")
    return np.packbits(rows[:, :dims] > 0, axis=1)
