"""What the public functions accept, and the one clear sentence for what they do not.

Rows of a corpus are never copied or cast: gigabytes would move unseen. Queries are small, so they
are converted to contiguous float32.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt

from fastfunnel import _core
from fastfunnel.interchange import as_array

ROW_DTYPES = tuple(np.dtype(name) for name in ("float32", "float64", "float16", "int8"))
Metric: TypeAlias = Literal["cosine", "ip", "l2"]
MAX_MAGNITUDE = 2.0**50
_ROWS_AT_ONCE = 4096
_ROW_DTYPE_NAMES = "float32, float64, float16, bfloat16 or int8"


def as_rows(value: npt.ArrayLike, name: str, dim: int | None = None) -> npt.NDArray[Any]:
    """Return `value` as an (n, dim) array of a row dtype, without a copy if it is an array.

    bfloat16, which NumPy does not know, comes back as float32.

    Raises TypeError for another dtype, ValueError for another shape, for no rows or dims, or for
    rows whose values are not contiguous. Values are not looked at.
    """
    rows = as_array(value, name)
    if rows.dtype not in ROW_DTYPES or not rows.dtype.isnative:
        raise TypeError(f"{name} must be {_ROW_DTYPE_NAMES}, got {rows.dtype}")
    if rows.ndim != 2:
        raise ValueError(f"{name} must be a 2-D array (rows, dims), got {rows.ndim}-D")
    _check_extent(rows.shape, name, dim, "dims")
    if (rows.shape[1] > 1 and rows.strides[1] != rows.itemsize) or not rows.flags.aligned:
        raise ValueError(
            f"{name} must have contiguous rows, got strides {rows.strides} for {rows.dtype}; "
            "pass numpy.ascontiguousarray(...)"
        )
    return rows


def as_metric(value: object) -> Metric:
    """Return the name of a metric; raises ValueError for another."""
    if value == "cosine" or value == "ip" or value == "l2":
        return value
    raise ValueError(f"metric must be 'cosine', 'ip' or 'l2', got {value!r}")


def check_magnitudes(rows: npt.NDArray[Any], name: str, metric: Metric) -> None:
    """Raise ValueError for rows so long that their scores leave float32; nan passes."""
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[first : first + _ROWS_AT_ONCE]
        largest = np.maximum(some.max(axis=1), -some.min(axis=1).astype(np.float64))
        if (largest > MAX_MAGNITUDE).any() and np.isfinite(largest).all():
            row = int(np.argmax(largest > MAX_MAGNITUDE))
            raise ValueError(
                f"{name} must lie within ±2^50 with metric {metric!r}, got {largest[row]:.3g} in "
                f"row {first + row}"
            )


def as_queries(
    value: npt.ArrayLike, dim: int, name: str = "queries", metric: Metric = "cosine"
) -> _core.QueryArray:
    """Return `value` as contiguous float32 of shape (n, dim); a 1-D array is one query.

    Raises TypeError for another dtype, ValueError for another shape, for no queries, for nan or
    inf, or, but for cosines, for magnitudes that scores cannot be made of.
    """
    if type(value) is np.ndarray:  # most need no more than one look, of a compiled function
        given = value[np.newaxis] if value.ndim == 1 else value
        if _core.are_queries(given, dim):
            return given
    queries = as_array(value, name)
    if queries.dtype not in ROW_DTYPES:
        raise TypeError(f"{name} must be {_ROW_DTYPE_NAMES}, got {queries.dtype}")
    if queries.ndim == 1:
        queries = queries[np.newaxis]
    if queries.ndim != 2:
        raise ValueError(f"{name} must be a 1-D or 2-D array, got {queries.ndim}-D")
    _check_extent(queries.shape, name, dim, "dims")
    if queries.dtype != np.float32:
        queries = _as_float32(queries)
    converted: _core.QueryArray = np.ascontiguousarray(queries)
    if _core.are_queries(converted, dim):
        return converted
    largest = np.abs(converted).max(axis=1)
    if not np.isfinite(largest).all():
        row = int(np.argmin(np.isfinite(largest)))
        raise ValueError(f"{name} must be finite, got nan or inf in row {row}")
    extreme = ((largest < 2.0**-20) | (largest > 2.0**20)) & (largest > 0)
    if metric != "cosine" and extreme.any():
        row = int(np.argmax(extreme))
        raise ValueError(
            f"{name} must be 0 or reach 2^-20 to 2^20 with metric {metric!r}, got at most "
            f"{largest[row]:.3g} in row {row}"
        )
    return _scaled(converted, largest, extreme)


def _as_float32(rows: npt.NDArray[Any]) -> _core.QueryArray:
    """Return rows as float32, some at a time: Ctrl-C is answered between two of them."""
    converted = np.empty(rows.shape, np.float32)
    with np.errstate(over="ignore"):
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            converted[first : first + _ROWS_AT_ONCE] = rows[first : first + _ROWS_AT_ONCE]
    return converted


def _scaled(
    queries: _core.QueryArray, largest: _core.ScoreArray, extreme: npt.NDArray[np.bool_]
) -> _core.QueryArray:
    """Scale extreme queries by powers of two, which changes no cosine and rounds nothing."""
    shifts = np.where(extreme, -np.frexp(largest)[1], 0)
    scaled: _core.QueryArray = np.ldexp(queries, shifts[:, np.newaxis])
    return scaled


def as_codes(value: npt.ArrayLike, name: str, width: int | None = None) -> _core.CodeArray:
    """Return `value` as an (n, width) uint8 array of packed bits with contiguous rows.

    Raises TypeError for another dtype, ValueError for another shape, for no codes, or for rows
    whose bytes are not contiguous.
    """
    codes = as_array(value, name)
    if codes.dtype != np.uint8:
        raise TypeError(f"{name} must be uint8 (packed bits), got {codes.dtype}")
    if codes.ndim != 2:
        raise ValueError(f"{name} must be a 2-D array (codes, bytes), got {codes.ndim}-D")
    _check_extent(codes.shape, name, width, "bytes a code")
    if codes.shape[1] > 1 and codes.strides[1] != 1:
        raise ValueError(f"{name} must have contiguous rows, got strides {codes.strides}")
    return codes


def as_ids(value: npt.ArrayLike, n: int | None = None, name: str = "ids") -> _core.IdArray:
    """Return `value` as contiguous int64 ids of shape (n,).

    Raises TypeError for values that are not integers, ValueError for another shape, for values
    beyond int64, or for negative ids: -1 stands for "no answer".
    """
    ids = np.asarray(value)
    if ids.size == 0:
        ids = ids.astype(np.int64)
    if ids.dtype.kind not in "iu":
        _refuse_ids(value, ids.dtype, name)
    if ids.ndim != 1 or (n is not None and len(ids) != n):
        expected = "a 1-D array" if n is None else f"a 1-D array of {n}"
        raise ValueError(f"{name} must be {expected}, got shape {ids.shape}")
    # One look at each: signed ids cannot be too high, unsigned ones not too low.
    out_of_range = ids.size > 0 and (
        ids.min() < 0 if ids.dtype.kind == "i" else int(ids.max()) > np.iinfo(np.int64).max
    )
    if out_of_range:
        raise ValueError(f"{name} must lie in 0 … 2^63 - 1, got {ids.min()} … {ids.max()}")
    return np.ascontiguousarray(ids, dtype=np.int64)


def _refuse_ids(value: object, dtype: np.dtype[Any], name: str) -> NoReturn:
    """Raise TypeError, or ValueError for ints that no integer dtype of NumPy holds together."""
    if isinstance(value, Sequence) and all(type(one) is int for one in value):
        raise ValueError(f"{name} must lie in 0 … 2^63 - 1, got {min(value)} … {max(value)}")
    raise TypeError(f"{name} must be integers, got {dtype}")


def as_candidates(value: npt.ArrayLike, n_queries: int) -> _core.IdArray:
    """Return ids to rescore as contiguous int64, (n,) or (n_queries, n), -1 for none allowed.

    Raises TypeError for values that are not integers, ValueError for another shape or for values
    beyond int64.
    """
    ids = np.asarray(value)
    if ids.size == 0:
        ids = ids.astype(np.int64)
    if ids.dtype.kind not in "iu":
        _refuse_ids(value, ids.dtype, "candidate_ids")
    if ids.ndim != 1 and (ids.ndim != 2 or len(ids) != n_queries):
        raise ValueError(
            f"candidate_ids must be 1-D, or 2-D with a row for each of {n_queries} queries, "
            f"got shape {ids.shape}"
        )
    if ids.size and int(ids.max()) > np.iinfo(np.int64).max:
        raise ValueError(f"candidate_ids must be below 2^63, got {ids.max()}")
    return np.ascontiguousarray(ids, dtype=np.int64)


@dataclass(frozen=True)
class Filter:
    """The rows that may answer: ids, or a flag for every row; all if neither."""

    ids: _core.IdArray | None = None
    flags: _core.FlagArray | None = None


_NO_FILTER = Filter()


def as_filter(value: npt.ArrayLike | None) -> Filter:
    """Return what `filter=` was given; the index knows how many flags there must be.

    Raises TypeError for values that are neither ids nor bools, ValueError as `as_ids` does.
    """
    if value is None:
        return _NO_FILTER
    given = np.asarray(value)
    if given.dtype != np.bool_:
        return Filter(ids=as_ids(given, name="filter"))
    if given.ndim != 1:
        raise ValueError(f"filter must be a 1-D array, got shape {given.shape}")
    return Filter(flags=np.ascontiguousarray(given))


def as_score(value: float | None, name: str) -> float | None:
    """Return `value` as a float; None stays None.

    Raises TypeError for what is not a number, ValueError for nan.
    """
    if value is None:
        return None
    if not is_number(value):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    if math.isnan(value):
        raise ValueError(f"{name} must be a number, got nan")
    return float(value)


def is_number(value: object) -> bool:
    """Return whether `value` is a real number, of Python or of NumPy; a bool is none."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def as_count(value: object, name: str, at_least: int = 1) -> int:
    """Return `value` as an int of at least `at_least`.

    Raises TypeError for what is not an integer (a bool is none), ValueError for a smaller one.
    """
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be an integer, got bool")
    try:
        count = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {type(value).__name__}") from None
    if count < at_least:
        raise ValueError(f"{name} must be at least {at_least}, got {count}")
    if count >= 2**31:
        raise ValueError(f"{name} must be below 2^31, got {count}")
    return count


def as_share(value: float, name: str, top: bool) -> float:
    """Return a share above 0; 1 only if `top`."""
    if not is_number(value):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    if not 0 < value <= 1 or (value == 1 and not top):
        raise ValueError(
            f"{name} must be above 0 and {'at most' if top else 'below'} 1, got {value}"
        )
    return float(value)


def as_threads(value: int | None) -> int:
    """Return a number of threads; None means the cores this process may use."""
    return _core.available_cores() if value is None else as_count(value, "threads")


def as_isa(value: str | None) -> str | None:
    """Return the name of an instruction-set level as it is; the core knows which there are."""
    if value is not None and not isinstance(value, str):
        raise TypeError(f"isa must be a str or None, got {type(value).__name__}")
    return value


def _check_extent(shape: tuple[int, ...], name: str, width: int | None, unit: str) -> None:
    if shape[0] == 0:
        raise ValueError(f"{name} must have at least one row, got shape {shape}")
    if shape[1] == 0:
        raise ValueError(f"{name} must have at least one column, got shape {shape}")
    if width is not None and shape[1] != width:
        raise ValueError(f"{name} must have {width} {unit}, got {shape[1]}")
