"""What an index says to calls that do not fit it; and it stays as it was."""

from __future__ import annotations

import re

import numpy as np
import pytest

import fastfunnel as ff

ROWS = np.arange(1, 21, dtype=np.float32).reshape(5, 4)


@pytest.fixture
def index() -> ff.Index:
    index = ff.Index(dim=4)
    index.add(ROWS, [10, 11, 12, 7, 9])
    return index


def assert_unchanged(index: ff.Index) -> None:
    assert list(index) == [10, 11, 12, 7, 9]
    np.testing.assert_array_equal(index.get([10, 11, 12, 7, 9]), ROWS)
    found = index.search(ROWS[3], 9, exact=True)
    assert sorted(found.ids[0].tolist()) == [-1, -1, -1, -1, 7, 9, 10, 11, 12]
    assert index.add(ROWS[:1]).tolist() == [13]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([1, 2, 11], "ids must be new, got 11 which is in the index; upsert replaces rows"),
        ([1, 5, 1], "ids must be unique, got 1 twice"),
        ([30, 30, 31], "ids must be unique, got 30 twice"),
        ([30, 31], "ids must be a 1-D array of 3, got shape (2,)"),
        ([], "ids must be a 1-D array of 3, got shape (0,)"),
        ([[1, 2, 3]], "ids must be a 1-D array of 3, got shape (1, 3)"),
        (5, "ids must be a 1-D array of 3, got shape ()"),
    ],
)
def test_add_with_ids_that_do_not_fit(index: ff.Index, ids: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        index.add(ROWS[:3], ids)  # type: ignore[arg-type]
    assert_unchanged(index)


def test_add_of_a_row_that_is_not_finite_adds_none(index: ff.Index) -> None:
    rows = ROWS.copy()
    rows[4, 3] = np.inf
    with pytest.raises(ValueError, match=r"^vectors must be finite, got nan or inf in row 4$"):
        index.add(rows)
    assert_unchanged(index)


def test_ids_cannot_be_counted_past_int64() -> None:
    index = ff.Index(dim=4)
    index.add(ROWS[:1], [2**63 - 2])
    with pytest.raises(ValueError, match=r"^ids must be given, 2 more would pass 2\^63 - 1$"):
        index.add(ROWS[:2])
    assert index.add(ROWS[:1]).tolist() == [2**63 - 1]
    assert list(index) == [2**63 - 2, 2**63 - 1]


def test_get_of_an_id_that_is_not_there(index: ff.Index) -> None:
    with pytest.raises(IndexError, match=r"^id 8 is not in the index$"):
        index.get([10, 8])
    with pytest.raises(ValueError, match=r"^ids must be a 1-D array, got shape \(1, 1\)$"):
        index.get([[10]])


def test_search_that_fails_changes_nothing(index: ff.Index) -> None:
    with pytest.raises(ValueError, match=r"^funnel must be None when exact=True, got a funnel$"):
        index.search(ROWS, funnel=ff.Funnel.parse("f32@4"), exact=True)
    with pytest.raises(ValueError, match=r"^queries must be finite, got nan or inf in row 0$"):
        index.search(ROWS[0] * np.float32(np.nan), funnel=ff.Funnel.parse("b1@4>20 i8@4"))
    assert_unchanged(index)


def test_explain_of_several_queries(index: ff.Index) -> None:
    with pytest.raises(ValueError, match=r"^query must be one vector, got 2$"):
        index.explain(ROWS[:2])
    assert_unchanged(index)


def test_metric_and_model() -> None:
    with pytest.raises(ValueError, match=r"^metric must be 'cosine', 'ip' or 'l2', got 'dot'$"):
        ff.Index(dim=4, metric="dot")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^model must be a str, a Model or an embedder, got int$"):
        ff.Index(dim=4, model=3)  # type: ignore[arg-type]


def test_dims_beyond_the_columns() -> None:
    with pytest.raises(ValueError, match=r"^dim must be at most the 4 columns of x, got 5$"):
        ff.truncate(ROWS, 5)
    with pytest.raises(ValueError, match=r"^dims must be at most the 4 columns of x, got 5$"):
        ff.binarize(ROWS, 5)


def test_codes_and_query_codes_of_different_widths() -> None:
    codes = ff.binarize(ROWS)
    with pytest.raises(ValueError, match=r"^query_codes must have 1 bytes a code, got 2$"):
        ff.hamming_search(codes, np.zeros((1, 2), np.uint8))


def test_more_answers_than_the_default_funnel_keeps() -> None:
    message = "funnel stage 4 must keep at least k = 101 rows, got 100"
    with pytest.raises(ValueError, match=f"^{message}$"):
        ff.funnel_search(np.ones((200, 64), np.float32), np.ones(64, np.float32), 101)
