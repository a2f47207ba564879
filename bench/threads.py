"""How searches speed up from one thread to n: `python -m bench.threads --help`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from bench.pinning import parse_threads, pin_threads


def main(
    dataset: str = "wordnet_mrl1024",
    data: Annotated[Path | None, typer.Option(help="default $FASTFUNNEL_DATA")] = None,
    rows: Annotated[int | None, typer.Option(help="default all")] = None,
    dim: Annotated[int | None, typer.Option(help="dims of a synthetic set")] = None,
    queries: int = 1000,
    single: Annotated[int, typer.Option(help="queries of the one-at-a-time run")] = 100,
    k: int = 10,
    rounds: int = 5,
    threads: Annotated[str, typer.Option(help="counts; default 1, 2, 4 … all cores")] = "",
    json: Path | None = None,
) -> None:
    """Measure the default funnel, exact search and Hamming search, in batch and one at a time."""
    counts = parse_threads(threads) if threads else _doubling()
    pin_threads(counts)
    import fastfunnel as ff
    from bench import datasets
    from bench.output import print_machine, print_table, write_json
    from bench.timing import interleaved, one_by_one, speed_ratio

    machine = print_machine()
    loaded = datasets.load(dataset, rows, queries, dim, data)
    index = ff.Index(loaded.base.shape[1])
    index.add(loaded.base)
    codes = ff.binarize(loaded.base)
    asked = {"search": loaded.queries, "exact": loaded.queries, "hamming": None}
    asked["hamming"] = ff.binarize(loaded.queries)
    calls_of: dict[str, Callable[..., Any]] = {
        "search": partial(index.search, k=k),
        "exact": partial(index.search, k=k, exact=True),
        "hamming": lambda q, threads: ff.hamming_search(codes, q, k, threads=threads),
    }
    records: list[dict[str, Any]] = []
    for name, call in calls_of.items():
        for mode in ("batch", "single"):
            part = asked[name] if mode == "batch" else asked[name][:single]
            searches = {count: partial(call, threads=count) for count in counts}
            times = interleaved(
                {
                    str(count): partial(search, part)
                    if mode == "batch"
                    else one_by_one(search, part)
                    for count, search in searches.items()
                },
                rounds,
            )
            for count in counts:
                found = times[str(count)]
                records.append(
                    {
                        "search": name,
                        "mode": mode,
                        "threads": count,
                        "qps": len(part) / median(found),
                        "speedup": speed_ratio(found, times[str(counts[0])]),
                        "seconds": found,
                    }
                )
    print_table(
        f"Threads; {loaded.title}",
        ["search", "mode", "threads", "q/s", f"of {counts[0]} thread(s)"],
        [[r["search"], r["mode"], r["threads"], f"{r['qps']:,.0f}", r["speedup"]] for r in records],
    )
    write_json(json, {"machine": machine, "dataset": loaded.title, "records": records})


def _doubling() -> list[int]:
    import os

    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    powers = [1 << bit for bit in range(cores.bit_length()) if 1 << bit < cores]
    return [*powers, cores]


if __name__ == "__main__":
    typer.run(main)
