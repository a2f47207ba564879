"""What an index on disk costs: live additions by batch size, opening, saving, checking.

    python -m bench.storage --dim 1024 --rows 40000

Rates are medians of the rounds. "memory" is the same batches into an index in memory; "flushed" is
a bare write and fsync of the same bytes, which any store that keeps its word pays.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import fastfunnel as ff
from bench.timing import seconds

BATCHES = (1, 100, 10_000, 40_000)
SECONDS = 1.5  # for one rate of one round


def rate(add: Callable[[np.ndarray], object], rows: np.ndarray, batch: int) -> float:
    """Rows a second of additions in batches, until the time or the rows are over."""
    start, done = time.perf_counter(), 0
    while done + batch <= len(rows) and time.perf_counter() - start < SECONDS:
        add(rows[done : done + batch])
        done += batch
    return done / (time.perf_counter() - start)


def flushed(folder: Path) -> Callable[[np.ndarray], object]:
    descriptor = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def write(rows: np.ndarray) -> None:
        rest = memoryview(rows).cast("B")
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)

    return write


def additions(folder: Path, rows: np.ndarray, rounds: int) -> None:
    dim = rows.shape[1]
    print(f"| batch | live, rows/s | flushed, rows/s | memory, rows/s |\n|{'---|' * 4}")
    for batch in BATCHES:
        rates: dict[str, list[float]] = {"live": [], "flushed": [], "memory": []}
        for _ in range(rounds):
            shutil.rmtree(folder / "live", ignore_errors=True)
            with ff.Index.create(folder / "live", dim=dim) as live:
                rates["live"].append(rate(live.add, rows, batch))
            rates["flushed"].append(rate(flushed(folder), rows, batch))
            rates["memory"].append(rate(ff.Index(dim=dim).add, rows, batch))
        cells = " | ".join(f"{statistics.median(each):,.0f}" for each in rates.values())
        print(f"| {batch:,} | {cells} |", flush=True)


def files(folder: Path, rows: np.ndarray, rounds: int) -> None:
    index = ff.Index(dim=rows.shape[1])
    index.add(rows)
    calls: dict[str, Callable[[], object]] = {
        "save": lambda: index.save(folder / "saved"),
        "open": lambda: ff.open(folder / "saved"),
        "open, verify=True": lambda: ff.open(folder / "saved", verify=True),
        "open, mmap=False": lambda: ff.open(folder / "saved", mmap=False),
    }
    print(f"\n| {len(rows):,} rows, {rows.nbytes / 1e6:,.0f} MB of floats | ms |\n|---|---|")
    for name, call in calls.items():
        print(f"| {name} | {statistics.median(seconds(call) for _ in range(rounds)) * 1e3:,.1f} |")

    n_logged = min(len(rows), 2_000)
    live = ff.Index.create(folder / "logged", dim=rows.shape[1])
    for row in rows[:n_logged]:
        live.add(row[np.newaxis])
    opening = statistics.median(seconds(lambda: ff.open(folder / "logged")) for _ in range(rounds))
    print(f"| open, {n_logged:,} rows added one by one in the log | {opening * 1e3:,.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dim", type=int, default=1024)
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="on the disk to measure; a temporary one")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=arguments.folder))
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((arguments.rows, arguments.dim), dtype=np.float32)
    try:
        additions(folder, rows, arguments.rounds)
        files(folder, rows, arguments.rounds)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
