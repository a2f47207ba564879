"""Merged answers against one sort of everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("ray")
from fastfunnel.distributed import ShardedResult
from fastfunnel.distributed.merging import merge


def top(ids: np.ndarray, scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k best of one query, by the definition."""
    best = sorted(zip(-scores, ids, strict=True))[:k]
    padded = best + [(np.inf, -1)] * (k - len(best))
    return np.array([i for _, i in padded]), np.array([-s for s, _ in padded])


@given(
    st.lists(st.integers(0, 3), max_size=40),
    st.integers(1, 12),
    st.integers(1, 5),
    st.integers(0, 2**32),
)
def test_merging_is_sorting_everything(values: list[int], k: int, n_shards: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    ids = rng.permutation(len(values) * 3)[: len(values)]
    # Differences that float32 does not see decide like others.
    scores = np.array(values) + rng.choice([0.0, 1e-12], len(values))
    shard = rng.integers(n_shards, size=len(values))
    parts = [top(ids[shard == s], scores[shard == s], k) for s in range(n_shards)]

    found = merge([(i[np.newaxis], s[np.newaxis]) for i, s in parts], 1, k)

    expected_ids, expected_scores = top(ids, scores, k)
    assert found.ids[0].tolist() == expected_ids.tolist()
    np.testing.assert_array_equal(found.scores[0], expected_scores.astype(np.float32))
    assert (found.ids.dtype, found.scores.dtype) == (np.int64, np.float32)


def test_a_row_at_two_shards_counts_once() -> None:
    ids = np.array([[7, 3, -1]])
    scores = np.array([[0.9, 0.5, -np.inf]])

    found = merge([(ids, scores), (np.array([[7, 4, 2]]), np.array([[0.9, 0.6, 0.1]]))], 1, 3)

    assert found.ids.tolist() == [[7, 4, 3]]


def test_no_answers_are_no_answers() -> None:
    found = merge([], 2, 3)

    assert (found.ids == -1).all()
    assert found.scores.shape == (2, 3)


def test_a_result_says_what_it_lacks() -> None:
    ids, scores = np.array([[1]]), np.array([[0.5]], np.float32)

    result = ShardedResult(ids, scores, [2])

    assert (result.missing, result.complete) == ((2,), False)
    assert ShardedResult(ids, scores).complete
    unpacked_ids, unpacked_scores = result
    assert unpacked_ids is ids
    assert unpacked_scores is scores
