"""Answers of shards against those of one index."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shards import assert_same, drawn, pid_of, single

import fastfunnel as ff

pytest.importorskip("ray")
from fastfunnel.distributed import ShardedIndex

METRICS = ["cosine", "ip", "l2"]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, cluster: Any) -> Any:
    """The rows in three shards, to be read."""
    path = tmp_path_factory.mktemp("searched") / "sharded"
    with ShardedIndex.create(path, dim=48, shards=3) as index:
        index.add(drawn(3000))
        yield index


@pytest.mark.parametrize("metric", METRICS)
def test_exact_answers_are_those_of_one_index(
    path: Path, rows: np.ndarray, queries: np.ndarray, metric: Any
) -> None:
    rows *= np.linspace(0.5, 2, len(rows), dtype=np.float32)[:, np.newaxis]
    rows[100:200] = rows[:100]  # ties, within shards and across them
    rows[300:400] = np.nextafter(rows[200:300], np.float32(9))  # nearly ties
    one = single(rows, metric=metric)

    with ShardedIndex.create(path, dim=48, shards=3, metric=metric) as index:
        assert index.add(rows).tolist() == list(range(len(rows)))
        assert_same(index, one, queries)
        assert_same(index, one, rows[250:350:7], k=200)


def test_ties_of_small_integers(path: Path, rng: np.random.Generator) -> None:
    rows = rng.integers(0, 2, (2000, 12)).astype(np.float32)
    queries = rng.integers(0, 2, (40, 12)).astype(np.float32)
    ids = rng.choice(10**12, 2000, replace=False)
    one = single(rows, ids)

    with ShardedIndex.create(path, dim=12, shards=3) as index:
        index.add(rows, ids)
        assert_same(index, one, queries, k=50)


def test_a_rotated_index_is_the_same_in_shards(
    path: Path, rows: np.ndarray, queries: np.ndarray
) -> None:
    rotation = ff.fit_rotation(rows, prefix=16)
    one = single(rows, rotation=rotation)

    with ShardedIndex.create(path, dim=48, shards=2, rotation=rotation) as index:
        index.add(rows)
        assert_same(index, one, queries)
        np.testing.assert_allclose(index.get([5, 1]), rows[[5, 1]], atol=1e-5)


def test_filters_scores_and_large_k(index: Any, rows: np.ndarray, queries: np.ndarray) -> None:
    one = single(rows)
    chosen = np.array([5, 17, 2999, 17, 123456, 40])
    for options in (
        {"filter": chosen},
        {"filter": []},
        {"filter": np.arange(0, 3000, 3)},
        {"min_score": 0.2},
    ):
        ours = index.search(queries, 20, exact=True, **options)
        theirs = one.search(queries, 20, exact=True, **options)
        np.testing.assert_array_equal(ours.ids, theirs.ids)
        np.testing.assert_array_equal(ours.scores, theirs.scores)
    assert_same(index, one, queries, k=3100)


def test_a_funnel_finds_what_it_finds_in_one_index_and_more(
    index: Any, rows: np.ndarray, queries: np.ndarray
) -> None:
    one = single(rows)
    funnel = ff.Funnel.parse("b1@48>60 f32@48")
    truth = one.search(queries, 10, exact=True).ids

    def recall(found: Any) -> float:
        return float(np.mean([np.isin(t, f).mean() for t, f in zip(truth, found.ids, strict=True)]))

    sharded = recall(index.search(queries, 10, funnel=funnel))
    assert sharded >= recall(one.search(queries, 10, funnel=funnel))
    everything = ff.Funnel.parse("b1@48>3000 f32@48")
    assert recall(index.search(queries, 10, funnel=everything)) == 1
    assert recall(index.search(queries, 10)) >= 0.95
    by_codes = ff.Funnel.parse("b1@48>300 i8@48")
    assert recall(index.search(queries, 10, funnel=by_codes)) >= 0.8


def test_without_rows_there_are_no_answers(path: Path, queries: np.ndarray) -> None:
    with ShardedIndex.create(path, dim=48, shards=2) as index:
        found = index.search(queries, 3)
        assert (found.ids == -1).all()
        index.add(queries[:1])  # one shard stays empty
        found = index.search(queries, 3, exact=True)
        assert (found.ids[:, 0] == 0).all()
        assert (found.ids[:, 1:] == -1).all()


def test_a_slow_shard_is_named_or_marked(index: Any, rows: np.ndarray, queries: np.ndarray) -> None:
    everything = index.search(queries, 10, exact=True)
    slow = pid_of(index, 1)
    os.kill(slow, signal.SIGSTOP)
    try:
        with pytest.raises(TimeoutError, match=r"shards \[1\] did not answer within 0.5 seconds"):
            index.search(queries, 10, exact=True, deadline_s=0.5)
        found = index.search(queries, 10, exact=True, deadline_s=0.5, partial=True)
        assert (found.missing, found.complete) == ((1,), False)
    finally:
        os.kill(slow, signal.SIGCONT)

    from fastfunnel.distributed.routing import homes

    others = np.flatnonzero(homes(np.arange(len(rows)), 3) != 1)
    expected = single(rows[others], others).search(queries, 10, exact=True)
    np.testing.assert_array_equal(found.ids, expected.ids)
    again = index.search(queries, 10, exact=True, deadline_s=60)
    assert again.complete
    np.testing.assert_array_equal(again.ids, everything.ids)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"queries": np.zeros((1, 7), np.float32)}, ValueError, "queries must have 48 dims, got 7"),
        ({"k": 0}, ValueError, "k must be at least 1"),
        ({"filter": np.ones(3000, bool)}, TypeError, "filter must be ids here"),
        (
            {"exact": True, "recall": 0.9},
            ValueError,
            "at most one of funnel, exact=True and recall",
        ),
        ({"recall": 0.9}, ValueError, r"recall=0.9 at k=10 was not tuned"),
        ({"funnel": "b1"}, TypeError, "funnel must be a Funnel"),
        ({"deadline_s": 0}, ValueError, "deadline_s must be None or above 0"),
        ({"threads": 0}, ValueError, "threads must be at least 1"),
        ({"isa": "mmx"}, ValueError, "mmx"),
        ({"funnel": ff.Funnel.parse("b1@64>20 f32@64")}, ValueError, "64"),
    ],
)
def test_bad_searches_are_one_sentence(
    index: Any, queries: np.ndarray, arguments: dict[str, Any], error: type, message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        index.search(**{"queries": queries, **arguments})
    assert "\n" not in str(caught.value)
