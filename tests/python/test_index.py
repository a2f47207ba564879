"""Index: rows with ids."""

from __future__ import annotations

import numpy as np
import pytest
from agreement import assert_agrees, assert_equal, assert_identical
from corpora import gaussian

import fastfunnel as ff
from fastfunnel import reference
from fastfunnel.sampling import are_among

FUNNELS = ("f32@40", "b1@13>300 f32@40", "b1@13>200 b1@21(hamming)>99 i8@21>50 f32@40", "i8@40")


def make_index(rows: np.ndarray, ids: object = None) -> ff.Index:
    index = ff.Index(dim=rows.shape[1])
    index.add(rows, ids)  # type: ignore[arg-type]
    return index


def test_search_is_exact_on_request(rng: np.random.Generator, isa: str) -> None:
    base, queries = gaussian(rng, n=900, dim=40)

    found = make_index(base).search(queries, k=7, exact=True, isa=isa)

    assert_equal(found, reference.exact_search(base, queries, 7))


@pytest.mark.parametrize("text", FUNNELS)
def test_search_by_a_funnel(rng: np.random.Generator, isa: str, text: str) -> None:
    base, queries = gaussian(rng, n=900, dim=40)
    funnel = ff.Funnel.parse(text)

    found = make_index(base).search(queries, k=7, funnel=funnel, isa=isa)

    assert_agrees(found, base, queries, 7, funnel)
    assert_identical(found, ff.funnel_search(base, queries, 7, funnel, isa=isa))


@pytest.mark.parametrize("text", FUNNELS)
def test_several_adds_equal_one(rng: np.random.Generator, text: str) -> None:
    base, queries = gaussian(rng, n=900, dim=40)
    funnel = ff.Funnel.parse(text)
    whole = make_index(base)
    parts = ff.Index(dim=40)

    for first, end in ((0, 1), (1, 64), (64, 65), (65, 400), (400, 900)):
        parts.add(base[first:end])
        parts.search(queries, funnel=funnel)  # codes exist before the next rows come

    assert list(parts) == list(whole) == list(range(900))
    assert_identical(parts.search(queries, funnel=funnel), whole.search(queries, funnel=funnel))
    assert_identical(parts.search(queries, exact=True), whole.search(queries, exact=True))
    np.testing.assert_array_equal(parts.get(range(900)), base)


def test_adds_across_segments_equal_one(rng: np.random.Generator) -> None:
    base, queries = gaussian(rng, n=65536 * 2 + 100, dim=5)
    funnel = ff.Funnel.parse("b1@4>2000 i8@5>500 f32@5")
    parts = ff.Index(dim=5)

    for first, end in ((0, 65530), (65530, 65540), (65540, len(base))):
        parts.add(base[first:end])
        parts.search(queries, funnel=funnel)

    whole = make_index(base)
    assert_identical(parts.search(queries, funnel=funnel), whole.search(queries, funnel=funnel))
    ids = [0, 65535, 65536, 131071, 131072, len(base) - 1]
    np.testing.assert_array_equal(parts.get(ids), base[ids])


def test_ids_are_given_or_counted_on(rng: np.random.Generator) -> None:
    base, _ = gaussian(rng, n=7, dim=40)
    index = ff.Index(dim=40)

    assert index.add(base[:2]).tolist() == [0, 1]
    assert index.add(base[2:4], [40, 7]).tolist() == [40, 7]
    assert index.add(base[4:5]).tolist() == [41]
    assert index.add(base[5:], np.array([2, 3], np.uint8)).dtype == np.int64
    assert list(index) == [0, 1, 40, 7, 41, 2, 3]
    assert len(index) == 7
    np.testing.assert_array_equal(index.get([7, 41, 0, 7]), base[[3, 4, 0, 3]])


def test_answers_carry_the_ids_of_the_rows(rng: np.random.Generator) -> None:
    base, queries = gaussian(rng, n=900, dim=40)
    ids = rng.permutation(10**12 + np.arange(900))

    index = make_index(base, ids)

    expected = ids[reference.exact_search(base, queries, 7).ids]
    np.testing.assert_array_equal(index.search(queries, 7).ids, expected)
    np.testing.assert_array_equal(index.get(ids[::-1]), base[::-1])


def test_ties_go_to_the_lower_id_not_to_the_earlier_row(isa: str) -> None:
    index = make_index(np.ones((500, 8), np.float32), np.arange(500)[::-1])
    query = np.ones(8, np.float32)

    assert index.search(query, 3, exact=True, isa=isa).ids.tolist() == [[0, 1, 2]]
    for text in ("f32@8", "i8@8", "b1@8", "b1@8(hamming)"):
        found = index.search(query, 3, funnel=ff.Funnel.parse(text), isa=isa)
        assert found.ids.tolist() == [[0, 1, 2]]


