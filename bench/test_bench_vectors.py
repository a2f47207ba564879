"""normalize, truncate and binarize beside NumPy. Answers are compared once, outside the timing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import fastfunnel as ff
from bench import numpy_baseline

pytestmark = pytest.mark.usefixtures("group")

_FUNCTIONS: dict[str, dict[str, Callable[..., np.ndarray]]] = {
    "normalize": {"fastfunnel": ff.normalize, "numpy": numpy_baseline.normalize},
    "truncate": {"fastfunnel": ff.truncate, "numpy": numpy_baseline.truncate},
    "binarize": {"fastfunnel": ff.binarize, "numpy": numpy_baseline.binarize},
}


@pytest.mark.parametrize("by", ["fastfunnel", "numpy"])
def test_normalize(benchmark, base: np.ndarray, by: str) -> None:
    found = benchmark(_FUNCTIONS["normalize"][by], base)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("by", ["fastfunnel", "numpy"])
def test_truncate(benchmark, base: np.ndarray, by: str) -> None:
    found = benchmark(_FUNCTIONS["truncate"][by], base, base.shape[1] // 4)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("by", ["fastfunnel", "numpy"])
def test_binarize(benchmark, base: np.ndarray, by: str) -> None:
    found = benchmark(_FUNCTIONS["binarize"][by], base)
    np.testing.assert_array_equal(found, numpy_baseline.binarize(base))
