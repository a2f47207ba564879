"""The module for ann-benchmarks, called as its runner calls it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("yaml")
pytest.importorskip("typer")
ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not (ROOT / "bench").exists(), reason="needs the repository")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT))
    before = set(sys.modules)
    from bench.ann_benchmarks import run

    yield run
    for name in set(sys.modules) - before:
        if name.startswith("ann_benchmarks"):
            del sys.modules[name]


@pytest.mark.parametrize("metric", ["angular", "euclidean"])
def test_every_setting_of_the_configuration(metric: str, run: Any) -> None:
    from bench.datasets import synthetic

    data = synthetic(30_000, 128, queries=40)
    base, queries = data.base.astype(np.float64), data.queries
    if metric == "angular":
        unit = base / np.linalg.norm(base, axis=1, keepdims=True)
        truth = np.argsort(-(queries @ unit.T), axis=1)[:, :10]
    else:
        squares = (base**2).sum(axis=1) - 2 * queries @ base.T
        truth = np.argsort(squares, axis=1)[:, :10]
    ((constructor, arguments, settings),) = run.definitions(metric)
    algorithm = constructor(*arguments)
    algorithm.fit(base)

    recalls = []
    for setting in settings:
        algorithm.set_query_arguments(*setting)
        answers, per_second = run.best_of(algorithm, queries, runs=1)
        algorithm.batch_query(queries, 10)
        np.testing.assert_array_equal(algorithm.get_batch_results(), answers)
        found = [
            len(set(a) & set(b)) for a, b in zip(answers.tolist(), truth.tolist(), strict=True)
        ]
        recalls.append(sum(found) / truth.size)
        assert per_second > 0
        assert str(setting[0]) in str(algorithm)

    assert arguments == [metric]
    assert recalls[-1] == 1
    assert recalls[0] < recalls[-2]
    algorithm.done()
    with pytest.raises(NotImplementedError):
        constructor("jaccard")
