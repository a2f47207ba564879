"""How long Ctrl-C takes to end a long call: from the signal to the KeyboardInterrupt.

    python -m bench.interrupt

Signals come at random times into each call, real ones, from another thread of the process. Calls
that would go on for minutes get theirs within the first .4 s, the others anywhere from begin to
end; a signal that comes after the end does not count.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import fastfunnel as ff
from bench.output import print_machine, print_table

DIM = 1024
Call = Callable[[], object]
Prepare = Callable[[], Call]  # makes a call that has not been made yet


def seconds_to_end(call: Call, after: float) -> float | None:
    """Seconds from a SIGINT, sent that long after the call began, to its end; None if too late."""
    sent = 0.0
    is_over = threading.Event()

    def interrupt() -> None:
        nonlocal sent
        if not is_over.wait(after):
            sent = time.perf_counter()
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    try:
        thread.start()
        call()
        is_over.set()
        thread.join()
        time.sleep(0.01)  # a signal between the end and the event is answered here
    except KeyboardInterrupt:
        ended = time.perf_counter()
        thread.join()
        return None if is_over.is_set() else ended - sent
    return None


def endless_calls() -> Iterator[tuple[str, Prepare]]:
    """Calls that nobody waits for."""
    rng = np.random.default_rng(0)
    index = ff.Index(DIM)
    index.add(rng.standard_normal((50_000, DIM), dtype=np.float32))
    queries = rng.standard_normal((50_000, DIM), dtype=np.float32)
    endless = np.broadcast_to(queries[0], (1 << 26, DIM))
    codes = np.broadcast_to(rng.integers(0, 256, (1, 128), dtype=np.uint8), (1 << 31, 128))
    scan = ff.Funnel([ff.Stage(DIM, "f32")])
    two_stage = ff.Funnel.two_stage(DIM)
    yield "funnel, a batch", lambda: lambda: index.search(queries, 10, funnel=two_stage)
    yield "exact, a batch", lambda: lambda: index.search(queries, 10, exact=True)
    yield (
        "exact, a batch, scalar",
        lambda: lambda: index.search(queries, 10, exact=True, isa="scalar"),
    )
    yield (
        "one query past endless rows",
        lambda: lambda: ff.funnel_search(endless, queries[0], 10, scan),
    )
    yield "norms of endless rows", lambda: lambda: ff.exact_search(endless, queries[0], 10)
    yield "one code past endless codes", lambda: lambda: ff.hamming_search(codes, codes[:1], 10)
    yield "adding endless rows", lambda: lambda: ff.Index(DIM).add(endless)


def whole_calls(folder: Path) -> Iterator[tuple[str, Prepare]]:
    """Calls of seconds, each from its begin to its end."""
    rng = np.random.default_rng(0)
    spread = (1 / np.sqrt(1 + np.arange(DIM))).astype(np.float32)
    rows = rng.standard_normal((60_000, DIM), dtype=np.float32) * spread
    small = rng.standard_normal((400_000, 32), dtype=np.float32)
    ids = rng.permutation(len(small))

    def holding(some: np.ndarray, of_ids: np.ndarray | None = None) -> ff.Index:
        index = ff.Index(some.shape[1])
        index.add(some, of_ids)
        return index

    def first_exact() -> Call:
        index = holding(rows)
        return lambda: index.search(rows[:500], 10, exact=True)

    def first_search() -> Call:
        index = holding(rows)
        return lambda: index.search(rows[0], 10)

    def doubles() -> Call:
        wide = rows.astype(np.float64)
        return lambda: ff.Index(DIM).add(wide)

    def upsert() -> Call:
        index = holding(small, ids)
        return lambda: index.upsert(small, ids[::-1])

    def remove() -> Call:
        index = holding(small, ids)
        return lambda: index.remove(ids)

    def compact() -> Call:
        index = holding(small, ids)
        index.remove(ids[::2])
        return index.compact

    def get() -> Call:
        index = holding(rows)
        return lambda: index.get(np.arange(len(rows)).repeat(4))

    def save() -> Call:
        index = holding(rows)
        return lambda: index.save(folder / "saved")

    def live() -> Call:
        path = Path(tempfile.mkdtemp(dir=folder)) / "live"
        index = ff.Index.create(path, DIM)
        return lambda: index.add(rows)

    yield "the first exact batch", first_exact
    yield "the first search", first_search
    yield "adding float64 rows", doubles
    yield "adding 400,000 ids out of order", lambda: lambda: holding(small, ids)
    yield "upserting 400,000", upsert
    yield "removing 400,000", remove
    yield "compacting", compact
    yield "getting 240,000 rows", get
    yield "saving", save
    yield "adding to a live index", live
    yield "fit_rotation", lambda: lambda: ff.fit_rotation(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="", help="calls whose name has this in it")
    arguments = parser.parse_args()
    print_machine()
    delays = random.Random(0)
    table = []

    def measure(name: str, prepare: Prepare, longest_delay: float) -> None:
        found: list[float] = []
        for _ in range(4 * arguments.rounds):
            seconds = seconds_to_end(prepare(), delays.uniform(0, longest_delay))
            if seconds is not None:
                found.append(seconds)
            if len(found) == arguments.rounds:
                break
        if found:
            median, worst = statistics.median(found), max(found)
            table.append((name, len(found), f"{median:.3f}", f"{worst:.3f}"))

    for name, prepare in endless_calls():
        if arguments.only in name:
            measure(name, prepare, 0.4)
    with tempfile.TemporaryDirectory() as folder:
        for name, prepare in whole_calls(Path(folder)):
            if arguments.only not in name:
                continue
            call = prepare()
            start = time.perf_counter()
            call()
            measure(name, prepare, time.perf_counter() - start)
    print_table(
        "Seconds from SIGINT to KeyboardInterrupt", ("call", "times", "median", "longest"), table
    )


if __name__ == "__main__":
    main()
