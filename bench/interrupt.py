"""How long Ctrl-C takes to end a long call: from the signal to the KeyboardInterrupt.

    python -m bench.interrupt

Signals come at random times into each call, real ones, from another thread of the process.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import threading
import time
from collections.abc import Callable

import numpy as np

import fastfunnel as ff
from bench.output import print_machine, print_table

ROUNDS = 9


def seconds_to_end(call: Callable[[], object], after: float) -> float:
    """Seconds from a SIGINT, sent that long after the call began, to its end."""
    sent = 0.0

    def interrupt() -> None:
        nonlocal sent
        time.sleep(after)
        sent = time.perf_counter()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    try:
        thread.start()
        call()
    except KeyboardInterrupt:
        ended = time.perf_counter()
        thread.join()
        return ended - sent
    raise RuntimeError("the call was over before the signal")


def main() -> None:
    print_machine()
    rng = np.random.default_rng(0)
    dim = 1024
    index = ff.Index(dim)
    index.add(rng.standard_normal((50_000, dim), dtype=np.float32))
    queries = rng.standard_normal((50_000, dim), dtype=np.float32)
    endless = np.broadcast_to(queries[0], (1 << 26, dim))
    codes = np.broadcast_to(rng.integers(0, 256, (1, 128), dtype=np.uint8), (1 << 31, 128))
    scan = ff.Funnel([ff.Stage(dim, "f32")])
    calls: dict[str, Callable[[], object]] = {
        "funnel, a batch": lambda: index.search(queries, 10, funnel=ff.Funnel.two_stage(dim)),
        "exact, a batch": lambda: index.search(queries, 10, exact=True),
        "exact, a batch, scalar": lambda: index.search(queries, 10, exact=True, isa="scalar"),
        "one query past endless rows": lambda: ff.funnel_search(endless, queries[0], 10, scan),
        "norms of endless rows": lambda: ff.exact_search(endless, queries[0], 10),
        "one code past endless codes": lambda: ff.hamming_search(codes, codes[:1], 10),
        "adding endless rows": lambda: ff.Index(dim).add(endless),
    }
    delays = random.Random(0)
    rows = []
    for name, call in calls.items():
        found = [seconds_to_end(call, delays.uniform(0.05, 0.4)) for _ in range(ROUNDS)]
        rows.append((name, f"{statistics.median(found):.3f}", f"{max(found):.3f}"))
    print_table("Seconds from SIGINT to KeyboardInterrupt", ("call", "median", "longest"), rows)


if __name__ == "__main__":
    main()
