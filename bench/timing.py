"""Times of several things measured in turns, so that a slow minute of the machine hits them all."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any, NamedTuple

Times = dict[str, list[float]]


class Ratio(NamedTuple):
    """How many times as fast: the median over rounds, the lowest and the highest round."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return it as tables show it."""
        return f"{self.median:.2f}x ({self.low:.2f}-{self.high:.2f})"


def seconds(call: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = perf_counter()
    call()
    return perf_counter() - start


def interleaved(calls: Mapping[str, Callable[[], object]], rounds: int) -> Times:
    """Return the seconds of each call in each round.

    Every call runs once unmeasured; then each round runs all of them in a seeded random order.
    """
    for call in calls.values():
        call()
    times: Times = {name: [] for name in calls}
    for number in range(rounds):
        for name in shuffled(list(calls), number):
            times[name].append(seconds(calls[name]))
    return times


def one_by_one(search: Callable[[Any], object], queries: Any) -> Callable[[], object]:
    """Return a call that searches the queries one at a time."""
    rows = [queries[i : i + 1] for i in range(len(queries))]

    def run() -> None:
        for row in rows:
            search(row)

    return run


def speed_ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """Return theirs / ours of the seconds of each round: above 1 means that ours is faster."""
    ratios = [their / our for our, their in zip(ours, theirs, strict=True)]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def shuffled(items: list[Any], seed: int) -> list[Any]:
    """Return the items in an order that depends on the seed only."""
    return random.Random(seed).sample(items, len(items))
