"""Rows a second of the first stage, a thread, for each instruction set and width.

`python -m bench.scan_kernels --help`. One-stage funnels over an index read every row of one plane,
so what is measured is the scan with its selection. Beside it stands how fast this machine reads
and copies memory.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.pinning import parse_threads, pin_threads

STREAM_BYTES = 1 << 28  # beyond any cache that a core has to itself


def main(
    rows: int = 300_000,
    dim: int = 1024,
    widths: Annotated[str, typer.Option(help="dims of the stage")] = "64,128,256,512,1024",
    kinds: Annotated[str, typer.Option(help="of b1, hamming, i8, f32")] = "b1,hamming",
    isas: Annotated[str, typer.Option(help="default: all of this machine")] = "",
    queries: Annotated[int, typer.Option(help="of a batch")] = 256,
    single: int = 50,
    k: int = 10,
    rounds: int = 5,
    json: Path | None = None,
) -> None:
    """Measure single queries and a batch on one thread, over synthetic rows."""
    pin_threads([1])
    from statistics import median

    import fastfunnel as ff
    from bench import datasets
    from bench.output import console, print_machine, print_table, write_json
    from bench.timing import interleaved

    machine = print_machine()
    loaded = datasets.synthetic(rows, dim, queries)
    index = ff.Index(dim)
    index.add(loaded.base)
    stream = stream_bandwidth(rounds)
    levels = isas.replace(",", " ").split() or ff.available_isas()
    records: list[dict[str, Any]] = []
    for kind in kinds.replace(",", " ").split():
        for width in (w for w in parse_threads(widths) if w <= dim):
            stage = ff.Stage(
                width, "b1" if kind == "hamming" else kind, symmetric=kind == "hamming"
            )
            for mode, part in (("single", loaded.queries[:single]), ("batch", loaded.queries)):
                calls = {
                    isa: partial(_search, index, part, k, ff.Funnel([stage]), isa, mode)
                    for isa in levels
                }
                for isa, times in interleaved(calls, rounds).items():
                    rate = rows * len(part) / median(times)
                    records.append(
                        {
                            "kind": kind,
                            "dims": width,
                            "mode": mode,
                            "isa": isa,
                            "rows_per_second": rate,
                            "gigabytes_per_second": rate * stage.row_bytes / 1e9,
                            "plane_bytes": rows * stage.row_bytes,
                            "seconds": times,
                        }
                    )
    console.print("memory, one thread:", *(f"{n} {speed:.1f} GB/s" for n, speed in stream.items()))
    print_table(
        f"First stage over {rows:,} rows, one thread",
        ["stage", "dims", "mode", "isa", "M rows/s/thread", "GB/s", "plane MB"],
        [
            [
                record["kind"],
                record["dims"],
                record["mode"],
                record["isa"],
                f"{record['rows_per_second'] / 1e6:,.1f}",
                f"{record['gigabytes_per_second']:.1f}",
                f"{record['plane_bytes'] / 1e6:,.1f}",
            ]
            for record in records
        ],
    )
    write_json(json, {"machine": machine, "rows": rows, "stream": stream, "records": records})


def stream_bandwidth(rounds: int) -> dict[str, float]:
    """Return GB/s of this thread: NumPy reductions that read, and a copy that does both."""
    from statistics import median

    import numpy as np

    from bench.timing import interleaved

    source = np.ones(STREAM_BYTES // 8, np.int64)
    target = np.empty_like(source)
    times = interleaved(
        {
            "read (bitwise_or.reduce)": lambda: np.bitwise_or.reduce(source),
            "read (max)": source.max,
            "copy (read + write)": lambda: np.copyto(target, source),
        },
        rounds,
    )
    moved = {name: STREAM_BYTES * (2 if "copy" in name else 1) for name in times}
    return {name: moved[name] / median(found) / 1e9 for name, found in times.items()}


def _search(index: Any, queries: Any, k: int, funnel: Any, isa: str, mode: str) -> None:
    if mode == "batch":
        index.search(queries, k, funnel=funnel, threads=1, isa=isa)
        return
    for number in range(len(queries)):
        index.search(queries[number : number + 1], k, funnel=funnel, threads=1, isa=isa)


if __name__ == "__main__":
    typer.run(main)
