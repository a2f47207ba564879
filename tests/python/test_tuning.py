"""The tuner: what it promises is delivered on queries it has not seen, against brute force."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import fastfunnel as ff
from fastfunnel.sampling import are_among, without_own
from fastfunnel.tiers import Tiers
from fastfunnel.tuning import Front, FrontPoint, Tuned
from fastfunnel.tuning.budget import NEVER
from fastfunnel.tuning.plan import LEVELS, keep_grid
from fastfunnel.tuning.ranks import BEYOND, ranks_in
from fastfunnel.tuning.sample import draw
from fastfunnel.tuning.space import ladder, resident_bytes, scorers

Floats = npt.NDArray[np.float32]
DIM, ROWS = 128, 6000


def rows_and_queries(seed: int, n: int = ROWS, m: int = 800) -> tuple[Floats, Floats]:
    """Return vectors whose leading dims matter most."""
    rng = np.random.default_rng(seed)
    scales = 1 / np.sqrt(1 + np.arange(DIM) / 16)
    drawn = (rng.standard_normal((n + m, DIM)) * scales).astype(np.float32)
    return drawn[:n], drawn[n:]


def brute_force(base: Floats, queries: Floats, k: int) -> npt.NDArray[np.int64]:
    wide, asked = base.astype(np.float64), queries.astype(np.float64)
    cosines = asked @ wide.T / np.linalg.norm(wide, axis=1)
    return np.argsort(-cosines, axis=1, kind="stable")[:, :k]


@pytest.fixture(scope="module")
def tuned() -> tuple[ff.Index, ff.TuningReport, Floats, Floats]:
    base, queries = rows_and_queries(0)
    index = ff.Index(DIM)
    index.add(base)
    report = index.tune(queries[:400], k=5, recall=0.9, budget_s=2)
    return index, report, base, queries[400:]


def test_the_promise_holds_on_unseen_queries(
    tuned: tuple[ff.Index, ff.TuningReport, Floats, Floats],
) -> None:
    index, report, base, unseen = tuned
    truth = brute_force(base, unseen, 5)
    delivered = are_among(truth, index.search(unseen, 5).ids).mean()

    assert delivered >= 0.9
    assert report.interval[0] >= 0.9
    assert report.recall >= report.interval[0]
    assert index.default_funnel(5) == report.funnel
    assert index.default_funnel(6) == index.untuned_funnel(6)


def test_lower_recalls_come_from_the_front(
    tuned: tuple[ff.Index, ff.TuningReport, Floats, Floats],
) -> None:
    index, report, base, unseen = tuned
    truth = brute_force(base, unseen, 5)
    found = index.search(unseen, 5, recall=0.7).ids

    assert are_among(truth, found).mean() >= 0.7
    assert report.front.choose(0.7).seconds <= report.front.choose(0.9).seconds


@pytest.mark.parametrize(("k", "recall"), [(5, 0.95), (6, 0.5)])
def test_what_was_not_tuned_says_what_to_call(
    tuned: tuple[ff.Index, ff.TuningReport, Floats, Floats], k: int, recall: float
) -> None:
    index, *_, unseen = tuned
    with pytest.raises(ValueError, match=rf"call index\.tune\(k={k}, recall={recall}\)"):
        index.search(unseen, k, recall=recall)


def test_numbers_may_be_of_numpy(rng: np.random.Generator) -> None:
    index = ff.Index(dim=4)
    index.add(rng.standard_normal((50, 4)))
    queries = rng.standard_normal((20, 4))
    share, seconds = np.float32(0.9), np.int64(1)
    report = index.tune(queries, 3, share, seconds, progress=False, confidence=np.float32(0.5))
    assert report.target == share
    assert index.search(queries, 3, recall=share).ids.shape == (20, 3)


def test_recall_stands_alone(tuned: tuple[ff.Index, ff.TuningReport, Floats, Floats]) -> None:
    index, *_, unseen = tuned
    with pytest.raises(ValueError, match="recall must be None when"):
        index.search(unseen, 5, recall=0.9, exact=True)


def test_the_report_prints_and_exports(
    tuned: tuple[ff.Index, ff.TuningReport, Floats, Floats], tmp_path: Path
) -> None:
    _, report, *_ = tuned
    data = json.loads(report.to_json(tmp_path / "report.json"))

    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8")) == data
    assert data["target"] == 0.9
    assert data["n_check"] > data["n_fit"] > 0
    assert "Pareto front" in str(report)
    assert str(report.funnel or "exact") in str(report)
    recalls = [point.recall for point in report.pareto]
    assert recalls == sorted(recalls)
    if report.funnel is not None:
        assert [s.stage for s in report.stages] == list(report.funnel.stages)
        left = [s.recall for s in report.stages]
        assert left == sorted(left, reverse=True)


def test_the_same_seed_chooses_the_same_funnel(
    tuned: tuple[ff.Index, ff.TuningReport, Floats, Floats],
) -> None:
    index, report, *_ = tuned
    _, queries = rows_and_queries(0)
    again = ff.Index(DIM)
    again.add(index.get(range(ROWS)))

    repeated = again.tune(queries[:400], k=5, recall=0.9, budget_s=2)

    assert (repeated.n_fit, repeated.n_check) == (report.n_fit, report.n_check)
    assert repeated.default.recall == report.default.recall


def test_rows_stand_in_for_queries_without_themselves() -> None:
    base, _ = rows_and_queries(1, n=3000)
    index = ff.Index(DIM)
    ids = index.add(base, np.arange(3000) * 7)
    sample = draw(index, None, 4, seed=3, deadline=NEVER)
    rows = sample.fit.own // 7 if sample.fit.own is not None else None

    assert rows is not None
    truth = brute_force(base, base[rows], 5)
    assert truth[:, 0].tolist() == rows.tolist()
    assert (sample.fit.truth == ids[truth[:, 1:]]).all()
    report = index.tune(None, k=4, recall=0.8, budget_s=1.5)
    assert report.queries == "rows"
    assert "stood in" in str(report)


@pytest.mark.parametrize("objective", ["throughput", "memory"])
def test_other_objectives_keep_the_promise(objective: Any) -> None:
    base, queries = rows_and_queries(4)
    index = ff.Index(DIM)
    index.add(base)
    report = index.tune(queries[:400], k=5, recall=0.9, budget_s=3, objective=objective)
    delivered = are_among(brute_force(base, queries[400:], 5), index.search(queries[400:], 5).ids)

    assert delivered.mean() >= 0.9
    assert report.objective == objective
    promising = [p for p in report.front.points if p.promised >= 0.9]
    chosen = report.front.choose(0.9)
    if objective == "throughput":
        assert chosen.queries_per_second == max(p.queries_per_second for p in promising)
    else:
        bearable = 4 * min(p.seconds for p in promising)
        smallest = min(p.bytes_per_row for p in promising if p.seconds <= bearable)
        assert chosen.bytes_per_row == report.bytes_per_row == smallest < 4 * DIM


def test_few_rows_and_full_recall_are_searched_exactly() -> None:
    base, queries = rows_and_queries(2, n=300, m=40)
    index = ff.Index(DIM)
    index.add(base)

    report = index.tune(queries, k=3, recall=1, budget_s=1)

    assert report.funnel is None
    assert report.recall == 1
    assert (index.search(queries, 3).ids == brute_force(base, queries, 3)).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"recall": 0}, "recall must be above 0"),
        ({"recall": 1.5}, "recall must be above 0"),
        ({"budget_s": 0}, "budget_s must be a positive number"),
        ({"objective": "speed"}, "objective must be latency, throughput or memory"),
        ({"confidence": 1}, "confidence must be above 0 and below 1"),
        ({"k": 50}, "must have more than k"),
        ({"sample_queries": np.ones((3, DIM), np.float32)}, "at least 2 different"),
    ],
)
def test_mistakes_are_named(arguments: dict[str, Any], message: str) -> None:
    base, _ = rows_and_queries(3, n=50, m=1)
    index = ff.Index(DIM)
    index.add(base)
    with pytest.raises(ValueError, match=message):
        index.tune(**arguments)


def test_only_the_codes_of_installed_funnels_stay_in_memory() -> None:
    base, queries = rows_and_queries(5)
    index, alone = ff.Index(DIM), ff.Index(DIM)
    for one in (index, alone):
        one.add(base)
    report = index.tune(queries[:400], k=5, recall=0.8, budget_s=3)
    assert report.funnel is not None
    expected = alone.search(queries, 5, funnel=report.funnel)

    found = index.search(queries, 5)
    assert (found.ids == expected.ids).all()
    assert index._core.sizes() == alone._core.sizes()
    truth = brute_force(base, queries, 5)
    assert (index.search(queries, 5, exact=True).ids == truth).all()
    assert index._core.sizes() > alone._core.sizes()


def test_tuned_funnels_survive_a_save(
    tuned: tuple[ff.Index, ff.TuningReport, Floats, Floats], tmp_path: Path
) -> None:
    index, report, *_ = tuned
    index.save(tmp_path / "saved")

    assert ff.open(tmp_path / "saved").default_funnel(5) == report.funnel


def points(*values: tuple[str | None, float, float, int]) -> tuple[FrontPoint, ...]:
    return tuple(
        FrontPoint(None if f is None else ff.Funnel.parse(f), p, p, s, 1 / s, b)
        for f, p, s, b in values
    )


def test_choosing_takes_the_fastest_that_promises() -> None:
    tried = points(
        (None, 1.0, 9.0, 512),
        ("b1@128>90 f32@128", 0.99, 2.0, 16),
        ("b1@64>80 f32@128", 0.96, 0.5, 8),
        ("b1@128>80 f32@128", 0.94, 0.4, 16),
    )
    front = Front(10, 0.95, 0.95, "latency", 1000, tried)

    assert front.choose(0.95) == tried[2]
    assert front.choose(0.94) == tried[3]
    assert front.choose(0.999) == tried[0]


def test_memory_is_weighed_against_a_bearable_time() -> None:
    tried = points(
        (None, 1.0, 9.0, 512),
        ("i8@128>90 f32@128", 1.0, 1.0, 136),
        ("b1@128>90 f32@128", 1.0, 3.0, 16),
        ("b1@64>90 f32@128", 1.0, 5.0, 8),
    )

    assert Front(10, 0.9, 0.9, "memory", 1000, tried).choose(0.9) == tried[2]


def test_keeps_grow_with_the_index_and_fronts_survive_json() -> None:
    tried = points((None, 1.0, 9.0, 512), ("b1@128>90 f32@128", 1.0, 1.0, 16))
    tuned = Tuned({}).with_front(Front(10, 0.9, 0.9, "latency", 1000, tried))
    tuned = Tuned.from_dict(json.loads(json.dumps(tuned.to_dict())))

    assert str(tuned.funnel(10, None, 1000)) == "b1@128>90 f32@128"
    assert str(tuned.funnel(10, 0.5, 2500)) == "b1@128>225 f32@128"
    assert str(tuned.funnel(10, 0.5, 500)) == "b1@128>90 f32@128"


def test_helpers_say_what_numpy_says() -> None:
    truth = np.array([[5, 7], [1, 9]])
    ids = np.array([[7, 3, 5], [2, 9, 4]])

    assert ranks_in(truth, ids).tolist() == [[3, 1], [BEYOND, 2]]
    assert are_among(truth, ids).tolist() == [[True, True], [False, True]]
    assert without_own(ids, np.array([3, 8])).tolist() == [[7, 5], [2, 9]]
    assert keep_grid(10, 30) == [10, 13, 17, 22, 29, 30]
    assert [level.loss for level in LEVELS] == sorted(level.loss for level in LEVELS)


@pytest.mark.parametrize("dim", [1, 7, 64, 100, 300, 1536])
def test_the_space_fits_any_dim(dim: int) -> None:
    assert ladder(dim)[-1] == dim
    assert all(0 < stage.dims <= dim for stage in scorers(dim, Tiers()))
    assert resident_bytes(None, dim) == 4 * dim + 4


@pytest.mark.parametrize("dim", [1, 3, 40])
def test_small_dims_can_be_tuned(dim: int) -> None:
    rng = np.random.default_rng(dim)
    base = rng.standard_normal((2500, dim)).astype(np.float32)
    index = ff.Index(dim)
    index.add(base)

    report = index.tune(rng.standard_normal((60, dim)), k=3, recall=0.9, budget_s=0.5)

    assert report.interval[0] >= 0.9
