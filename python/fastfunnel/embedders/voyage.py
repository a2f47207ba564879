"""Voyage AI, through the voyageai library."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy.typing as npt

from fastfunnel.embedders.batches import Limits
from fastfunnel.embedders.codes import OutputType, as_floats, check_output_type
from fastfunnel.embedders.errors import client_errors, import_client
from fastfunnel.embedders.model_embedder import ModelEmbedder
from fastfunnel.embedders.models import Side

ATTEMPTS = 6  # the library's own default is to give up at the first refusal


class VoyageEmbedder(ModelEmbedder):
    """Embed with Voyage's models, documents and queries each told as what they are.

    Args:
        model: its name.
        dim: dims of the rows; None for the model's full length, which is not Voyage's default.
        strict: make a length that the model was not trained at an error instead of a warning.
        output_type: what documents are sent as: "float", "int8", "binary" or "ubinary". Binary
            rows come out as signs, 1 and -1, normalised. Queries are always sent as floats: float
            against bits needs fewer candidates than bits against bits.
        client: a voyageai.Client to use.
        options: for a client made here: `api_key`, `max_retries`, `timeout`, `base_url`.

    Raises:
        TypeError, ValueError: for a dim or an output type that the model does not have.
        EmbeddingError: the client cannot be made.
        ImportError: voyageai is not installed.
    """

    provider: ClassVar[str] = "voyage"
    # 1,000 texts, and 120,000 tokens for the largest models: docs.voyageai.com/docs/embeddings.
    limits: ClassVar[Limits] = Limits(texts=1000, bytes=120_000)
    documents: ClassVar[Side] = Side(task="document")
    queries: ClassVar[Side] = Side(task="query")

    def __init__(
        self,
        model: str = "voyage-3.5",
        dim: int | None = None,
        *,
        strict: bool = False,
        output_type: OutputType = "float",
        client: Any = None,
        **options: Any,
    ) -> None:
        """Make the client; nothing is sent before the first text."""
        super().__init__(model, dim, strict=strict)
        check_output_type(output_type)
        if client is None:
            voyageai = import_client("voyageai", "voyage")
            with client_errors(self.provider):
                client = voyageai.Client(**{"max_retries": ATTEMPTS, **options})
        self._client = client
        self._output_type = output_type
        self._more_recipe = {"output_type": output_type}

    def _answer(self, texts: list[str], side: Side) -> npt.ArrayLike:
        output = "float" if side.task == "query" else self._output_type
        answer = self._client.embed(
            texts,
            model=self.model,
            input_type=side.task,
            output_dtype=output,
            output_dimension=self._asked_dim,
        )
        return as_floats(answer.embeddings, output)
