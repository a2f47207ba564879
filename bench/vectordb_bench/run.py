"""VectorDBBench's own runners on vectors of ours: `python -m bench.vectordb_bench.run --help`.

Its serial runner inserts and asks one query at a time, for recall and latency; its multi-process
runner asks for queries a second at each concurrency. Needs `pip install vectordb-bench`.
"""

from __future__ import annotations

import logging
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from bench.datasets import load
from bench.output import console, print_machine, print_table, write_json
from bench.pinning import parse_threads
from bench.vectordb_bench.client import FastFunnel, FastFunnelCaseConfig, FastFunnelConfig

BATCH = 5000


def main(
    dataset: str = "wordnet_wl256",
    rows: int | None = None,
    queries: int = 1000,
    k: int = 100,
    recall: Annotated[float | None, typer.Option(help="tune for it; default: no tuning")] = None,
    concurrencies: str = "1,2",
    duration: int = 5,
    json: Path | None = None,
) -> None:
    """Load, optimise, search one by one, then search from several processes."""
    from vectordb_bench.backend.runner.mp_runner import MultiProcessingSearchRunner
    from vectordb_bench.backend.runner.serial_runner import SerialSearchRunner

    logging.disable(logging.INFO)
    machine = print_machine()
    data = load(dataset, rows, queries)
    console.print(data.title, highlight=False)
    truth = nearest(data.base, data.queries, k)
    asked = data.queries.tolist()
    with tempfile.TemporaryDirectory() as directory:
        database = FastFunnel(
            data.base.shape[1],
            FastFunnelConfig(path=directory).to_dict(),
            FastFunnelCaseConfig(k=k, recall=recall),
            drop_old=True,
        )
        start = time.perf_counter()
        with database.init():
            for first in range(0, len(data.base), BATCH):
                part = data.base[first : first + BATCH]
                ids = list(range(first, first + len(part)))
                database.insert_embeddings(part.tolist(), ids)
        database.optimize(len(data.base))
        load_s = time.perf_counter() - start
        serial, _ = SerialSearchRunner(database, asked, truth, k=k).run()
        found_recall, ndcg, p99, p95, p50, _ = serial
        runner = MultiProcessingSearchRunner(
            database, asked, k=k, concurrencies=parse_threads(concurrencies), duration=duration
        )
        best, counts, per_second, *_ = runner.run()
    row = [f"{load_s:.1f}", f"{found_recall:.4f}", f"{ndcg:.4f}", f"{1000 * p50:.1f}",
           f"{1000 * p99:.1f}", *(f"{one:,.0f}" for one in per_second)]  # fmt: skip
    columns = [f"recall {recall or 'default'}", "load s", f"recall@{k}", "ndcg", "p50 ms", "p99 ms",
               *(f"q/s of {count}" for count in counts)]  # fmt: skip
    print_table("VectorDBBench's runners", columns, [["fastfunnel", *row]])
    write_json(json, {"machine": machine, "data": data.title, "load_s": load_s, "p95": p95,
                      "recall": found_recall, "p50": p50, "p99": p99, "best_qps": best,
                      "qps": dict(zip(counts, per_second, strict=True))})  # fmt: skip


def nearest(base: np.ndarray, queries: np.ndarray, k: int) -> list[list[int]]:
    """Return the true top k of unit rows, in float64."""
    wide = base.astype(np.float64)
    answers: list[list[int]] = []
    for first in range(0, len(queries), 100):
        scores = queries[first : first + 100].astype(np.float64) @ wide.T
        best = np.argpartition(-scores, k, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
        answers += np.take_along_axis(best, order, axis=1).tolist()
    return answers


if __name__ == "__main__":
    typer.run(main)
