"""normalize, truncate, binarize."""

from __future__ import annotations

import numpy as np
import pytest

import fastfunnel as ff

DTYPES = ("float32", "float64", "float16", "int8")


@pytest.mark.parametrize("dtype", DTYPES)
def test_normalize_gives_unit_rows_in_the_same_direction(
    rng: np.random.Generator, dtype: str
) -> None:
    x = (10 * rng.standard_normal((50, 33))).astype(dtype)
    x[:, 0] = 1  # no zero rows

    unit = ff.normalize(x)

    assert unit.dtype == (np.float64 if dtype == "float64" else np.float32)
    wide = x.astype(np.float64)
    expected = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    np.testing.assert_allclose(unit, expected, rtol=0, atol=1e-7)


def test_normalize_keeps_zero_rows_zero() -> None:
    unit = ff.normalize(np.array([[0, 0], [3, 4]], dtype=np.float32))

    np.testing.assert_array_equal(unit, np.array([[0, 0], [0.6, 0.8]], dtype=np.float32))


@pytest.mark.parametrize("scale", [1e-44, 1e-20, 1e18, 1e38])
def test_normalize_does_not_overflow(scale: float) -> None:
    unit = ff.normalize(np.full((1, 4), scale, dtype=np.float32))

    np.testing.assert_array_equal(unit, np.full((1, 4), 0.5, dtype=np.float32))


def test_normalize_of_float64_beyond_float32() -> None:
    np.testing.assert_array_equal(ff.normalize(np.full((1, 4), 1e300)), np.full((1, 4), 0.5))


def test_normalize_makes_a_new_array() -> None:
    x = np.eye(3, dtype=np.float32)
    unit = ff.normalize(x)
    unit[0, 0] = 7

    assert not np.shares_memory(x, unit)
    np.testing.assert_array_equal(x, np.eye(3))


def test_truncate_renormalises_the_prefix(rng: np.random.Generator) -> None:
    x = ff.normalize(rng.standard_normal((20, 16)).astype(np.float32))

    short = ff.truncate(x, 5)

    assert short.shape == (20, 5)
    np.testing.assert_array_equal(short, ff.normalize(x[:, :5].copy()))
    np.testing.assert_allclose(np.linalg.norm(short, axis=1), 1, atol=1e-6)


def test_truncate_to_all_dims_is_normalize(rng: np.random.Generator) -> None:
    x = rng.standard_normal((4, 9))
    np.testing.assert_array_equal(ff.truncate(x, 9), ff.normalize(x))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("dims", [1, 7, 8, 9, 63, 64, 65, None])
def test_binarize_packs_signs_as_numpy_does(
    rng: np.random.Generator, dtype: str, dims: int | None
) -> None:
    x = rng.integers(-2, 3, (30, 65)).astype(dtype)  # 0 among them: its bit is 0

    codes = ff.binarize(x, dims)

    n_bits = 65 if dims is None else dims
    assert codes.dtype == np.uint8
    assert codes.shape == (30, (n_bits + 7) // 8)
    bits = np.unpackbits(codes, axis=1)
    np.testing.assert_array_equal(bits[:, :n_bits], x[:, :n_bits] > 0)
    assert not bits[:, n_bits:].any()


def test_binarize_puts_the_first_dim_in_the_highest_bit() -> None:
    x = np.array([[1, -1, -1, -1, -1, -1, -1, -1, 1]], dtype=np.int8)
    assert ff.binarize(x).tolist() == [[0b1000_0000, 0b1000_0000]]


def test_lists_of_floats_are_accepted() -> None:
    np.testing.assert_array_equal(ff.normalize([[3.0, 4.0]]), [[0.6, 0.8]])
    assert ff.binarize([[1.0, -1.0]]).tolist() == [[0b1000_0000]]
