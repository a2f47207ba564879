"""hamming_search against counted bits."""

from __future__ import annotations

import numpy as np
import pytest

import fastfunnel as ff
from fastfunnel import reference

# Fewer than 8 queries read the codes as they lie, more bring them into the scan's layout first.
N_QUERIES = (1, 7, 8, 33)


def assert_equal(found: ff.HammingResult, expected: ff.HammingResult) -> None:
    np.testing.assert_array_equal(found.distances, expected.distances)
    np.testing.assert_array_equal(found.ids, expected.ids)


@pytest.mark.parametrize("n_queries", N_QUERIES)
@pytest.mark.parametrize("width", [1, 3, 8, 9, 32, 63, 64, 65])
@pytest.mark.parametrize("n", [1, 63, 64, 65, 1500])
def test_finds_the_nearest_codes(
    rng: np.random.Generator, isa: str, n: int, width: int, n_queries: int
) -> None:
    codes = rng.integers(0, 256, (n, width), dtype=np.uint8)
    queries = rng.integers(0, 256, (n_queries, width), dtype=np.uint8)

    found = ff.hamming_search(codes, queries, 10, isa=isa)

    assert found.ids.dtype == np.int64
    assert found.distances.dtype == np.int32
    assert_equal(found, reference.hamming_search(codes, queries, 10))


@pytest.mark.parametrize("n_queries", N_QUERIES)
def test_missing_answers_are_minus_one(rng: np.random.Generator, n_queries: int) -> None:
    codes = rng.integers(0, 256, (3, 4), dtype=np.uint8)

    found = ff.hamming_search(codes, np.tile(codes[:1], (n_queries, 1)), 5)

    assert found.ids[:, 3:].tolist() == [[-1, -1]] * n_queries
    assert found.distances[:, 3:].tolist() == [[-1, -1]] * n_queries
    assert sorted(found.ids[0, :3].tolist()) == [0, 1, 2]


@pytest.mark.parametrize("n_queries", N_QUERIES)
def test_ties_go_to_the_lower_id(isa: str, n_queries: int) -> None:
    codes = np.zeros((5000, 8), dtype=np.uint8)
    codes[4000:] = 255

    found = ff.hamming_search(codes, np.full((n_queries, 8), 255, np.uint8), 7, isa=isa)

    assert found.ids.tolist() == [list(range(4000, 4007))] * n_queries


@pytest.mark.parametrize("n_queries", [2, 40])
@pytest.mark.parametrize("threads", [1, 2, 3, 1000])
def test_searches_across_segments(rng: np.random.Generator, n_queries: int, threads: int) -> None:
    codes = rng.integers(0, 256, (65536 + 700, 2), dtype=np.uint8)
    queries = codes[65500 : 65500 + 2 * n_queries : 2]

    found = ff.hamming_search(codes, queries, 9, threads=threads)

    assert_equal(found, reference.hamming_search(codes, queries, 9))


@pytest.mark.parametrize("n_queries", [1, 8])
@pytest.mark.parametrize("width", [4095, 4096])  # 32,767 is the scan's highest score
def test_codes_wider_than_the_scan(rng: np.random.Generator, width: int, n_queries: int) -> None:
    codes = rng.integers(0, 256, (30, width), dtype=np.uint8)
    codes[0] = 255
    queries = rng.integers(0, 256, (n_queries, width), dtype=np.uint8)
    queries[0] = 255

    assert_equal(ff.hamming_search(codes, queries), reference.hamming_search(codes, queries))


@pytest.mark.parametrize("n_queries", [1, 8])
def test_any_row_stride_is_read_in_place(rng: np.random.Generator, n_queries: int) -> None:
    memory = rng.integers(0, 256, (400, 24), dtype=np.uint8)
    queries = rng.integers(0, 256, (n_queries, 9), dtype=np.uint8)

    for codes in (memory[::3, 5:14], memory[::-1, :9], memory[10:20, 2:11]):
        found = ff.hamming_search(codes, queries)
        assert_equal(found, reference.hamming_search(codes, queries))


def test_distances_are_those_of_sign_codes(rng: np.random.Generator) -> None:
    x = rng.standard_normal((100, 37)).astype(np.float32)
    codes = ff.binarize(x)

    found = ff.hamming_search(codes, codes, 100)

    differing = ((x[:, np.newaxis] > 0) != (x > 0)).sum(axis=2)
    np.testing.assert_array_equal(found.distances, np.sort(differing, axis=1))
