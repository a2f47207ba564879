"""Laws that hold for any rows: Hypothesis looks for some that break them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from agreement import ROUNDING, assert_equal, assert_identical
from corpora import Corpus, gaussian, signs
from hypothesis import given
from hypothesis import strategies as st

import fastfunnel as ff
from fastfunnel import reference

PRECISIONS = [("f32", False), ("i8", False), ("b1", False), ("b1", True)]


class Case(NamedTuple):
    """A corpus, what is asked of it, and a generator for what else a law needs."""

    base: npt.NDArray[Any]
    queries: npt.NDArray[np.float32]
    k: int
    funnel: ff.Funnel
    isa: str
    rng: np.random.Generator

    def search(self, **other: Any) -> ff.SearchResult:
        """Search by the funnel, with other values for some of the fields or threads."""
        threads = other.pop("threads", None)
        base, queries, k, funnel, isa, _ = self._replace(**other)
        return ff.funnel_search(base, queries, k, funnel, isa=isa, threads=threads)

    def exact(self, **other: Any) -> ff.SearchResult:
        """Search exactly, likewise."""
        base, queries, k, _, isa, _ = self._replace(**other)
        return ff.exact_search(base, queries, k, isa=isa)


@st.composite
def cases(
    draw: st.DrawFn,
    kind: Callable[..., Corpus] = gaussian,
    precisions: list[tuple[Any, bool]] = PRECISIONS,
) -> Case:
    """Up to 300 rows of 1 to 200 dims, and a funnel of up to 4 stages over them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dim, k = draw(st.integers(1, 200)), draw(st.integers(1, 20))
    base, queries = kind(rng, draw(st.integers(1, 300)), dim, draw(st.integers(1, 10)))
    n_stages = draw(st.integers(1, 4))
    dims = draw(st.lists(st.integers(1, dim), min_size=n_stages, max_size=n_stages))
    keeps = draw(st.lists(st.integers(k, 400), min_size=n_stages - 1, max_size=n_stages - 1))
    stages = []
    for d, keep in zip(sorted(dims), [*sorted(keeps, reverse=True), None], strict=True):
        precision, symmetric = draw(st.sampled_from(precisions))
        stages.append(ff.Stage(d, precision, keep, symmetric))
    isa = draw(st.sampled_from(ff.available_isas()))
    return Case(base, queries, k, ff.Funnel(stages), isa, rng)


@given(cases())
def test_exact_search_is_brute_force(case: Case) -> None:
    assert_equal(case.exact(), reference.exact_search(case.base, case.queries, case.k))


@given(cases(precisions=[("b1", False), ("b1", True)]))
def test_funnels_of_bits_equal_the_reference(case: Case) -> None:
    expected = reference.funnel_search(case.base, case.queries, case.k, case.funnel)
    assert_equal(case.search(), expected)


@given(cases())
def test_every_answer_is_a_row_with_its_own_score(case: Case) -> None:
    found = case.search()

    n_found = min(case.k, len(case.base))
    assert (found.ids[:, :n_found] >= 0).all()
    assert (found.ids[:, n_found:] == -1).all()
    is_scan = len(case.funnel.stages) == 1
    for query, ids, scores in zip(case.queries, found.ids, found.scores, strict=True):
        ids, scores = ids[:n_found], scores[:n_found]
        assert len(set(ids.tolist())) == n_found
        assert (np.diff(scores) <= 0).all()
        last = case.funnel.stages[-1]
        own = reference.stage_scores(case.base[ids], query, last, scan=is_scan)
        np.testing.assert_allclose(scores, own, rtol=0, atol=ROUNDING)


@given(cases())
def test_a_funnel_that_keeps_everything_is_exact_search(case: Case) -> None:
    stages = [
        ff.Stage(stage.dims, stage.precision, len(case.base) + case.k, stage.symmetric)
        for stage in case.funnel.stages
    ]
    everything = ff.Funnel([*stages, ff.Stage(case.base.shape[1], "f32")])

    found, exact = case.search(funnel=everything), case.exact()

    np.testing.assert_allclose(found.scores, exact.scores, rtol=0, atol=ROUNDING)
    same = found.ids == exact.ids  # but for scores that float32 cannot tell apart
    rank = np.arange(case.k)
    close = [np.abs(s[:, np.newaxis] - s) < ROUNDING for s in exact.scores if np.isfinite(s).all()]
    for row, is_close in zip(same, close, strict=False):
        assert (row | (is_close & (rank[:, np.newaxis] != rank)).any(axis=1))[:-1].all()


@given(cases())
def test_a_batch_is_its_queries_one_by_one(case: Case) -> None:
    for search in (case.search, case.exact):
        batch = search()
        for q in range(len(case.queries)):
            single = search(queries=case.queries[q])
            assert_identical(single, ff.SearchResult(batch.ids[[q]], batch.scores[[q]]))


