"""What bad arguments are told, word by word: what was wanted, and what came."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastfunnel as ff

ROWS = np.ones((5, 4), np.float32)
CODES = np.ones((5, 4), np.uint8)
FUNNEL = ff.Funnel.parse("b1@4>3 f32@4")
SUPPORTED = ", ".join(ff.available_isas())

Message = tuple[type[Exception], str]
DTYPES = "float32, float64, float16, bfloat16 or int8"
COPY = "; pass numpy.ascontiguousarray(...)"


def with_value(value: float, row: int) -> np.ndarray:
    rows = ROWS.copy()
    rows[row, 2] = value
    return rows


def misaligned() -> np.ndarray:
    memory = np.zeros(5 * 16 + 1, np.uint8)
    return memory[1:].view(np.float32).reshape(5, 4)


# What any argument of this kind is told; "{}" is its name.
BAD_ROWS: dict[str, tuple[Any, Message]] = {
    "None": (None, (TypeError, f"{{}} must be {DTYPES}, got object")),
    "text": (["a", "b"], (TypeError, f"{{}} must be {DTYPES}, got <U1")),
    "ints": (ROWS.astype(np.int64), (TypeError, f"{{}} must be {DTYPES}, got int64")),
    "bools": (ROWS > 0, (TypeError, f"{{}} must be {DTYPES}, got bool")),
    "complex": (ROWS + 0j, (TypeError, f"{{}} must be {DTYPES}, got complex64")),
    "bytes": (CODES, (TypeError, f"{{}} must be {DTYPES}, got uint8")),
    "big-endian": (ROWS.astype(">f4"), (TypeError, f"{{}} must be {DTYPES}, got >f4")),
    "1-D": (ROWS[0], (ValueError, "{} must be a 2-D array (rows, dims), got 1-D")),
    "3-D": (ROWS[None], (ValueError, "{} must be a 2-D array (rows, dims), got 3-D")),
    "no rows": (ROWS[:0], (ValueError, "{} must have at least one row, got shape (0, 4)")),
    "no dims": (ROWS[:, :0], (ValueError, "{} must have at least one column, got shape (5, 0)")),
    "columns": (
        np.ones((4, 5), np.float32).T,
        (ValueError, "{} must have contiguous rows, got strides (4, 20) for float32" + COPY),
    ),
    "every other column": (
        np.ones((5, 8), np.float16)[:, ::2],
        (ValueError, "{} must have contiguous rows, got strides (16, 4) for float16" + COPY),
    ),
    "misaligned": (
        misaligned(),
        (ValueError, "{} must have contiguous rows, got strides (16, 4) for float32" + COPY),
    ),
}
NOT_FINITE: dict[str, tuple[Any, Message]] = {
    name: (rows, (ValueError, f"{{}} must be finite, got nan or inf in row {row}"))
    for name, rows, row in (
        ("nan", with_value(np.nan, 0), 0),
        ("inf", with_value(np.inf, 3), 3),
        ("-inf", with_value(-np.inf, 4), 4),
        ("two nans", np.where(with_value(np.nan, 3) == with_value(np.nan, 1), ROWS, np.nan), 1),
        ("float16 inf", with_value(np.inf, 2).astype(np.float16), 2),
        ("float64 nan", with_value(np.nan, 2).astype(np.float64), 2),
    )
}
BEYOND_FLOAT32: dict[str, tuple[Any, Message]] = {
    "float64 beyond float32": (
        ROWS.astype(np.float64) * 1e39,
        (ValueError, "{} must be finite, got nan or inf in row 0"),
    )
}
OTHER_DIM: dict[str, tuple[Any, Message]] = {
    "other dim": (ROWS[:, :3], (ValueError, "{} must have 4 dims, got 3"))
}
BAD_QUERIES: dict[str, tuple[Any, Message]] = {
    **{name: BAD_ROWS[name] for name in ("None", "text", "ints", "big-endian", "no rows")},
    **NOT_FINITE,
    **BEYOND_FLOAT32,
    **OTHER_DIM,
    "0-D": (np.float32(1), (ValueError, "{} must be a 1-D or 2-D array, got 0-D")),
    "3-D": (ROWS[None], (ValueError, "{} must be a 1-D or 2-D array, got 3-D")),
    "no dims": (ROWS[:, :0], (ValueError, "{} must have at least one column, got shape (5, 0)")),
    "1-D of another dim": (ROWS[0, :3], (ValueError, "{} must have 4 dims, got 3")),
}
BAD_CODES: dict[str, tuple[Any, Message]] = {
    "None": (None, (TypeError, "{} must be uint8 (packed bits), got object")),
    "floats": (ROWS, (TypeError, "{} must be uint8 (packed bits), got float32")),
    "bools": (ROWS > 0, (TypeError, "{} must be uint8 (packed bits), got bool")),
    "1-D": (CODES[0], (ValueError, "{} must be a 2-D array (codes, bytes), got 1-D")),
    "no rows": (CODES[:0], (ValueError, "{} must have at least one row, got shape (0, 4)")),
    "no bytes": (CODES[:, :0], (ValueError, "{} must have at least one column, got shape (5, 0)")),
    "columns": (
        np.ones((4, 5), np.uint8).T,
        (ValueError, "{} must have contiguous rows, got strides (1, 5)"),
    ),
}
BAD_COUNTS: dict[str, tuple[Any, Message]] = {
    "float": (3.0, (TypeError, "{} must be an integer, got float")),
    "text": ("3", (TypeError, "{} must be an integer, got str")),
    "bool": (True, (TypeError, "{} must be an integer, got bool")),
    "numpy bool": (np.True_, (TypeError, "{} must be an integer, got bool")),
    "array": (np.ones(2, int), (TypeError, "{} must be an integer, got ndarray")),
    "zero": (0, (ValueError, "{} must be at least 1, got 0")),
    "negative": (-7, (ValueError, "{} must be at least 1, got -7")),
    "huge": (2**31, (ValueError, "{} must be below 2^31, got 2147483648")),
}
NONE_COUNT: dict[str, tuple[Any, Message]] = {
    "None": (None, (TypeError, "{} must be an integer, got NoneType"))
}
BAD_ISAS: dict[str, tuple[Any, Message]] = {
    "unknown": (
        "sse9",
        (ValueError, f"{{}} must be one this machine supports ({SUPPORTED}), got 'sse9'"),
    ),
    "empty": ("", (ValueError, f"{{}} must be one this machine supports ({SUPPORTED}), got ''")),
    "number": (2, (TypeError, "{} must be a str or None, got int")),
}
BAD_FUNNELS: dict[str, tuple[Any, Message]] = {
    "text": ("f32@4", (TypeError, "{} must be a Funnel, got str")),
    "list": ([ff.Stage(4)], (TypeError, "{} must be a Funnel, got list")),
    "too many dims": (
        ff.Funnel.parse("f32@5"),
        (ValueError, "{} stage 1 must read 1 to 4 dims, got 5"),
    ),
    "keeps too few": (
        ff.Funnel.parse("b1@4>9 b1@4>2 f32@4"),
        (ValueError, "{} stage 2 must keep at least k = 3 rows, got 2"),
    ),
}
BAD_IDS: dict[str, tuple[Any, Message]] = {
    "floats": ([1.0, 2.0], (TypeError, "{} must be integers, got float64")),
    "bools": ([True, False], (TypeError, "{} must be integers, got bool")),
    "text": (["a"], (TypeError, "{} must be integers, got <U1")),
    "negative": ([3, -1], (ValueError, "{} must lie in 0 … 2^63 - 1, got -1 … 3")),
    "beyond int64": (
        np.array([2**63], np.uint64),
        (ValueError, "{} must lie in 0 … 2^63 - 1, got 9223372036854775808 … 9223372036854775808"),
    ),
    "beyond uint64": ([2**64, 5], (ValueError, f"{{}} must lie in 0 … 2^63 - 1, got 5 … {2**64}")),
    "of no one dtype": (
        [2**63, -1],
        (ValueError, f"{{}} must lie in 0 … 2^63 - 1, got -1 … {2**63}"),
    ),
}
BAD_SHARES: dict[str, tuple[Any, Message]] = {
    "text": ("0.9", (TypeError, "{} must be a number, got str")),
    "bool": (True, (TypeError, "{} must be a number, got bool")),
    "list": ([0.9], (TypeError, "{} must be a number, got list")),
    **{
        str(value): (value, (ValueError, f"{{}} must be above 0 and at most 1, got {value}"))
        for value in (0, -0.5, 1.5, np.nan)
    },
}


def exact_search(**other: Any) -> object:
    return ff.exact_search(**{"base": ROWS, "queries": ROWS, "k": 3, **other})


def funnel_search(**other: Any) -> object:
    arguments = {"base": ROWS, "queries": ROWS, "k": 3, "funnel": FUNNEL, **other}
    return ff.funnel_search(**arguments)


def hamming_search(**other: Any) -> object:
    return ff.hamming_search(**{"codes": CODES, "query_codes": CODES, "k": 3, **other})


def filled_index() -> ff.Index:
    index = ff.Index(dim=4)
    index.add(ROWS)
    return index


def index_search(**other: Any) -> object:
    return filled_index().search(**{"queries": ROWS, "k": 3, **other})


def index_explain(**other: Any) -> object:
    return filled_index().explain(**{"query": ROWS[0], "k": 3, **other})


def index_add(**other: Any) -> object:
    """Add to an index; a failing call must leave it as it was."""
    index = filled_index()
    try:
        return index.add(**{"vectors": ROWS, **other})
    except (TypeError, ValueError):
        assert list(index) == [0, 1, 2, 3, 4]
        np.testing.assert_array_equal(index.get(range(5)), ROWS)
        assert index.search(ROWS[0], 9, exact=True).ids.tolist() == [
            [0, 1, 2, 3, 4, -1, -1, -1, -1]
        ]
        assert index.add(ROWS[:1]).tolist() == [5]
        raise


Case = tuple[Callable[..., object], str, dict[str, tuple[Any, Message]]]
CASES: list[Case] = [
    (ff.normalize, "x", {**BAD_ROWS, **NOT_FINITE}),
    (lambda x: ff.truncate(x, 3), "x", {**BAD_ROWS, **NOT_FINITE}),
    (lambda dim: ff.truncate(ROWS, dim), "dim", {**BAD_COUNTS, **NONE_COUNT}),
    (ff.binarize, "x", BAD_ROWS),
    (lambda dims: ff.binarize(ROWS, dims), "dims", BAD_COUNTS),
    (exact_search, "base", {**BAD_ROWS, **NOT_FINITE, **BEYOND_FLOAT32}),
    (exact_search, "queries", BAD_QUERIES),
    (exact_search, "k", {**BAD_COUNTS, **NONE_COUNT}),
    (exact_search, "threads", BAD_COUNTS),
    (exact_search, "isa", BAD_ISAS),
    (funnel_search, "base", {**BAD_ROWS, **NOT_FINITE, **BEYOND_FLOAT32}),
    (funnel_search, "queries", BAD_QUERIES),
    (funnel_search, "k", {**BAD_COUNTS, **NONE_COUNT}),
    (funnel_search, "threads", BAD_COUNTS),
    (funnel_search, "isa", BAD_ISAS),
    (funnel_search, "funnel", BAD_FUNNELS),
    (hamming_search, "codes", BAD_CODES),
    (hamming_search, "query_codes", BAD_CODES),
    (hamming_search, "k", {**BAD_COUNTS, **NONE_COUNT}),
    (hamming_search, "threads", BAD_COUNTS),
    (hamming_search, "isa", BAD_ISAS),
    (ff.Index, "dim", {**BAD_COUNTS, **NONE_COUNT}),
    (index_add, "vectors", {**BAD_ROWS, **NOT_FINITE, **BEYOND_FLOAT32, **OTHER_DIM}),
    (lambda ids: index_add(vectors=ROWS[: len(ids)], ids=ids), "ids", BAD_IDS),
    (index_search, "queries", BAD_QUERIES),
    (index_search, "k", {**BAD_COUNTS, **NONE_COUNT}),
    (index_search, "threads", BAD_COUNTS),
    (index_search, "isa", BAD_ISAS),
    (index_search, "funnel", BAD_FUNNELS),
    (index_search, "recall", BAD_SHARES),
    (index_explain, "query", BAD_QUERIES),
    (index_explain, "k", {**BAD_COUNTS, **NONE_COUNT}),
    (index_explain, "funnel", BAD_FUNNELS),
    (lambda k: filled_index().default_funnel(k), "k", {**BAD_COUNTS, **NONE_COUNT}),
    (lambda ids: filled_index().get(ids), "ids", BAD_IDS),
]


@pytest.mark.parametrize(
    ("call", "name", "value", "message"),
    [
        pytest.param(call, name, value, message, id=f"{number}-{name}-{what}")
        for number, (call, name, bad) in enumerate(CASES)
        for what, (value, message) in bad.items()
    ],
)
def test_every_argument_of_a_wrong_kind(
    call: Callable[..., object], name: str, value: object, message: Message
) -> None:
    error, text = message
    with pytest.raises(error, match=f"^{re.escape(text.format(name))}$"):
        call(**{name: value})
