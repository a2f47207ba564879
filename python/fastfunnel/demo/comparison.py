"""Measure contenders side by side: recall, latency and throughput on held-out queries."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import numpy as np

from fastfunnel.demo.contenders import Contender, IdRows
from fastfunnel.embedders import FloatRows

MOST_SINGLE_QUERIES = 200
"""Queries asked one by one in a repeat; the whole batch is asked as well."""
SAME_SCORE = 1e-6


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one contender did; times are medians over the repeats."""

    name: str
    scanned_bytes: int
    recall: float
    p50_ms: float
    p99_ms: float
    queries_per_second: float


@dataclass(frozen=True, slots=True)
class _Round:
    p50_ms: float
    p99_ms: float
    queries_per_second: float


def compare(
    searches: list[Contender],
    base: FloatRows,
    queries: FloatRows,
    *,
    k: int = 10,
    repeats: int = 3,
    on_turn: Callable[[int, int], None] | None = None,
) -> list[Measurement]:
    """Measure every contender on (m, dim) queries over (n, dim) base rows, both unit float32.

    The first contender is the truth the others' recall is measured against. The contenders take
    turns within a repeat, each repeat starting with another one, so that a passing load on the
    machine falls on all of them. numpy keeps to one thread throughout. After each turn `on_turn`
    is told how many turns are done, and of how many.

    Raises:
        ValueError: `repeats` is below 1.
        ImportError: threadpoolctl is not installed.
    """
    if repeats < 1:
        raise ValueError(f"at least one repeat is needed, not {repeats}")
    rounds: list[list[_Round]] = [[] for _ in searches]
    with one_numpy_thread():
        answers = [contender.search(queries, k) for contender in searches]  # and a warm-up
        for repeat in range(repeats):
            for turn in range(len(searches)):
                place = (repeat + turn) % len(searches)
                rounds[place].append(_time(searches[place], queries, k))
                if on_turn is not None:
                    on_turn(repeat * len(searches) + turn + 1, repeats * len(searches))
    return [
        Measurement(
            name=contender.name,
            scanned_bytes=contender.scanned_bytes,
            recall=recall(base, queries, answer, answers[0]),
            p50_ms=median(one.p50_ms for one in times),
            p99_ms=median(one.p99_ms for one in times),
            queries_per_second=median(one.queries_per_second for one in times),
        )
        for contender, answer, times in zip(searches, answers, rounds, strict=True)
    ]


def recall(base: FloatRows, queries: FloatRows, ids: IdRows, truth: IdRows) -> float:
    """Return the share of the true answers found, over (m, k) ids with -1 for a missing one.

    Texts of the same words have the same vector, so any row that scores as high as the last
    true answer counts: which of two equal rows is returned is no error.
    """
    last = _scores(base, queries, truth).min(axis=1, keepdims=True)
    return float((_scores(base, queries, ids) >= last - SAME_SCORE).sum() / truth.size)


def _scores(base: FloatRows, queries: FloatRows, ids: IdRows) -> FloatRows:
    scores = np.full(ids.shape, -np.inf, np.float32)
    for row, (query, found) in enumerate(zip(queries, ids, strict=True)):
        scores[row, found >= 0] = base[found[found >= 0]] @ query
    return scores


def _time(contender: Contender, queries: FloatRows, k: int) -> _Round:
    singles: list[float] = []
    for row in range(min(len(queries), MOST_SINGLE_QUERIES)):
        query = queries[row : row + 1]
        started = perf_counter()
        contender.search(query, k)
        singles.append(1000 * (perf_counter() - started))
    started = perf_counter()
    contender.search(queries, k)
    elapsed = max(perf_counter() - started, 1e-9)
    p50, p99 = np.percentile(singles, [50, 99])
    return _Round(float(p50), float(p99), len(queries) / elapsed)


@contextmanager
def one_numpy_thread() -> Iterator[None]:
    """Keep numpy's matrix products to one thread within the block.

    Raises:
        ImportError: threadpoolctl is not installed.
    """
    try:
        threadpoolctl = importlib.import_module("threadpoolctl")
    except ImportError as error:
        raise ImportError("threadpoolctl is missing: pip install 'fastfunnel[demo]'") from error
    with threadpoolctl.threadpool_limits(limits=1):
        yield
