"""OpenAI, Azure, and every server that speaks OpenAI's protocol, through the openai library."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy.typing as npt

from fastfunnel.embedders.batches import Limits
from fastfunnel.embedders.errors import EmbeddingError, client_errors, import_client
from fastfunnel.embedders.model_embedder import ModelEmbedder
from fastfunnel.embedders.models import Side


class OpenAIEmbedder(ModelEmbedder):
    """Embed with text-embedding-3-small, -large, or a model of a compatible server.

    A tabled Matryoshka model is asked for `dim` dims. Other models are asked for what they give,
    which is cut and normalised here, since not every server knows the parameter.

    Args:
        model: its name; for Azure, the model behind the deployment.
        dim: dims of the rows; None for the model's full length. Required for untabled models.
        strict: make a length that the model was not trained at an error instead of a warning.
        deployment: what to call in Azure, where it is not named like the model.
        client: an openai.OpenAI or openai.AzureOpenAI to use.
        options: for a client made here: `api_key`, `base_url`, `max_retries`, `timeout` …; with
            `azure_endpoint` it is an AzureOpenAI. The client itself retries and waits.

    Raises:
        TypeError, ValueError: for a dim that the model does not have.
        EmbeddingError: the client cannot be made, as without a key.
        ImportError: openai is not installed.
    """

    provider: ClassVar[str] = "openai"
    # 2,048 inputs and 300,000 tokens: the library's docstring of embeddings.create.
    limits: ClassVar[Limits] = Limits(texts=2048, bytes=300_000)

    def __init__(
        self,
        model: str = "text-embedding-3-small",
        dim: int | None = None,
        *,
        strict: bool = False,
        deployment: str | None = None,
        client: Any = None,
        **options: Any,
    ) -> None:
        """Make the client; nothing is sent before the first text."""
        super().__init__(model, dim, strict=strict)
        self._called = deployment or model
        if client is None:
            openai = import_client("openai", "openai")
            maker = openai.AzureOpenAI if "azure_endpoint" in options else openai.OpenAI
            with client_errors(self.provider):
                client = maker(**options)
        self._client = client
        card = self._card
        shortens = card is not None and card.matryoshka and self.dim != card.dim
        self._dimensions = {"dimensions": self.dim} if shortens else {}

    def _answer(self, texts: list[str], side: Side) -> npt.ArrayLike:
        answer = self._client.embeddings.create(model=self._called, input=texts, **self._dimensions)
        rows = sorted(answer.data, key=lambda row: row.index)  # the protocol numbers its rows
        if [row.index for row in rows] != list(range(len(texts))):
            raise EmbeddingError(f"{self.model} answered {len(rows)} rows for {len(texts)} texts")
        return [row.embedding for row in rows]
