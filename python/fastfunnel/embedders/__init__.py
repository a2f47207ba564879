"""Models that turn text into vectors, each imported only when it is asked for."""

from __future__ import annotations

from fastfunnel.embedders.protocol import Embedder, FloatRows

__all__ = ["Embedder", "FloatRows", "embedder_for"]


def embedder_for(model: str | None, dim: int) -> Embedder:
    """Return the embedder whose vectors an index of `model` and `dim` holds.

    Raises:
        ValueError: the index names no model, or one that cannot be called from here.
        ImportError: the model's library is not installed.
    """
    if model is not None and model.startswith("wordllama"):
        from fastfunnel.embedders.wordllama import WordLlamaEmbedder

        return WordLlamaEmbedder(dim)
    named = "names no model" if model is None else f"holds vectors of {model!r}"
    raise ValueError(f"the index {named}; only WordLlama text can be embedded here so far")
