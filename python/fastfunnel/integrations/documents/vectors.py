"""The vectors that frameworks hand over: lists of floats, mostly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastfunnel.embedders import FloatRows


def as_float_rows(vectors: Sequence[Any], dim: int | None = None) -> FloatRows:
    """Return vectors as float32 (n, dim).

    Raises:
        ValueError: they are no finite numbers, not all of one length, or not of `dim`.
    """
    if not len(vectors):
        return np.zeros((0, dim or 0), np.float32)
    try:
        with np.errstate(over="ignore"):
            rows = np.asarray(vectors, np.float32)
    except (TypeError, ValueError):
        raise ValueError("vectors must be numbers, as many in each") from None
    if rows.ndim != 2 or not rows.shape[1]:
        raise ValueError(f"vectors must be 1-D, got {rows.ndim - 1}-D")
    if dim is not None and rows.shape[1] != dim:
        raise ValueError(f"vectors must have {dim} dims, as those held, got {rows.shape[1]}")
    if not np.isfinite(rows).all():
        raise ValueError("vectors must be finite as float32, got nan or inf")
    return rows
