"""An index that grows from a stream: millions of rows, never more than a batch of them in memory.

    python -m bench.growing --rows 10000000

Rows are those of a data set, drawn at random, each with noise of its own along every dim, in
proportion to what the data has there: neighbourhoods and the decay of energy along the dims stay,
and no two rows are equal. They lie on disk as float16; codes are in memory. Queries are rows of the
data set's queries; truth is exact search by this library over all rows.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.progress import Progress

import fastfunnel as ff
from bench.datasets import load
from bench.memory import resident_bytes
from bench.output import print_machine, print_table, write_json

BATCH = 65_536
K = 10
_NOISE = 0.7  # of each dim's standard deviation


def stream(base: np.ndarray, n_rows: int, seed: int = 0) -> Iterator[np.ndarray]:
    """Yield n_rows rows in batches, the same for the same seed."""
    rng = np.random.default_rng(seed)
    spread = _NOISE * base.std(axis=0)
    for first in range(0, n_rows, BATCH):
        n = min(BATCH, n_rows - first)
        rows = base[rng.integers(0, len(base), n)]
        rows += spread * rng.standard_normal(rows.shape, dtype=np.float32)
        yield rows


def grow(path: Path, base: np.ndarray, n_rows: int, codes: tuple[str, ...]) -> tuple[float, int]:
    """Build the index; return seconds in `add` and the most that memory grew by."""
    before, most, seconds = resident_bytes(), 0, 0.0
    with (
        Progress() as progress,
        ff.Index.create(
            path, base.shape[1], float_store="disk", float_dtype="f16", codes=codes
        ) as index,
    ):
        task = progress.add_task("adding rows", total=n_rows)
        for rows in stream(base, n_rows):
            start = time.perf_counter()
            index.add(rows)
            seconds += time.perf_counter() - start
            most = max(most, resident_bytes() - before)
            progress.advance(task, len(rows))
    return seconds, most


def main() -> None:
    """Parse arguments, build, search, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--dataset", default="wordnet_wl256")
    parser.add_argument("--codes", default="b1,i8")
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--folder", type=Path, help="on the disk to measure; a temporary one")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    facts = print_machine()
    data = load(arguments.dataset)
    queries = np.ascontiguousarray(data.queries[: arguments.queries])
    folder = Path(tempfile.mkdtemp(dir=arguments.folder))
    path = folder / "index"
    try:
        seconds, growth = grow(path, data.base, arguments.rows, tuple(arguments.codes.split(",")))
        n_bytes = sum(file.stat().st_size for file in path.iterdir())
        before, start = resident_bytes(), time.perf_counter()
        index = ff.open(path)
        opened = time.perf_counter() - start
        funnel = index.default_funnel(K)
        chosen = time.perf_counter() - start - opened
        start = time.perf_counter()
        index.search(queries[0], K)
        first = time.perf_counter() - start
        index.search(queries, K)
        latencies, found = [], []
        for query in queries:
            start = time.perf_counter()
            found.append(index.search(query, K).ids[0])
            latencies.append(time.perf_counter() - start)
        resident = resident_bytes() - before
        some = queries[:64]
        truth = index.search(some, K, exact=True).ids
    finally:
        shutil.rmtree(folder)
    recall = np.mean([len(set(a) & set(b)) for a, b in zip(found, truth, strict=False)]) / K
    p50, p99 = np.percentile(latencies, [50, 99]) * 1e3
    figures = {
        "funnel": str(funnel),
        "build s": f"{seconds:.0f}",
        "rows/s": f"{arguments.rows / seconds:,.0f}",
        "growth MB": f"{growth / 1e6:,.0f}",
        "files GB": f"{n_bytes / 1e9:.2f}",
        "open s": f"{opened:.2f}",
        "funnel s": f"{chosen:.1f}",
        "first s": f"{first:.2f}",
        "recall@10": f"{recall:.4f}",
        "p50 ms": f"{p50:.2f}",
        "p99 ms": f"{p99:.2f}",
        "resident MB": f"{resident / 1e6:,.0f}",
    }
    title = f"{arguments.rows:,} rows around {data.title}, float16 on disk, codes {arguments.codes}"
    print_table(title, list(figures), [list(figures.values())])
    write_json(arguments.json, {"machine": facts, "title": title, **figures})


if __name__ == "__main__":
    main()
