"""funnel_search against the stages in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from agreement import assert_agrees, assert_equal, assert_identical
from corpora import HARD, Corpus, gaussian, signs

import fastfunnel as ff
from fastfunnel import reference


def funnels(dim: int, last: str) -> list[ff.Funnel]:
    """Funnels that end at one precision, over prefixes that are no multiple of anything."""
    half = max(dim // 2, 1)
    most = max(dim - 3, half)
    return [
        ff.Funnel.parse(text)
        for text in (
            f"{last}@{dim}",
            f"{last}@{half}",
            f"b1@{half}>200 {last}@{dim}",
            f"b1@{half}(hamming)>200 {last}@{most}",
            f"f32@{half}>200 {last}@{dim}",
            f"i8@{half}>200 {last}@{dim}",
            f"b1@{half}>300 b1@{most}>200 {last}@{dim}",
            f"b1@{half}(hamming)>400 b1@{half}>300 i8@{half}>200 i8@{most}>100 {last}@{dim}",
        )
    ]


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("symmetric", [False, True])
def test_bits_are_scored_bit_for_bit(
    rng: np.random.Generator, isa: str, name: str, symmetric: bool
) -> None:
    base, queries = HARD[name](rng)
    dim = base.shape[1]
    half = max(dim // 2, 1)
    hamming = "(hamming)" if symmetric else ""

    for text in (
        f"b1@{dim}{hamming}",
        f"b1@{half}{hamming}",
        f"b1@{half}{hamming}>90 b1@{dim}",
        f"b1@{half}>90 b1@{dim}{hamming}",
        f"b1@{half}{hamming}>90 b1@{dim}>40 b1@{dim}{hamming}",
    ):
        funnel = ff.Funnel.parse(text)
        found = ff.funnel_search(base, queries, 10, funnel, isa=isa)
        assert_equal(found, reference.funnel_search(base, queries, 10, funnel))


@pytest.mark.parametrize("last", ["f32", "i8"])
@pytest.mark.parametrize("name", [name for name in HARD if name != "one dim"])
def test_floats_and_int8_are_scored_to_rounding(
    rng: np.random.Generator, isa: str, name: str, last: str
) -> None:
    base, queries = HARD[name](rng)

    for funnel in funnels(base.shape[1], last):
        found = ff.funnel_search(base, queries, 10, funnel, isa=isa)
        assert_agrees(found, base, queries, 10, funnel)


@pytest.mark.parametrize("text", ["f32@100", "b1@64>300 f32@100", "f32@13>300 f32@50>99 f32@100"])
def test_ids_are_those_of_the_reference_where_no_scores_are_close(
    rng: np.random.Generator, isa: str, text: str
) -> None:
    base, queries = gaussian(rng)
    funnel = ff.Funnel.parse(text)

    found = ff.funnel_search(base, queries, 10, funnel, isa=isa)

    assert_equal(found, reference.funnel_search(base, queries, 10, funnel))


@pytest.mark.parametrize("dtype", ["float64", "float16", "int8"])
@pytest.mark.parametrize("text", ["f32@50>99 f32@100", "i8@50>99 i8@100", "b1@50>99 b1@100"])
def test_rows_of_every_dtype_are_read_as_float32(
    rng: np.random.Generator, isa: str, dtype: str, text: str
) -> None:
    base, queries = gaussian(rng)
    base = (20 * base).astype(dtype)
    funnel = ff.Funnel.parse(text)

    found = ff.funnel_search(base, queries, 10, funnel, isa=isa)

    expected = ff.funnel_search(base.astype(np.float32), queries, 10, funnel, isa=isa)
    if dtype == "float16" and text.endswith("f32@100"):  # summed as they are, in their own order
        assert_equal(found, expected)
    else:
        assert_identical(found, expected)


@pytest.fixture(scope="module")
def three_segments() -> Corpus:
    return signs(np.random.default_rng(5), n=2 * 65536 + 700, dim=11, n_queries=9)


@pytest.mark.parametrize("n_queries", [1, 9])
@pytest.mark.parametrize("text", ["b1@11", "b1@7(hamming)", "i8@11", "f32@9", "b1@5>900 f32@11"])
def test_searches_across_segments(
    three_segments: Corpus, isa: str, text: str, n_queries: int
) -> None:
    base, queries = three_segments.base, three_segments.queries[:n_queries]
    funnel = ff.Funnel.parse(text)
    expected = reference.funnel_search(base, queries[:1], 10, funnel)

    # One thread takes queries, several take parts of the rows while queries are few.
    found = [
        ff.funnel_search(base, queries, 10, funnel, threads=threads, isa=isa)
        for threads in (1, 2, 5, 1000)
    ]

    assert_equal(ff.SearchResult(found[0].ids[:1], found[0].scores[:1]), expected)
    for other in found[1:]:
        assert_identical(other, found[0])


def test_answers_come_from_every_segment(isa: str) -> None:
    base = np.zeros((2 * 65536 + 10, 2), dtype=np.float32)
    base[:, 1] = 1
    rows = [0, 65535, 65536, 131071, 131072, 131081]
    base[rows, 0] = [1, 2, 3, 4, 5, 6]

    for text in ("f32@2", "i8@2", "b1@1", "b1@1>100 f32@2", "b1@1(hamming)>6 i8@2>6 f32@2"):
        found = ff.funnel_search(base, np.array([1, 0], np.float32), 6, ff.Funnel.parse(text))
        assert sorted(found.ids[0].tolist()) == rows


@pytest.mark.parametrize("text", ["f32@8", "i8@8", "b1@8", "b1@4>7 b1@8(hamming)>6 i8@8>5 f32@8"])
def test_missing_answers_are_minus_one(rng: np.random.Generator, isa: str, text: str) -> None:
    base, queries = gaussian(rng, n=3, dim=8)

    ids, scores = ff.funnel_search(base, queries, 5, ff.Funnel.parse(text), isa=isa)

    assert np.sort(ids[:, :3], axis=1).tolist() == [[0, 1, 2]] * len(queries)
    assert ids[:, 3:].tolist() == [[-1, -1]] * len(queries)
    assert scores[:, 3:].tolist() == [[-np.inf, -np.inf]] * len(queries)


@pytest.mark.parametrize("text", ["b1@8>{} f32@8", "b1@8(hamming)>{} f32@8", "f32@8>{} f32@8"])
def test_keeping_more_rows_than_there_are_takes_no_memory(
    rng: np.random.Generator, isa: str, text: str
) -> None:
    base, queries = gaussian(rng, n=100, dim=8)
    funnel = ff.Funnel.parse(text.format(2**31 - 1))

    found = ff.funnel_search(base, queries, 5, funnel, isa=isa)

    assert_equal(found, reference.exact_search(base, queries, 5))


def test_without_a_funnel_it_is_the_literatures(rng: np.random.Generator) -> None:
    base, queries = gaussian(rng, n=3000, dim=64)

    found = ff.funnel_search(base, queries, 10)

    assert_identical(found, ff.funnel_search(base, queries, 10, ff.Funnel.matryoshka(64)))


def test_prefixes_are_renormalised() -> None:
    base = np.array([[9, 1, 90, 0], [1, 0, 0, 0]], dtype=np.float32)

    found = ff.funnel_search(base, np.ones(4, np.float32), 2, ff.Funnel.parse("f32@2"))

    assert found.ids.tolist() == [[0, 1]]
    np.testing.assert_allclose(found.scores, [[10 / np.sqrt(2 * 82), 1 / np.sqrt(2)]], rtol=1e-6)


def test_a_row_that_an_early_stage_drops_stays_lost() -> None:
    base = np.array([[0, 1, 9, 9], [1, 0, 0, 0], [1, 0.1, 0, 0]], dtype=np.float32)
    query = np.array([1, 0.05, 5, 5], dtype=np.float32)

    assert ff.exact_search(base, query, 1).ids.tolist() == [[0]]
    found = ff.funnel_search(base, query, 2, ff.Funnel.parse("f32@2>2 f32@4"))
    assert sorted(found.ids[0].tolist()) == [1, 2]


def test_results_are_fresh_int64_and_float32(rng: np.random.Generator) -> None:
    base, queries = gaussian(rng)
    before = base.copy(), queries.copy()

    ids, scores = ff.funnel_search(base, queries, 4, ff.Funnel.parse("b1@64>90 f32@100"))

    assert (ids.dtype, scores.dtype) == (np.int64, np.float32)
    assert ids.flags.writeable
    np.testing.assert_array_equal(base, before[0])
    np.testing.assert_array_equal(queries, before[1])
