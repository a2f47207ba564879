"""`fastfunnel version`: what a bug report should say."""

from __future__ import annotations

import typer


def print_version(wanted: bool) -> None:
    """End the command with what `version` says, if that is wanted: `fastfunnel --version`."""
    if wanted:
        version()
        raise typer.Exit


def version() -> None:
    """Say which fastfunnel, Python, numpy and processor these are."""
    import platform

    import numpy as np

    import fastfunnel as ff
    from fastfunnel.demo.machine import cpu_name

    typer.echo(f"fastfunnel {ff.__version__}, {ff.active_isa()} kernels")
    typer.echo(f"Python {platform.python_version()}, numpy {np.__version__}")
    typer.echo(f"{platform.system()} {platform.machine()}, {cpu_name()}")
