"""The parts of tuning: choosing among funnels, the bound on recall, ranks."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import fastfunnel as ff
from fastfunnel.tuning import Front, FrontPoint, Tuned
from fastfunnel.tuning.confidence import design_effect, lower_bound
from fastfunnel.tuning.plan import LEVELS, keep_grid
from fastfunnel.tuning.ranks import BEYOND, ranks_in
from fastfunnel.tuning.sample import are_among, without_own


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


def test_helpers_say_what_numpy_says() -> None:
    truth = np.array([[5, 7], [1, 9]])
    ids = np.array([[7, 3, 5], [2, 9, 4]])

    assert ranks_in(truth, ids).tolist() == [[3, 1], [BEYOND, 2]]
    assert are_among(truth, ids).tolist() == [[True, True], [False, True]]
    assert without_own(ids, np.array([3, 8])).tolist() == [[7, 5], [2, 9]]
    assert keep_grid(10, 30) == [10, 13, 17, 22, 29, 30]
    assert [level.loss for level in LEVELS] == sorted(level.loss for level in LEVELS)
