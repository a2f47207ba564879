"""The commands of `fastfunnel`. What a command needs, it imports when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from fastfunnel.cli import build, collection, demo, evaluate, search, version

app = typer.Typer(
    name="fastfunnel",
    help="Vector search for Matryoshka embeddings: a cheap score over every row, the true score "
    "over the last few.",
    epilog="Start with 'fastfunnel demo', then ask 'fastfunnel search \"…\"'.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=version.print_version, is_eager=True, help="As 'version'."
        ),
    ] = False,
) -> None:
    pass


for command in (
    demo.demo,
    build.build,
    search.search,
    build.add,
    collection.delete,
    collection.info,
    collection.tune,
    evaluate.evaluate,
    collection.prune,
    collection.verify,
    collection.export,
    version.version,
):
    app.command(name=command.__name__)(command)
