"""What is known of each model, read from models.json: the one table of dims, recipes and prefixes.

An entry may leave out what is usual: `any_from` null, `matryoshka` true, `layer_norm` false, no
prefixes, no tasks. `source` says where its facts are published, `checked` which of them were compared
with a copy of the source, with MTEB's registry (mteb 2.26) or with the model's own package (wordllama
0.4: config/train/l2_supercat.toml) in November 2026; the others come from this project's notes on
the literature.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


class UntrainedDimWarning(UserWarning):
    """A model was asked for vectors of a length it was not trained at."""


@dataclass(frozen=True, slots=True)
class Side:
    """How one side of a search, documents or queries, is told to the model.

    `prefix` goes before each text; `task` is the provider's own word for the side, or None.
    """

    prefix: str = ""
    task: str | None = None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model's name, its dims and its recipe.

    Attributes:
        name: as its provider spells it.
        provider: the module here that calls it: "openai", "sentence_transformers" …
        dim: the full length of its vectors.
        trained_dims: prefix lengths it was trained at, ascending; the last one is `dim`.
        any_from: its provider documents every length from this one on; None where only the
            trained ones are.
        matryoshka: whether it was trained for prefixes at all.
        layer_norm: whether its recipe takes a layer norm over the full length before the prefix.
        documents, queries: what each side needs.
        source: where these facts are published.
        checked: which of them were compared with it or with MTEB's registry; "prefixes" and "tasks"
            stand for what both sides need.
    """

    name: str
    provider: str
    dim: int
    trained_dims: tuple[int, ...]
    any_from: int | None
    matryoshka: bool
    layer_norm: bool
    documents: Side
    queries: Side
    source: str
    checked: tuple[str, ...]

    def dims_up_to(self, dim: int) -> tuple[int, ...]:
        """Return the trained dims below `dim`, then `dim` itself."""
        return (*(one for one in self.trained_dims if one < dim), dim)


@cache
def known_models() -> dict[str, ModelCard]:
    """Return the table, by model name."""
    text = files(__package__).joinpath("models.json").read_text(encoding="utf-8")
    cards = [_card(entry) for entry in json.loads(text)]
    return {card.name: card for card in cards}


def chosen_dim(card: ModelCard, dim: int | None, strict: bool) -> int:
    """Return the length to ask `card`'s model for: its full one for None.

    A length that the model was not trained at is a warning, and an error if `strict`.

    Raises:
        TypeError, ValueError: `dim` is not a length from 1 to the full one, or `strict` forbids it.
    """
    if dim is None:
        return card.dim
    _check_dim(card.name, dim, card.dim)
    if dim in card.trained_dims or (card.any_from is not None and dim >= card.any_from):
        return dim
    if not card.matryoshka:
        concern = (
            f"{card.name} was not trained for prefixes: its first {dim} dims are not a small "
            f"embedding; take all {card.dim}, or fit a rotation with fastfunnel.fit_rotation"
        )
    else:
        trained = ", ".join(map(str, card.trained_dims))
        concern = f"{card.name} was trained at {trained} dims, not at {dim}"
    _complain(concern, strict)
    return dim


def untabled_dim(model: str, dim: int | None, full_dim: int | None, strict: bool) -> int:
    """Return the length to ask a model for that is not in the table.

    Whether it was trained at less than its full length is not known: a warning, and an error if
    `strict`. So is `dim` itself where the full length is not known, which only `strict` minds.

    Raises:
        TypeError, ValueError: there is neither a dim nor a full length, or as `chosen_dim`.
    """
    if dim is None:
        if full_dim is None:
            raise ValueError(f"dim must be given: {model} is not in the table of models")
        return full_dim
    _check_dim(model, dim, full_dim)
    concern = f"{model} is not in the table of models: whether {dim} dims suit it is not known"
    if full_dim is None:
        if strict:
            raise ValueError(concern)
    elif dim != full_dim:
        _complain(concern, strict)
    return dim


def _check_dim(model: str, dim: int, most: int | None) -> None:
    if isinstance(dim, bool) or not isinstance(dim, int):
        raise TypeError(f"dim must be an int, got {type(dim).__name__}")
    if dim < 1 or (most is not None and dim > most):
        allowed = "at least 1" if most is None else f"from 1 to {most}"
        raise ValueError(f"dim must be {allowed} for {model}, got {dim}")


def _complain(concern: str, strict: bool) -> None:
    if strict:
        raise ValueError(concern)
    # The frames between: _complain, *_dim, ModelEmbedder.__init__, the subclass's __init__.
    warnings.warn(concern, UntrainedDimWarning, stacklevel=5)


def _card(entry: dict[str, Any]) -> ModelCard:
    return ModelCard(
        name=entry["name"],
        provider=entry["provider"],
        dim=entry["dim"],
        trained_dims=tuple(entry.get("trained_dims", [entry["dim"]])),
        any_from=entry.get("any_from"),
        matryoshka=entry.get("matryoshka", True),
        layer_norm=entry.get("layer_norm", False),
        documents=Side(entry.get("document_prefix", ""), entry.get("document_task")),
        queries=Side(entry.get("query_prefix", ""), entry.get("query_task")),
        source=entry["source"],
        checked=tuple(entry["checked"]),
    )
