"""The arithmetic of growth: how many machines, how much of them, how fast.

    python -m bench.scale --check --rows 1000000 --dim 256 --json costs.json
    python -m bench.scale --costs costs.json --rows 1e8,1e9,1e10 --qps 1000 --cores 16 --memory 64

The first measures one node and then 1, 2 and 4 shards on it, beside what the model predicts from
the node alone. The second plans clusters from what the first measured.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np

import fastfunnel as ff
from bench import datasets
from bench.output import print_machine, print_table, write_json
from bench.scale_model import HEDGE, Costs, Node, on_one_machine, plan

_COLUMNS = ("p50 ms", "p99 ms", "batch q/s", "build s", "codes MB", "disk MB")


def vectors(arguments: argparse.Namespace, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Base rows, mapped from a file that is made once, and queries."""
    arguments.folder.mkdir(parents=True, exist_ok=True)
    made = arguments.folder / f"scale_{rows}x{arguments.dim}.npy"
    asked = made.with_name(f"{made.stem}_query.npy")
    if not asked.exists():
        data = datasets.synthetic(rows, arguments.dim, queries=1000)
        np.save(made, data.base)
        np.save(asked, data.queries)
    return np.load(made, mmap_mode="r"), np.load(asked)


def check(arguments: argparse.Namespace) -> None:
    from bench.scale_measure import costs_of, local_ray, shards_do

    rows = int(float(arguments.rows))
    base, queries = vectors(arguments, rows)
    if arguments.only_data:
        return
    facts = print_machine()
    cores = len(os.sched_getaffinity(0))
    with local_ray():
        costs, whole = costs_of(base, queries, arguments.recall)
        write_json(arguments.json, {"machine": facts, "costs": asdict(costs), "whole": whole})
        print_table(
            f"one index, {rows:,} rows x {costs.dims} (SYNTHETIC), {costs.funnel}, one thread",
            list(whole),
            [[f"{value:,.4g}" for value in whole.values()]],
        )
        lines, checked = [], {}
        for shards in arguments.shards:
            expected = on_one_machine(costs, rows, shards, cores)
            measured = shards_do(base, queries, ff.Funnel.parse(costs.funnel), shards)
            checked[shards] = {"predicted": expected, "measured": measured}
            lines.append(
                [
                    shards,
                    *(f"{expected[c]:,.4g} / {measured[c]:,.4g}" for c in _COLUMNS),
                    f"{measured['recall']:.4f}",
                ]
            )
    print_table(
        f"predicted / measured, shards on {cores} cores", ["shards", *_COLUMNS, "recall"], lines
    )
    content = {"machine": facts, "costs": asdict(costs), "whole": whole, "checked": checked}
    write_json(arguments.json, content)


def plans(arguments: argparse.Namespace) -> None:
    stored = json.loads(arguments.costs.read_text(encoding="utf-8"))["costs"]
    costs = Costs(**stored)
    node = Node(arguments.cores, arguments.memory, arguments.disk)
    lines = []
    for rows in map(float, arguments.rows.split(",")):
        hedge = None if arguments.no_hedge else HEDGE
        found = plan(
            rows, costs, node, arguments.qps, arguments.p99 / 1e3, arguments.threads, hedge=hedge,
            stalls=arguments.stalls,
        )  # fmt: skip
        lines.append(
            [
                f"{rows:,.0f}",
                found.shards,
                found.replicas,
                found.nodes,
                f"{found.memory_gb:,.0f}",
                f"{found.disk_gb:,.0f}",
                f"{1e3 * found.p50:.1f}",
                f"{1e3 * found.p99:.1f}",
                f"{found.busy:.0%}",
                found.batch,
                f"{found.wire / 1e3:,.1f}",
                f"{found.build_seconds / 60:,.0f}",
            ]
        )
    print_table(
        f"{costs.dims} dims, recall {costs.recall}, {arguments.qps:,.0f} queries/s, p99 below "
        f"{arguments.p99:g} ms if it can be, {arguments.threads} threads a query, nodes of {node.cores} cores, {node.memory_gb:g} GB, "
        f"{node.disk_gb:g} GB of disk",
        [
            "rows",
            "shards",
            "replicas",
            "nodes",
            "codes GB/node",
            "disk GB/node",
            "p50 ms",
            "p99 ms",
            "busy",
            "queries/call",
            "wire kB/query",
            "build min",
        ],
        lines,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="measure, beside what is predicted")
    parser.add_argument("--only-data", action="store_true", help="make the vectors of a check")
    parser.add_argument("--rows", default="1e6", help="to check; a list like 1e8,1e9 to plan")
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--recall", type=float, default=0.99)
    parser.add_argument(
        "--shards", type=lambda s: [int(n) for n in s.split(",")], default=[1, 2, 4]
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("bench/results"),  # which git ignores
        help="where the vectors of a check are kept, a gigabyte and more",
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--costs", type=Path, help="what a check wrote")
    parser.add_argument("--qps", type=float, default=1000)
    parser.add_argument("--p99", type=float, default=100, help="milliseconds")
    parser.add_argument("--cores", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1, help="of a shard for one query")
    parser.add_argument("--stalls", type=float, default=0.0, help="share of calls that hang")
    parser.add_argument("--no-hedge", action="store_true", help="ask one replica only")
    parser.add_argument("--memory", type=float, default=64, help="GB")
    parser.add_argument("--disk", type=float, default=2000, help="GB")
    arguments = parser.parse_args()
    if arguments.check:
        check(arguments)
    elif arguments.costs:
        plans(arguments)
    else:
        parser.error("give --check, or --costs of an earlier check")


if __name__ == "__main__":
    main()
