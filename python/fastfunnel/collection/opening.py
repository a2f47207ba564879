"""Which embedder a collection is opened with."""

from __future__ import annotations

from fastfunnel.collection.store import Store
from fastfunnel.embedders import Embedder, embedder_for


def chosen_embedder(given: Embedder | str, dim: int | None) -> Embedder:
    """Return the embedder that was given, or the one of that name.

    Raises:
        TypeError, ValueError: it is neither, or its dim is not the one asked for.
    """
    if isinstance(given, str):
        return embedder_for(given, dim)
    if not isinstance(given, Embedder):
        raise TypeError(f"embedder must be an Embedder or a name, got {type(given).__name__}")
    if dim is not None and dim != given.dim:
        raise ValueError(f"dim must be None or the embedder's {given.dim}, got {dim}")
    return given


def remembered_embedder(store: Store, given: Embedder | str | None, dim: int | None) -> Embedder:
    """Return the embedder of a collection's vectors, which must be the one given, if any is.

    Raises:
        TypeError, ValueError: it is another, or the store does not say which.
    """
    model, length = store.about("model"), store.about("dim")
    if model is None or length is None or not length.isascii() or not length.isdigit():
        raise ValueError(f"{store.path} is damaged: it does not say its model and dim")
    embedder = chosen_embedder(
        given or model, int(length) if dim is None and _is_name(given) else dim
    )
    if (embedder.model, embedder.dim) != (model, int(length)):
        raise ValueError(
            f"embedder must give the collection's {length} dims of {model}, "
            f"got {embedder.dim} of {embedder.model}"
        )
    return embedder


def _is_name(given: Embedder | str | None) -> bool:
    return given is None or isinstance(given, str)
