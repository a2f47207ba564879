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
from fastfunnel.distributed.tuning import ShardsTarget
from fastfunnel.tuning.budget import NEVER, Deadline, OutOfTimeError
from fastfunnel.tuning.ranks import BEYOND
from fastfunnel.tuning.sample import Part, are_among


def topics(rng: np.random.Generator, n: int, dim: int) -> np.ndarray:
    """Clusters whose energy decays along the dims, as that of Matryoshka embeddings."""
    centres = np.random.default_rng(1).standard_normal((200, dim))
    rows = centres[rng.integers(200, size=n)] + 0.7 * rng.standard_normal((n, dim))
    return (rows / np.sqrt(1 + np.arange(dim))).astype(np.float32)


@pytest.fixture
def index(path: Path, rng: np.random.Generator) -> Any:
    with ShardedIndex.create(path, dim=128, shards=3) as index:
        index.add(topics(rng, 24_000, 128))
        yield index


def test_the_promise_holds_for_merged_answers_to_other_queries(
    index: Any, path: Path, rng: np.random.Generator
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
    index.close()
    with ShardedIndex.open(path) as anew:
        np.testing.assert_array_equal(anew.search(others, 10, recall=0.95).ids, found.ids)
        with pytest.raises(ValueError, match=r"recall=0.999 at k=10 was not tuned"):
            anew.search(others, 10, recall=0.999)


def test_rows_stand_in_for_queries(index: Any) -> None:
    report = index.tune(None, k=5, recall=0.9, budget_s=10, progress=False)

    assert report.queries == "rows"
    assert report.interval[0] >= 0.9


def test_ranks_are_those_within_a_shard(index: Any, rng: np.random.Generator) -> None:
    """Against NumPy: as many rows of the neighbour's own shard score higher, or tie before it."""
    from fastfunnel.distributed.routing import homes

    queries = topics(rng, 70, 128)
    truth = index.search(queries, 4, exact=True).ids
    target = ShardsTarget(index)
    ids = np.arange(len(index))
    home, rows = homes(ids, 3), ff.normalize(index.get(ids)[:, :64])

    ranks = target.ranks(Part(queries, truth, None), ff.Stage(64, "f32"), 500, NEVER)

    scores = ff.normalize(queries[:, :64]) @ rows.T
    for q in range(len(queries)):
        for j, neighbour in enumerate(truth[q]):
            mine = scores[q][home == home[neighbour]]
            rank = 1 + int((mine > scores[q, neighbour] + 1e-6).sum())
            slack = int((np.abs(mine - scores[q, neighbour]) <= 1e-6).sum()) - 1
            if rank > 500:
                assert ranks[q, j] == BEYOND
            else:
                assert rank <= ranks[q, j] <= rank + slack
    with pytest.raises(OutOfTimeError):
        target.ranks(Part(queries, truth, None), ff.Stage(64, "f32"), 9, Deadline(0.0))


def test_deadlines_travel_as_seconds_left() -> None:
    left = pickle.loads(pickle.dumps(Deadline.after(100))).left
    assert 90 < left <= 100
    assert pickle.loads(pickle.dumps(NEVER)).left == np.inf
