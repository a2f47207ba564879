"""`fastfunnel build` and `fastfunnel add`: texts from a file or a pipe into a collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fastfunnel.cli.opening import Directory, counted, opened
from fastfunnel.cli.records import Fields, Record, read_records

if TYPE_CHECKING:
    from fastfunnel import Collection

AT_ONCE = 1024


class Kind(str, Enum):
    """What a corpus may be."""

    txt = "txt"
    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"


Corpus = Annotated[
    str,
    typer.Argument(metavar="CORPUS", help="A .txt (a text a line), .jsonl, .csv or .parquet; "
                   "- is stdin.", show_default=False),
]  # fmt: skip
Format = Annotated[
    Kind | None, typer.Option("--format", help="What CORPUS is, where its name does not say.")
]
TextField = Annotated[str, typer.Option("--text", metavar="FIELD", help="Which field is the text.")]
IdField = Annotated[
    str | None,
    typer.Option("--id", metavar="FIELD", help="Which field is the id, in place of the record's "
                 "number."),
]  # fmt: skip
Model = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME", help="As text-embedding-3-small; the key comes from "
                 "the provider's environment variable. Without it: WordLlama, offline."),
]  # fmt: skip
Dim = Annotated[
    int | None,
    typer.Option("--dim", min=1, help="Dims of the vectors. Without it: all of the model's."),
]
Out = Annotated[
    Path,
    typer.Option("--out", metavar="DIR", help="Where the collection goes.", show_default=False),
]


def build(
    corpus: Corpus,
    out: Out,
    model: Model = None,
    dim: Dim = None,
    kind: Format = None,
    text: TextField = "text",
    id: IdField = None,
) -> None:
    """Embed a corpus into a collection, to be asked with 'fastfunnel search DIR "…"'.

    Cut off, the same command goes on where it stopped: what is embedded is not embedded again.
    Fields other than the text and the id become metadata, for --where.

    Examples:

      fastfunnel build tickets.jsonl --id number --out ./tickets

      zcat notes.txt.gz | fastfunnel build - --out ./notes --model voyage-3.5 --dim 512
    """
    import fastfunnel as ff

    records = read_records(corpus, kind and kind.value, Fields(text, id))
    first = list(islice(records, 1))  # a corpus that cannot be read makes no directory
    if not first:
        raise ValueError(f"{corpus} holds no text")
    with ff.Collection(out, model, dim=dim) as collection:
        _take(collection, chain(first, records), replace=True)
        typer.echo(f'{counted(len(collection))} in {out}: fastfunnel search {out} "…"')


def add(
    directory: Directory,
    corpus: Corpus,
    kind: Format = None,
    text: TextField = "text",
    id: IdField = None,
    upsert: Annotated[bool, typer.Option("--upsert", help="Replace texts of the same id.")] = False,
) -> None:
    """Add a corpus to a collection. Without --id the texts get ids of their own.

    Examples:

      fastfunnel add ./tickets new.jsonl --id number --upsert

      echo "a text about tea" | fastfunnel add ./notes -
    """
    with opened(directory) as collection:
        before = len(collection)
        records = read_records(corpus, kind and kind.value, Fields(text, id))
        _take(collection, records, replace=upsert, own_ids=id is None)
        typer.echo(f"{counted(len(collection) - before)} more, {len(collection):,} in all")


def _take(
    collection: Collection, records: Iterable[Record], *, replace: bool, own_ids: bool = False
) -> None:
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("Embedding"), TextColumn("{task.completed:,.0f} texts"))
    console = Console(stderr=True)
    with Progress(
        *columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=None)
        put = collection.upsert if replace else collection.add
        for portion in _portions(records):
            ids = None if own_ids else [one.id for one in portion]
            put([one.text for one in portion], [one.metadata for one in portion], ids)
            bar.advance(task, len(portion))


def _portions(records: Iterable[Record]) -> Iterator[list[Record]]:
    rest = iter(records)
    while portion := list(islice(rest, AT_ONCE)):
        yield portion
