"""An index that grows from a stream: millions of rows, never more than a batch of them in memory.

    python -m bench.growing --rows 10000000

Rows are made of those of a data set, and no two are equal. "mixtures", the default, lie between a
row and one of its 16 nearest, with a little noise: they fill the neighbourhoods that the data has.
"noise" are rows with much noise along every dim, in proportion to what the data has there: around
each row of the data a cloud without structure, as no embeddings are, and as hard as any. They lie on
disk as float16; codes are in memory. Queries are the data set's; truth is exact search by this
library over all rows.
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
NOISE = {"mixtures": 0.2, "noise": 0.7}  # of each dim's standard deviation
_NEAREST = 16
_FARTHEST = 0.5  # of the way to the other row of a mixture


def stream(
    base: np.ndarray, nearest: np.ndarray | None, n_rows: int, noise: float, seed: int = 0
) -> Iterator[np.ndarray]:
    """Yield n_rows rows in batches, the same for the same seed; nearest: None for no mixtures."""
    rng = np.random.default_rng(seed)
    spread = noise * base.std(axis=0)
    for first in range(0, n_rows, BATCH):
        n = min(BATCH, n_rows - first)
        of = rng.integers(0, len(base), n)
        rows = base[of]
        if nearest is not None:
            others = base[nearest[of, rng.integers(0, _NEAREST, n)]]
            rows += rng.uniform(0, _FARTHEST, (n, 1)).astype(np.float32) * (others - rows)
        rows += spread * rng.standard_normal(rows.shape, dtype=np.float32)
        yield rows


def nearest_rows(base: np.ndarray) -> np.ndarray:
    """Return the places of each row's nearest others, nearly all of them true."""
    index = ff.Index(base.shape[1])
    index.add(base)
    return index.search(base, _NEAREST + 1).ids[:, 1:]


def grow(
    path: Path, base: np.ndarray, n_rows: int, codes: tuple[str, ...], kind: str = "mixtures"
) -> tuple[float, int]:
    """Build the index; return seconds in `add` and the most that memory grew by."""
    nearest = nearest_rows(base) if kind == "mixtures" else None
    before, most, seconds = resident_bytes(), 0, 0.0
    with (
        Progress() as progress,
        ff.Index.create(
            path, base.shape[1], float_store="disk", float_dtype="f16", codes=codes
        ) as index,
    ):
        task = progress.add_task("adding rows", total=n_rows)
        for rows in stream(base, nearest, n_rows, NOISE[kind]):
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
    parser.add_argument("--kind", choices=sorted(NOISE), default="mixtures")
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
        codes = tuple(arguments.codes.split(","))
        seconds, growth = grow(path, data.base, arguments.rows, codes, arguments.kind)
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
    title = (
        f"{arguments.rows:,} rows ({arguments.kind}) of {data.title}, float16 on disk, "
        f"codes {arguments.codes}"
    )
    print_table(title, list(figures), [list(figures.values())])
    write_json(arguments.json, {"machine": facts, "title": title, **figures})


if __name__ == "__main__":
    main()
