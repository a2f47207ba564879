"""What default funnels are chosen by: rows that ask, their true neighbours, ranks on a sample."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastfunnel as ff
from fastfunnel import trial as trial_module
from fastfunnel.arguments import Metric
from fastfunnel.by_signs import calibrate
from fastfunnel.calibration import Calibration, ranks_among
from fastfunnel.trial import Trial

K = 10


def drawn(index: ff.Index, k: int = K) -> Trial:
    trial = Trial.draw(index._core, k)
    assert trial is not None
    return trial


def filled(base: npt.NDArray[np.float32], metric: Metric = "cosine") -> ff.Index:
    index = ff.Index(base.shape[1], metric=metric)
    index.add(base, np.arange(len(base))[::-1] + 7)
    return index


@pytest.mark.parametrize("metric", ["cosine", "ip", "l2"])
def test_rows_ask_for_the_nearest_others(rng: np.random.Generator, metric: Metric) -> None:
    base = rng.standard_normal((3000, 24)).astype(np.float32)
    index = filled(base, metric)
    trial = drawn(index)

    wide = base.astype(np.float64)[::-1]  # by id, from 7 on
    asked = wide[trial.own - 7]
    scores = asked @ wide.T
    if metric == "cosine":
        scores /= np.linalg.norm(wide, axis=1)
    if metric == "l2":
        scores = 2 * scores - np.square(wide).sum(axis=1)
    scores[np.arange(len(scores)), trial.own - 7] = -np.inf
    truth = np.argsort(-scores, axis=1)[:, :K] + 7

    np.testing.assert_array_equal(trial.truth, truth)
    np.testing.assert_array_equal(trial.queries, asked.astype(np.float32))
    np.testing.assert_array_equal(trial.neighbours, wide[truth - 7].astype(np.float32))
    assert len(trial.sample) == 3000 - len(trial.own)
    whole = np.concatenate([trial.queries, trial.sample])
    assert len(np.unique(whole, axis=0)) == 3000  # each row once, asking or in the sample


def test_a_trial_is_the_same_again(rng: np.random.Generator) -> None:
    base = rng.standard_normal((3000, 8)).astype(np.float32)
    first, second = drawn(filled(base)), drawn(filled(base))
    np.testing.assert_array_equal(first.own, second.own)
    np.testing.assert_array_equal(first.sample, second.sample)


@pytest.mark.parametrize("n", [0, 1, 10, 100])
def test_too_few_rows_are_no_trial(rng: np.random.Generator, n: int) -> None:
    index = ff.Index(8)
    if n > 0:
        index.add(rng.standard_normal((n, 8)))
    assert Trial.draw(index._core, K) is None
    assert Trial.draw(filled(np.eye(300, dtype=np.float32))._core, 300) is None


def test_of_many_neighbours_some_are_looked_at(rng: np.random.Generator) -> None:
    base = rng.standard_normal((3000, 8)).astype(np.float32)
    trial = drawn(filled(base), 100)
    assert trial.truth.shape == (128, 100)
    assert trial.neighbours.shape == (128, 32, 8)
    np.testing.assert_array_equal(trial.neighbours[:, 0], base[::-1][trial.truth[:, 0] - 7])
    np.testing.assert_array_equal(trial.neighbours[:, -1], base[::-1][trial.truth[:, -1] - 7])


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(0, 40))
def test_ranks_count_the_rows_that_score_higher(seed: int, j: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    wanted = rng.integers(-3, 4, (5, j)).astype(np.float32)
    scores = rng.integers(-3, 4, (5, n)).astype(np.float32)
    expected = (scores[:, np.newaxis, :] > wanted[:, :, np.newaxis]).sum(axis=2)
    np.testing.assert_array_equal(ranks_among(wanted, scores), expected)


def test_signs_rank_as_a_scan_of_all_rows_does(rng: np.random.Generator) -> None:
    base = (rng.standard_normal((9000, 160)) * np.linspace(1, 0.2, 160)).astype(np.float32)
    index = filled(base)
    trial = drawn(index)
    calibration = calibrate(trial)

    assert list(calibration.ranks) == [128, 160]
    for dims, ranks in calibration.ranks.items():
        signs = np.where(base[::-1, :dims] > 0, 1.0, -1.0)
        scores = trial.queries[:, :dims].astype(np.float64) @ signs.T
        found = np.take_along_axis(scores, trial.truth - 7, axis=1)
        ahead = (scores[:, np.newaxis, :] > found[:, :, np.newaxis]).sum(axis=2)
        # All rows but those that ask are in the sample. Float32 may swap rows that nearly tie.
        assert np.abs(ranks - ahead).max() <= len(trial.own) + 2
        assert np.abs(ranks - ahead * len(trial.sample) / len(base)).mean() < 5


def test_the_cheapest_scan_is_chosen_and_what_is_nearly_free_is_kept() -> None:
    few, many = np.full((128, K), 3), np.full((128, K), 900)
    calibration = Calibration({64: many, 128: few}, 10_000, 10_000_000)
    dims, keep = calibration.cheapest(K, lambda dims: 1.0 * dims, gather=1000.0)
    assert dims == 128
    assert keep == 128_000  # a tenth of the scan, more than the ranks ask for
    assert calibration.keep(128, K) < 128_000

    assert (
        calibration.cheapest(K, lambda dims: 0.001 * dims, 1)[0] == 128
    )  # 64 would keep a quarter
    assert calibration.cheapest(K, lambda dims: 1.0 * dims, 1)[0] == 64
    assert Calibration({64: many}, 1_000, 10_000).keep(64, K) == 10_000


def test_fewer_queries_ask_for_more_rows() -> None:
    of_many = Calibration({64: np.full((128, K), 50)}, 10_000, 1_000_000)
    of_few = Calibration({64: np.full((16, K), 50)}, 10_000, 1_000_000)
    assert of_few.keep(64, K) - 4 * K == pytest.approx(2 * (of_many.keep(64, K) - 4 * K), abs=2)


def test_queries_that_are_no_row_find_theirs_where_rows_have_near_copies(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in an index of millions, here with fewer rows to be called many."""
    monkeypatch.setattr(trial_module, "_SPARSE", 4000)
    topics = np.repeat(rng.standard_normal((100, 128)), 40, axis=0)
    texts = (topics + rng.standard_normal(topics.shape)) * np.linspace(1, 0.2, 128)
    copies = np.repeat(texts, 12, axis=0)
    base = (copies + 0.1 * rng.standard_normal(copies.shape)).astype(np.float32)
    asked = topics[::13] * np.linspace(1, 0.2, 128)
    queries = (asked + 0.5 * rng.standard_normal(asked.shape)).astype(np.float32)
    index = filled(base)

    wide = base.astype(np.float64)[::-1]
    scores = queries.astype(np.float64) @ (wide / np.linalg.norm(wide, axis=1)[:, np.newaxis]).T
    truth = np.argsort(-scores, axis=1)[:, :K] + 7
    ids = index.search(queries, K).ids
    assert index.default_funnel(K) is not None
    assert np.mean([len(np.intersect1d(*pair)) / K for pair in zip(ids, truth, strict=True)]) > 0.99
