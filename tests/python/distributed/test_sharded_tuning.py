"""One funnel for all shards, and the recall it promises on merged answers."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastfunnel as ff

pytest.importorskip("ray")
from fastfunnel.distributed import ShardedIndex
from fastfunnel.distributed.routing import homes
from fastfunnel.distributed.tuning import ShardsTarget
from fastfunnel.tuning.budget import NEVER, Deadline, OutOfTimeError
from fastfunnel.tuning.ranks import BEYOND
from fastfunnel.tuning.sample import Part, are_among


def topics(rng: np.random.Generator, n: int, dim: int) -> np.ndarray:
    """Clusters whose energy decays along the dims, as that of Matryoshka embeddings."""
    centres = np.random.default_rng(1).standard_normal((200, dim))
    rows = centres[rng.integers(200, size=n)] + 0.7 * rng.standard_normal((n, dim))
    return (rows / np.sqrt(1 + np.arange(dim))).astype(np.float32)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, cluster: Any) -> Any:
    path = tmp_path_factory.mktemp("tuned") / "sharded"
    with ShardedIndex.create(path, dim=128, shards=3) as index:
        index.add(topics(np.random.default_rng(2), 24_000, 128))
        yield index


def test_the_promise_holds_for_merged_answers_to_other_queries(
    index: Any, rng: np.random.Generator
) -> None:
    queries, others = topics(rng, 900, 128), topics(rng, 900, 128)
    truth = index.search(others, 10, exact=True).ids

    report = index.tune(queries, k=10, recall=0.95, budget_s=10, progress=False)

    assert report.funnel is not None
    assert report.interval[0] >= 0.95
    stages = [stage.recall for stage in report.stages]
    assert stages == sorted(stages, reverse=True)
    for recall in (0.95, 0.8):
        found = index.search(others, 10, recall=recall).ids
        assert are_among(truth, found).mean() >= recall
    found = index.search(others, 10)
    np.testing.assert_array_equal(found.ids, index.search(others, 10, funnel=report.funnel).ids)
    with pytest.raises(ValueError, match=r"recall=0.999 at k=10 was not tuned"):
        index.search(others, 10, recall=0.999)


def test_what_was_tuned_is_there_when_opened_anew(path: Path, rng: np.random.Generator) -> None:
    queries, others = topics(rng, 900, 128), topics(rng, 100, 128)
    with ShardedIndex.create(path, dim=128, shards=1) as index:
        index.add(topics(rng, 8000, 128))
        index.tune(queries, k=10, recall=0.9, budget_s=5, progress=False)
        tuned = index._tuned.to_dict()
        found = index.search(others, 10, recall=0.9).ids
    with ShardedIndex.open(path) as anew:
        assert anew._tuned.to_dict() == tuned
        for asked in ({"recall": 0.9}, {}):
            np.testing.assert_array_equal(anew.search(others, 10, **asked).ids, found)
        with pytest.raises(ValueError, match=r"recall=0.999 at k=10 was not tuned"):
            anew.search(others, 10, recall=0.999)


def test_rows_stand_in_for_queries(index: Any) -> None:
    report = index.tune(None, k=5, recall=0.9, budget_s=10, progress=False)

    assert report.queries == "rows"
    assert report.interval[0] >= 0.9


def rank_bounds(scores: np.ndarray, j: int, left: np.ndarray, maybe: np.ndarray) -> tuple[int, int]:
    """The lowest and the highest rank of row j that float32 allows, among rows that are left."""
    if not maybe[j]:
        return BEYOND, BEYOND
    low = 1 + int((left & (scores > scores[j] + 1e-6)).sum())
    high = int((maybe & (scores >= scores[j] - 1e-6)).sum())
    return low, high if left[j] else BEYOND


@pytest.mark.parametrize("before", [None, ff.Stage(8, "f32", 60)])
def test_ranks_are_those_within_a_shard(
    index: Any, rng: np.random.Generator, before: ff.Stage | None
) -> None:
    """Against NumPy: the last stage ranks what the one before leaves of the neighbour's shard."""
    queries = topics(rng, 70, 128)
    truth = index.search(queries, 4, exact=True).ids
    target = ShardsTarget(index)
    ids = np.arange(len(index))
    home, rows = homes(ids, 3), index.get(ids)
    last = ff.Stage(16, "f32")
    funnel = ff.Funnel([last] if before is None else [before, last])

    ranks = target.ranks(Part(queries, truth, None), funnel, 10, NEVER)

    first, second = (
        ff.normalize(queries[:, :dims]) @ ff.normalize(rows[:, :dims]).T for dims in (8, 16)
    )
    bounds = np.empty((*truth.shape, 2), np.int64)
    for q, j in np.ndindex(truth.shape):
        mine = np.flatnonzero(home == home[truth[q, j]])
        left = maybe = np.ones(len(mine), bool)
        if before is not None:
            least = np.sort(first[q, mine])[-before.keep]
            left, maybe = first[q, mine] > least + 1e-6, first[q, mine] >= least - 1e-6
        place = int(np.searchsorted(mine, truth[q, j]))
        bounds[q, j] = rank_bounds(second[q, mine], place, left, maybe)
    low, high = np.where(bounds > 10, BEYOND, bounds).transpose(2, 0, 1)
    assert ((low <= ranks) & (ranks <= high)).all()
    assert (low == high).mean() > 0.9
    assert 0.01 < (ranks == BEYOND).mean() < 0.5  # dropped, or behind the tenth
    with pytest.raises(OutOfTimeError):
        target.ranks(Part(queries, truth, None), funnel, 9, Deadline(0.0))


def test_deadlines_travel_as_seconds_left() -> None:
    left = pickle.loads(pickle.dumps(Deadline.after(100))).left
    assert 90 < left <= 100
    assert pickle.loads(pickle.dumps(NEVER)).left == np.inf
