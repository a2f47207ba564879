"""Float vectors as FAISS takes them, and as it normalises them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastfunnel.interchange import as_array
from fastfunnel.vectors import normalize

Floats = npt.NDArray[np.float32]


def as_floats(x: npt.ArrayLike, d: int) -> Floats:
    """Return `x` as contiguous float32 (n, d), n possibly 0; any number dtype is cast, as FAISS does.

    Raises TypeError for what is not numbers, ValueError for another shape.
    """
    rows = as_array(x, "x")
    if rows.dtype.kind not in "fiub":
        raise TypeError(f"x must be numbers, got {rows.dtype}")
    check_width(rows, d, "dims")
    return np.ascontiguousarray(rows, np.float32)


def check_width(x: npt.NDArray[np.generic], width: int, unit: str) -> None:
    """Raise ValueError unless `x` is (n, width)."""
    if x.ndim != 2 or x.shape[1] != width:
        raise ValueError(f"x must be a 2-D array of {width} {unit} a row, got shape {x.shape}")


def normalize_L2(x: Floats) -> None:  # noqa: N802  (the name is FAISS's)
    """Give the rows of `x` unit length, in place; zero rows stay zero.

    Raises:
        TypeError: unless `x` is a float32 array in C order, (n, d): another would be a copy.
        ValueError: for nan and inf.
    """
    if not isinstance(x, np.ndarray) or x.dtype != np.float32 or not x.flags.c_contiguous:
        got = f"{x.dtype}" if isinstance(x, np.ndarray) else type(x).__name__
        raise TypeError(f"x must be a float32 array in C order, which is changed, got {got}")
    if len(x):
        x[...] = normalize(x)
