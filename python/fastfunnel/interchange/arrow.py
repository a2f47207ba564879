"""Arrow columns of vectors."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import numpy.typing as npt


def from_arrow(column: Any, name: str) -> npt.NDArray[Any]:
    """Return an Arrow array or chunked array as (n, dim), or as (n,) if it holds plain numbers.

    Lists of fixed size in one chunk are not copied. FixedShapeTensor columns are flattened.

    Raises:
        ValueError: for nulls, for lists of unequal length.
        TypeError: for columns of another type, for tables.
    """
    arrow = importlib.import_module("pyarrow")
    if isinstance(column, (arrow.Table, arrow.RecordBatch)):
        raise TypeError(f"{name} must be one column, got a table of {column.schema.names}")
    if isinstance(column, arrow.ChunkedArray):
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
        if isinstance(column, arrow.ChunkedArray):  # too long for one chunk
            return np.concatenate([from_arrow(chunk, name) for chunk in column.chunks])
    if not isinstance(column, arrow.Array):
        raise TypeError(f"{name} must be an Arrow array, got {type(column).__name__}")
    if isinstance(column, arrow.ExtensionArray):
        column = column.storage
    _refuse_nulls(column, name)
    kinds = arrow.types
    if kinds.is_floating(column.type) or kinds.is_integer(column.type):
        return _values(column)
    if not (
        kinds.is_fixed_size_list(column.type)
        or kinds.is_list(column.type)
        or kinds.is_large_list(column.type)
    ):
        raise TypeError(f"{name} must be a column of number lists, got {column.type}")
    values = column.flatten()
    _refuse_nulls(values, name)
    if kinds.is_fixed_size_list(column.type):
        return _values(values).reshape(len(column), column.type.list_size)
    lengths = column.value_lengths().to_numpy(zero_copy_only=False)
    check_lengths(lengths, name)
    return _values(values).reshape(len(column), lengths[0] if len(lengths) else 0)


def check_lengths(lengths: npt.NDArray[Any], name: str) -> None:
    """Raise ValueError unless all lists of a column have one length."""
    different = lengths != lengths[:1]
    if different.any():
        row = int(np.argmax(different))
        raise ValueError(
            f"{name} must have rows of one length, got {lengths[0]} values in row 0 and "
            f"{lengths[row]} in row {row}"
        )


def _refuse_nulls(column: Any, name: str) -> None:
    if column.null_count:
        raise ValueError(f"{name} must have no missing values, got {column.null_count} nulls")


def _values(column: Any) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return values
