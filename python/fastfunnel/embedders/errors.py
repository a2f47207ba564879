"""What goes wrong between here and a model, as one kind of error."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MOST_CHARACTERS = 300


class EmbeddingError(RuntimeError):
    """A model could not be called, or answered something that cannot be vectors of these texts.

    The error of the provider's client is its `__cause__`.
    """


@contextmanager
def client_errors(provider: str) -> Iterator[None]:
    """Turn whatever a client library raises inside the block into an EmbeddingError."""
    try:
        yield
    except EmbeddingError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())
        said = said if len(said) <= MOST_CHARACTERS else f"{said[:MOST_CHARACTERS]}…"
        raise EmbeddingError(f"{provider}: {type(error).__name__}: {said}") from error


def import_client(module: str, extra: str) -> Any:
    """Return a client library, imported now.

    Raises:
        ImportError: it is not installed; the message says how to.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        message = f"{module} cannot be imported ({error}): pip install 'fastfunnel[{extra}]'"
        raise ImportError(message) from error
