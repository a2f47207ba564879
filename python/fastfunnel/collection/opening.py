"""Opening a collection: its store, and the embedder that its vectors need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastfunnel.collection.store import Store, is_store
from fastfunnel.embedders import Embedder, embedder_for
from fastfunnel.model import Model, ModelMismatchError

FILE_NAME = "collection.sqlite"
DEFAULT_MODEL = "wordllama-l2-supercat"
_MEMBERS = [name for name in vars(Embedder) if not name.startswith("_")]
LEFT_BY_A_KILL = tuple(FILE_NAME + ending for ending in ("", "-wal", "-shm", "-journal"))


def opened_store(
    path: Path, given: Embedder | str | None, dim: int | None
) -> tuple[Store, Embedder]:
    """Return the store in a directory, made if there is none, and its embedder.

    Raises:
        ValueError: the directory holds something else; or as the functions below.
    """
    file = path / FILE_NAME
    if is_store(file):
        store = Store(file)
        try:
            return store, remembered_embedder(store, given, dim)
        except BaseException:
            store.close()
            raise
    others = {one.name for one in path.iterdir()} if path.is_dir() else set()
    if path.is_file() or not others <= set(LEFT_BY_A_KILL):
        raise ValueError(f"path must be new, empty or a collection, got {path}")
    embedder = chosen_embedder(given or DEFAULT_MODEL, dim)
    path.mkdir(parents=True, exist_ok=True)
    return Store(file, create=about(embedder)), embedder


def chosen_embedder(given: Embedder | str, dim: int | None) -> Embedder:
    """Return the embedder that was given, or the one of that name.

    Raises:
        TypeError, ValueError: it is neither, naming what it lacks, or its dim is not the one asked
            for.
    """
    if isinstance(given, str):
        return embedder_for(given, dim)
    if not isinstance(given, Embedder):
        lacking = [one for one in _MEMBERS if not hasattr(given, one)]
        raise TypeError(
            f"embedder must be a model's name or have {', '.join(_MEMBERS)}; "
            f"{type(given).__name__} lacks {', '.join(lacking)}"
        )
    if dim is not None and dim != given.dim:
        raise ValueError(f"dim must be None or the embedder's {given.dim}, got {dim}")
    return given


def remembered_embedder(store: Store, given: Embedder | str | None, dim: int | None) -> Embedder:
    """Return the embedder of a collection's vectors, which must be the one given, if any is.

    Raises:
        ModelMismatchError: it is another, or the same model used differently.
        TypeError, ValueError: it is none, or the store does not say which.
    """
    model, length = store.about("model"), store.about("dim")
    if model is None or length is None or not length.isascii() or not length.isdigit():
        raise ValueError(f"{store.path} is damaged: it does not say its model and dim")
    embedder = chosen_embedder(
        given or model, int(length) if dim is None and _is_name(given) else dim
    )
    held = Model(model, int(length), _recipe(store))
    difference = held.difference(Model.of(embedder))
    if difference is not None:
        raise ModelMismatchError("the collection", difference)
    return embedder


def about(embedder: Embedder) -> dict[str, str]:
    """Return what a new collection notes of its embedder."""
    made_by = Model.of(embedder)
    recipe = json.dumps(dict(made_by.recipe), sort_keys=True)
    return {"model": made_by.name, "dim": str(embedder.dim), "recipe": recipe}


def _recipe(store: Store) -> dict[str, Any]:
    """Return the recipe that was noted; collections from before there were recipes note none."""
    try:
        recipe = json.loads(store.about("recipe") or "{}")
        return dict(Model("", recipe=recipe).recipe)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{store.path} is damaged: its recipe is none: {error}") from error


def _is_name(given: Embedder | str | None) -> bool:
    return given is None or isinstance(given, str)
