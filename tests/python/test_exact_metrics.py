"""Exact search by every metric against float64, over rows whose lengths defeat easy bounds."""

from __future__ import annotations

import numpy as np
import pytest

import fastfunnel as ff


def rows_of(kind: str, rng: np.random.Generator, n: int, dim: int) -> np.ndarray:
    rows = rng.standard_normal((n, dim))
    if kind == "unit":
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    elif kind == "any length":
        rows *= np.exp(rng.standard_normal((n, 1)))
    elif kind == "many zero":
        rows[rng.random(n) < 0.3] = 0
    elif kind == "far from zero":
        rows += 3 * rng.standard_normal(dim)
    elif kind == "negative":
        rows = -np.abs(rows)
    return (rows * 10.0 ** rng.integers(-3, 4)).astype(np.float32)


def true_scores(metric: str, rows: np.ndarray, queries: np.ndarray) -> np.ndarray:
    x, y = rows.astype(np.float64), queries.astype(np.float64)
    if metric == "ip":
        return y @ x.T
    if metric == "l2":
        return -np.sum((y[:, None] - x[None]) ** 2, axis=2)
    lengths = np.linalg.norm(y, axis=1)[:, None] * np.linalg.norm(x, axis=1)
    return np.divide(y @ x.T, lengths, out=np.zeros_like(lengths), where=lengths > 0)


def set_directions(index: ff.Index, rng: np.random.Generator, rows: np.ndarray) -> None:
    """Give the index a basis, its own principal one or any, with one look on the way."""
    dim = rows.shape[1]
    count = int(rng.integers(2, dim // 4 + 1)) * 4
    wide = rows if rng.random() < 0.5 else rng.standard_normal((2 * dim, dim))
    directions = np.linalg.svd(wide, full_matrices=False)[2][:count].astype(np.float32)
    count = len(directions) // 4 * 4
    if count < 8:
        return
    exact = directions[:count].astype(np.float64)
    defect = float(np.linalg.norm(exact @ exact.T - np.eye(count)))
    index._core.set_basis(directions[:count].copy(), defect, [4 * (count // 8), count])


@pytest.mark.parametrize("kind", ["unit", "any length", "many zero", "far from zero", "negative"])
@pytest.mark.parametrize("metric", ["cosine", "ip", "l2"])
def test_answers_are_those_of_float64(metric: str, kind: str) -> None:
    rng = np.random.default_rng(sum(map(ord, metric + kind)))
    for _ in range(12):
        n, dim = int(rng.integers(1, 1500)), int(rng.integers(8, 120))
        k, n_queries = int(rng.integers(1, 30)), int(rng.integers(1, 12))
        rows = rows_of(kind, rng, n, dim)
        queries = rng.standard_normal((n_queries, dim)).astype(np.float32)
        if rng.random() < 0.5:  # near rows, where bounds are put to the test
            queries = rows[rng.integers(0, n, n_queries)] * np.float32(1.001)
        index = ff.Index(dim, metric=metric)
        index.add(rows)
        if rng.random() < 0.6:
            set_directions(index, rng, rows)

        found = index.search(queries, k, exact=True)

        scores = true_scores(metric, rows, queries)
        best = -np.sort(-scores, axis=1)[:, :k]
        reached = np.take_along_axis(scores, found.ids[:, : best.shape[1]], axis=1)
        np.testing.assert_allclose(reached, best, rtol=0, atol=1e-9 * np.abs(scores).max())
