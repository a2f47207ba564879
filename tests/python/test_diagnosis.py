"""The diagnosis: measured against brute force, and its words against what the data are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

import fastfunnel as ff
from fastfunnel.diagnosis_words import is_matryoshka
from fastfunnel.rotation import random_rotation, rotate

Floats = npt.NDArray[np.float32]
DIM = 64


def matryoshka_rows(n: int = 3000) -> Floats:
    rng = np.random.default_rng(0)
    return ff.normalize((rng.standard_normal((n, DIM)) / (1 + np.arange(DIM) / 4)).astype("f4"))


def text(diagnosis: ff.Diagnosis) -> str:
    return "\n".join(diagnosis.advice)


@pytest.fixture(scope="module")
def trained() -> ff.Diagnosis:
    return ff.diagnose(matryoshka_rows())


@pytest.fixture(scope="module")
def rotated() -> ff.Diagnosis:
    return ff.diagnose(rotate(matryoshka_rows(), random_rotation(DIM, seed=9)))


def test_prefixes_are_measured_by_neighbours(trained: ff.Diagnosis) -> None:
    rows = matryoshka_rows()
    order = np.random.default_rng(0).permutation(len(rows))
    queries, base = rows[order[:300]], rows[order[300:]]
    truth = np.argsort(-(queries @ base.T), axis=1)[:, :10]
    half = base[:, :32] / np.linalg.norm(base[:, :32], axis=1, keepdims=True)
    found = np.argsort(-(queries[:, :32] @ half.T), axis=1)[:, :10]
    expected = np.mean([np.isin(t, f).mean() for t, f in zip(truth, found, strict=True)])

    assert [p.dims for p in trained.prefixes] == [32, 16, 8]
    assert trained.prefixes[0].recall == pytest.approx(expected, abs=0.002)
    assert trained.n_queries == 300


def test_a_matryoshka_model_is_told_from_a_rotated_one(
    trained: ff.Diagnosis, rotated: ff.Diagnosis
) -> None:
    assert is_matryoshka(trained)
    assert not is_matryoshka(rotated)
    assert text(trained).startswith("Matryoshka")
    assert text(rotated).startswith("Not Matryoshka")
    assert "fit_rotation" not in text(trained)
    assert "fit_rotation" in text(rotated)
    assert rotated.prefixes[0].principal == pytest.approx(trained.prefixes[0].recall, abs=0.05)


def test_it_prints_a_table(trained: ff.Diagnosis) -> None:
    printed = str(trained)
    assert "random rotation" in printed
    assert f"{trained.prefixes[0].recall:.3f}" in printed
    assert "exact search takes milliseconds" in printed


def test_sign_bits_that_are_not_centred_are_named(trained: ff.Diagnosis) -> None:
    shifted = ff.diagnose(matryoshka_rows() + np.float32(1))
    zero_one = ff.diagnose((np.random.default_rng(1).random((900, 48)) < 0.2).astype("f4") + 0)

    assert "Sign bits are weak" in text(shifted)
    assert shifted.one_sided_dims == 1
    assert shifted.centred_sign_recall > shifted.sign_recall + 0.2
    assert "Sign bits are weak" not in text(trained)
    assert zero_one.one_sided_dims == 0
    assert "not normalised" in text(zero_one)
    assert trained.unit_share == 1


def test_zero_and_repeated_rows_are_counted() -> None:
    rows = matryoshka_rows(600)
    rows[5:8] = 0
    rows[100:110] = rows[50]

    found = ff.diagnose(rows)

    assert (found.zero_rows, found.duplicate_rows) == (3, 12)
    assert "3 rows are all zeros" in text(found)
    assert "12 rows repeat" in text(found)


def test_mistakes_are_named() -> None:
    rows = matryoshka_rows(40)
    with pytest.raises(ValueError, match="at least 12 nonzero rows, got 5"):
        ff.diagnose(rows[:5])
    rows[3, 3] = np.inf
    with pytest.raises(ValueError, match="nan or inf in row 3"):
        ff.diagnose(rows)


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_few_dims(dim: int) -> None:
    found = ff.diagnose(np.random.default_rng(0).standard_normal((200, dim)))
    assert str(found)
    assert all(p.dims < dim for p in found.prefixes)
