"""Static models of the model2vec library, as potion: fast on a CPU."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy.typing as npt

from fastfunnel.embedders.batches import Limits
from fastfunnel.embedders.errors import client_errors, import_client
from fastfunnel.embedders.model_embedder import ModelEmbedder
from fastfunnel.embedders.models import Side


class Model2VecEmbedder(ModelEmbedder):
    """Embed with a model2vec StaticModel.

    These models are not trained for prefixes. Their dims are ordered by PCA, which makes a prefix
    worth something; asking for one is a warning all the same.

    Args:
        model: its name or directory, or a loaded StaticModel.
        dim: dims of the rows; None for the model's full length.
        strict: make a shorter length an error instead of a warning.
        name: what the rows' model is called, where `model` is a loaded one.
        options: for a model loaded here, as StaticModel.from_pretrained takes them.

    Raises:
        TypeError, ValueError: for a dim that the model does not have.
        EmbeddingError: the model cannot be loaded.
        ImportError: model2vec is not installed.
    """

    provider: ClassVar[str] = "model2vec"
    limits: ClassVar[Limits] = Limits(texts=65_536, bytes=64_000_000)

    def __init__(
        self,
        model: Any = "minishlab/potion-base-8M",
        dim: int | None = None,
        *,
        strict: bool = False,
        name: str | None = None,
        **options: Any,
    ) -> None:
        """Load the model, unless it is one already."""
        if isinstance(model, str):
            library = import_client("model2vec", "model2vec")
            with client_errors(self.provider):
                loaded = library.StaticModel.from_pretrained(model, **options)
        else:
            loaded = model
        called = name or (model if isinstance(model, str) else "model2vec model")
        super().__init__(called, dim, strict=strict, full_dim=int(loaded.dim))
        self._loaded = loaded

    def _answer(self, texts: list[str], side: Side) -> npt.ArrayLike:
        rows: npt.ArrayLike = self._loaded.encode(texts)
        return rows
