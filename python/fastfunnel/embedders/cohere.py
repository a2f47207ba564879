"""Cohere, through the cohere library's v2 client."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy.typing as npt

from fastfunnel.embedders.batches import Limits
from fastfunnel.embedders.codes import OutputType, as_floats, check_output_type
from fastfunnel.embedders.errors import EmbeddingError, client_errors, import_client
from fastfunnel.embedders.model_embedder import ModelEmbedder
from fastfunnel.embedders.models import Side


class CohereEmbedder(ModelEmbedder):
    """Embed with Cohere's models, documents and queries each told as what they are.

    Args:
        model: its name.
        dim: dims of the rows; None for the model's full length. Embed v3 has one length only, and
            a shorter prefix of it is cut here, with a warning.
        strict: make a length that the model was not trained at an error instead of a warning.
        output_type: what documents are sent as: "float", "int8", "binary" or "ubinary". Binary
            rows come out as signs, 1 and -1, normalised. Queries are always sent as floats.
        client: a cohere.ClientV2 to use.
        options: for a client made here: `api_key`, `base_url`, `timeout`, `max_retries` …

    Raises:
        TypeError, ValueError: for a dim or an output type that the model does not have.
        EmbeddingError: the client cannot be made, as without a key.
        ImportError: cohere is not installed.
    """

    provider: ClassVar[str] = "cohere"
    # 96 texts: the library's docstring of embed. It names no limit of tokens a request.
    limits: ClassVar[Limits] = Limits(texts=96, bytes=1_000_000)
    documents: ClassVar[Side] = Side(task="search_document")
    queries: ClassVar[Side] = Side(task="search_query")

    def __init__(
        self,
        model: str = "embed-v4.0",
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
            cohere = import_client("cohere", "cohere")
            with client_errors(self.provider):
                client = cohere.ClientV2(**options)
        self._client = client
        self._output_type = output_type
        self._more_recipe = {"output_type": output_type}
        asked = self._asked_dim
        self._dimension = {} if asked is None else {"output_dimension": asked}

    def _answer(self, texts: list[str], side: Side) -> npt.ArrayLike:
        output = "float" if side.task == "search_query" else self._output_type
        answer = self._client.embed(
            model=self.model,
            input_type=side.task,
            texts=texts,
            embedding_types=[output],
            **self._dimension,
        )
        rows = getattr(answer.embeddings, "float_" if output == "float" else output, None)
        if rows is None:
            raise EmbeddingError(f"{self.model} answered no {output} embeddings")
        return as_floats(rows, output)
