"""ff.hamming_search beside faiss.IndexBinaryFlat: `python -m bench.hamming --help`.

Both are exact, so their distances must be equal; a difference ends the run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bench.pinning import parse_threads, pin_threads


def main(
    rows: int = 1_000_000,
    queries: int = 1000,
    single: Annotated[int, typer.Option(help="queries of the one-at-a-time run")] = 100,
    widths: Annotated[str, typer.Option(help="bits")] = "64,128,256,512,1024,2048,4096",
    ks: str = "10,100,1000",
    rounds: int = 5,
    threads: Annotated[str, typer.Option(help="counts, like 1,2")] = "1",
    dataset: Annotated[
        str | None, typer.Option(help="take its sign bits, up to its dims; default random bits")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="default $FASTFUNNEL_DATA")] = None,
    json: Path | None = None,
) -> None:
    """Measure every width and k, in batch and one query at a time."""
    counts = parse_threads(threads)
    pin_threads(counts)
    from bench.output import print_machine, print_table, write_json
    from bench.pinning import thread_limit

    machine = print_machine()
    source = "random bits"
    lines: list[list[str]] = []
    records: list[dict[str, Any]] = []
    for width in parse_threads(widths):
        base, asked, source = _codes(width, rows, queries, dataset, data)
        if base.shape[1] * 8 < width:
            continue
        for count in counts:
            with thread_limit(count):
                for k in parse_threads(ks):
                    found = _measure(base, asked, min(k, len(base)), count, rounds, single)
                    head = {"bits": width, "rows": len(base), "k": k, "threads": count}
                    records += [head | record for record in found]
                    lines += [[*map(str, head.values()), *_cells(record)] for record in found]
    print_table(
        f"Hamming search over {source}",
        ["bits", "rows", "k", "threads", "mode", "ours q/s", "faiss q/s", "ours is"],
        lines,
    )
    write_json(json, {"machine": machine, "source": source, "records": records})


def _codes(
    width: int, rows: int, queries: int, dataset: str | None, data: Path | None
) -> tuple[Any, Any, str]:
    """Return codes, query codes, and what they are."""
    import numpy as np

    from bench import datasets
    from bench.numpy_baseline import binarize

    if dataset is None:
        rng = np.random.default_rng(width)
        shape = (rows + queries, width // 8)
        bits = rng.integers(0, 256, shape, dtype=np.uint8)
        return bits[:rows], bits[rows:], "random bits"
    stored = datasets.load(dataset, None, queries, data=data)
    base, asked = stored.base[:rows, :width], stored.queries[:, :width]
    return binarize(base), binarize(asked), f"signs of {stored.title}"


def _measure(
    base: Any, asked: Any, k: int, threads: int, rounds: int, single: int
) -> list[dict[str, Any]]:
    """Return a record for batch and one for single queries."""
    import faiss
    import numpy as np

    import fastfunnel as ff
    from bench.timing import interleaved, one_by_one, speed_ratio

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexBinaryFlat(8 * base.shape[1])
    index.add(base)

    def ours(codes: Any) -> Any:
        return ff.hamming_search(base, codes, k, threads=threads)

    def theirs(codes: Any) -> Any:
        return index.search(codes, k)

    np.testing.assert_array_equal(ours(asked).distances, theirs(asked)[0])
    records = []
    for mode, part in (("batch", asked), ("single", asked[:single])):
        if mode == "batch":
            calls = {"ours": lambda: ours(asked), "faiss": lambda: theirs(asked)}
        else:
            calls = {"ours": one_by_one(ours, part), "faiss": one_by_one(theirs, part)}
        times = interleaved(calls, rounds)
        records.append(
            {
                "mode": mode,
                "queries": len(part),
                "seconds": times,
                "ratio": speed_ratio(times["ours"], times["faiss"])._asdict(),
            }
        )
    return records


def _cells(record: dict[str, Any]) -> list[str]:
    from statistics import median

    from bench.timing import Ratio

    speeds = {name: record["queries"] / median(times) for name, times in record["seconds"].items()}
    return [
        record["mode"],
        f"{speeds['ours']:,.0f}",
        f"{speeds['faiss']:,.0f}",
        str(Ratio(**record["ratio"])),
    ]


if __name__ == "__main__":
    typer.run(main)
