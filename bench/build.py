"""Seconds to build an index on one core, beside a copy: `python -m bench.build --help`.

Built means: rows added, the default funnel chosen (which searches a sample), and every code made
that it reads, which the first search does.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from bench.pinning import pin_to_one_core

STEPS = ("copy", "add", "default funnel", "first search", "second search", "build")


def main(
    rows: int = 300_000,
    dim: int = 1024,
    rounds: int = 3,
    dataset: Annotated[str, typer.Option(help="has a dim of its own if real")] = "synthetic",
    data: Annotated[Path | None, typer.Option(help="default $FASTFUNNEL_DATA")] = None,
    json: Path | None = None,
) -> None:
    """Measure every step and a copy, in rounds."""
    pin_to_one_core()
    import numpy as np

    import fastfunnel as ff
    from bench import datasets
    from bench.output import console, print_machine, print_table, write_json
    from bench.timing import Times, seconds, speed_ratio

    machine = print_machine()
    own_dim = dim if dataset == datasets.SYNTHETIC else None
    loaded = datasets.load(dataset, rows, 1, own_dim, data)
    base, query = loaded.base, loaded.queries
    console.print(loaded.title, highlight=False)
    times: Times = {name: [] for name in STEPS}
    for _ in range(rounds):
        index = ff.Index(base.shape[1])
        times["copy"].append(seconds(partial(np.array, base)))
        times["add"].append(seconds(partial(index.add, base)))
        times["default funnel"].append(seconds(partial(index.default_funnel, 10)))
        for name in ("first search", "second search"):
            times[name].append(seconds(partial(index.search, query, 10, threads=1)))
        times["build"].append(sum(times[name][-1] for name in STEPS[1:4]))
    print_table(
        f"Building on one core, default funnel {index.default_funnel(10) or 'exact search'}",
        ["step", "seconds", "M rows/s", "of a copy (lowest-highest)"],
        [
            [
                name,
                f"{median(found):.4f}",
                f"{len(base) / median(found) / 1e6:,.2f}",
                speed_ratio(times["copy"], found),
            ]
            for name, found in times.items()
        ],
    )
    write_json(json, {"machine": machine, "dataset": loaded.title, "seconds": times})


if __name__ == "__main__":
    typer.run(main)
