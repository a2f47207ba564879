"""The funnel that an index chooses for itself, where a sample of its rows would mislead it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

import fastfunnel as ff
from fastfunnel.arguments import Metric
from fastfunnel.trial import Trial
from fastfunnel.widening import widened

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


def test_a_funnel_is_widened_where_it_loses(rng: np.random.Generator) -> None:
    base, _ = near_copies(rng, 2000, 20, 64, 1, 0.02)
    index = filled(base)
    narrow = ff.Funnel.parse("b1@64>100 i8@64>12 f32@64")
    trial = Trial.draw(index._core, K)
    assert trial is not None
    wide = widened(index._core, narrow, trial, 0.1)

    assert wide is not None
    assert wide.stages[0] == narrow.stages[0]  # which lost nothing
    assert (wide.stages[1].keep or 0) > 12
    assert widened(index._core, wide, trial, 0.1) == wide
    assert widened(index._core, ff.Funnel.parse("b1@64>11 f32@64"), trial, 11 / 40_000) is None


def test_a_stage_that_drops_nothing_is_left_out(rng: np.random.Generator) -> None:
    base, _ = near_copies(rng, 700, 45, 64, 1, 0.0005)
    core = filled(base)._core
    trial = Trial.draw(core, K)
    assert trial is not None
    wide = widened(core, ff.Funnel.parse("b1@64>59 i8@64>30 f32@64"), trial, 0.1)

    assert wide is not None
    assert [stage.precision for stage in wide.stages] == ["b1", "f32"]


def test_keeps_grow_with_the_rows_until_the_index_has_doubled(rng: np.random.Generator) -> None:
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
