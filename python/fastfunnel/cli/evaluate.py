"""`fastfunnel evaluate`: what prefixes, funnels and codes are worth on your vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fastfunnel.cli.opening import is_collection, opened

if TYPE_CHECKING:
    from fastfunnel.embedders import Embedder

Base = Annotated[
    Path,
    typer.Argument(
        metavar="BASE", help="Vectors: .npy, .npz, .parquet, .arrow, .txt to embed, or a directory "
        "that 'fastfunnel build' made.",
        show_default=False,
    ),
]  # fmt: skip
Queries = Annotated[
    Path | None,
    typer.Argument(
        metavar="QUERIES", help="Queries, likewise; without them rows are held out.",
        show_default=False,
    ),
]  # fmt: skip
Count = Annotated[int, typer.Option("-k", min=1, help="How many answers a query.")]
Recall = Annotated[float, typer.Option(help="The recall that the tuner must promise.")]
Budget = Annotated[float, typer.Option(metavar="SECONDS", help="Time for the tuner.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Write report.html, report.json and PNG plots here."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Model = Annotated[
    str,
    typer.Option(
        help="What embeds .txt files, as for 'fastfunnel build'; a collection has its own."
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Of the split and the sample.")]


def evaluate(
    base: Base,
    queries: Queries = None,
    k: Count = 10,
    recall: Recall = 0.99,
    budget: Budget = 30.0,
    out: Out = None,
    as_json: AsJson = False,
    model: Model = "wordllama",
    seed: Seed = 0,
) -> None:
    """Measure recall, speed and memory of every way to search your vectors.

    Full dims against 1/2 … 1/32 of them, with and without renormalising, two stages, the
    1/32 … full schedule, 1 bit, int8, and the funnel that the tuner finds.

    Examples:

      fastfunnel evaluate base.npy queries.npy

      fastfunnel evaluate base.parquet --recall 0.95 --out ./report

      fastfunnel evaluate passages.txt questions.txt --model wordllama

      fastfunnel evaluate ./tickets questions.txt
    """
    from fastfunnel.evaluation import evaluate as run
    from fastfunnel.evaluation.load import load_vectors

    if out is not None:
        from fastfunnel.figures import new_figure

        new_figure()  # a missing matplotlib should not show after the work
        out.mkdir(parents=True, exist_ok=True)
    embedder: Embedder | str = model
    if is_collection(base):
        with opened(base) as collection:
            rows, embedder = collection.index.get(list(collection.index)), collection.embedder
    else:
        rows = load_vectors(base, model)
    asked = None if queries is None else load_vectors(queries, embedder, as_queries=True)
    found = run(rows, asked, k=k, recall=recall, budget_s=budget, seed=seed, progress=not as_json)
    typer.echo(found.to_json() if as_json else str(found))
    if out is not None:
        found.to_html(out / "report.html")
        found.to_json(out / "report.json")
        found.save_plots(out)
        if not as_json:
            typer.echo(f"\nreport.html, report.json and plots are in {out}")
