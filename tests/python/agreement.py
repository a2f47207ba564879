"""How answers are compared."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

import fastfunnel as ff
from fastfunnel import reference

ROUNDING = 3e-6  # between float32 sums of at most 1,030 products and float64 ones


def assert_equal(found: ff.SearchResult, expected: ff.SearchResult) -> None:
    """The same ids in the same order, and the same scores but for rounding to float32."""
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_allclose(found.scores, expected.scores, rtol=0, atol=ROUNDING)


def assert_identical(found: ff.SearchResult, expected: ff.SearchResult) -> None:
    """Not one bit differs."""
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_array_equal(found.scores, expected.scores)


def assert_agrees(
    found: ff.SearchResult,
    base: npt.NDArray[np.float32],
    queries: npt.NDArray[np.float32],
    k: int,
    funnel: ff.Funnel,
) -> None:
    """What the reference finds, where rows whose scores differ by less than rounding may swap.

    The scores are right at every rank, and each belongs to the row beside it.
    """
    expected = reference.funnel_search(base, queries, k, funnel)
    np.testing.assert_allclose(found.scores, expected.scores, rtol=0, atol=ROUNDING)
    np.testing.assert_array_equal(found.ids < 0, expected.ids < 0)
    is_scan = len(funnel.stages) == 1
    for query, ids, scores in zip(queries, found.ids, found.scores, strict=True):
        ids = ids[ids >= 0]
        assert len(set(ids.tolist())) == len(ids)
        own = reference.stage_scores(base[ids], query, funnel.stages[-1], scan=is_scan)
        np.testing.assert_allclose(scores[: len(ids)], own, rtol=0, atol=ROUNDING)
