"""How many machines a corpus needs and how fast they answer, by arithmetic.

A search costs each shard `fixed + slope * rows` seconds of one thread: a scan of all rows' codes, and
a shortlist that is a share of them. Shards work at once, so an answer takes as long as the slowest
of them (Dean and Barroso, The Tail at Scale, CACM 2013): with S shards its quantile q is the
quantile q^(1/S) of one. Within a shard queries wait in a queue for one of its cores. A shard that is
late is asked again at another replica, as `ShardedIndex.search(hedge=...)` does.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MEMORY_SHARE = 0.7  # of a node's memory, for codes; the rest is the system's and the page cache's
DISK_ROOM = 2.0  # times the rows' bytes: compaction writes segments anew beside the old ones
CALL_BYTES = 1_930  # of a call of Ray beside queries and answers, all headers: bench/two_nodes.py
BUSY = 0.6  # of the cores' time that searches may take
STALL_S = 1.0  # that a replica hangs: a compaction, a slow disk, a neighbour
HEDGE = 0.95  # of a shard's answers come before another replica is asked too
_ARRIVALS = 20_000
_MOST_SHARDS = 2_000


@dataclass(frozen=True)
class Node:
    """A machine: cores, memory and disk in GB."""

    cores: int
    memory_gb: float
    disk_gb: float


@dataclass(frozen=True)
class Costs:
    """What was measured, of rows of one kind at one recall.

    dims, recall, funnel: of the rows, and what found that recall.
    single_fixed, single_slope: seconds of one query on one thread, and those of each row.
    batch_fixed, batch_slope: the same for each query of a batch.
    call, call_of_shard: seconds of a search through Ray without rows, and of each shard more.
    code_bytes, disk_bytes: of a row.
    build_slope: seconds of a row, to add it to a live index of its own process.
    send_slope: seconds of a row, to route it and to put it where its shard reads it.
    efficiency: of all cores at once, against one alone: memory and caches are shared.
    jitter: latencies of single queries over their median, ascending.
    call_jitter: the same of searches through Ray without rows.
    """

    dims: int
    recall: float
    funnel: str
    single_fixed: float
    single_slope: float
    batch_fixed: float
    batch_slope: float
    call: float
    call_of_shard: float
    code_bytes: float
    disk_bytes: float
    build_slope: float
    send_slope: float
    efficiency: float
    jitter: tuple[float, ...]
    call_jitter: tuple[float, ...]

    def single(self, rows: float) -> float:
        """Return seconds of one query over so many rows, one thread."""
        return self.single_fixed + self.single_slope * rows

    def batch(self, rows: float) -> float:
        """Return seconds a query of a batch over so many rows, one thread."""
        return self.batch_fixed + self.batch_slope * rows


@dataclass(frozen=True)
class Plan:
    """What a corpus needs.

    nodes are shards * replicas; memory and disk are of one node, in GB; p50 and p99 in seconds at
    the wanted queries a second; wire in bytes a query. The program that asks makes one call after
    another: `batch` queries must travel in one, on average.
    """

    shards: int
    replicas: int
    memory_gb: float
    disk_gb: float
    p50: float
    p99: float
    busy: float
    wire: float
    batch: int
    build_seconds: float

    @property
    def nodes(self) -> int:
        """Machines, one replica each."""
        return self.shards * self.replicas


def plan(
    rows: float,
    costs: Costs,
    node: Node,
    qps: float,
    p99_s: float,
    threads: int = 1,
    k: int = 10,
    hedge: float | None = HEDGE,
    stalls: float = 0.0,
) -> Plan:
    """Return the fewest nodes that hold the rows, keep up and answer in time.

    Where none do, as each shard more is a call more, the plan with the least p99.

    Args:
        rows: of the corpus.
        costs: of its kind of rows.
        node: the machines.
        qps: queries a second, one at a time.
        p99_s: seconds in which 99% of them are to be answered.
        threads: of each shard for a query.
        k: answers a query.
        hedge: share of a shard's answers before another replica, if there is one, is asked too.
        stalls: share of the calls of a shard that hang for STALL_S.
    """
    shards = max(
        1,
        math.ceil(rows * costs.code_bytes / (MEMORY_SHARE * node.memory_gb * 1e9)),
        math.ceil(rows * costs.disk_bytes * DISK_ROOM / (node.disk_gb * 1e9)),
    )
    best: Plan | None = None
    while shards < _MOST_SHARDS:
        found = _with_shards(rows, costs, node, qps, threads, k, shards, hedge, stalls)
        if best is None or found.p99 < best.p99:
            best = found
        if found.p99 <= p99_s:
            break
        shards = max(shards + 1, int(shards * 1.1))
    if best is None:
        raise ValueError(f"{rows:g} rows need more than {_MOST_SHARDS} shards")
    return best


def _with_shards(
    rows: float,
    costs: Costs,
    node: Node,
    qps: float,
    threads: int,
    k: int,
    shards: int,
    hedge: float | None,
    stalls: float,
) -> Plan:
    service = costs.single(rows / shards) / (1 + (threads - 1) * costs.efficiency)
    cores = node.cores * costs.efficiency
    servers = max(1, int(cores / threads))
    again = 0.0 if hedge is None else 1 - hedge
    replicas = max(1, math.ceil(qps * (1 + again) * service / (BUSY * servers)))
    if replicas == 1:  # nobody else to ask
        hedge, again = None, 0.0
    calls = qps * (1 + again) / replicas
    batch = max(1, math.ceil(qps * (costs.call + costs.call_of_shard * shards)))
    times = sojourns(service, costs.jitter, calls, servers)
    hangs = np.random.default_rng(3).random(len(times)) < stalls
    times = np.sort(times + STALL_S * hangs)
    if hedge is not None:
        times = hedged(times, hedge)
    p50, p99 = fan_out(costs, times, shards)
    return Plan(
        shards=shards,
        replicas=replicas,
        memory_gb=rows / shards * costs.code_bytes / 1e9,
        disk_gb=rows / shards * costs.disk_bytes / 1e9,
        p50=p50,
        p99=p99,
        busy=calls * service / servers,
        wire=wire_bytes(costs, shards, k, batch) * (1 + again),
        batch=batch,
        build_seconds=max(rows * costs.send_slope, rows / shards * costs.build_slope),
    )


def wire_bytes(costs: Costs, shards: int, k: int, batch: int = 1) -> float:
    """Return bytes a query between the driver and its shards: ids and scores are 8 bytes each."""
    return shards * (4 * costs.dims + 16 * k + CALL_BYTES / batch)


def sojourns(
    service: float, jitter: tuple[float, ...], rate: float, cores: int, seed: int = 0
) -> npt.NDArray[np.float64]:
    """Return times in a shard, ascending: Poisson arrivals, first come first served by its cores."""
    rng = np.random.default_rng(seed)
    arrivals = np.cumsum(rng.exponential(1 / max(rate, 1e-9), _ARRIVALS))
    services = service * rng.choice(np.array(jitter), _ARRIVALS)
    free = [0.0] * cores
    times = np.empty(_ARRIVALS)
    for number, (arrival, seconds) in enumerate(zip(arrivals, services, strict=True)):
        end = max(arrival, heapq.heappop(free)) + seconds
        heapq.heappush(free, end)
        times[number] = end - arrival
    return np.sort(times)


def hedged(times: npt.NDArray[np.float64], share: float, seed: int = 2) -> npt.NDArray[np.float64]:
    """Return times in a shard, ascending, if late calls are made again: the first answer counts.

    A call is late after that share of `times`; the other replica's time is drawn from them too.
    """
    late = np.quantile(times, share)
    again = late + np.random.default_rng(seed).permutation(times)
    return np.sort(np.minimum(times, again))


def fan_out(
    costs: Costs, times: npt.NDArray[np.float64], shards: int, seed: int = 1
) -> tuple[float, float]:
    """Return p50 and p99 seconds of a search: the slowest of so many shards, and the call."""
    rng = np.random.default_rng(seed)
    slowest = np.quantile(times, rng.random(_ARRIVALS) ** (1 / shards))
    call = (costs.call + costs.call_of_shard * shards) * rng.choice(
        np.array(costs.call_jitter), _ARRIVALS
    )
    p50, p99 = np.quantile(slowest + call, (0.5, 0.99))
    return float(p50), float(p99)


def on_one_machine(costs: Costs, rows: int, shards: int, cores: int) -> dict[str, float]:
    """Return what shards that share a machine's cores should measure, nothing else running."""
    used = min(shards, cores)
    speed = 1 + (cores * costs.efficiency - 1) * (used - 1) / max(1, cores - 1)
    share = shards / speed  # how much longer each shard takes than alone
    p50, p99 = fan_out(costs, share * costs.single(rows / shards) * np.array(costs.jitter), shards)
    return {
        "p50 ms": 1e3 * p50,
        "p99 ms": 1e3 * p99,
        "batch q/s": 1 / (costs.batch(rows / shards) * share),
        "build s": rows * costs.send_slope + rows / shards * costs.build_slope * share,
        "codes MB": rows * costs.code_bytes / 1e6,
        "disk MB": rows * costs.disk_bytes / 1e6,
    }
