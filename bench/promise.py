"""The promise, tested: tune on one half of the queries, count on the other half.

    python bench/promise.py [--rows 60000] [--queries 2000] [--budget 12] [--data DIR]

Six sets: the two WordNet sets of bench/make_datasets.py (DIR/wordnet_{wl256,mrl1024}_{base,query}
.npy), one of them rotated at random, clusters, 0/1 vectors, and unnormalised rows with outlier
dims. Four targets each. Prints what was delivered, the share of pairs that met their target, the
worst miss, and the speed of the tuned funnel against the default.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
import numpy.typing as npt

import fastfunnel as ff
from fastfunnel.rotation import random_rotation, rotate
from fastfunnel.tuning.sample import are_among
from fastfunnel.tuning.timing import race

Rows = npt.NDArray[np.float32]
TARGETS = (0.90, 0.95, 0.99, 0.999)
K = 10


def sets(data: Path, n_rows: int, n_queries: int) -> Iterator[tuple[str, Rows, Rows]]:
    rng = np.random.default_rng(0)
    for name in ("wl256", "mrl1024"):
        base = np.load(data / f"wordnet_{name}_base.npy", mmap_mode="r")
        chosen = np.sort(rng.choice(len(base), min(n_rows, len(base)), replace=False))
        rows = np.ascontiguousarray(base[chosen], dtype=np.float32)
        queries = np.load(data / f"wordnet_{name}_query.npy")[:n_queries].astype(np.float32)
        yield f"wordnet_{name}", rows, queries
        if name == "wl256":
            rotation = random_rotation(rows.shape[1], seed=1)
            yield "wordnet_wl256, rotated", rotate(rows, rotation), rotate(queries, rotation)
    yield "clusters, 384 dims", *clusters(rng, n_rows, n_queries, 384)
    yield "0/1, 256 dims", *zeros_and_ones(rng, n_rows, n_queries, 256)
    yield "outlier dims, 320", *outliers(rng, n_rows, n_queries, 320)


def clusters(rng: np.random.Generator, n: int, m: int, dim: int) -> tuple[Rows, Rows]:
    centres = rng.standard_normal((200, dim))
    spread = 0.6 / np.sqrt(1 + np.arange(dim) / 16)
    of = rng.integers(0, len(centres), n + m)
    rows = centres[of] / np.sqrt(dim) + rng.standard_normal((n + m, dim)) * spread
    return rows[:n].astype(np.float32), rows[n:].astype(np.float32)


def zeros_and_ones(rng: np.random.Generator, n: int, m: int, dim: int) -> tuple[Rows, Rows]:
    topics = rng.random((300, dim)) ** 3
    rows = rng.random((n + m, dim)) < topics[rng.integers(0, len(topics), n + m)]
    return rows[:n].astype(np.float32), rows[n:].astype(np.float32)


def outliers(rng: np.random.Generator, n: int, m: int, dim: int) -> tuple[Rows, Rows]:
    scales = 1 / np.sqrt(1 + np.arange(dim) / 8)
    rows = rng.standard_normal((n + m, dim)) * scales
    rows[:, [3, dim // 2]] *= 12
    rows += 0.3 * rng.standard_normal(dim)
    rows *= rng.lognormal(0, 1, (n + m, 1))
    return rows[:n].astype(np.float32), rows[n:].astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--budget", type=float, default=12.0)
    parser.add_argument("--data", type=Path, default=Path("/tmp/ff/data"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = []
    print(f"k={K}, at most {options.rows:,} rows a set, {options.queries:,} queries, one thread")
    print(
        f"{'set':24} {'target':>6} {'delivered':>9} {'ms':>7} {'default':>9} {'ms':>7} "
        f"{'q/s tuned/default':>19} {'s':>4}  funnel"
    )
    for name, rows, queries in sets(options.data, options.rows, options.queries):
        queries = queries[np.random.default_rng(1).permutation(len(queries))]
        tuning, test = queries[: len(queries) // 2], queries[len(queries) // 2 :]
        index = ff.Index(rows.shape[1])
        index.add(rows)
        truth = index.search(test, K, exact=True).ids
        default = index.untuned_funnel(K)
        standing = found(index, test, truth, default)
        for target in TARGETS:
            start = perf_counter()
            report = index.tune(tuning, K, recall=target, budget_s=options.budget)
            seconds = perf_counter() - start
            delivered = float(are_among(truth, index.search(test, K).ids).mean())
            ours, theirs = race(index, test, K, [report.funnel, default])
            results.append(
                {
                    "set": name,
                    "target": target,
                    "delivered": delivered,
                    "promised": report.interval[0],
                    "funnel": str(report.funnel),
                    "p50_ms": 1e3 * ours.p50,
                    "default_recall": standing,
                    "default_p50_ms": 1e3 * theirs.p50,
                    "queries_per_second": ours.queries_per_second,
                    "default_queries_per_second": theirs.queries_per_second,
                    "seconds": seconds,
                }
            )
            print(
                f"{name:24} {target:>6g} {delivered:>9.4f} {1e3 * ours.p50:>7.3f} "
                f"{standing:>9.4f} {1e3 * theirs.p50:>7.3f} "
                f"{ours.queries_per_second:>9,.0f}/{theirs.queries_per_second:>9,.0f} "
                f"{seconds:>4.0f}  {report.funnel or 'exact'}",
                flush=True,
            )
    met = [r["delivered"] >= r["target"] for r in results]
    worst = max(r["target"] - r["delivered"] for r in results)
    able = [r for r in results if r["default_recall"] >= r["target"]]
    faster = [r["p50_ms"] <= 1.05 * r["default_p50_ms"] for r in able]
    print(f"\n{sum(met)} of {len(met)} pairs met their target ({np.mean(met):.0%}); ", end="")
    print(f"the worst fell short by {max(worst, 0):.4f}.")
    print(
        f"Where the default meets the target, tuned is as fast or faster in {sum(faster)} of ",
        end="",
    )
    print(f"{len(able)} pairs (within 5%); median speed-up {speedup(able):.2f}.")
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def found(
    index: ff.Index, queries: Rows, truth: npt.NDArray[np.int64], funnel: ff.Funnel | None
) -> float:
    ids = index.search(queries, K, funnel=funnel, exact=funnel is None).ids
    return float(are_among(truth, ids).mean())


def speedup(results: list[dict[str, float]]) -> float:
    return float(np.median([r["default_p50_ms"] / r["p50_ms"] for r in results] or [1.0]))


if __name__ == "__main__":
    main()
