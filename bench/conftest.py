"""What the pytest-benchmark files share: one thread, and the same rows for ours and NumPy's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from bench import datasets
from bench.machine import headline, machine_facts
from bench.pinning import thread_limit

DATASETS = ("wordnet_wl256", "wordnet_mrl1024")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fastfunnel benchmarks")
    group.addoption("--rows", type=int, default=100_000, help="base rows")
    group.addoption("--queries", type=int, default=200, help="queries of a batch")


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [headline(machine_facts())]


def pytest_benchmark_update_machine_info(
    config: pytest.Config, machine_info: dict[str, object]
) -> None:
    machine_info["fastfunnel"] = machine_facts()


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    with thread_limit(1):
        yield


@pytest.fixture(scope="session", params=DATASETS)
def dataset(request: pytest.FixtureRequest) -> datasets.Dataset:
    rows, queries = request.config.getoption("--rows"), request.config.getoption("--queries")
    return datasets.load(request.param, rows, queries)


@pytest.fixture(scope="session")
def base(dataset: datasets.Dataset) -> np.ndarray:
    return dataset.base


@pytest.fixture(scope="session")
def queries(dataset: datasets.Dataset) -> np.ndarray:
    return dataset.queries


@pytest.fixture
def group(request: pytest.FixtureRequest, benchmark, dataset: datasets.Dataset) -> None:
    """Put ours beside NumPy's: a group is a function and a data set."""
    function = request.function.__name__.removeprefix("test_").rsplit("__", 1)[0]
    benchmark.group = f"{function}: {dataset.title}"
