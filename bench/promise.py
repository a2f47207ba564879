"""The promise, tested: tune on one half of the queries, count on the other half.

    python -m bench.promise [--rows 60000] [--queries 2000] [--budget 12] [--sets stress] [--only …]

The standard sets are the two of WordNet in bench/README.md under "Data" ($FASTFUNNEL_DATA, or
synthetic ones in their place), one of them rotated at random, clusters, 0/1 vectors, and
unnormalised rows with outlier dims; `--sets stress` runs those of bench/stress_sets.py. Four targets
each. Prints what was delivered, the share of pairs that met their target, the worst miss, whether
tuning kept to its budget, and the speed of the tuned funnel against the default.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

import fastfunnel as ff
from bench.promise_sets import Floats, standard_sets
from bench.stress_sets import stress_sets
from fastfunnel.sampling import are_among
from fastfunnel.tuning.timing import race

TARGETS = (0.90, 0.95, 0.99, 0.999)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--budget", type=float, default=12.0)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--sets", choices=["standard", "stress"], default="standard")
    parser.add_argument("--only", help="words of the sets to run, comma between")
    parser.add_argument("--rows-as-queries", action="store_true", help="tune without queries")
    parser.add_argument("--data", type=Path, help="where the vectors are; else $FASTFUNNEL_DATA")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    k = options.k
    results: list[dict[str, Any]] = []
    print(f"k={k}, at most {options.rows:,} rows a set, {options.queries:,} queries, one thread")
    print(
        f"{'set':26} {'target':>6} {'delivered':>9} {'ms':>7} {'default':>9} {'ms':>7} "
        f"{'q/s tuned/default':>19} {'s':>5}  funnel"
    )
    listed = standard_sets if options.sets == "standard" else stress_sets
    for one in listed(options.rows, options.queries, options.seed, options.data):
        if options.only and not any(word in one.name for word in options.only.split(",")):
            continue
        rows, queries = one.draw()
        queries = queries[np.random.default_rng(options.seed + 1).permutation(len(queries))]
        tuning, test = queries[: len(queries) // 2], queries[len(queries) // 2 :]
        index = ff.Index(rows.shape[1])
        index.add(rows)
        truth = index.search(test, k, exact=True).ids
        index.search(tuning, k)  # on which the default funnel is tried
        default = index.untuned_funnel(k)
        standing = found(index, test, truth, default)
        for target in TARGETS:
            start = perf_counter()
            report = index.tune(
                None if options.rows_as_queries else tuning,
                k,
                recall=target,
                budget_s=options.budget,
                seed=options.seed,
            )
            seconds = perf_counter() - start
            delivered = float(are_among(truth, index.search(test, k).ids).mean())
            ours, theirs = race(index, test, k, [report.funnel, default])
            results.append(
                {
                    "set": one.name,
                    "target": target,
                    "delivered": delivered,
                    "promised": report.interval[0],
                    "funnel": str(report.funnel),
                    "p50_ms": 1e3 * ours.p50,
                    "default_recall": standing,
                    "default_promised": report.default.promised if report.default else 0.0,
                    "default_p50_ms": 1e3 * theirs.p50,
                    "queries_per_second": ours.queries_per_second,
                    "default_queries_per_second": theirs.queries_per_second,
                    "seconds": seconds,
                }
            )
            print(
                f"{one.name:26} {target:>6g} {delivered:>9.4f} {1e3 * ours.p50:>7.3f} "
                f"{standing:>9.4f} {1e3 * theirs.p50:>7.3f} "
                f"{ours.queries_per_second:>9,.0f}/{theirs.queries_per_second:>9,.0f} "
                f"{seconds:>5.1f}  {report.funnel or 'exact'}",
                flush=True,
            )
    summarise(results, options.budget)
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def summarise(results: list[dict[str, Any]], budget: float) -> None:
    met = [r["delivered"] >= r["target"] for r in results]
    worst = max(r["target"] - r["delivered"] for r in results)
    able = [r for r in results if r["default_recall"] >= r["target"]]
    sure = [r for r in results if r["default_promised"] >= r["target"]]
    exact = sum(r["funnel"] == "None" for r in results)
    print(
        f"\n{sum(met)} of {len(met)} pairs met their target ({np.mean(met):.0%}), {exact} by ",
        end="",
    )
    print(f"exact search; the worst fell short by {max(worst, 0):.4f}.")
    for which, those in (("meets", able), ("was shown, by the tuner's check, to keep", sure)):
        faster = [r["p50_ms"] <= 1.05 * r["default_p50_ms"] for r in those]
        print(
            f"Where the default {which} the target, tuned is as fast or faster in {sum(faster)} of "
            f"{len(those)} pairs (within 5%); median speed-up {speedup(those):.2f}."
        )
    print(f"A budget of {budget:g} s took at most {max(r['seconds'] for r in results):.1f} s.")


def found(
    index: ff.Index, queries: Floats, truth: npt.NDArray[np.int64], funnel: ff.Funnel | None
) -> float:
    ids = index.search(queries, truth.shape[1], funnel=funnel, exact=funnel is None).ids
    return float(are_among(truth, ids).mean())


def speedup(results: list[dict[str, Any]]) -> float:
    return float(np.median([r["default_p50_ms"] / r["p50_ms"] for r in results] or [1.0]))


if __name__ == "__main__":
    main()