@given(cases())
def test_permuting_rows_permutes_ids(case: Case) -> None:
    order = case.rng.permutation(len(case.base))
    permuted = case.base[order]

    plain, found = case.exact(), case.exact(base=permuted)
    np.testing.assert_array_equal(found.scores, plain.scores)
    assert_equal(found, reference.exact_search(permuted, case.queries, case.k))
    last_only = ff.Funnel(case.funnel.stages[-1:])
    np.testing.assert_array_equal(
        case.search(base=permuted, funnel=last_only).scores, case.search(funnel=last_only).scores
    )


@given(cases(), st.integers(2, 5))
def test_copies_of_a_row_come_in_the_order_of_their_ids(case: Case, times: int) -> None:
    n = len(case.base)
    copies = np.tile(case.base, (times, 1))

    for search in (case.search, case.exact):
        found = search(base=copies)
        for ids, scores in zip(found.ids, found.scores, strict=True):
            for row in set((ids[ids >= 0] % n).tolist()):
                of_row = ids[(ids >= 0) & (ids % n == row)]
                assert len(set(scores[(ids >= 0) & (ids % n == row)].tolist())) == 1
                assert of_row.tolist() == [row + n * i for i in range(len(of_row))]


@given(cases())
def test_a_view_is_searched_like_a_copy(case: Case) -> None:
    n, dim = case.base.shape
    wide = case.rng.standard_normal((2 * n, dim + 7)).astype(np.float32)
    wide[::2, 3 : dim + 3] = case.base

    for search in (case.search, case.exact):
        assert_identical(search(base=wide[::2, 3 : dim + 3]), search())
        backwards = case.base[::-1]
        assert_identical(search(base=backwards), search(base=backwards.copy()))
        some = case.base[n // 3 :]
        assert_identical(search(base=some), search(base=some.copy()))


@given(cases(), st.integers(1, 200))
def test_a_prefix_view_is_searched_like_a_copy(case: Case, dims: int) -> None:
    prefix, queries = case.base[:, :dims], case.queries[:, :dims]
    stages = [
        ff.Stage(min(stage.dims, prefix.shape[1]), stage.precision, stage.keep, stage.symmetric)
        for stage in case.funnel.stages
    ]
    funnel = ff.Funnel(stages)

    found = case.search(base=prefix, queries=queries, funnel=funnel)

    assert_identical(found, case.search(base=prefix.copy(), queries=queries.copy(), funnel=funnel))


@given(cases(), st.sampled_from([2, 3, 301, 10_000]))
def test_the_number_of_threads_does_not_matter(case: Case, threads: int) -> None:
    assert_identical(case.search(threads=threads), case.search(threads=1))


@given(cases(signs))
def test_every_isa_gives_the_same_answers_where_sums_are_exact(case: Case) -> None:
    for isa in ff.available_isas():
        assert_identical(case.search(isa=isa), case.search(isa="scalar"))
        assert_identical(case.exact(isa=isa), case.exact(isa="scalar"))


@given(cases(precisions=[("i8", False), ("b1", False), ("b1", True)]))
def test_every_isa_gives_the_same_answers_over_codes(case: Case) -> None:
    for isa in ff.available_isas():
        assert_identical(case.search(isa=isa), case.search(isa="scalar"))


@given(cases())
def test_scaling_rows_by_powers_of_two_changes_nothing(case: Case) -> None:
    scales = 2.0 ** case.rng.integers(-9, 9, (len(case.base), 1))
    scaled = case.base * scales.astype(np.float32)

    for search in (case.search, case.exact):
        plain, found = search(), search(base=scaled)
        np.testing.assert_array_equal(found.ids, plain.ids)
        np.testing.assert_allclose(found.scores, plain.scores, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8"])
@given(case=cases())
def test_dtypes_that_hold_the_same_values_give_the_same_answers(case: Case, dtype: str) -> None:
    whole = np.rint(20 * case.base)  # within int8

    assert_identical(case.exact(base=whole.astype(dtype)), case.exact(base=whole))
    found, expected = case.search(base=whole.astype(dtype)), case.search(base=whole)
    if dtype == "float16":  # summed as they are, in their own order: equal scores may change places
        np.testing.assert_allclose(found.scores, expected.scores, rtol=0, atol=ROUNDING)
    else:
        assert_identical(found, expected)


@given(cases())
def test_an_index_is_the_functions_with_memory(case: Case) -> None:
    index = ff.Index(dim=case.base.shape[1])
    cut = case.rng.integers(0, len(case.base) + 1)
    for part in (case.base[:cut], case.base[cut:]):
        if len(part):
            index.add(part)
            index.search(case.queries, case.k, funnel=case.funnel, isa=case.isa)

    found = index.search(case.queries, case.k, funnel=case.funnel, isa=case.isa)
    assert_identical(found, case.search())
    exact = index.search(case.queries, case.k, exact=True, isa=case.isa)
    assert_identical(exact, case.exact())


@given(cases())
def test_hamming_search_equals_the_reference(case: Case) -> None:
    codes, queries = ff.binarize(case.base), ff.binarize(case.queries)

    found = ff.hamming_search(codes, queries, case.k, isa=case.isa)

    expected = reference.hamming_search(codes, queries, case.k)
    np.testing.assert_array_equal(found.distances, expected.distances)
    np.testing.assert_array_equal(found.ids, expected.ids)