def test_contains() -> None:
    index = make_index(np.ones((2, 3), np.float32), [5, 2**62])

    assert 5 in index
    assert np.int16(5) in index
    assert 2**62 in index
    for other in (0, 6, -1, -5, 2**63, 2**64 + 5, 5.0, "5", None):
        assert other not in index


def test_get_gives_the_rows_as_they_came(rng: np.random.Generator) -> None:
    rows = (100 * rng.standard_normal((6, 5))).astype(np.float16)

    got = make_index(rows).get([4, 0])

    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, rows[[4, 0]].astype(np.float32))


def test_get_of_no_ids() -> None:
    assert make_index(np.ones((2, 3), np.float32)).get([]).shape == (0, 3)


def test_the_index_keeps_its_own_copy(rng: np.random.Generator) -> None:
    base, queries = gaussian(rng, n=90, dim=40)
    given = base.copy()
    index = make_index(given)
    given[:] = 0

    np.testing.assert_array_equal(index.get(range(90)), base)
    assert_equal(index.search(queries), reference.exact_search(base, queries))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8"])
def test_rows_of_every_dtype(rng: np.random.Generator, isa: str, dtype: str) -> None:
    base, queries = gaussian(rng, n=300, dim=40)
    base = (20 * base).astype(dtype)

    found = make_index(base).search(queries, isa=isa)

    assert_equal(found, reference.exact_search(base.astype(np.float32), queries))


def test_an_empty_index_has_no_answers() -> None:
    index = ff.Index(dim=4)

    assert len(index) == 0
    assert list(index) == []
    assert 0 not in index
    for funnel in (None, ff.Funnel.parse("b1@4>9 i8@4>9 f32@4")):
        ids, scores = index.search(np.ones((2, 4), np.float32), k=3, funnel=funnel)
        assert ids.tolist() == [[-1] * 3] * 2
        assert scores.tolist() == [[-np.inf] * 3] * 2


def test_small_indexes_are_searched_exactly(rng: np.random.Generator) -> None:
    base, _ = gaussian(rng, n=100, dim=40)
    assert make_index(base).default_funnel() is None


@pytest.mark.parametrize("dim", [64, 200])
def test_large_indexes_with_near_neighbours_have_a_default_funnel(
    rng: np.random.Generator, dim: int
) -> None:
    centres, noise = gaussian(rng, n=1500, dim=dim, n_queries=30_000)
    base = np.repeat(centres, 20, axis=0) + np.float32(0.3) * noise
    index = make_index(base)

    for k in (1, 10):
        funnel = index.default_funnel(k)
        assert funnel is not None
        assert funnel.stages[-1] == ff.Stage(dim, "f32")
        found = index.search(base[::3000], k)
        assert_identical(found, index.search(base[::3000], k, funnel=funnel))
        np.testing.assert_array_equal(found.ids[:, 0], range(0, 30_000, 3000))
    assert index.default_funnel(10_000) is None


def test_where_sign_bits_tell_nothing_they_are_not_read(rng: np.random.Generator) -> None:
    base, queries = gaussian(rng, n=30_000, dim=3)
    index = make_index(base)

    funnel = index.default_funnel(10)
    assert funnel is None or funnel.stages[0].precision == "i8"
    found, truth = index.search(queries).ids, index.search(queries, exact=True).ids
    assert are_among(truth, found).mean() >= 0.99


def test_explain_says_what_each_stage_did(rng: np.random.Generator) -> None:
    base, queries = gaussian(rng, n=900, dim=40)
    funnel = ff.Funnel.parse("b1@13>300 i8@30>60 f32@40")

    reports = make_index(base).explain(queries[0], k=5, funnel=funnel)

    assert tuple(report.stage for report in reports) == funnel.stages
    assert [report.rows for report in reports] == [900, 300, 60]
    assert [report.bytes for report in reports] == [900 * 2, 300 * 30, 60 * 160]
    assert all(report.seconds >= 0 for report in reports)


def test_explain_shows_exact_search_as_one_stage(rng: np.random.Generator) -> None:
    base, queries = gaussian(rng, n=900, dim=40)

    reports = make_index(base).explain(queries[:1])

    assert [(str(report.stage), report.rows) for report in reports] == [("f32@40", 900)]


def test_properties() -> None:
    index = ff.Index(dim=3, model="text-embedding-3-large")

    assert (index.dim, index.model, index.metric) == (3, "text-embedding-3-large", "cosine")
    assert repr(index) == "<fastfunnel.Index: 0 rows of 3 dims, cosine>"
