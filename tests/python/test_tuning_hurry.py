"""What a tuning leaves behind whose time was out early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

import fastfunnel as ff
from fastfunnel.tuning import Front, FrontPoint, Tuned, tuner
from fastfunnel.tuning.budget import Budget, OutOfTimeError, Silence
from fastfunnel.tuning.chains import Chain
from fastfunnel.tuning.cost import Costs
from fastfunnel.tuning.sample import Sample
from fastfunnel.tuning.target import OneIndex
from fastfunnel.tuning.tuner import _Tuning

Floats = npt.NDArray[np.float32]


class Hurried(_Tuning):
    """A tuning that has no time to compare funnels."""

    def _chains(self, sample: Sample) -> tuple[list[Chain], Sample, Costs]:
        raise OutOfTimeError


@pytest.mark.parametrize(("recall", "is_exact"), [(0.9, False), (0.99999, True)])
def test_without_time_to_compare_the_default_is_checked(recall: float, is_exact: bool) -> None:
    index, queries = copies(np.random.default_rng(5), 0.3)
    report = Hurried(OneIndex(index), 10, recall, "latency", 0, 0.99, Budget(600), Silence()).run(
        queries
    )

    default = index.untuned_funnel(10)
    assert default is not None
    tested = [point.funnel for point in report.front.points]
    assert default in tested
    assert (report.funnel is None) == is_exact
    if not is_exact:
        assert report.interval[0] >= recall
        assert "the default one was checked" in str(report)


class OutOfTime(Hurried):
    """One that had no time for a check either."""

    def _check(self, sample: Sample, chains: Sequence[Chain]) -> list[FrontPoint]:
        return []


def copies(rng: np.random.Generator, spread: float) -> tuple[ff.Index, Floats]:
    """Return an index of near copies, and queries near one of them each."""
    rows = np.repeat(rng.standard_normal((1500, 64)), 20, axis=0)
    rows += 0.3 * rng.standard_normal(rows.shape)
    index = ff.Index(64)
    index.add(rows)
    queries = rows[::50] + spread * rng.standard_normal((600, 64))
    return index, ff.normalize(queries.astype(np.float32))


@pytest.mark.parametrize(
    ("recall", "spread", "stays"), [(0.99, 0.3, True), (0.999, 0.3, False), (0.99, 9.0, False)]
)
def test_without_time_for_a_check_the_default_stays_unless_it_fails(
    recall: float, spread: float, stays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, queries = copies(np.random.default_rng(5), spread)
    default = index.untuned_funnel(10)
    monkeypatch.setattr(tuner, "_Tuning", OutOfTime)
    report = index.tune(queries[:20], k=10, recall=recall, budget_s=600)

    assert report.front.is_sure != stays
    assert report.funnel == index.default_funnel(10) == (default if stays else None)
    assert index.search(queries[:5], 10, recall=recall).ids.tolist() == (
        index.search(queries[:5], 10, exact=True).ids.tolist()
    )
    if stays:
        assert report.interval[0] < recall
        assert "The default funnel stays in use" in str(report)
        assert index.search(queries[:5], 10, recall=report.interval[0]).ids.shape == (5, 10)


def test_an_unsure_front_survives_json_and_decides_nothing() -> None:
    exact = FrontPoint(None, 1.0, 1.0, 1.0, 1.0, 256)
    front = Front(10, 0.99, 0.99, "latency", 1000, (exact,), is_sure=False)
    for tuned in (Tuned({10: front}), Tuned.from_dict(Tuned({10: front}).to_dict())):
        assert not tuned.decide(10)
        assert not tuned.decide(9)
    assert Tuned({10: replace(front, is_sure=True)}).decide(10)
    older = front.to_dict()
    del older["is_sure"]
    assert Front.from_dict(older).is_sure
