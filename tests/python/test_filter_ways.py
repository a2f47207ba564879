"""A filtered search scans, packs or gathers, whatever is cheapest: the answers are those of the rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

import fastfunnel as ff
from fastfunnel.arguments import Metric

N, DIM, K = 30_000, 128, 10

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

SHARES = [0.9, 0.3, 0.06, 0.03, 0.015, 0.004]
FUNNELS = [  # {0} and {1}: nine and eight tenths of the rows that may answer
    "b1@64>{0} b1@128>{1} f32@128",  # bits lie row by row
    "b1@128>{0} i8@128>{1} f32@128",  # they do not
    "b1@128>{0} f32@128",
    "i8@64>{0} f32@128",
]


@pytest.fixture(scope="module")
def data() -> tuple[Floats, Floats]:
    rng = np.random.default_rng(11)
    spread = np.linspace(1, 0.3, DIM)
    topics = rng.standard_normal((30, DIM))
    rows = topics[rng.integers(0, 30, N + 40)] + 0.7 * rng.standard_normal((N + 40, DIM))
    rows = (rows * spread).astype(np.float32)
    return rows[40:], rows[:40]


@pytest.fixture(scope="module")
def index(data: tuple[Floats, Floats]) -> ff.Index:
    index = ff.Index(DIM)
    index.add(data[0], np.arange(N) * 3 + 5)
    index.remove(np.arange(0, N, 17) * 3 + 5)
    return index


def chosen(share: float, together: bool, n: int) -> Flags:
    if together:
        return (np.arange(n) - n // 3) % n < share * n
    return np.random.default_rng(int(1000 * share)).random(n) < share


def truth(base: Floats, queries: Floats, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    rows = base[(ids - 5) // 3].astype(np.float64)
    scores = queries.astype(np.float64) @ (rows / np.linalg.norm(rows, axis=1)[:, np.newaxis]).T
    order = np.argsort(-scores, axis=1)[:, :K]
    return ids[order]


def recall(found: npt.NDArray[np.int64], expected: npt.NDArray[np.int64]) -> float:
    pairs = zip(found, expected, strict=True)
    return float(np.mean([len(np.intersect1d(*pair)) / K for pair in pairs]))


@pytest.mark.parametrize("together", [False, True], ids=["spread", "together"])
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("text", FUNNELS)
def test_every_way_finds_the_same(
    data: tuple[Floats, Floats], index: ff.Index, text: str, share: float, together: bool
) -> None:
    base, queries = data
    flags = chosen(share, together, len(index))
    ids = np.array(list(index))[flags]
    funnel = ff.Funnel.parse(text.format(9 * len(ids) // 10, 8 * len(ids) // 10))
    expected = truth(base, queries, ids)

    batch = index.search(queries, K, funnel=funnel, filter=flags).ids
    alone = np.concatenate(
        [index.search(query, K, funnel=funnel, filter=flags).ids for query in queries]
    )
    by_ids = np.concatenate(
        [index.search(query, K, funnel=funnel, filter=ids, threads=1).ids for query in queries]
    )
    assert recall(batch, expected) > 0.99  # sign bits may put a neighbour last, rarely
    assert recall(alone, expected) > 0.99
    np.testing.assert_array_equal(by_ids, alone)
    assert np.isin(batch, ids).all()


@pytest.mark.parametrize("together", [False, True], ids=["spread", "together"])
@pytest.mark.parametrize("share", SHARES)
def test_signs_alone_rank_as_without_a_filter(
    data: tuple[Floats, Floats], index: ff.Index, share: float, together: bool
) -> None:
    flags = chosen(share, together, len(index))
    ids = np.array(list(index))[flags]
    funnel = ff.Funnel.parse("b1@128")
    query = data[1][:1]
    everything = index.search(query, len(index), funnel=funnel)
    expected = everything.ids[0][np.isin(everything.ids[0], ids)]

    found = index.search(query, len(ids) + 3, funnel=funnel, filter=flags)
    np.testing.assert_array_equal(found.ids[0, : len(ids)], expected)
    assert (found.ids[0, len(ids) :] == -1).all()


@pytest.mark.parametrize("text", FUNNELS)
@pytest.mark.parametrize("n", [0, 1, K - 1, K, 40])
def test_few_rows_all_come(data: tuple[Floats, Floats], index: ff.Index, text: str, n: int) -> None:
    base, queries = data
    ids = np.array(list(index))[1000 : 1000 + n]
    found = index.search(queries, K, funnel=ff.Funnel.parse(text.format(30, 15)), filter=ids).ids
    assert ((found >= 0).sum(axis=1) == min(n, K)).all()
    assert np.isin(found, [*ids, -1]).all()
    if 0 < n <= K:
        np.testing.assert_array_equal(found[:, :n], truth(base, queries, ids))


@pytest.mark.parametrize("metric", ["ip", "l2"])
@pytest.mark.parametrize("n_queries", [1, 40])
def test_a_first_stage_that_would_keep_all_is_left_out_for_every_metric(
    data: tuple[Floats, Floats], metric: Metric, n_queries: int
) -> None:
    base, queries = data
    index = ff.Index(DIM, metric=metric)
    index.add(ff.normalize(base))
    funnel = ff.Funnel.parse("b1@128>300 i8@128>150 f32@128")
    few = np.arange(0, N, 150)
    found = index.search(queries[:n_queries], K, funnel=funnel, filter=few)
    expected = index.search(queries[:n_queries], K, exact=True, filter=few)
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_array_equal(found.scores, expected.scores)


@pytest.mark.parametrize(
    "text", ["i8@8>10 f32@128", "b1@64>10 i8@128>10 f32@128", "f32@8>10 f32@128"]
)
def test_a_few_rows_are_all_scored_by_the_last_stage(
    data: tuple[Floats, Floats], index: ff.Index, text: str
) -> None:
    _, queries = data
    few = np.arange(0, N, N // 64)[:64]
    found = index.search(queries, K, funnel=ff.Funnel.parse(text), filter=few)
    expected = index.search(queries, K, exact=True, filter=few)
    np.testing.assert_array_equal(found.ids, expected.ids)
