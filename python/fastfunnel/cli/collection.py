"""`fastfunnel info`, `delete`, `tune`, `prune`, `verify` and `export`: what to do with a collection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from fastfunnel.cli.opening import Directory, counted, opened

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Where = Annotated[
    str | None,
    typer.Option("--where", metavar="JSON", help='A filter, as \'{"year": {"$gte": 2020}}\'.'),
]


def info(directory: Directory, as_json: AsJson = False) -> None:
    """Say what a collection holds: texts, model, funnel, bytes of each tier.

    Example:

      fastfunnel info ./tickets
    """
    with opened(directory) as collection:
        rows, dim = len(collection), collection.embedder.dim
        funnel = collection.index.default_funnel(10) if rows else None
        about: dict[str, Any] = {
            "directory": str(directory),
            "texts": rows,
            "model": collection.embedder.model,
            "dim": dim,
            "funnel": "exact" if funnel is None else str(funnel),
            "stages": [
                {"stage": str(stage), "bytes": stage.row_bytes * rows}
                for stage in (funnel.stages if funnel else ())
            ],
            "vectors_without_text": collection.spare_vectors(),
            "files": {
                one.relative_to(directory).as_posix(): one.stat().st_size
                for one in _files(directory)
            },
        }
    if as_json:
        typer.echo(json.dumps(about))
        return
    typer.echo(f"{counted(rows)}, {dim} dims of {about['model']}")
    typer.echo(f"funnel for 10 answers: {about['funnel']}")
    for stage in about["stages"]:
        typer.echo(f"  {stage['stage']}: {stage['bytes'] / 1e6:,.1f} MB in all")
    index = sum(size for name, size in about["files"].items() if "/" in name)
    texts = sum(about["files"].values()) - index
    typer.echo(f"texts, words and cached vectors: {texts / 1e6:,.1f} MB on disk")
    typer.echo(f"index: {index / 1e6:,.1f} MB on disk")
    if spare := about["vectors_without_text"]:
        typer.echo(
            f"{spare:,} cached vectors of texts that are gone: 'fastfunnel prune' frees them"
        )


def delete(
    directory: Directory,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Which; or use --where.")
    ] = None,
    where: Where = None,
) -> None:
    """Remove texts by id or by a filter. Unknown ids are no error.

    Examples:

      fastfunnel delete ./tickets 17 18

      fastfunnel delete ./tickets --where '{"state": "closed"}'
    """
    if bool(ids) == (where is not None):
        raise ValueError("say which: ids or --where")
    with opened(directory) as collection:
        gone = collection.delete(ids or None, where=parsed_where(where))
        typer.echo(f"{counted(gone)} removed, {len(collection):,} left")


def tune(
    directory: Directory,
    queries: Annotated[
        Path | None,
        typer.Option("--queries", metavar="FILE", help="Real questions, one a line."),
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many answers a query.")] = 10,
    recall: Annotated[float, typer.Option(help="The recall to promise.")] = 0.99,
    budget: Annotated[float, typer.Option(metavar="SECONDS", help="Time to spend.")] = 30.0,
) -> None:
    """Find the cheapest funnel that keeps a recall, and use it from now on.

    Examples:

      fastfunnel tune ./tickets --queries questions.txt --recall 0.95
    """
    from fastfunnel.cli.records import Fields, read_records

    asked = None
    if queries is not None:
        asked = [one.text for one in read_records(str(queries), "txt", Fields())]
    with opened(directory) as collection:
        typer.echo(str(collection.tune(asked, k, recall, budget_s=budget)))


def prune(directory: Directory) -> None:
    """Forget the vectors of texts that are no longer there, and shrink the files.

    Until then such a text is added again without a call to the model.

    Example:

      fastfunnel prune ./tickets
    """
    with opened(directory) as collection:
        typer.echo(f"{collection.prune_cache():,} vectors forgotten")


def verify(directory: Directory) -> None:
    """Read every file of a collection and compare; exit code 1 if anything is wrong.

    Example:

      fastfunnel verify ./tickets
    """
    with opened(directory) as collection:
        problems = collection.verify()
        if problems:
            raise ValueError(f"{directory}: {'; '.join(problems)}")
        typer.echo(f"{counted(len(collection))}, all well")


def export(directory: Directory) -> None:
    """Write every text with its id and metadata to stdout, a JSON object a line.

    'fastfunnel build - --format jsonl --id id' reads it back.

    Example:

      fastfunnel export ./tickets | gzip > tickets.jsonl.gz
    """
    with opened(directory) as collection:
        for hit in collection:
            record = {**hit.metadata, "id": hit.id, "text": hit.text}
            typer.echo(json.dumps(record, ensure_ascii=False))


def parsed_where(text: str | None) -> dict[str, Any] | None:
    """Return the filter that --where states; ValueError if it is no JSON object."""
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"--where is not JSON: {error}") from None
    if type(found) is not dict:
        raise ValueError(f"--where must be a JSON object, got {text}")
    return found


def _files(directory: Path) -> list[Path]:
    return sorted(one for one in directory.rglob("*") if one.is_file())
