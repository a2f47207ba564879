"""What a second question does for searches when a replica stalls now and then.

    python -m bench.hedging --rows 20000 --stall-ms 100

Two shards, two replicas of each, on this machine. One process is stopped for a while, again and again, as by a
compaction, a slow disk or a neighbour; rounds with and without `hedge` take turns.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench import datasets
from bench.output import print_machine, print_table, write_json
from bench.scale_measure import folder, local_ray
from fastfunnel.distributed import ShardedIndex

K = 10


@contextlib.contextmanager
def stalling(process: int, stall_s: float, every_s: float) -> Iterator[None]:
    """Stop a process for `stall_s` at random, `every_s` apart on average, within the block."""
    over, rng = threading.Event(), np.random.default_rng(0)

    def stall() -> None:
        while not over.wait(rng.exponential(every_s)):
            os.kill(process, signal.SIGSTOP)
            time.sleep(stall_s)
            os.kill(process, signal.SIGCONT)

    thread = threading.Thread(target=stall)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--searches", type=int, default=200, help="of each kind in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stall-ms", type=float, default=100)
    parser.add_argument("--every-ms", type=float, default=1000, help="between stalls, on average")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    data = datasets.synthetic(arguments.rows, arguments.dim, queries=100)
    facts, lines, found = print_machine(), [], []
    with (
        local_ray(),
        folder() as path,
        ShardedIndex.create(path / "i", arguments.dim, shards=2, replication=2) as index,
    ):
        index.add(data.base)

        def search(number: int, hedge: float | None) -> float:
            start = time.perf_counter()
            index.search(data.queries[number % 100][np.newaxis], K, exact=True, hedge=hedge)
            return time.perf_counter() - start

        for number in range(400):  # replicas warm, latencies known
            search(number, None)
        process = index.info()["shards"][0]["replicas"][0]["pid"]
        for stall_s in (0.0, arguments.stall_ms / 1e3):
            times: dict[float | None, list[float]] = {None: [], 0.95: []}
            before, halt = index.info()["hedged"], contextlib.nullcontext()
            with stalling(process, stall_s, arguments.every_ms / 1e3) if stall_s else halt:
                for _ in range(arguments.rounds):
                    for hedge, taken in times.items():
                        taken += [search(n, hedge) for n in range(arguments.searches)]
            calls = 2 * arguments.rounds * arguments.searches  # two shards
            more = (index.info()["hedged"] - before) / calls
            for hedge, taken in times.items():
                p50, p99, most = 1e3 * np.quantile(taken, (0.5, 0.99, 1))
                asked = more if hedge else 0.0
                found.append([1e3 * stall_s, hedge, p50, p99, most, asked])
                lines.append(
                    [f"{1e3 * stall_s:g} ms", hedge, f"{p50:.2f}", f"{p99:.1f}", f"{most:.1f}",
                     f"{asked:.1%}"]
                )  # fmt: skip
    columns = ["stalls", "hedge", "p50 ms", "p99 ms", "longest ms", "calls more"]
    print_table(f"2 shards x 2 replicas, {arguments.rows:,} rows", columns, lines)
    write_json(arguments.json, {"machine": facts, "columns": columns, "lines": found})


if __name__ == "__main__":
    main()
