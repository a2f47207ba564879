"""exact_search against brute force in float64."""

from __future__ import annotations

import numpy as np
import pytest
from agreement import assert_equal, assert_identical
from corpora import HARD, gaussian, signs

import fastfunnel as ff
from fastfunnel import reference


@pytest.mark.parametrize("name", HARD)
def test_ids_are_those_of_brute_force(rng: np.random.Generator, isa: str, name: str) -> None:
    base, queries = HARD[name](rng)

    found = ff.exact_search(base, queries, 10, isa=isa)

    assert_equal(found, reference.exact_search(base, queries, 10))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8"])
def test_every_dtype_is_read_as_it_is(rng: np.random.Generator, isa: str, dtype: str) -> None:
    base, queries = gaussian(rng)
    base, queries = (20 * base).astype(dtype), (20 * queries).astype(dtype)

    found = ff.exact_search(base, queries, 10, isa=isa)

    assert_equal(found, reference.exact_search(base, queries, 10))


def test_rows_that_differ_only_in_float64_are_told_apart(isa: str) -> None:
    base = np.ones((300, 3))
    base[:, 2] += 1e-12 * np.arange(300)[::-1]  # in float32 all rows are equal

    found = ff.exact_search(base, np.array([0, 0, 1.0]), 4, isa=isa)

    assert found.ids.tolist() == [[0, 1, 2, 3]]


@pytest.mark.parametrize("threads", [2, 3, 100_000])
@pytest.mark.parametrize("n_queries", [1, 70])
def test_searches_across_segments(rng: np.random.Generator, threads: int, n_queries: int) -> None:
    base, queries = signs(rng, n=65536 + 900, dim=9, n_queries=n_queries)
    base[:65400, 0] = 2  # so that the answers lie about the seam
    base[65400:, 0] = queries[:, 0] = -1

    found = ff.exact_search(base, queries, 10, threads=threads)

    assert_identical(found, ff.exact_search(base, queries, 10, threads=1))
    some = ff.SearchResult(found.ids[-3:], found.scores[-3:])
    assert_equal(some, reference.exact_search(base, queries[-3:], 10))
    assert found.ids.min() < 65536 <= found.ids.max()


def test_missing_answers_are_minus_one(rng: np.random.Generator, isa: str) -> None:
    base, queries = gaussian(rng, n=3)

    ids, scores = ff.exact_search(base, queries, 5, isa=isa)

    assert ids[:, 3:].tolist() == [[-1, -1]] * len(queries)
    assert scores[:, 3:].tolist() == [[-np.inf, -np.inf]] * len(queries)
    assert np.sort(ids[:, :3], axis=1).tolist() == [[0, 1, 2]] * len(queries)


def test_zeros_have_cosine_zero_with_everything(isa: str) -> None:
    base = np.array([[0, 0], [1, 0], [-1, 0]], dtype=np.float32)

    ids, scores = ff.exact_search(base, np.array([[1, 0], [0, 0]], np.float32), 3, isa=isa)

    assert ids.tolist() == [[1, 0, 2], [0, 1, 2]]
    assert scores.tolist() == [[1, 0, -1], [0, 0, 0]]


def test_one_query_may_be_one_dimensional(rng: np.random.Generator) -> None:
    base, queries = gaussian(rng)

    found = ff.exact_search(base, queries[0])

    assert found.ids.shape == found.scores.shape == (1, 10)
    assert_equal(found, ff.exact_search(base, queries[:1]))


def test_results_are_fresh_int64_and_float32(rng: np.random.Generator) -> None:
    base, queries = gaussian(rng)
    before = base.copy(), queries.copy()

    ids, scores = ff.exact_search(base, queries, 4)

    assert (ids.dtype, scores.dtype) == (np.int64, np.float32)
    assert ids.flags.writeable
    np.testing.assert_array_equal(base, before[0])
    np.testing.assert_array_equal(queries, before[1])


def test_read_only_rows_are_fine(rng: np.random.Generator) -> None:
    base, queries = gaussian(rng)
    base.flags.writeable = queries.flags.writeable = False

    assert_equal(ff.exact_search(base, queries), reference.exact_search(base, queries))
