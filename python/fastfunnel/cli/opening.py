"""A collection for a command to work on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fastfunnel import Collection

Directory = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="A directory that 'fastfunnel build' made.",
                   show_default=False),
]  # fmt: skip


def opened(directory: Path) -> Collection:
    """Open the collection in a directory.

    Raises:
        FileNotFoundError: there is none.
    """
    import fastfunnel as ff

    if not is_collection(directory):
        raise FileNotFoundError(
            f"there is no collection at {directory}: 'fastfunnel build' makes one"
        )
    return ff.Collection(directory)


def is_collection(directory: Path) -> bool:
    """Return whether a directory looks like a collection."""
    from fastfunnel.collection.opening import FILE_NAME

    return (directory / FILE_NAME).is_file()


def counted(count: int) -> str:
    """Return "1 text" or "1,234 texts"."""
    return "1 text" if count == 1 else f"{count:,} texts"
