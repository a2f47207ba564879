"""This project beside its peers at equal recall: `python -m bench.peers --help`.

One process and one run: indexes are built one after the other, then every setting of every
contender is measured in each round. See README.md for what the columns mean.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.pinning import parse_threads, pin_threads

K = 10
TARGETS = [0.95, 0.99, 1.0]


def main(
    dataset: Annotated[
        str, typer.Option(help="wordnet_mrl1024, wordnet_wl256 or synthetic")
    ] = "wordnet_mrl1024",
    data: Annotated[Path | None, typer.Option(help="directory; default $FASTFUNNEL_DATA")] = None,
    rows: Annotated[int | None, typer.Option(help="base rows; default all")] = None,
    dim: Annotated[int | None, typer.Option(help="dims of a synthetic set")] = None,
    queries: int = 1000,
    rounds: int = 5,
    single: Annotated[int, typer.Option(help="single queries a round")] = 200,
    threads: Annotated[str, typer.Option(help="counts, like 1,2")] = "1,2",
    only: Annotated[str, typer.Option(help="words, like faiss,fastfunnel")] = "",
    skip: Annotated[str, typer.Option(help="words, like hnsw,usearch")] = "",
    funnel: Annotated[list[str] | None, typer.Option(help="a funnel more; repeatable")] = None,
    json: Annotated[Path | None, typer.Option(help="write every point here")] = None,
    plot: Annotated[Path | None, typer.Option(help="write a PNG here")] = None,
) -> None:
    """Measure speed at recall@10 0.95, 0.99 and 1, in batch and one query at a time."""
    counts = parse_threads(threads)
    pin_threads(counts)
    # Only now may NumPy and the peers be loaded.
    from bench import datasets, tables
    from bench.contenders import find_contenders
    from bench.matching import match_all
    from bench.measuring import build_all, measure
    from bench.output import console, print_machine, write_json
    from bench.truth import Truth

    machine = print_machine()
    loaded = datasets.load(dataset, rows, queries, dim, data)
    console.print(loaded.title, highlight=False)
    truth = Truth.of(loaded.base, loaded.queries, K)
    found, absent = find_contenders(
        *loaded.base.shape, only=_words(only), skip=_words(skip), funnels=funnel or []
    )
    for name, reason in absent.items():
        console.print(f"absent: {name} ({reason})", style="yellow")
    builds = build_all(found, loaded.base, max(counts))
    points = []
    for count in counts:
        for contender in found:
            if contender.fixed_threads not in (None, count):
                console.print(
                    f"{contender.name} is left out at {count} threads: within one process it "
                    f"runs with {contender.fixed_threads}; use --threads {count}",
                    style="yellow",
                )
        points += measure(found, builds, loaded, truth, count, rounds, single)
    matches = match_all(points, TARGETS)
    tables.print_matches(matches)
    write_json(
        json,
        {
            "machine": machine,
            "dataset": loaded.title,
            "is_synthetic": loaded.is_synthetic,
            "k": K,
            "rounds": rounds,
            "build_threads": max(counts),
            "absent": absent,
            "points": [point.to_dict() for point in points],
            "matches": [match.to_dict() for match in matches],
        },
    )
    if plot is not None:
        from bench.plotting import plot_pareto

        plot_pareto(points, f"{loaded.title}\n{machine['cpu']}, {machine['isa']}", plot)


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


if __name__ == "__main__":
    typer.run(main)
