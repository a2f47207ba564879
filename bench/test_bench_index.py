"""Index beside NumPy, one thread: add against a copy, searches against brute force and a funnel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastfunnel as ff
from bench import numpy_baseline
from bench.timing import one_by_one
from bench.truth import Truth

pytestmark = pytest.mark.usefixtures("group")

K = 10
KEEPS = (10_000, 2_500, 500, 100)
SEARCHES = pytest.mark.parametrize(
    "by", ["default", "exact", "matryoshka", "numpy exact", "numpy funnel"]
)


@pytest.fixture(scope="session")
def searches(base: np.ndarray) -> dict[str, Callable[[Any], np.ndarray]]:
    """Prepared searches; what they keep between calls is made here, outside the timing."""
    dim = base.shape[1]
    index = ff.Index(dim)
    index.add(base)
    dims = [max(1, dim // part) for part in (32, 16, 8, 4, 1)]
    funnel = numpy_baseline.PrefixFunnel(base, dims, KEEPS)
    schedule = ff.Funnel.matryoshka(dim)
    return {
        "default": lambda q: index.search(q, K, threads=1).ids,
        "exact": lambda q: index.search(q, K, exact=True, threads=1).ids,
        "matryoshka": lambda q: index.search(q, K, funnel=schedule, threads=1).ids,
        "numpy exact": lambda q: numpy_baseline.exact_search(base, q, K),
        "numpy funnel": lambda q: funnel.search(q, K),
    }


@pytest.fixture(scope="session")
def truth(base: np.ndarray, queries: np.ndarray) -> Truth:
    return Truth.of(base, queries, K)


@pytest.mark.parametrize("by", ["fastfunnel", "numpy copy"])
def test_index_add(benchmark, base: np.ndarray, by: str) -> None:
    if by == "numpy copy":
        benchmark(np.array, base)
    else:
        benchmark(lambda: ff.Index(base.shape[1]).add(base))


@SEARCHES
def test_index_search(
    benchmark, searches: dict[str, Any], queries: np.ndarray, truth: Truth, by: str
) -> None:
    ids = benchmark(searches[by], queries)
    recall = truth.recall(ids)
    benchmark.extra_info["recall@10"] = recall
    if "exact" in by:
        assert recall == 1


@SEARCHES
def test_index_search_single(
    benchmark, searches: dict[str, Any], queries: np.ndarray, by: str
) -> None:
    benchmark(one_by_one(searches[by], queries[:10]))
