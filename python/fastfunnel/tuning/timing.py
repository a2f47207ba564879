"""What a funnel really takes: single queries and a batch, on one thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from fastfunnel.funnel import Funnel
from fastfunnel.runtime import active_isa
from fastfunnel.tuning.budget import NEVER, Deadline
from fastfunnel.tuning.sample import Queries

if TYPE_CHECKING:
    from fastfunnel.index import Index

_SINGLES = 32  # queries of a round
_BATCH = 64
_ROUNDS = 3
_ENOUGH_SECONDS = 0.2  # after which no further round starts


@dataclass(frozen=True)
class Timing:
    """Seconds of single queries, and queries a second in a batch; one thread.

    p50, p99: seconds.
    queries_per_second: of the best batch.
    """

    p50: float
    p99: float
    queries_per_second: float


Key = tuple[str, int, int, Funnel | None]

_remembered: WeakKeyDictionary[Index, dict[Key, Timing]] = WeakKeyDictionary()
_raced: WeakKeyDictionary[Index, set[Key]] = WeakKeyDictionary()


def time_funnel(index: Index, queries: Queries, k: int, funnel: Funnel | None) -> Timing:
    """Return how fast a funnel is (None: exact search), the best of a few rounds.

    Other work on the machine only ever adds time, so the least is the truest. Remembered with
    the index, so that tuning it again chooses alike.
    """
    known = _remembered.setdefault(index, {})
    key = _key(index, k, funnel)
    if key not in known:
        known[key] = measure(index, queries, k, funnel)
    return known[key]


def race(
    index: Index,
    queries: Queries,
    k: int,
    funnels: Sequence[Funnel | None],
    deadline: Deadline = NEVER,
    rounds: int = 4,
) -> list[Timing]:
    """Return the timings of funnels that take turns, so that a busy moment hits all of them.

    Also remembered: funnels that have been in a race do not run again.
    """
    keys = [_key(index, k, funnel) for funnel in funnels]
    raced = _raced.setdefault(index, set())
    if not raced.issuperset(keys):
        for _ in range(rounds):
            if deadline.left < 0:
                break
            for key, funnel in zip(keys, funnels, strict=True):
                known = time_funnel(index, queries, k, funnel)
                fresh = measure(index, queries, k, funnel)
                _remembered[index][key] = Timing(
                    min(known.p50, fresh.p50),
                    min(known.p99, fresh.p99),
                    max(known.queries_per_second, fresh.queries_per_second),
                )
        raced.update(keys)
    return [time_funnel(index, queries, k, funnel) for funnel in funnels]


def _key(index: Index, k: int, funnel: Funnel | None) -> Key:
    return (active_isa(), len(index), k, funnel)


def measure(
    index: Index, queries: Queries, k: int, funnel: Funnel | None, singles_a_round: int = _SINGLES
) -> Timing:
    """Return what `time_funnel` does, measured anew with so many single queries a round."""
    exact = funnel is None
    index.search(queries[:1], k, funnel=funnel, exact=exact, threads=1)  # builds planes
    start = perf_counter()
    p50s, p99s, batches = [], [], []
    for _ in range(_ROUNDS):
        singles = []
        for query in queries[:singles_a_round]:
            before = perf_counter()
            index.search(query, k, funnel=funnel, exact=exact, threads=1)
            singles.append(perf_counter() - before)
            if perf_counter() - start > _ENOUGH_SECONDS and len(singles) >= 3:
                break
        p50s.append(median(singles))
        p99s.append(sorted(singles)[min(len(singles) - 1, int(0.99 * len(singles)))])
        count = min(_BATCH, len(queries), max(2, int(_ENOUGH_SECONDS / max(p50s[-1], 1e-6))))
        before = perf_counter()
        index.search(queries[:count], k, funnel=funnel, exact=exact, threads=1)
        batches.append((perf_counter() - before) / count)
        if perf_counter() - start > _ENOUGH_SECONDS:
            break
    return Timing(min(p50s), min(p99s), 1 / max(min(batches), 1e-9))
