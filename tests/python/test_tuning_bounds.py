"""The lower bound of a recall: exact where theory is, and holding as often as it says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fastfunnel.tuning.confidence import (
    CAUTIOUS_EFFECT,
    design_effect,
    design_effects,
    fewest_neighbours,
    lower_bound,
)


@pytest.mark.parametrize(("misses", "n"), [(0, 50), (1, 50), (7, 200), (40, 100)])
def test_the_bound_is_clopper_and_pearsons(misses: int, n: int) -> None:
    found = (np.arange(n) >= misses)[:, np.newaxis]
    p = 1 - lower_bound(found, 0.95, effect=1.0)
    tail = sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(misses + 1))

    assert tail == pytest.approx(0.05, rel=1e-6)


def test_neighbours_that_fall_together_count_as_one() -> None:
    rng = np.random.default_rng(0)
    whole = np.repeat(rng.random((2000, 1)) < 0.9, 10, axis=1)
    apart = rng.random((2000, 10)) < 0.9

    assert design_effect(whole) == pytest.approx(10, rel=0.01)
    assert design_effect(apart) == pytest.approx(1, abs=0.1)
    assert lower_bound(whole, 0.99) < lower_bound(apart, 0.99) < apart.mean()


def test_the_bound_holds_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    truth = 0.97
    held = []
    for _ in range(400):
        hard = rng.beta(97 / 4, 3 / 4, (150, 1))  # queries differ, so neighbours fall together
        held.append(lower_bound(rng.random((150, 10)) < hard, 0.95) <= truth)

    assert np.mean(held) >= 0.93


def test_rare_misses_of_one_query_count_as_one() -> None:
    found = np.ones((700, 10), dtype=bool)
    assert design_effects([found], 0.99)[0] == pytest.approx(CAUTIOUS_EFFECT, rel=0.02)
    found[3] = False
    together = design_effects([found], 0.99)[0]
    assert design_effect(found) is None
    assert together == pytest.approx(10, rel=0.02)
    found[3], found[:10, 0] = True, False
    assert lower_bound(found, 0.99, together) < lower_bound(found, 0.99, 2.0)


def test_few_queries_count_for_less() -> None:
    rng = np.random.default_rng(0)
    few, many = (rng.random((n, 10)) < 0.7 for n in (25, 2500))
    assert design_effects([few], 0.99)[0] / (design_effect(few) or 0) > 1.1
    assert design_effects([many], 0.99)[0] / (design_effect(many) or 0) < 1.01


def test_the_fewest_neighbours_just_suffice() -> None:
    needed = fewest_neighbours(0.99, 0.01)
    everything = np.ones((round(needed), 1), dtype=bool)
    assert lower_bound(everything, 0.99, 1.3) == pytest.approx(0.99, abs=1e-4)
