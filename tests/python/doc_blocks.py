"""The Python blocks of the documentation, and how they are run: as printed, in a process of their own."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def blocks(page: Path, language: str = "python") -> list[str]:
    """Return the blocks of a page in a language, in order."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def skip_without(*libraries: str) -> None:
    """Skip the test if one of the top-level modules is not installed."""
    for library in libraries:
        if importlib.util.find_spec(library.partition(".")[0]) is None:
            pytest.skip(f"needs {library}")


def run(code: str, folder: Path, environment: dict[str, str] | None = None) -> str:
    """Run the code in an empty folder and return what it printed; the test fails if it does."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True,
        check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
