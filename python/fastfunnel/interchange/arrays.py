"""The one place where what a caller holds becomes a NumPy array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastfunnel.interchange.arrow import from_arrow
from fastfunnel.interchange.frames import from_pandas, from_polars
from fastfunnel.interchange.tensors import check_device, from_torch

_READERS = {
    "torch": from_torch,
    "pyarrow": from_arrow,
    "pandas": from_pandas,
    "polars": from_polars,
}


def as_array(value: object, name: str) -> npt.NDArray[Any]:
    """Return vectors as an array, without a copy wherever their library allows.

    Args:
        value: an array; a torch tensor; any object with `__array__`, `__dlpack__` or a buffer; an
            Arrow array or chunked array of lists of one length; a pandas or polars column of such
            lists, or a frame of numbers; a list of numbers or of any of these.
        name: of the argument, for the message.

    Returns:
        The array, of any shape and dtype but bfloat16, which comes as float32: exactly, and copied.

    Raises:
        ValueError: for lists of unequal length, for missing values, for memory of another device.
        TypeError: for tables, and for columns of something else. What else holds no numbers comes
            back as an array of objects.
    """
    if isinstance(value, np.ndarray):
        return _checked(value, name)
    for kind in type(value).__mro__:
        reader = _READERS.get(kind.__module__.partition(".")[0])
        if reader is not None:
            return as_array(reader(value, name), name)
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes, memoryview)):
        return _checked(_from_sequence(value, name), name)
    check_device(value, name)
    if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
        return _checked(np.from_dlpack(value), name)
    return _checked(np.asarray(value), name)


def _from_sequence(value: Sequence[Any], name: str) -> npt.NDArray[Any]:
    if value and hasattr(value[0], "__len__") and not isinstance(value[0], (str, list, tuple)):
        value = [as_array(row, name) for row in value]
    try:
        return np.asarray(value)
    except ValueError:
        raise ValueError(_unequal(value, name)) from None


def _unequal(value: Sequence[Any], name: str) -> str:
    for place, row in enumerate(value):
        if not hasattr(row, "__len__"):
            return f"{name} must have a list of numbers in every row, got {row!r} in row {place}"
        if len(row) != len(value[0]):
            return (
                f"{name} must have rows of one length, got {len(value[0])} values in row 0 and "
                f"{len(row)} in row {place}"
            )
    return f"{name} must have rows of one length"


def _checked(array: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        raise ValueError(f"{name} must have no masked values")
    array = np.asarray(array)  # a matrix, say, keeps two dims whatever is taken of it
    if array.dtype.kind == "V" and array.dtype.name == "bfloat16":  # of ml_dtypes, as in jax
        return array.astype(np.float32)
    if array.dtype.kind == "O" and array.ndim:
        missing = [place for place, row in enumerate(array.flat) if row is None]
        if missing:
            raise ValueError(f"{name} must have no missing values, got None at {missing[0]}")
    return array
