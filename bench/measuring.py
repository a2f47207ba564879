"""Every setting of every contender, measured in rounds: all of them in each round."""

from __future__ import annotations

import gc
import statistics
from dataclasses import asdict, dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, Literal

import numpy as np

from bench.contenders.contender import Contender, Float32s, Ids, Setting
from bench.datasets import Dataset
from bench.output import console
from bench.pinning import thread_limit
from bench.timing import seconds, shuffled
from bench.truth import Truth

Mode = Literal["batch", "single"]
MODES: tuple[Mode, ...] = ("batch", "single")
_WARM = 3  # single queries before the measured ones of a turn: the turn before emptied the caches


@dataclass
class Point:
    """One setting at one thread count, in batch or one query at a time."""

    contender: str
    row: str
    label: str
    threads: int
    mode: Mode
    build_seconds: float
    bytes_per_row: float
    recall: float = 0.0
    round_qps: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list, repr=False)  # seconds, single only

    @property
    def qps(self) -> float:
        """Queries a second: the median over rounds."""
        return statistics.median(self.round_qps)

    def percentile(self, share: float) -> float:
        """Return a percentile of the latencies of single queries, in milliseconds."""
        return float(np.percentile(self.latencies, share)) * 1e3 if self.latencies else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, latencies as percentiles."""
        data = asdict(self)
        data.pop("latencies")
        data["qps"] = self.qps
        if self.latencies:
            data |= {f"p{share}_ms": self.percentile(share) for share in (50, 99)}
        return data


@dataclass
class _Entry:
    contender: Contender
    setting: Setting
    points: dict[Mode, Point]
    single_ids: list[Ids] = field(default_factory=list)


def build_all(contenders: list[Contender], base: Float32s, threads: int) -> dict[str, float]:
    """Build every index with `threads` threads, one after the other; return the seconds of each."""
    times = {}
    with thread_limit(threads):
        for contender in contenders:
            times[contender.name] = seconds(partial(contender.build, base, threads))
            console.print(f"built {contender.name} in {times[contender.name]:.1f} s", style="dim")
    return times


def measure(
    contenders: list[Contender],
    builds: dict[str, float],
    dataset: Dataset,
    truth: Truth,
    threads: int,
    rounds: int,
    single: int,
) -> list[Point]:
    """Return a point for each setting and mode.

    Args:
        contenders: built.
        builds: seconds of each build.
        dataset: its queries are searched.
        truth: of those queries.
        threads: contenders that cannot run with this count are left out.
        rounds: each runs every setting once, in a random order.
        single: queries searched one at a time in each round; another slice each round.
    """
    entries = [
        _Entry(contender, setting, _points(contender, setting, threads, builds))
        for contender in contenders
        if contender.fixed_threads in (None, threads)
        for setting in contender.settings
    ]
    slices = _slices(len(dataset.queries), rounds, single)
    with thread_limit(threads):
        for entry in entries:
            _warm(entry, dataset.queries, truth, threads)
        for number, part in enumerate(slices):
            console.print(f"{threads} threads, round {number + 1} of {rounds}", style="dim")
            for entry in shuffled(entries, number):
                _turn(entry, dataset.queries, part, truth.k, threads)
    measured = np.concatenate([np.arange(part.start, part.stop) for part in slices])
    for entry in entries:
        entry.points["single"].recall = _single_recall(entry, truth, measured)
    return [point for entry in entries for point in entry.points.values()]


def _points(
    contender: Contender, setting: Setting, threads: int, builds: dict[str, float]
) -> dict[Mode, Point]:
    contender.use(setting)
    n_bytes = contender.bytes_per_row()
    build = builds[contender.name]
    return {
        mode: Point(contender.name, setting.row, setting.label, threads, mode, build, n_bytes)
        for mode in MODES
    }


def _slices(n_queries: int, rounds: int, single: int) -> list[slice]:
    step = max(1, min(single, n_queries // rounds))
    return [slice(i, i + step) for i in (r * step % n_queries for r in range(rounds))]


def _warm(entry: _Entry, queries: Float32s, truth: Truth, threads: int) -> None:
    entry.contender.use(entry.setting)
    ids = entry.contender.search(queries, truth.k, threads)
    entry.points["batch"].recall = truth.recall(ids)


def _turn(entry: _Entry, queries: Float32s, part: slice, k: int, threads: int) -> None:
    """Measure one setting once: some single queries, then the batch."""
    contender = entry.contender
    contender.use(entry.setting)
    rows = [queries[i : i + 1] for i in range(part.start, part.stop)]
    for i in range(part.stop, part.stop + _WARM):
        row = i % len(queries)
        contender.search(queries[row : row + 1], k, threads)
    latencies, answers = [], []
    gc.collect()
    gc.disable()
    try:
        for row in rows:
            start = perf_counter()
            answers.append(contender.search(row, k, threads))
            latencies.append(perf_counter() - start)
        start = perf_counter()
        contender.search(queries, k, threads)
        batch = perf_counter() - start
    finally:
        gc.enable()
    entry.single_ids += answers
    entry.points["single"].latencies += latencies
    entry.points["single"].round_qps.append(len(rows) / sum(latencies))
    entry.points["batch"].round_qps.append(len(queries) / batch)


def _single_recall(entry: _Entry, truth: Truth, measured: Ids) -> float:
    found = [
        truth.recall(ids, int(query)) for ids, query in zip(entry.single_ids, measured, strict=True)
    ]
    return float(np.mean(found))
