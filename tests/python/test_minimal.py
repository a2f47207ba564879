"""If only one file is run, this one: the wheel is whole and its answers are right."""

from __future__ import annotations

import numpy as np
import pytest

import fastfunnel as ff
from fastfunnel import reference


@pytest.mark.parametrize("isa", ff.available_isas())
def test_index_finds_what_brute_force_finds(isa: str) -> None:
    rng = np.random.default_rng(1)
    base = rng.standard_normal((2000, 128)).astype(np.float32)
    queries = base[:20] + 0.1 * rng.standard_normal((20, 128)).astype(np.float32)
    index = ff.Index(dim=128)
    index.add(base)

    found = index.search(queries, k=5, isa=isa)

    np.testing.assert_array_equal(found.ids, reference.exact_search(base, queries, k=5).ids)
    assert found.ids[:, 0].tolist() == list(range(20))


@pytest.mark.parametrize("isa", ff.available_isas())
def test_funnel_over_every_precision_finds_it_too(isa: str) -> None:
    rng = np.random.default_rng(2)
    base = rng.standard_normal((2000, 128)).astype(np.float32)
    queries = base[:20] + 0.1 * rng.standard_normal((20, 128)).astype(np.float32)
    funnel = ff.Funnel.parse("b1@64>500 b1@128>200 i8@128>50 f32@128")

    found = ff.funnel_search(base, queries, 5, funnel, isa=isa)

    np.testing.assert_array_equal(found.ids, reference.funnel_search(base, queries, 5, funnel).ids)
    assert found.ids[:, 0].tolist() == list(range(20))


def test_hamming_search_counts_bits() -> None:
    codes = ff.binarize(np.array([[1, 1, 1], [1, -1, 1], [-1, -1, -1]], dtype=np.float32))

    found = ff.hamming_search(codes, codes[:1], k=3)

    assert found.ids.tolist() == [[0, 1, 2]]
    assert found.distances.tolist() == [[0, 1, 3]]


def test_version_is_that_of_the_build() -> None:
    assert ff.__version__ == ff.build_info()["version"]
