"""The `fastfunnel` command. Its libraries come with `pip install 'fastfunnel[cli]'`."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; a mistake ends it with one line on stderr and exit code 1."""
    try:
        from fastfunnel.cli.app import app

        app(prog_name="fastfunnel")
    except ModuleNotFoundError as error:
        _fail(f"{error.name} is missing: pip install 'fastfunnel[cli]'")
    except (ValueError, OSError, ImportError) as error:
        _fail(" ".join(str(error).split()) or type(error).__name__)


def _fail(message: str) -> None:
    print(f"fastfunnel: {message}", file=sys.stderr)
    raise SystemExit(1)
