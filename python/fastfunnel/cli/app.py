"""The commands of `fastfunnel`, one module each. What a command needs, it imports when it runs."""

from __future__ import annotations

import typer

from fastfunnel.cli import demo, evaluate, search, version

app = typer.Typer(
    name="fastfunnel",
    help="Vector search for Matryoshka embeddings: a cheap score over every row, the true score "
    "over the last few.",
    epilog="Start with 'fastfunnel demo', then ask 'fastfunnel search \"…\"'.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(name="demo")(demo.demo)
app.command(name="evaluate")(evaluate.evaluate)
app.command(name="search")(search.search)
app.command(name="version")(version.version)
