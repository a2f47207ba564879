"""Exact search beside faiss.IndexFlatIP and plain scans: `python -m bench.exact --help`.

Besides real rows, data on which no bound can prune: gaussian rows (all cosines alike), equal rows
(every row ties), nearly equal rows. What exact search costs there, against a plain scan, is the
price of trying. Answers are checked against float64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
    queries: int = 500,
    single: Annotated[int, typer.Option(help="queries of the one-at-a-time run")] = 20,
    k: int = 10,
    rounds: int = 5,
    threads: Annotated[str, typer.Option(help="counts, like 1,2")] = "1",
    json: Path | None = None,
) -> None:
    """Measure each kind of data, in batch and one query at a time."""
    counts = parse_threads(threads)
    pin_threads(counts)
    from bench import datasets
    from bench.output import print_machine, print_table, write_json
    from bench.pinning import thread_limit
    from bench.timing import interleaved, one_by_one, speed_ratio
    from bench.truth import Truth

    machine = print_machine()
    loaded = datasets.load(dataset, rows, queries, data=data)
    records: list[dict[str, Any]] = []
    for kind, base, asked in _corpora(loaded):
        truth = Truth.of(base, asked, k)
        for count in counts:
            searches = _searches(base, k, count)
            with thread_limit(count):
                recalls = {name: truth.recall(search(asked)) for name, search in searches.items()}
                for mode in ("batch", "single"):
                    part = asked if mode == "batch" else asked[:single]
                    calls = {
                        name: partial(search, part) if mode == "batch" else one_by_one(search, part)
                        for name, search in searches.items()
                    }
                    times = interleaved(calls, rounds)
                    records += [
                        {
                            "data": kind,
                            "threads": count,
                            "mode": mode,
                            "search": name,
                            "recall": recalls[name],
                            "qps": len(part) / median(found),
                            "ours_is": speed_ratio(times["ff exact=True"], found),
                            "seconds": found,
                        }
                        for name, found in times.items()
                    ]
    print_table(
        f"Exact search, k={k}; {loaded.title}",
        ["data", "threads", "mode", "search", "recall", "q/s", "exact=True is"],
        [
            [
                record["data"],
                record["threads"],
                record["mode"],
                record["search"],
                f"{record['recall']:.4f}",
                f"{record['qps']:,.1f}",
                record["ours_is"],
            ]
            for record in records
        ],
    )
    write_json(json, {"machine": machine, "dataset": loaded.title, "records": records})


def _corpora(loaded: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield (kind, base, queries); all of the shape of the data set, rows of unit length."""
    import numpy as np

    from bench.numpy_baseline import normalize

    base, queries = loaded.base, loaded.queries
    yield loaded.name + (" (SYNTHETIC)" if loaded.is_synthetic else ""), base, queries
    rng = np.random.default_rng(0)
    noise = normalize(rng.standard_normal(base.shape, dtype=np.float32))
    asked = normalize(rng.standard_normal(queries.shape, dtype=np.float32))
    yield "gaussian", noise, asked
    yield "equal rows", np.repeat(noise[:1], len(base), axis=0), asked
    yield "nearly equal rows", normalize(noise[:1] + np.float32(0.03) * noise), asked


def _searches(base: Any, k: int, threads: int) -> dict[str, Callable[[Any], Any]]:
    """Return name → search that returns ids."""
    import faiss

    import fastfunnel as ff
    from bench.numpy_baseline import exact_search

    faiss.omp_set_num_threads(threads)
    flat = faiss.IndexFlatIP(base.shape[1])
    flat.add(base)
    index = ff.Index(base.shape[1])
    index.add(base)
    scan = ff.Funnel([ff.Stage(base.shape[1], "f32")])
    return {
        "ff exact=True": lambda q: index.search(q, k, exact=True, threads=threads).ids,
        "ff.exact_search (arrays)": lambda q: ff.exact_search(base, q, k, threads=threads).ids,
        "ff plain float32 scan": lambda q: index.search(q, k, funnel=scan, threads=threads).ids,
        "faiss IndexFlatIP": lambda q: flat.search(q, k)[1],
        "numpy": lambda q: exact_search(base, q, k),
    }


if __name__ == "__main__":
    typer.run(main)
