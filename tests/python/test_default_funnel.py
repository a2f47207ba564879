"""The funnel that an index chooses for itself, where a sample of its rows would mislead it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import fastfunnel as ff
from fastfunnel.arguments import Metric
from fastfunnel.trial import MOST_QUERIES as MOST
from fastfunnel.trial import Trial, are_asked_quickly
from fastfunnel.tuning.target import OneIndex
from fastfunnel.widening import is_enough, widened

Floats = npt.NDArray[np.float32]
K = 10


def near_copies(
    rng: np.random.Generator, clusters: int, size: int, dim: int, queries: int, spread: float
) -> tuple[Floats, Floats]:
    """Clusters of rows that nearly coincide, and other members of them."""
    centres = rng.standard_normal((clusters, dim))
    of = rng.integers(0, clusters, clusters * size + queries)
    rows = centres[of] + spread * rng.standard_normal((len(of), dim))
    rows = rows.astype(np.float32)
    return rows[queries:], rows[:queries]


def recall(index: ff.Index, base: Floats, queries: Floats, metric: Metric = "cosine") -> float:
    """The share of the true top K, by float64, that the default funnel finds."""
    wide, asked = base.astype(np.float64), queries.astype(np.float64)
    scores = asked @ wide.T
    if metric == "cosine":
        scores /= np.linalg.norm(wide, axis=1)
    if metric == "l2":
        scores = 2 * scores - np.square(wide).sum(axis=1)
    truth = np.argsort(-scores, axis=1)[:, :K]
    ids = index.search(queries, K).ids
    return float(np.mean([len(np.intersect1d(*pair)) / K for pair in zip(ids, truth, strict=True)]))


def at_most(keep: int) -> Callable[[ff.Funnel], bool]:
    return lambda funnel: (funnel.stages[0].keep or 0) <= keep


def filled(base: Floats, metric: Metric = "cosine") -> ff.Index:
    index = ff.Index(base.shape[1], metric=metric)
    index.add(base)
    return index


@pytest.mark.parametrize(
    ("clusters", "size", "dim", "spread"),
    [(2000, 20, 128, 0.02), (4000, 12, 96, 0.05), (600, 60, 64, 0.02), (2000, 15, 192, 0.01)],
)
def test_near_copies_are_told_apart(
    rng: np.random.Generator, clusters: int, size: int, dim: int, spread: float
) -> None:
    base, queries = near_copies(rng, clusters, size, dim, 300, spread)
    index = filled(base)

    assert index.default_funnel(K) is not None
    assert recall(index, base, queries) >= 0.99


@pytest.mark.parametrize("metric", ["ip", "l2"])
def test_near_copies_of_other_lengths_too(rng: np.random.Generator, metric: Metric) -> None:
    base, queries = near_copies(rng, 2000, 15, 96, 200, 0.02)
    base *= rng.uniform(0.98, 1.02, (len(base), 1)).astype(np.float32)
    assert recall(filled(base, metric), base, queries, metric) >= 0.99


@pytest.mark.parametrize("metric", ["cosine", "ip", "l2"])
def test_float64_decides_among_copies_that_float32_takes_for_equal(
    rng: np.random.Generator, metric: Metric
) -> None:
    base, queries = near_copies(rng, 1250, 20, 128, 200, 1e-3)
    index = filled(ff.normalize(base), metric)
    exact = index.search(queries, K, exact=True)
    for text in ("f32@128", "i8@128>200 f32@128"):
        found = index.search(queries, K, funnel=ff.Funnel.parse(text))
        np.testing.assert_array_equal(found.ids, exact.ids)
        np.testing.assert_array_equal(found.scores, exact.scores)
    assert (index.search(queries, K).ids == exact.ids).mean() > 0.99


def test_a_funnel_is_widened_where_it_loses(rng: np.random.Generator) -> None:
    base, _ = near_copies(rng, 2000, 20, 64, 1, 0.02)
    index = filled(base)
    narrow = ff.Funnel.parse("b1@64>100 i8@64>12 f32@64")
    trial = Trial.draw(index._core, K)
    assert trial is not None
    wide = widened(index._core, narrow, trial, at_most(4000))

    assert wide is not None
    assert wide.stages[0] == narrow.stages[0]  # which lost nothing
    assert (wide.stages[1].keep or 0) > 12
    assert widened(index._core, wide, trial, at_most(4000)) == wide
    assert widened(index._core, ff.Funnel.parse("b1@64>11 f32@64"), trial, at_most(11)) is None


def test_a_stage_that_drops_nothing_is_left_out(rng: np.random.Generator) -> None:
    base, _ = near_copies(rng, 700, 45, 64, 1, 0.0005)
    core = filled(base)._core
    trial = Trial.draw(core, K)
    assert trial is not None
    wide = widened(core, ff.Funnel.parse("b1@64>59 i8@64>30 f32@64"), trial, at_most(4000))

    assert wide is not None
    assert [stage.precision for stage in wide.stages] == ["b1", "f32"]


def test_keeps_grow_with_the_rows_until_half_as_many_have_come(rng: np.random.Generator) -> None:
    base, _ = near_copies(rng, 2500, 20, 64, 1, 0.3)
    index = filled(base[:22_000])
    first = index.default_funnel(K)
    assert first is not None

    index.add(base[22_000:33_000])
    more = index.default_funnel(K)
    assert more is not None
    assert [s.keep for s in more.stages] == [
        None if s.keep is None else -(-3 * s.keep // 2) for s in first.stages
    ]

    index.add(base[33_000:])
    assert index.default_funnel(K) == filled(base).default_funnel(K)


@pytest.mark.parametrize("anew", [False, True])
def test_rows_that_took_the_place_of_others_decide_anew(
    rng: np.random.Generator, tmp_path: Path, anew: bool
) -> None:
    """Shifted, all have the same signs."""
    base, queries = near_copies(rng, 2500, 10, 64, 300, 0.3)
    path = tmp_path / "live"
    with ff.Index.create(path, 64) as index:
        index.add(base)
        index.search(queries, K)
        index.upsert(base + 3, np.arange(len(base)))
        assert anew or recall(index, base + 3, queries + 3) >= 0.985
    with ff.open(path) as index:
        assert recall(index, base + 3, queries + 3) >= 0.985


def other_queries(rng: np.random.Generator, queries: int) -> tuple[Floats, Floats]:
    """Rows with a steep spectrum, turned so that no dims matter more, and queries without one."""
    spectrum = 1 / np.sqrt(1 + np.arange(96))
    turn = np.linalg.qr(rng.standard_normal((96, 96)))[0]
    rows = (rng.standard_normal((30_000, 96)) * spectrum) @ turn
    return rows.astype(np.float32), rng.standard_normal((queries, 96)).astype(np.float32)


@pytest.mark.parametrize("metric", ["cosine", "ip"])
def test_queries_unlike_the_rows_widen_what_rows_chose(
    rng: np.random.Generator, metric: Metric
) -> None:
    base, queries = other_queries(rng, 500)
    index = filled(base / np.linalg.norm(base, axis=1, keepdims=True), metric)
    by_rows = index.default_funnel(K)
    missed = (
        index.search(queries, K, funnel=by_rows).ids != index.search(queries, K, exact=True).ids
    )

    assert missed.mean() > 0.1
    assert recall(index, base, queries) >= 0.985  # of the 128 that decide 99.25% at least
    assert OneIndex(index).untuned_funnel(K) == by_rows  # a promise rests on queries it never saw


def test_enough_different_queries_must_have_been_asked(rng: np.random.Generator) -> None:
    base, queries = other_queries(rng, MOST)
    index = filled(base)
    by_rows = index.default_funnel(K)
    for query in queries[:-1]:
        index.search(query, K)
    for _ in range(MOST):
        index.search(queries[0], K)
    assert index.default_funnel(K) == by_rows

    index.search(queries[-1], K)
    by_queries = index.default_funnel(K)
    assert by_queries != by_rows

    index.search(queries[:50], K)  # later ones change nothing
    assert index.default_funnel(K) == by_queries


def test_no_search_reads_all_floats_of_a_disk_for_its_queries(
    rng: np.random.Generator, tmp_path: Path
) -> None:
    base, queries = other_queries(rng, MOST)
    with ff.Index.create(tmp_path / "live", 96, float_store="disk", codes=("b1",)) as index:
        index.add(base)
        by_rows = index.default_funnel(K)
        index.search(queries, K)
        assert index.default_funnel(K) == by_rows


def test_queries_are_checked_where_that_takes_about_a_second() -> None:
    assert are_asked_quickly(117_659, 1024)
    assert are_asked_quickly(1_000_000, 1024)
    assert not are_asked_quickly(10_000_000, 256)
    assert not are_asked_quickly(50_000_000, 1024)


def test_an_index_may_be_warmed_up_with_any_vectors(rng: np.random.Generator) -> None:
    base, queries = near_copies(rng, 3000, 10, 192, MOST, 0.3)
    index = filled(base)
    by_rows = index.default_funnel(K)
    assert by_rows is not None
    axes = np.eye(192, dtype=np.float32)[:MOST]  # signs know nothing of one dim alone
    index.search(axes, K)
    assert recall(index, base, axes) >= 0.99
    assert index.default_funnel(K) != by_rows

    index.search(queries[:-1], K)
    index.search(axes[::2], K)  # heard already
    assert index.default_funnel(K) != by_rows
    index.search(queries[-1:], K)
    unwarmed = filled(base)
    unwarmed.search(queries, K)
    assert index.default_funnel(K) == unwarmed.default_funnel(K)


def test_two_lots_of_queries_far_from_the_rows_are_believed(rng: np.random.Generator) -> None:
    base, queries = near_copies(rng, 3000, 10, 192, MOST, 0.3)
    index = filled(base)
    by_rows = index.default_funnel(K)
    axes = np.eye(192, dtype=np.float32)
    for asked in (axes, -axes):
        index.search(asked, K)
    for asked in (queries, queries + 1):  # too late
        index.search(asked, K)
    assert index.default_funnel(K) != by_rows
    assert recall(index, base, -axes) >= 0.99


def test_rows_that_signs_cannot_tell_apart_are_told_apart_by_int8_values(
    rng: np.random.Generator,
) -> None:
    rows = rng.standard_normal((25_300, 320)) / np.sqrt(1 + np.arange(320) / 8)
    rows = (rows + 2.5).astype(np.float32)  # hardly a value below 0
    index = filled(rows[300:])
    funnel = index.default_funnel(K)

    assert funnel is not None
    assert {stage.precision for stage in funnel.stages} == {"i8", "f32"}
    assert recall(index, rows[300:], rows[:300]) >= 0.99


def test_signs_of_which_many_must_be_kept_give_way_to_int8_values(rng: np.random.Generator) -> None:
    base, queries = near_copies(rng, 4, 7500, 128, 300, 0.3)
    index = filled(base)
    funnel = index.default_funnel(K)

    assert funnel is not None
    assert funnel.stages[0].precision == "i8"
    assert recall(index, base, queries) >= 0.99


def test_losses_that_fall_together_say_less_of_other_queries() -> None:
    one_each = np.repeat([0.9, 1.0], [9, MOST - 9])
    all_in_one = np.repeat([0.1, 1.0], [1, MOST - 1])
    assert one_each.mean() == pytest.approx(all_in_one.mean())
    assert is_enough(one_each)
    assert not is_enough(all_in_one)
    assert is_enough(np.ones(MOST))


def test_queries_like_the_rows_leave_the_choice_to_them(rng: np.random.Generator) -> None:
    base, queries = near_copies(rng, 2000, 20, 128, 300, 0.02)
    index = filled(base)
    by_rows = index.default_funnel(K)
    index.search(queries, K)
    assert index.default_funnel(K) == by_rows


def test_searches_follow_what_decides_on_their_funnel(rng: np.random.Generator) -> None:
    base, queries = near_copies(rng, 2500, 20, 64, 300, 0.5)
    index = filled(base[:25_000])

    def found() -> Floats:
        scores = index.search(queries, K).scores
        funnel = index.default_funnel(K)
        np.testing.assert_array_equal(scores, index.search(queries, K, funnel=funnel).scores)
        return scores

    index.search(queries, K)
    untuned = found()
    index.tune(queries, k=K, recall=0.5)
    tuned = found()
    assert (tuned < untuned).any()
    index.add(base[25_000:])
    assert (found() > tuned).any()
