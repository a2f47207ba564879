"""Exact search along principal directions: the same answers, whatever the rows."""

from __future__ import annotations

import numpy as np
import pytest

import fastfunnel as ff
from fastfunnel.principal import QUERIES_BEFORE, principal_directions


def decaying(rng: np.random.Generator, n: int, dim: int) -> np.ndarray:
    spread = 1 / np.sqrt(1 + np.arange(dim))
    turn = np.linalg.qr(rng.standard_normal((dim, dim)))[0]
    return ((rng.standard_normal((n, dim)) * spread) @ turn).astype(np.float32)


def true_ids(base: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray:
    rows = base.astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(lengths > 0, lengths, 1)
    return np.argsort(-(queries.astype(np.float64) @ rows.T), axis=1, kind="stable")[:, :k]


def test_directions_are_orthonormal_and_hold_most_of_the_length():
    rows = decaying(np.random.default_rng(0), 5000, 256)
    found = principal_directions(rows)
    assert found is not None
    directions, steps = found
    count, dim = directions.shape
    assert dim == 256
    assert count <= 192
    assert steps == sorted(set(steps))
    assert steps[-1] == count
    assert all(end % 32 == 0 for end in steps)
    np.testing.assert_allclose(directions @ directions.T, np.eye(count), atol=1e-5)
    unit = ff.normalize(rows).astype(np.float64)
    assert np.mean(np.sum((unit @ directions.T) ** 2, axis=1)) > 0.89


def test_rows_without_principal_directions_get_none():
    rows = np.random.default_rng(1).standard_normal((5000, 128)).astype(np.float32)
    assert principal_directions(rows) is None


def test_answers_stay_those_of_brute_force_as_directions_come_and_rows_follow():
    rng = np.random.default_rng(2)
    rows = decaying(rng, 23_000, 128)
    rows[100] = rows[22_500]  # a tie across blocks
    rows[7] = 0
    queries = np.concatenate([decaying(rng, 30, 128), rows[[100, 7, 500]]])
    index = ff.Index(128)
    index.add(rows[:22_000])
    expected = true_ids(rows[:22_000], queries, 10)
    before = index._core.sizes()[1]
    for _ in range(QUERIES_BEFORE // len(queries) + 2):
        np.testing.assert_array_equal(index.search(queries, 10, exact=True).ids, expected)
    assert index._core.sizes()[1] > before + 22_000 * 16  # projections are there
    index.add(rows[22_000:])
    index.remove([int(expected[0, 0])])
    alive = np.delete(np.arange(len(rows)), expected[0, 0])
    expected = alive[true_ids(rows[alive], queries, 10)]
    for threads in (1, 2):
        found = index.search(queries, 10, exact=True, threads=threads)
        np.testing.assert_array_equal(found.ids, expected)
    np.testing.assert_array_equal(index.search(queries[:1], 10, exact=True).ids, expected[:1])


@pytest.mark.parametrize("metric", ["cosine", "ip", "l2"])
def test_copies_of_rows_answer_by_id_whatever_was_removed_or_filtered(metric):
    rng = np.random.default_rng(4)
    distinct = rng.standard_normal((40, 24)).astype(np.float32)
    which = rng.integers(0, 40, 3000)
    ids = rng.permutation(3000)
    index = ff.Index(24, metric=metric)
    index.add(distinct[which[:2000]], ids=ids[:2000])
    queries = rng.standard_normal((5, 24)).astype(np.float32)
    index.search(queries, 10, exact=True)  # builds the planes; the rest is added to them
    index.add(distinct[which[2000:]], ids=ids[2000:])
    index.remove(ids[::3])
    alive = np.setdiff1d(np.arange(3000), np.arange(0, 3000, 3))
    allowed = alive[alive % 2 == 0]
    for some, options in ((alive, {}), (allowed, {"filter": ids[allowed]})):
        found = index.search(queries, 150, exact=True, **options)
        rows = distinct[which[some]].astype(np.float64)
        scores = queries.astype(np.float64) @ rows.T
        if metric == "cosine":
            scores /= np.linalg.norm(queries, axis=1)[:, None] * np.linalg.norm(rows, axis=1)
        if metric == "l2":
            scores = -np.sum((queries[:, None].astype(np.float64) - rows) ** 2, axis=2)
        for q in range(len(queries)):
            # Distinct scores differ by more than 1e-9; copies come in the order of their ids.
            order = np.lexsort((ids[some], -np.round(scores[q], 9)))
            np.testing.assert_array_equal(found.ids[q], ids[some][order[:150]])
