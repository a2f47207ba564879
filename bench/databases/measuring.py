"""Recall of every setting, then times of the few that matter, in rounds beside ours."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Any

import numpy as np

from bench.contenders.contender import Float32s, Ids, Setting
from bench.databases.system import K, System
from bench.timing import shuffled
from bench.truth import Truth

TARGET = 0.99
_WARM, _WARM_S = 5, 1.0  # queries before the measured ones of a turn, fewer if they take longer
_FEWEST = 100  # queries that recall is taken over, unless they take longer than
_LONGEST_S = 20.0
_FEWEST_TIMED = 4  # queries of a turn, however slow
_BATCH_GAIN = (
    4  # times as many queries are asked at once as one by one: batches are that much faster
)


@dataclass(frozen=True)
class Swept:
    """One setting's recall and a first idea of its speed."""

    row: str
    label: str
    recall: float
    queries: int
    seconds: float  # a query, one at a time
    seconds_many: float  # a query, many at once


@dataclass
class Timed:
    """One setting in several rounds."""

    system: str
    row: str
    label: str
    recall: float
    many: str
    queries: int  # that recall is over
    latencies: list[list[float]] = field(default_factory=list)  # seconds, one list a round
    rates: list[float] = field(default_factory=list)  # queries a second, many at once

    @property
    def round_qps(self) -> list[float]:
        """Queries a second of one client in each round."""
        return [len(part) / sum(part) for part in self.latencies]

    def percentile(self, share: float) -> float:
        """Return a percentile of the latencies, in milliseconds."""
        return float(np.percentile(np.concatenate(self.latencies), share)) * 1e3

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, latencies as percentiles."""
        data = asdict(self)
        del data["latencies"]
        return data | {
            "round_qps": self.round_qps,
            "qps": statistics.median(self.round_qps),
            "qps_many": statistics.median(self.rates),
            "p50_ms": self.percentile(50),
            "p99_ms": self.percentile(99),
            "timed": sum(map(len, self.latencies)),
        }


def sweep(
    system: System, settings: Iterable[Setting], queries: Float32s, truth: Truth, budget: float
) -> list[Swept]:
    """Return the recall of each setting over all queries, or as many as `budget` seconds allow.

    At least 100 are asked, or as many as 20 seconds allow where one takes longer than 0.2.
    """
    found = []
    for setting in settings:
        system.use(setting)
        alone = _estimate(system, queries)
        if alone < _WARM_S / _WARM:
            alone = statistics.median(_one_by_one(system, queries[:20]))
        fewest = min(_FEWEST, max(20, int(_LONGEST_S / alone)))
        count = min(len(queries), max(fewest, int(budget / alone)))
        start = perf_counter()
        answers = system.search_many(queries[:count])
        many = (perf_counter() - start) / count
        recall = truth.recall(_table(answers))
        found.append(Swept(setting.row, setting.label, recall, count, alone, many))
    return found


def choose(swept: Sequence[Swept]) -> list[Swept]:
    """Return, of each row, the cheapest setting that reaches TARGET, or else the best one.

    Settings stand from cheap to dear, so that no noise of the sweep's times can choose.
    """
    chosen = []
    for row in dict.fromkeys(s.row for s in swept):
        own = [s for s in swept if s.row == row]
        reached = (s for s in own if s.recall >= TARGET)
        chosen.append(next(reached, max(own, key=lambda s: s.recall)))
    return chosen


def measure(
    entries: Sequence[tuple[System, Setting, Timed]], queries: Float32s, rounds: int, budget: float
) -> None:
    """Time every entry once a round, in a random order: one query at a time, then many at once.

    Before the first round each answers some queries unmeasured.

    Args:
        entries: open systems; each `Timed` is filled.
        queries: each turn takes as many as fit the budget, another slice each round.
        rounds: turns of each entry.
        budget: seconds of a turn, half for each way of asking.
    """
    for system, setting, _ in entries:
        system.use(setting)
        system.search_many(_slice(queries, budget / 4 / _estimate(system, queries), 0))
    for number in range(rounds):
        for system, setting, timed in shuffled(list(entries), number):
            system.use(setting)
            estimate = _estimate(system, queries)
            part = _slice(queries, budget / 2 / estimate, number)
            gc.collect()
            gc.disable()
            try:
                timed.latencies.append(_one_by_one(system, part))
                many = _slice(queries, _BATCH_GAIN * budget / 2 / estimate, number)
                start = perf_counter()
                system.search_many(many)
                timed.rates.append(len(many) / (perf_counter() - start))
            finally:
                gc.enable()


def _slice(queries: Float32s, fitting: float, number: int) -> Float32s:
    count = min(len(queries), max(_FEWEST_TIMED, int(fitting)))
    return np.take(queries, range(number * count, (number + 1) * count), axis=0, mode="wrap")


def _estimate(system: System, queries: Float32s) -> float:
    """Return about how many seconds a query takes, and warm what the turn before has emptied."""
    taken: list[float] = []
    while len(taken) < _WARM and sum(taken) < _WARM_S:
        taken += _one_by_one(system, queries[-1 - len(taken) :][:1])
    return statistics.median(taken)


def _one_by_one(system: System, queries: Float32s) -> list[float]:
    latencies = []
    for query in queries:
        start = perf_counter()
        system.search(query)
        latencies.append(perf_counter() - start)
    return latencies


def _table(answers: Sequence[Ids]) -> Ids:
    """Return answers as rows of K ids, -1 where a system found fewer."""
    table = np.full((len(answers), K), -1, np.int64)
    for row, ids in zip(table, answers, strict=True):
        row[: len(ids[:K])] = ids[:K]
    return table
