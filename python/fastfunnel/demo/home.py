"""Where the demo leaves its index, and how a new one replaces the old."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastfunnel.demo.texts import FILE_NAME


def demo_directory() -> Path:
    """Return $FASTFUNNEL_HOME/demo, or demo in the user's data directory where that is not set.

    Raises:
        ImportError: platformdirs is needed and not installed.
    """
    home = os.environ.get("FASTFUNNEL_HOME")
    if home:
        return Path(home).expanduser() / "demo"
    try:
        import platformdirs
    except ImportError as error:
        raise ImportError("platformdirs is missing: pip install 'fastfunnel[cli]'") from error
    return platformdirs.user_data_path("fastfunnel", appauthor=False) / "demo"


def check_replaceable(directory: Path) -> None:
    """Raise ValueError unless `directory` is absent, empty or an earlier demo's."""
    if not directory.exists():
        return
    if not directory.is_dir():
        raise ValueError(f"{directory} is not a directory")
    if any(directory.iterdir()) and not (directory / FILE_NAME).is_file():
        raise ValueError(f"{directory} holds other files than a demo index: choose another place")


@contextmanager
def replacing(directory: Path) -> Iterator[Path]:
    """Give a path to build in; it takes the place of `directory` if the block ends without error.

    The path does not exist yet, its parent does. Whatever stops the block leaves the old
    directory as it was.

    Raises:
        ValueError: `directory` holds something that is not a demo index.
    """
    check_replaceable(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    workshop = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        built = workshop / "new"
        yield built
        if directory.exists():
            directory.rename(workshop / "old")
        built.rename(directory)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
