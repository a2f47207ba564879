"""`fastfunnel search`: ask a saved index in words."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fastfunnel.cli.collection import parsed_where
from fastfunnel.cli.opening import is_collection, opened

if TYPE_CHECKING:
    from fastfunnel import Hit as Answer
    from fastfunnel.demo.library import Hit

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="[DIR] TEXT",
        help="The question, in quotes; before it, the directory of an index other than the demo's.",
        show_default=False,
    ),
]
Count = Annotated[int, typer.Option("-k", min=1, help="How many answers to give.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Exact = Annotated[bool, typer.Option("--exact", help="Score every row in full, without a funnel.")]


Filter = Annotated[
    str | None,
    typer.Option(
        "--where", metavar="JSON", help='Only texts whose metadata fit, as \'{"lang": "en"}\'.'
    ),
]
Hybrid = Annotated[bool, typer.Option("--hybrid", help="Rank by the question's words as well.")]


def search(
    words: Words,
    k: Count = 10,
    as_json: AsJson = False,
    exact: Exact = False,
    where: Filter = None,
    hybrid: Hybrid = False,
) -> None:
    """Ask an index in words: the one that 'fastfunnel demo' left, or the one in DIR.

    The model that embedded the index embeds the question, so both must be installed. --where and
    --hybrid are for a DIR that 'fastfunnel build' made.

    Examples:

      fastfunnel search "how do I parse command line arguments"

      fastfunnel search -k 3 --json "an animal with a pouch"

      fastfunnel search ./tickets "late delivery" --where '{"state": "open"}' --hybrid
    """
    directory, question = _where_and_what(words)
    if is_collection(directory):
        with opened(directory) as collection:
            answers = collection.search(
                question, k, where=parsed_where(where), hybrid=hybrid, exact=exact
            )
        _print_answers(question, directory, answers, as_json)
        return
    if where is not None or hybrid:
        raise ValueError(f"--where and --hybrid need a collection, and {directory} is none")
    from fastfunnel.demo.library import Library

    hits = Library.open(directory).search(question, k, exact=exact)
    if as_json:
        typer.echo(_json(question, directory, hits))
    else:
        _show(question, hits)


def _where_and_what(words: list[str]) -> tuple[Path, str]:
    """Return (the index's directory, the question).

    Raises:
        ValueError: there are more than two words, as when a question stands without quotes.
        FileNotFoundError: the directory, or the demo's index, does not exist.
    """
    if len(words) > 2:
        asked = " ".join(words)
        raise ValueError(f'put the question in quotes: fastfunnel search "{asked}"')
    if len(words) == 2:
        directory = Path(words[0]).expanduser()
        if not directory.is_dir():
            raise FileNotFoundError(
                f"there is no index at {directory}; a question of two words needs quotes"
            )
        return directory, words[1]
    from fastfunnel.demo.home import demo_directory

    if is_collection(Path(words[0]).expanduser()):
        raise ValueError(f'ask it something: fastfunnel search {words[0]} "…"')
    directory = demo_directory()
    if not directory.is_dir():
        raise FileNotFoundError(f"no demo index at {directory}: run 'fastfunnel demo' to build one")
    return directory, words[0]


def _print_answers(question: str, directory: Path, hits: list[Answer], as_json: bool) -> None:
    import json

    if as_json:
        answers = [{**asdict(hit), "score": round(hit.score, 6)} for hit in hits]
        content = {"question": question, "index": str(directory), "hits": answers}
        typer.echo(json.dumps(content, ensure_ascii=False))
        return
    from fastfunnel.demo.library import Hit
    from fastfunnel.demo.passage import Passage
    from fastfunnel.demo.report import console, hits_view

    shown = [Hit(0, hit.score, Passage(f"[{hit.id}] {hit.text}", "")) for hit in hits]
    console().print(hits_view(question, shown))


def _json(question: str, directory: Path, hits: list[Hit]) -> str:
    import json

    answers = [
        {
            "id": hit.id,
            "score": round(hit.score, 6),
            "text": hit.passage.text if hit.passage else None,
            "source": hit.passage.source if hit.passage else None,
        }
        for hit in hits
    ]
    return json.dumps(
        {"question": question, "index": str(directory), "hits": answers}, ensure_ascii=False
    )


def _show(question: str, hits: list[Hit]) -> None:
    from fastfunnel.demo.report import console, hits_view

    console().print(hits_view(question, hits))
