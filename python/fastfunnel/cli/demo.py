"""`fastfunnel demo`: embed what this machine has, search it, and measure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from fastfunnel.demo.corpora import Corpus
    from fastfunnel.demo.held_out import HeldOut
    from fastfunnel.demo.pipeline import Embedded
    from fastfunnel.embedders.wordllama import WordLlamaEmbedder

ANSWERS = 3
QUESTIONS = 3

CorpusFile = Annotated[
    Path | None,
    typer.Option("--corpus", metavar="FILE", help="Your own texts: UTF-8, one a line."),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Where to leave the index, in place of your data directory ($FASTFUNNEL_HOME).",
    ),
]
Queries = Annotated[int, typer.Option(min=1, help="How many queries to hold out and measure.")]
Repeats = Annotated[int, typer.Option(min=1, help="How often to measure; medians are shown.")]


def demo(
    corpus: CorpusFile = None, out: Out = None, queries: Queries = 1000, repeats: Repeats = 3
) -> None:
    """Embed real text with a real Matryoshka model, search it, and measure, offline.

    The texts are the docstrings of your Python and, where it is installed, WordNet
    (apt-get install wordnet-base). The index stays for 'fastfunnel search'.

    Examples:

      fastfunnel demo

      fastfunnel demo --corpus tickets.txt --out ./tickets
    """
    from fastfunnel.demo.corpora import installed_corpus, line_corpus
    from fastfunnel.demo.held_out import hold_out
    from fastfunnel.demo.home import check_replaceable, demo_directory
    from fastfunnel.demo.pipeline import leave_index, prepare
    from fastfunnel.demo.report import console as open_console

    directory = out.expanduser() if out is not None else demo_directory()
    check_replaceable(directory)  # before the minute of work, not after it
    embedder = prepare()
    console = open_console()
    if corpus is None:
        with console.status("Reading docstrings, without importing anything"):
            texts = installed_corpus()
    else:
        texts = line_corpus(corpus)
    held_out = hold_out(texts.passages, queries)
    console.print(f"{len(texts):,} texts: {texts.description}")
    embedded = _embed(console, texts, embedder)
    leave_index(embedded, directory)
    _ask(console, directory, texts.questions or tuple(held_out.queries[:QUESTIONS]))
    _compare(console, embedded, held_out, repeats)
    where = "" if out is None else f"{out} "
    console.print(f"\nThe index is in {directory}. Ask it:", soft_wrap=True)
    console.print(f'  fastfunnel search {where}"…"', soft_wrap=True)


def _embed(console: Console, texts: Corpus, embedder: WordLlamaEmbedder) -> Embedded:
    from fastfunnel.demo.pipeline import embed
    from fastfunnel.demo.report import progress_bar

    with progress_bar(console) as bar:
        task = bar.add_task("Embedding", total=len(texts))
        return embed(texts, embedder, lambda count: bar.advance(task, count))


def _ask(console: Console, directory: Path, questions: tuple[str, ...]) -> None:
    from fastfunnel.demo.library import Library
    from fastfunnel.demo.report import hits_view

    library = Library.open(directory)
    for question in questions:
        hits = library.search(question, ANSWERS + 1)
        others = [hit for hit in hits if hit.passage is None or hit.passage.text != question]
        console.print()
        console.print(hits_view(question, others[:ANSWERS]))


def _compare(console: Console, embedded: Embedded, held_out: HeldOut, repeats: int) -> None:
    from fastfunnel.demo.pipeline import measure
    from fastfunnel.demo.report import comparison_table, progress_bar, storage_line

    console.print(f"\nQueries: {held_out.describe()}.")
    with progress_bar(console) as bar:
        task = bar.add_task("Measuring", total=None)

        def on_turn(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        comparison = measure(embedded, held_out, repeats=repeats, on_turn=on_turn)
    console.print()
    console.print(comparison_table(comparison))
    console.print(storage_line(comparison))
