"""Floats in memory or on disk, at every precision, with some codes or all: the same true answers."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import fastfunnel as ff
from fastfunnel import _core
from fastfunnel.arguments import Metric
from fastfunnel.storage import draft, live
from fastfunnel.tiers import Tiers

DIM = 70
STORES = ("ram", "disk")
DTYPES = ("f32", "f16", "bf16")
CODES = (("b1",), ("i8",), ("b1", "i8"))
FUNNELS = {
    ("b1",): "b1@64>600 b1@70>500 f32@70",
    ("i8",): "i8@64>100 i8@70>50 f32@70",
    ("b1", "i8"): "b1@64>600 b1@70>500 i8@70>50 f32@70",
}
Rows = npt.NDArray[Any]


def rounded(rows: Rows, dtype: str) -> npt.NDArray[np.float64]:
    """What an index of this float_dtype holds of float32 rows; bfloat16 by ml_dtypes."""
    if dtype == "bf16":
        rows = rows.astype(pytest.importorskip("ml_dtypes").bfloat16)
    elif dtype == "f16":
        rows = rows.astype(np.float16)
    return rows.astype(np.float64)


def oracle(rows: Rows, ids: Rows, queries: Rows, metric: Metric, k: int) -> tuple[Rows, Rows]:
    """The true top k in float64."""
    dots = queries @ rows.T
    if metric == "cosine":
        lengths = np.linalg.norm(queries, axis=1)[:, np.newaxis] * np.linalg.norm(rows, axis=1)
        scores = np.divide(dots, lengths, out=np.zeros_like(dots), where=lengths > 0)
    elif metric == "ip":
        scores = dots
    else:
        scores = -((queries[:, np.newaxis] - rows) ** 2).sum(axis=2)
    order = np.lexsort((np.broadcast_to(ids, scores.shape), -scores))[:, :k]
    return ids[order], np.take_along_axis(scores, order, axis=1)


def check(index: ff.Index, expected: dict[int, Rows], queries: Rows, dtype: str) -> None:
    """Every kind of search and `get` against the oracle over the rows as they were rounded."""
    ids = np.array(sorted(expected), np.int64)
    rows = rounded(np.stack([expected[i] for i in ids.tolist()]), dtype)
    assert sorted(index) == ids.tolist()
    np.testing.assert_array_equal(index.get(ids), rows.astype(np.float32))
    true_ids, true_scores = oracle(rows, ids, queries.astype(np.float64), index.metric, 10)
    exact = index.search(queries, 10, exact=True)
    np.testing.assert_array_equal(exact.ids, true_ids)
    np.testing.assert_allclose(exact.scores, true_scores, rtol=1e-6, atol=1e-6)
    # Every row survives the first stages, so that the last one must find the truth.
    found = index.search(queries, 10, funnel=funnel_of(index, len(ids)))
    np.testing.assert_array_equal(found.ids, true_ids)
    np.testing.assert_allclose(found.scores, true_scores, rtol=2e-6, atol=2e-6)
    np.testing.assert_allclose(index.rescore(true_ids, queries), true_scores, rtol=1e-6, atol=1e-6)
    few = index.search(queries, 10, funnel=ff.Funnel.parse(FUNNELS[index.codes]))
    assert np.mean([len(set(a) & set(b)) for a, b in zip(few.ids, true_ids, strict=True)]) > 8


def funnel_of(index: ff.Index, n: int) -> ff.Funnel:
    first = "b1" if "b1" in index.codes else "i8"
    return ff.Funnel.parse(f"{first}@32>{n} f32@32>{n} f32@70")


@pytest.mark.parametrize(
    ("store", "dtype", "codes", "metric"),
    list(itertools.product(STORES, DTYPES, CODES, ("cosine", "ip", "l2"))),
)
def test_a_life_on_every_tier(
    monkeypatch: pytest.MonkeyPatch,
    rng: np.random.Generator,
    tmp_path: Path,
    store: str,
    dtype: str,
    codes: tuple[str, ...],
    metric: Metric,
) -> None:
    monkeypatch.setattr(draft, "CODES_FROM", 100)
    monkeypatch.setattr(live, "DIRECT_ROWS", 300)
    rows = rng.standard_normal((1000, DIM)).astype(np.float32)
    rows[17] = 0
    queries = rng.standard_normal((7, DIM)).astype(np.float32)
    options: dict[str, Any] = {"float_store": store, "float_dtype": dtype, "codes": codes}
    expected = dict(enumerate(rows))

    index = ff.Index.create(tmp_path / "live", DIM, metric=metric, **options)
    index.add(rows[:50])  # through the log
    index.add(rows[50:600])  # at once
    index.add(rows[600:].astype(np.float64))
    index.flush()
    check(index, expected, queries, dtype)
    index.remove(np.arange(100, 160))
    index.upsert(2 * rows[:30], np.arange(30))
    expected = {i: row for i, row in expected.items() if not 100 <= i < 160}
    expected |= dict(enumerate(2 * rows[:30]))
    check(index, expected, queries, dtype)
    reader = ff.open(tmp_path / "live")
    check(reader, expected, queries, dtype)
    index.compact()
    check(index, expected, queries, dtype)
    index.close()
    assert reader.reopen()
    index.save(tmp_path / "copy")
    for path, mmap in itertools.product((tmp_path / "live", tmp_path / "copy"), (True, False)):
        opened = ff.open(path, mmap=mmap, verify=True)
        assert (opened.float_store, opened.float_dtype, opened.codes) == (store, dtype, codes)
        check(opened, expected, queries, dtype)
    check(reader, expected, queries, dtype)


def test_default_and_tuned_funnels_read_what_is_kept(
    rng: np.random.Generator, tmp_path: Path
) -> None:
    centres = rng.standard_normal((200, 128))
    rows = centres[rng.integers(0, 200, 21_000)] + 0.5 * rng.standard_normal((21_000, 128))
    queries = rows[:200] + 0.1 * rng.standard_normal((200, 128))
    for codes in CODES:
        index = ff.Index(128, codes=codes, float_store="disk", float_dtype="f16")
        index.add(rows)
        default = index.default_funnel(10)
        report = index.tune(queries, 10, 0.9, budget_s=2, progress=False)
        for funnel in (default, *(point.funnel for point in report.front.points)):
            stages = () if funnel is None else funnel.stages
            assert {s.precision for s in stages} <= {*codes, "f32"}
            assert all(s.precision != "f32" or s.dims == 128 for s in stages)
        truth = index.search(queries, 10, exact=True).ids
        found = index.search(queries, 10).ids
        assert np.mean([len(set(a) & set(b)) for a, b in zip(found, truth, strict=True)]) > 8.5


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"float_store": "tape"}, ValueError, "float_store must be 'ram' or 'disk', got 'tape'"),
        ({"float_dtype": "f8"}, ValueError, "float_dtype must be 'f32', 'f16' or 'bf16', got 'f8'"),
        ({"codes": ()}, ValueError, r"codes must be 'b1', 'i8' or both, got \(\)"),
        ({"codes": ("b1", "b2")}, ValueError, "codes must be 'b1', 'i8' or both"),
        ({"codes": "b1"}, TypeError, r"codes must be a tuple like \('b1', 'i8'\), got 'b1'"),
        ({"codes": None}, TypeError, "codes must be a tuple like"),
    ],
)
def test_other_choices_are_refused(
    options: dict[str, Any], error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        ff.Index(8, **options)
    with pytest.raises(error, match=message):
        ff.Index.create(tmp_path / "index", 8, **options)
    assert not (tmp_path / "index").exists()


def test_a_funnel_must_read_what_is_kept() -> None:
    index = ff.Index(8, codes=("b1",))
    index.add(np.eye(8))
    with pytest.raises(ValueError, match="stage 2 must read codes that the index keeps, got i8"):
        index.search(np.ones(8), 1, funnel=ff.Funnel.parse("b1@8>5 i8@8>5 f32@8"))
    with pytest.raises(ValueError, match="stage 1 must read codes that the index keeps, got b1"):
        ff.Index(8, codes=("i8",)).explain(np.ones(8), 1, funnel=ff.Funnel.parse("b1@8"))


@pytest.mark.parametrize("store", STORES)
def test_values_that_halves_cannot_hold_are_refused(store: str) -> None:
    index = ff.Index(4, float_store=store, float_dtype="f16")
    index.add(np.full((1, 4), 65519.0))  # rounds to 65504
    for bad in (65520.0, -1e30):
        with pytest.raises(ValueError, match=r"within ±65504 with float_dtype 'f16', .* row 1"):
            index.add([[1, 1, 1, 1], [1, bad, 1, 1]])
    with pytest.raises(ValueError, match="finite, got nan or inf in row 0"):
        index.add(np.full((1, 4), np.nan))
    wide = ff.Index(4, float_store=store, float_dtype="bf16")
    with pytest.raises(ValueError, match=r"within ±3.38e38 with float_dtype 'bf16'"):
        wide.add(np.full((1, 4), np.finfo(np.float32).max))
    assert (len(index), len(wide)) == (1, 0)
    assert index.get([0]).tolist() == [[65504.0] * 4]


def test_bfloat16_arrays_come_in(rng: np.random.Generator) -> None:
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    rows = rng.standard_normal((50, 9)).astype(bfloat16)
    index = ff.Index(9, float_dtype="bf16")
    index.add(rows)
    np.testing.assert_array_equal(index.get(np.arange(50)), rows.astype(np.float32))
    found = index.search(rows[:5], 1, exact=True)
    assert found.ids.ravel().tolist() == [0, 1, 2, 3, 4]
    expected = ff.exact_search(rows.astype(np.float32), rows[:5].astype(np.float32), 3)
    np.testing.assert_array_equal(ff.exact_search(rows, rows[:5], 3).ids, expected.ids)
    np.testing.assert_array_equal(ff.binarize(rows), ff.binarize(rows.astype(np.float32)))
    with pytest.raises(TypeError, match="got uint16"):  # bits are no numbers
        index.add(rows.view(np.uint16))


def test_bfloat16_tensors_come_in() -> None:
    torch = pytest.importorskip("torch")
    index = ff.Index(3, float_dtype="bf16")
    index.add(torch.tensor([[1.5, 2, 3], [4, 5, 6]], dtype=torch.bfloat16))
    assert index.get([0]).tolist() == [[1.5, 2, 3]]


def test_rows_are_rounded_on_disk_as_in_the_core(rng: np.random.Generator) -> None:
    values = rng.integers(0, 2**32, 200_000, dtype=np.uint32).view(np.float32)
    values = values[np.isfinite(values)][: 199_000 // 8 * 8].reshape(-1, 8)
    for dtype, largest in (("f16", 65504), ("bf16", 3.3e38)):
        rows = np.where(np.abs(values) < largest, values, 1).astype(np.float32)
        core = _core.Index(8, "cosine", dtype)
        core.add(rows, np.arange(len(rows)))
        stored = Tiers(float_dtype=dtype).stored(rows)  # type: ignore[arg-type]
        np.testing.assert_array_equal(core.segment_rows(0, 0, len(rows)), stored)
