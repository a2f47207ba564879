"""What one node costs, and what shards of it do: the measurements behind bench/scale_model.py."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
import ray

import fastfunnel as ff
from bench.scale_model import Costs
from fastfunnel.distributed import ShardedIndex
from fastfunnel.distributed.routing import by_home, homes
from fastfunnel.tuning.sample import are_among

K = 10
_BATCH_ROWS = 65_536  # of an addition
_BATCH_QUERIES = 256
_SINGLES = 400
_ROUNDS = 3


def added(add: Callable[[np.ndarray], object], base: np.ndarray) -> float:
    """Seconds to add rows that lie in a mapped file."""
    start = time.perf_counter()
    for first in range(0, len(base), _BATCH_ROWS):
        add(base[first : first + _BATCH_ROWS])
    return time.perf_counter() - start


def latencies(search: Callable[[np.ndarray], object], queries: np.ndarray) -> np.ndarray:
    """Seconds of single queries, ascending; the first few do not count."""
    for query in queries[:5]:
        search(query[np.newaxis])
    seconds = []
    for number in range(_SINGLES):
        query = queries[number % len(queries)][np.newaxis]
        start = time.perf_counter()
        search(query)
        seconds.append(time.perf_counter() - start)
    return np.sort(seconds)


def batch_seconds(search: Callable[[np.ndarray], object], queries: np.ndarray) -> float:
    """Median seconds a query of a batch."""
    some = queries[:_BATCH_QUERIES]
    rounds = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        search(some)
        rounds.append((time.perf_counter() - start) / len(some))
    return median(rounds)


def for_rows(funnel: ff.Funnel, share: float) -> ff.Funnel:
    """The same funnel over a share of the rows: stages keep as large a share of them."""
    return ff.Funnel(
        ff.Stage(s.dims, s.precision, s.keep and max(2 * K, round(s.keep * share)))
        for s in funnel.stages
    )


@contextmanager
def folder() -> Iterator[Path]:
    """A directory that is gone afterwards."""
    path = Path(tempfile.mkdtemp(prefix="fastfunnel-scale-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def costs_of(
    base: np.ndarray, queries: np.ndarray, recall: float
) -> tuple[Costs, dict[str, float]]:
    """Measure one live index of all rows and one of a quarter; return costs and the whole's own."""
    points: dict[int, tuple[np.ndarray, float]] = {}
    with folder() as path:
        for part in (1, 4):
            rows = base[: len(base) // part]
            with ff.Index.create(path / str(part), dim=base.shape[1]) as index:
                seconds = added(index.add, rows)
                if part == 1:
                    report = index.tune(queries, K, recall, budget_s=20, progress=False)
                    funnel = report.funnel or index.untuned_funnel(K)
                    assert funnel is not None
                    build = seconds / len(rows)
                searched = for_rows(funnel, 1 / part)

                def search(some: np.ndarray, index=index, searched=searched) -> object:
                    return index.search(some, K, funnel=searched, threads=1)

                points[len(rows)] = latencies(search, queries), batch_seconds(search, queries)
                if part == 1:
                    efficiency = speedup(index, queries, funnel) / ff_cores()
                    _, code_bytes = index._core.sizes()
                    files = (f.stat().st_size for f in (path / "1").iterdir())
                    disk = sum(files) / len(rows)
            gc.collect()
    (many, (slow, slow_batch)), (few, (quick, quick_batch)) = points.items()
    single = float(np.median(slow) - np.median(quick)) / (many - few)
    batch = (slow_batch - quick_batch) / (many - few)
    call, call_of_shard, call_jitter, send = ray_costs(base, queries)
    costs = Costs(
        dims=base.shape[1],
        recall=recall,
        funnel=str(funnel),
        single_fixed=max(0.0, float(np.median(quick)) - single * few),
        single_slope=single,
        batch_fixed=max(0.0, quick_batch - batch * few),
        batch_slope=batch,
        call=call,
        call_of_shard=call_of_shard,
        code_bytes=code_bytes / many,
        disk_bytes=disk,
        build_slope=build,
        send_slope=send,
        efficiency=efficiency,
        jitter=tuple((slow / np.median(slow)).tolist()),
        call_jitter=call_jitter,
    )
    whole = {
        "rows": many,
        "build s": build * many,
        "codes MB": code_bytes / 1e6,
        "disk MB": disk * many / 1e6,
        "p50 ms": 1e3 * float(np.median(slow)),
        "p99 ms": 1e3 * float(np.quantile(slow, 0.99)),
        "batch q/s": 1 / slow_batch,
        "recall": report.recall,
    }
    return costs, whole


def ff_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def speedup(index: ff.Index, queries: np.ndarray, funnel: ff.Funnel) -> float:
    """How many times as fast a batch is on all cores as on one."""
    one, every = (
        batch_seconds(lambda some, n=n: index.search(some, K, funnel=funnel, threads=n), queries)
        for n in (1, ff_cores())
    )
    return one / every


def ray_costs(
    base: np.ndarray, queries: np.ndarray
) -> tuple[float, float, tuple[float, ...], float]:
    """Measure searches through Ray that find next to nothing to do, and what sending a row takes.

    Returns:
        Seconds of a call, and of each shard more; latencies over their median; seconds of a row.
    """
    took, jitter = {}, []
    for shards in (1, 4):
        with (
            folder() as path,
            ShardedIndex.create(path / "i", dim=base.shape[1], shards=shards) as index,
        ):
            index.add(queries[:64])

            def search(some: np.ndarray, index=index) -> object:
                return index.search(some, K, exact=True, threads=1)

            singles = latencies(search, queries)
            took[shards] = float(np.median(singles))
            jitter += (singles / took[shards]).tolist()
    start, rows = time.perf_counter(), np.asarray(base[:_BATCH_ROWS])
    for _, places in by_home(homes(np.arange(len(rows)), 4)):
        ray.put(rows[places])
    send = (time.perf_counter() - start) / len(rows)
    of_shard = max(0.0, (took[4] - took[1]) / 3)
    return took[1] - of_shard, of_shard, tuple(sorted(jitter)), send


def shards_do(
    base: np.ndarray, queries: np.ndarray, funnel: ff.Funnel, shards: int
) -> dict[str, float]:
    """Measure a sharded index of these rows, all shards on this machine, one thread each."""
    with (
        folder() as path,
        ShardedIndex.create(path / "i", dim=base.shape[1], shards=shards) as index,
    ):
        seconds = added(index.add, base)
        searched = for_rows(funnel, 1 / shards)

        def search(some: np.ndarray) -> ff.SearchResult:
            return index.search(some, K, funnel=searched, threads=1)

        singles = latencies(search, queries)
        a_query = batch_seconds(search, queries)
        states = [shard["replicas"][0] for shard in index.info()["shards"]]
        truth = index.search(queries[:200], K, exact=True).ids
        recall = float(are_among(truth, search(queries[:200]).ids).mean())
    return {
        "p50 ms": 1e3 * float(np.median(singles)),
        "p99 ms": 1e3 * float(np.quantile(singles, 0.99)),
        "batch q/s": 1 / a_query,
        "build s": seconds,
        "codes MB": sum(state["code_bytes"] for state in states) / 1e6,
        "disk MB": sum(state["disk_bytes"] for state in states) / 1e6,
        "recall": recall,
    }


@contextmanager
def local_ray() -> Iterator[None]:
    """A cluster of this machine alone."""
    ray.init(
        object_store_memory=500_000_000,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
    )
    try:
        yield
    finally:
        ray.shutdown()
