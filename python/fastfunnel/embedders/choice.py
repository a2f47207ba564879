"""From a model's name to the embedder that calls it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastfunnel.embedders.cohere import CohereEmbedder
from fastfunnel.embedders.gemini import GeminiEmbedder
from fastfunnel.embedders.model2vec import Model2VecEmbedder
from fastfunnel.embedders.models import known_models
from fastfunnel.embedders.openai import OpenAIEmbedder
from fastfunnel.embedders.protocol import Embedder
from fastfunnel.embedders.sentence_transformers import SentenceTransformerEmbedder
from fastfunnel.embedders.voyage import VoyageEmbedder
from fastfunnel.embedders.wordllama import WordLlamaEmbedder

_EMBEDDERS: dict[str, Callable[..., Embedder]] = {
    kind.provider: kind
    for kind in (
        CohereEmbedder,
        GeminiEmbedder,
        Model2VecEmbedder,
        OpenAIEmbedder,
        SentenceTransformerEmbedder,
        VoyageEmbedder,
    )
}


def embedder_for(model: str | None, dim: int | None = None, **options: Any) -> Embedder:
    """Return the embedder of a tabled model; any name that begins with "wordllama" is WordLlama's.

    Args:
        model: its name in the table, as an index remembers it.
        dim: dims of the rows; None for the model's full length.
        options: for the embedder, as `api_key` or `strict`.

    Raises:
        ValueError: there is no name, or none that is known; or `dim` does not suit the model.
        EmbeddingError: the model's client cannot be made, as without a key.
        ImportError: the model's library is not installed.
    """
    if model is None:
        raise ValueError("the index names no model, so text cannot be embedded for it")
    if model.startswith("wordllama"):
        return WordLlamaEmbedder(**({} if dim is None else {"dim": dim}), **options)
    card = known_models().get(model)
    if card is None:
        raise ValueError(
            f"{model!r} is not in the table of models: make its embedder yourself, as with "
            "fastfunnel.embedders.OpenAIEmbedder"
        )
    return _EMBEDDERS[card.provider](model, dim, **options)
