"""The `fastfunnel` command. Its libraries come with `pip install 'fastfunnel[cli]'`."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; a mistake ends it with one line on stderr and exit code 1."""
    try:
        from fastfunnel.cli.app import app

        app(prog_name="fastfunnel")
    except ModuleNotFoundError as error:
        _fail(f"{error.name} is missing: pip install 'fastfunnel[cli]'")
    except BrokenPipeError:
        raise SystemExit(_pipe_closed()) from None
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # click has made a failure of it
            raise SystemExit(_pipe_closed()) from None
        raise
    except (ValueError, TypeError, OSError, ImportError, RuntimeError) as error:
        _fail(" ".join(str(error).split()) or type(error).__name__)


def _pipe_closed() -> int:
    # Whoever read the output has seen enough, as `head` does; flushing at exit must not complain.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _fail(message: str) -> None:
    print(f"fastfunnel: {message}", file=sys.stderr)
    raise SystemExit(1)
