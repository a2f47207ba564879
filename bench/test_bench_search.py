"""Searches over arrays beside NumPy, one thread, in batch and one query at a time."""

from __future__ import annotations

import numpy as np
import pytest

import fastfunnel as ff
from bench import numpy_baseline
from bench.timing import one_by_one

pytestmark = pytest.mark.usefixtures("group")

K = 10
KEEPS = (10_000, 2_500, 500, 100)
BY = pytest.mark.parametrize("by", ["fastfunnel", "numpy"])


@pytest.fixture(scope="session")
def codes(base: np.ndarray) -> np.ndarray:
    return ff.binarize(base)


@pytest.fixture(scope="session")
def query_codes(queries: np.ndarray) -> np.ndarray:
    return ff.binarize(queries)


@BY
def test_exact_search(benchmark, base: np.ndarray, queries: np.ndarray, by: str) -> None:
    ids = benchmark(_exact(by, base), queries)
    # A few places may differ: NumPy's float32 sums order rows whose cosines are nearly equal.
    assert (ids == numpy_baseline.exact_search(base, queries, K)).mean() > 0.99


@BY
def test_exact_search_single(benchmark, base: np.ndarray, queries: np.ndarray, by: str) -> None:
    benchmark(one_by_one(_exact(by, base), queries[:10]))


@BY
def test_hamming_search(benchmark, codes: np.ndarray, query_codes: np.ndarray, by: str) -> None:
    found = benchmark(_hamming(by, codes), query_codes[:50])
    expected = numpy_baseline.hamming_search(codes, query_codes[:50], K)[1]
    np.testing.assert_array_equal(found[1], expected)


@BY
def test_hamming_search_single(
    benchmark, codes: np.ndarray, query_codes: np.ndarray, by: str
) -> None:
    benchmark(one_by_one(_hamming(by, codes), query_codes[:10]))


@BY
def test_funnel_search_matryoshka(
    benchmark, base: np.ndarray, queries: np.ndarray, by: str
) -> None:
    """Both make what their stages need in the measured call, as a search over arrays must."""
    dim = base.shape[1]
    dims = [max(1, dim // part) for part in (32, 16, 8, 4, 1)]
    _check_funnel(benchmark, base, queries, by, ff.Funnel.matryoshka(dim), dims, KEEPS)


@BY
def test_funnel_search_two_stage(benchmark, base: np.ndarray, queries: np.ndarray, by: str) -> None:
    dim = base.shape[1]
    first = min(256, dim // 2)
    funnel = ff.Funnel.two_stage(dim, first=first, keep=1000)
    _check_funnel(benchmark, base, queries, by, funnel, [first, dim], [1000])


@BY
def test_funnel_search_bits(benchmark, base: np.ndarray, queries: np.ndarray, by: str) -> None:
    """Sign bits first; NumPy's side is Hamming over all bits, then the floats."""
    dim, keep = base.shape[1], min(400, len(base))
    stages = [ff.Stage(dim, "b1", keep), ff.Stage(dim, "f32")]
    if by == "fastfunnel":
        benchmark(ff.funnel_search, base, queries, K, ff.Funnel(stages), threads=1)
        return

    def search() -> None:
        codes = numpy_baseline.binarize(base)
        asked = numpy_baseline.binarize(queries)
        candidates = numpy_baseline.hamming_search(codes, asked, keep)[0]
        for query, rows in zip(queries, candidates, strict=True):
            numpy_baseline.top((base[rows] @ query)[np.newaxis], K)

    benchmark(search)


def _check_funnel(benchmark, base, queries, by, funnel, dims, keeps) -> None:
    if by == "fastfunnel":
        found = benchmark(ff.funnel_search, base, queries, K, funnel, threads=1).ids
    else:
        found = benchmark(lambda: numpy_baseline.PrefixFunnel(base, dims, keeps).search(queries, K))
    expected = numpy_baseline.PrefixFunnel(base, dims, keeps).search(queries, K)
    assert (found == expected).mean() > 0.98


def _exact(by: str, base: np.ndarray):
    if by == "numpy":
        return lambda queries: numpy_baseline.exact_search(base, queries, K)
    return lambda queries: ff.exact_search(base, queries, K, threads=1).ids


def _hamming(by: str, codes: np.ndarray):
    if by == "numpy":
        return lambda asked: numpy_baseline.hamming_search(codes, asked, K)
    return lambda asked: ff.hamming_search(codes, asked, K, threads=1)
