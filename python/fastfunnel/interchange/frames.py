"""Columns and frames of pandas and polars."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import numpy.typing as npt

from fastfunnel.interchange.arrow import check_lengths, from_arrow


def from_pandas(data: Any, name: str) -> Any:
    """Return a Series of vectors, or a DataFrame with a number a cell, as (n, dim).

    A Series of Python objects comes as their list.
    """
    if data.ndim == 2:
        return np.ascontiguousarray(data.to_numpy())
    if hasattr(data.dtype, "pyarrow_dtype"):
        return from_arrow(importlib.import_module("pyarrow").array(data), name)
    if data.dtype != object:
        return data.to_numpy()
    missing = data.isna().to_numpy()
    if missing.any():
        _refuse(name, int(missing.sum()))
    return data.tolist()


def from_polars(data: Any, name: str) -> npt.NDArray[Any]:
    """Return a Series of arrays or lists, or a DataFrame with a number a cell, as (n, dim)."""
    if len(data.shape) == 2:
        missing = sum(data.null_count().row(0))
        if missing:
            _refuse(name, missing)
        return np.ascontiguousarray(data.to_numpy())
    if data.null_count():
        _refuse(name, data.null_count())
    kind = str(data.dtype.base_type())
    if kind == "List":
        lengths = data.list.len().to_numpy()
        check_lengths(lengths, name)
        if len(lengths) and lengths[0]:
            return _exploded(data, name).reshape(len(data), -1)
    if kind == "Array":
        return _exploded(data, name).reshape(data.len(), *data.dtype.shape)
    array: npt.NDArray[Any] = data.to_numpy()
    return array


def _exploded(data: Any, name: str) -> npt.NDArray[Any]:
    values = data.explode()
    if values.null_count():
        _refuse(name, values.null_count())
    array: npt.NDArray[Any] = values.to_numpy()
    return array


def _refuse(name: str, n: int) -> None:
    raise ValueError(f"{name} must have no missing values, got {n} nulls")
