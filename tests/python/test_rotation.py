"""Rotations: cosines stay, prefixes improve, an index hides that it rotates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import fastfunnel as ff
from fastfunnel.rotation import random_rotation, rotate, rotate_back

Floats = npt.NDArray[np.float32]
DIM = 160


def hidden_structure(seed: int = 0, n: int = 1500) -> Floats:
    """Return vectors that a random rotation robbed of their leading dims."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n, DIM)) / (1 + np.arange(DIM) / 4)
    return rotate(rows.astype(np.float32), random_rotation(DIM, seed=5))


def cosines(rows: Floats, queries: Floats) -> npt.NDArray[np.float64]:
    wide, asked = rows.astype(np.float64), queries.astype(np.float64)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    return asked @ wide.T


def prefix_recall(rows: Floats, queries: Floats, dims: int) -> float:
    truth = np.argsort(-cosines(rows, queries), axis=1)[:, :10]
    found = np.argsort(-cosines(rows[:, :dims], queries[:, :dims]), axis=1)[:, :10]
    return float(np.mean([np.isin(t, f).mean() for t, f in zip(truth, found, strict=True)]))


@pytest.mark.parametrize("dim", [1, 2, 63, 65, DIM])
def test_it_is_orthogonal_and_repeatable(dim: int) -> None:
    rows = hidden_structure()[:, :dim]
    rotation = ff.fit_rotation(rows)

    assert rotation.shape == (dim, dim)
    assert rotation.dtype == np.float32
    assert np.abs(rotation.T.astype(np.float64) @ rotation - np.eye(dim)).max() < 1e-5
    assert (rotation == ff.fit_rotation(rows)).all()


def test_cosines_stay_and_prefixes_improve() -> None:
    rows = hidden_structure()
    rotated = rotate(rows, ff.fit_rotation(rows))

    assert np.abs(cosines(rotated, rotated[:20]) - cosines(rows, rows[:20])).max() < 1e-5
    before = prefix_recall(rows[50:], rows[:50], 64)
    assert prefix_recall(rotated[50:], rotated[:50], 64) > before + 0.3


def bits_recall(rows: Floats, queries: Floats, dims: int) -> float:
    truth = np.argsort(-cosines(rows, queries), axis=1)[:, :10]
    scores = queries[:, :dims].astype(np.float64) @ np.where(rows[:, :dims] > 0, 1, -1).T
    found = np.argsort(-scores, axis=1)[:, :30]
    return float(np.mean([np.isin(t, f).mean() for t, f in zip(truth, found, strict=True)]))


def test_a_prefix_may_be_made_best() -> None:
    rows = hidden_structure()
    every, one = (rotate(rows, ff.fit_rotation(rows, prefix=p)) for p in (None, 64))

    assert np.abs(cosines(one, one[:20]) - cosines(rows, rows[:20])).max() < 1e-5
    assert (
        abs(prefix_recall(one[50:], one[:50], 64) - prefix_recall(every[50:], every[:50], 64))
        < 0.01
    )
    plain = bits_recall(rows[50:], rows[:50], 64)
    assert bits_recall(one[50:], one[:50], 64) > plain + 0.1
    assert bits_recall(one[50:], one[:50], 64) > bits_recall(every[50:], every[:50], 64) + 0.3
    with pytest.raises(ValueError, match=f"prefix must be below the {DIM} dims"):
        ff.fit_rotation(rows, prefix=DIM)


def test_a_common_mean_is_kept_apart() -> None:
    rows = hidden_structure() + np.float32(3)
    rotated = rotate(rows, ff.fit_rotation(rows))
    one_sided = np.abs((rotated > 0).mean(axis=0) - 0.5) > 0.45

    assert one_sided[0]
    assert one_sided.sum() == 1


def test_an_index_rotates_rows_and_queries_alike() -> None:
    rows = hidden_structure()
    base, queries = rows[50:], rows[:50]
    rotation = ff.fit_rotation(base)
    plain, rotated = ff.Index(DIM), ff.Index(DIM, rotation=rotation)
    plain.add(base)
    rotated.add(base)
    stage = ff.Funnel([ff.Stage(64, "f32")])
    truth = plain.search(queries, 10, exact=True)

    assert rotated.rotation is not None
    assert np.abs(rotated.get([3, 9]) - base[[3, 9]]).max() < 1e-5
    found = rotated.search(queries, 10, exact=True)
    assert (found.ids == truth.ids).mean() > 0.999  # near ties may round the other way
    assert np.abs(found.scores - truth.scores).max() < 1e-5
    better = rotated.search(queries, 10, funnel=stage).ids
    worse = plain.search(queries, 10, funnel=stage).ids
    assert np.isin(better, truth.ids).mean() > np.isin(worse, truth.ids).mean()
    assert rotated.explain(queries[0], funnel=stage)[0].rows == len(base)


def test_the_index_keeps_its_own_copy(tmp_path: Path) -> None:
    rows = hidden_structure()
    rotation = ff.fit_rotation(rows)
    index = ff.Index(DIM, rotation=rotation)
    index.add(rows)
    before = index.search(rows[:20], 5)
    rotation[:] = 0
    index.save(tmp_path / "saved")
    opened = ff.open(tmp_path / "saved")

    assert (index.search(rows[:20], 5).ids == before.ids).all()
    assert (opened.search(rows[:20], 5).ids == before.ids).all()
    assert opened.rotation is not None
    assert np.abs(opened.get([7]) - rows[[7]]).max() < 1e-5


def test_other_dtypes_and_way_back() -> None:
    rng = np.random.default_rng(0)
    rotation = random_rotation(20, seed=1)
    rows = rng.integers(-100, 100, (30, 20)).astype(np.int8)

    assert np.abs(rotate_back(rotate(rows, rotation), rotation) - rows).max() < 1e-3
    index = ff.Index(20, rotation=rotation)
    index.add(rows)
    assert np.abs(index.get(np.arange(30)) - rows).max() < 1e-3


@pytest.mark.parametrize(
    ("rotation", "error", "message"),
    [
        (np.eye(3, dtype=np.float32), ValueError, r"shape \(4, 4\), got \(3, 3\)"),
        (np.ones((4, 4), np.float32), ValueError, "orthonormal"),
        (np.full((4, 4), np.nan, np.float32), ValueError, "orthonormal"),
        (np.eye(4, dtype=np.int64), TypeError, "floats, got int64"),
    ],
)
def test_what_is_no_rotation_is_named(
    rotation: npt.NDArray[np.generic], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ff.Index(4, rotation=rotation)


def test_bad_rows_leave_a_rotated_index_unchanged() -> None:
    index = ff.Index(4, rotation=random_rotation(4))
    rows = np.ones((5, 4), np.float32)
    rows[3, 1] = np.nan
    with pytest.raises(ValueError, match="nan or inf in row 3"):
        index.add(rows)
    assert len(index) == 0
