"""What the tiers cost: memory measured, latency warm, cold, and with five times too little memory.

    python -m bench.tiers --dataset wordnet_mrl1024

Each index is opened by a process of its own, which says by how much its resident memory grew over
opening it and all searches, float pages included. "cold": the files of the floats are dropped from
the page cache before every query. "limited": a memory cgroup, which counts page cache too, of a
fifth of the files' bytes; where none can be made (it takes Linux, cgroups v1 and root) the table
says so. The funnel is the default one of the index, chosen before.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import fastfunnel as ff
from bench.datasets import load
from bench.memory import drop_from_cache, join, limited, resident_bytes
from bench.output import console, print_machine, print_table, write_json

TIERS: dict[str, dict[str, Any]] = {
    "ram f32 b1 i8": {},
    "disk f32 b1": {"float_store": "disk", "codes": ("b1",)},
    "disk f32 b1 i8": {"float_store": "disk"},
    "disk f16 b1": {"float_store": "disk", "float_dtype": "f16", "codes": ("b1",)},
    "disk bf16 b1": {"float_store": "disk", "float_dtype": "bf16", "codes": ("b1",)},
}
_COLD = 60  # queries
K = 10


def visit(path: Path, queries: Path, funnel: str, group: str | None) -> None:
    """Open an index and search it; print what that took as JSON. Runs in a process of its own."""
    asked, parsed = np.load(queries), ff.Funnel.parse(funnel)
    small = ff.Index(asked.shape[1])  # what a search of any index takes is no part of this one's
    small.add(asked)
    small.search(asked[0], K, funnel=parsed, threads=1)
    floats = list(path.glob("vectors-*"))
    if group is not None:
        drop_from_cache(list(path.iterdir()))
        join(group)
    before, start = resident_bytes(), time.perf_counter()
    index = ff.open(path)
    opened = time.perf_counter()
    index.search(asked[0], K, funnel=parsed, threads=1)
    first = time.perf_counter()

    def ask(query: np.ndarray) -> tuple[float, list[int]]:
        begin = time.perf_counter()
        ids = index.search(query, K, funnel=parsed, threads=1).ids
        return time.perf_counter() - begin, ids[0].tolist()

    found = [ask(query) for query in asked]
    warm = [ask(query)[0] for query in asked]
    cold = []
    for query in asked[:_COLD] if group is None else []:
        drop_from_cache(floats)
        cold.append(ask(query)[0])
    print(
        json.dumps(
            {
                "resident": resident_bytes() - before,
                "open": opened - start,
                "first": first - opened,
                "warm": warm,
                "cold": cold,
                "ids": [ids for _, ids in found],
            }
        )
    )


def visited(path: Path, queries: Path, funnel: str, group: str = "") -> dict[str, Any]:
    """Return what `visit` prints in a fresh process."""
    command = [sys.executable, "-m", "bench.tiers", "--visit", str(path), str(queries), funnel]
    run = subprocess.run([*command, group], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise RuntimeError(f"the visit of {path} failed:\n{run.stderr[-2000:]}")
    content: dict[str, Any] = json.loads(run.stdout)
    return content


def percentiles(seconds: list[float]) -> str:
    """Return p50 and p99 in milliseconds."""
    if not seconds:
        return "-"
    p50, p99 = np.percentile(seconds, [50, 99]) * 1e3
    return f"{p50:.2f}, {p99:.2f}"


def measure(name: str, folder: Path, base: np.ndarray, queries: Path, truth: np.ndarray) -> dict:
    """Build an index of these tiers, visit it without a limit and with one."""
    path = folder / name.replace(" ", "-")
    start = time.perf_counter()
    with ff.Index.create(path, base.shape[1], **TIERS[name]) as index:
        for first in range(0, len(base), 32_768):
            index.add(base[first : first + 32_768])
        built = time.perf_counter() - start
        funnel = str(index.default_funnel(K))
    found = visited(path, queries, funnel)
    recall = np.mean([len(set(a) & set(b)) for a, b in zip(found["ids"], truth, strict=True)]) / K
    n_bytes = sum(file.stat().st_size for file in path.iterdir())
    try:
        with limited(n_bytes // 5) as group:
            tight = visited(path, queries, funnel, group)
    except (OSError, RuntimeError) as error:
        console.print(f"{name}: not measured with a memory limit: {error}", style="yellow")
        tight = None
    shutil.rmtree(path)
    floats = 4 * base.size
    return {
        "name": name,
        "funnel": funnel,
        "build_s": built,
        "file_bytes": n_bytes,
        "resident": found["resident"],
        "share": floats / found["resident"],
        "recall": float(recall),
        "open_ms": 1e3 * found["open"],
        "first_ms": 1e3 * found["first"],
        "warm": found["warm"],
        "cold": found["cold"],
        "limit": n_bytes // 5,
        "limited": None if tight is None else tight["warm"],
    }


def main() -> None:
    """Parse arguments, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dataset", default="wordnet_mrl1024")
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--only", help="names of tiers, separated by commas")
    parser.add_argument("--folder", type=Path, help="on the disk to measure; a temporary one")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--visit", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.visit:
        path, queries, funnel, group = arguments.visit
        visit(Path(path), Path(queries), funnel, group or None)
        return
    facts = print_machine()
    data = load(arguments.dataset)
    folder = Path(tempfile.mkdtemp(dir=arguments.folder))
    asked = np.ascontiguousarray(data.queries[: arguments.queries])
    np.save(folder / "queries.npy", asked)
    try:
        truth = ff.exact_search(data.base, asked, K).ids
        names = arguments.only.split(",") if arguments.only else list(TIERS)
        found = [measure(name, folder, data.base, folder / "queries.npy", truth) for name in names]
    finally:
        shutil.rmtree(folder)
    print_table(
        f"{data.title}, k = {K}, one thread; milliseconds are p50, p99",
        ["tiers", "funnel", "recall", "resident MB", "floats / resident", "build s", "open ms",
         "first ms", "warm ms", "cold ms", "limit MB", "limited ms"],
        [
            [
                one["name"], one["funnel"], f"{one['recall']:.4f}", f"{one['resident'] / 1e6:.1f}",
                f"{one['share']:.1f}", f"{one['build_s']:.1f}", f"{one['open_ms']:.1f}",
                f"{one['first_ms']:.1f}", percentiles(one["warm"]), percentiles(one["cold"]),
                f"{one['limit'] / 1e6:.0f}", percentiles(one["limited"] or []),
            ]
            for one in found
        ],
    )  # fmt: skip
    write_json(arguments.json, {"machine": facts, "tiers": found})


if __name__ == "__main__":
    main()
