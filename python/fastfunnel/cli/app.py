"""The commands of `fastfunnel`. What a command needs, it imports when it runs."""

from __future__ import annotations

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
for command in (
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
    demo.demo,
    version.version,
):
    app.command(name=command.__name__)(command)
